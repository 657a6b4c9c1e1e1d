"""The texts that are run for a case are those of the case, whole."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recode_runtime.audit.programs import (
    GENERATING,
    NotGenerated,
    Piece,
    as_attacker,
    as_probe,
    generated,
    modules_of,
    pieces,
)
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox


def test_a_program_falls_into_its_statements() -> None:
    """With the comments before each, and those behind the last."""
    source = "# one\nx = 1\n\n# two\n@f\nclass A:\n    y = 2\nz = [\n  3,\n]  # three\n# four\n"
    assert pieces(source, 1_000) == [
        Piece("# one\nx = 1", 1, 1),
        Piece("\n# two\n@f\nclass A:\n    y = 2", 3, 1),
        Piece("z = [\n  3,\n]  # three\n# four\n", 8, 1),
    ]


def test_statements_on_one_line_stay_together() -> None:
    """So does one that begins where another ends."""
    assert pieces("a(); b()\nx = [\n1]; y = 2\nz = 3", 1_000) == [
        Piece("a(); b()", 1, 2),
        Piece("x = [\n1]; y = 2", 2, 2),
        Piece("z = 3", 4, 1),
    ]


@pytest.mark.parametrize(
    "source", ["x = (", "a = 1\rb = 2\n", "x = 1\n" * 200, "", "# nothing", "x = '\0'"]
)
def test_what_cannot_be_cut_is_one_piece(source: str) -> None:
    """No parser of the audit's own refuses it."""
    assert pieces(source, 500) == [Piece(source, 1, 1)]


LINES = st.sampled_from(
    ["x = 1", "# c", "", "a(); b()", "if x:\n    y = 1\nelse:\n    z = '''\n'''", "@d\ndef f(): 0"]
)


@settings(max_examples=200)
@given(st.lists(LINES, max_size=12).map("\n".join))
def test_no_character_is_lost(source: str) -> None:
    """The pieces together are the text, each has its line, all have the statements."""
    found = pieces(source, 10_000)
    assert "\n".join(piece.source for piece in found) == source
    lines = source.split("\n")
    assert all(lines[piece.line - 1] == piece.source.split("\n")[0] for piece in found)
    assert sum(piece.statements for piece in found) == max(1, len(ast.parse(source).body))


def test_a_probe_reports_each_print_by_a_primitive() -> None:
    """Its text is encoded, so that a look into the memory does not find the probe itself."""
    piece = as_probe("print('a', 1, end='')\nx = 'needle'\nprint(x)", "tell")
    assert "needle" not in piece.source
    told: list[str] = []
    exec(piece.source, {"tell": told.append})
    assert told == ["a 1", "needle"]


def test_an_attacker_knows_its_descriptor_and_its_time() -> None:
    """As a corpus says: FD and DEADLINE."""
    with pytest.raises(ZeroDivisionError, match=r"^\(3, 1\.5\)$"):
        exec(as_attacker("raise ZeroDivisionError((FD, DEADLINE))", 1.5).source)


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import os.path, socket", ("encodings.idna", "os.path", "socket")),
        ("from struct import pack", ("struct",)),
        ("__import__('ctypes')", ("ctypes",)),
        ("resolve_name('os:environ')", ("os",)),
        ("import antigravity, this, RestrictedPython, os.nothing", ()),
        ("from . import os", ()),
        ("import (", ()),
    ],
)
def test_the_modules_that_a_program_needs(source: str, modules: tuple[str, ...]) -> None:
    """Of the standard library alone, and none that does something when it is imported."""
    assert modules_of(source) == modules


async def made(gen: str) -> str:
    """The text of an expression."""
    session = await ProcessSandbox(Policy.named("strict").but(**GENERATING)).open({})
    try:
        return await generated(gen, session)
    finally:
        await session.close()


async def test_an_expression_makes_megabytes() -> None:
    """More than any program of a policy may hold."""
    assert await made("'x' * 4_000_000\n") == "x" * 4_000_000


async def test_an_expression_makes_what_no_encoding_takes() -> None:
    """Half surrogates, control characters, line ends."""
    assert await made(r"'\ud800\x00\r\n\u2028'") == "\ud800\x00\r\n\u2028"


@pytest.mark.parametrize(
    ("gen", "message"),
    [
        ("1 / 0", "its 'gen' fails: ZeroDivisionError: division by zero"),
        ("1", "its 'gen' makes no text, or too much"),
        ("'x' * 10 ** 7", "its 'gen' makes no text, or too much"),
        ("open('/etc/passwd').read()", "its 'gen' fails: FileNotFoundError: "),
    ],
)
async def test_an_expression_that_makes_no_text_is_told(gen: str, message: str) -> None:
    """It is evaluated behind the wall, where there is nothing to read."""
    with pytest.raises(NotGenerated) as caught:
        await made(gen)
    assert str(caught.value).startswith(message)
