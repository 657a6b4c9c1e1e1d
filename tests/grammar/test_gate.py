"""The killers of libcst and of CPython's compiler, one after the other in the same process."""

# ruff: noqa: RUF001  (letters that look like others are what is tested)
from __future__ import annotations

import ast
import random
import threading

import pytest

from judging import DEEPEST, STRICT, is_refused, judged, refusal
from pace import within
from recode_runtime.errors import Finding
from recode_runtime.grammar import Verdict
from recode_runtime.grammar.gate import frames_left, pass_gate
from shapes import FORMS, composed, nested, sized

ROOMY = STRICT.but(limits={"source_bytes": 200_000, "source_lines": 200_000})


@pytest.mark.parametrize("size", [40, 60, 150, 1_000, 10_000, 100_000])
@pytest.mark.parametrize("name", FORMS)
def test_every_shape_gets_an_answer_within_a_second(name: str, size: int) -> None:
    """Deep, long and wide forms of every construct, at the limits and far beyond them."""
    source = sized(name, size)
    verdict = within(1.0, lambda: judged(source))
    assert (verdict.program is None) == is_refused(verdict)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_without_the_cap_on_bytes_the_shape_is_still_bounded(name: str) -> None:
    """The cap on bytes is not the only thing between a deep text and libcst."""
    within(2.0, lambda: judged(sized(name, 3_000), ROOMY))


def test_fifty_megabytes_are_refused_before_they_are_read() -> None:
    """The length is known without looking; nothing is done that takes time with it."""
    source = "x" * 50_000_000
    finding = within(0.1, lambda: refusal(source))
    assert str(finding) == (
        "RC004 the program has 50000000 characters; the limit source_bytes is 16384"
    )


def test_two_mebibytes_of_stack_are_enough() -> None:
    """What passes the deepest policy is judged in a small thread; a crash would end the tests."""
    chance, verdicts = random.Random(9), list[Verdict]()
    sources = [make(size) for make in FORMS.values() for size in (45, 59, 85, 88)]
    sources += [composed(chance) for _ in range(200)]

    def work() -> None:
        verdicts.extend(judged(source, DEEPEST) for source in sources)

    usual = threading.stack_size(2 * 1024 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(usual)
    assert len(verdicts) == len(sources)


@pytest.mark.parametrize("digits", [4_299, 4_300, 4_400, 16_000])
def test_a_long_decimal_integer_is_refused_by_the_name_of_its_limit(digits: int) -> None:
    """CPython refuses to read it as well; the finding is ours."""
    verdict = judged("n = " + "9" * digits)
    if digits <= 4_300:
        assert verdict.program is not None
    else:
        assert "the limit integer_digits is 4300" in verdict.findings[0].message


CHARACTERS = {
    "NUL": ("x = 1\nb = '\x00'", 2, 5, "U+0000"),
    "carriage return": ("x = 1\r\ny = 2", 1, 5, "U+000D"),
    "form feed": ("x = 1 #\x0crun('hidden')", 1, 7, "U+000C"),
    "next line": ("x = 1 #\x85run('hidden')", 1, 7, "U+0085"),
    "escape": ("x = '\x1b[2J'", 1, 5, "U+001B"),
    "byte order mark": ("\ufeffx = 1", 1, 0, "U+FEFF"),
    "right to left override": ("x = '\u202e'", 1, 5, "U+202E"),
    "isolate": ("x = 1 # \u2066", 1, 8, "U+2066"),
    "lone surrogate": ("x = '\ud800'", 1, 5, "U+D800"),
    "line separator": ("x = 1 #\u2028run('hidden')", 1, 7, "U+2028"),
    "paragraph separator": ("x = '\u2029'", 1, 5, "U+2029"),
    "left to right mark": ("y = 1\nx = '\u200e'", 2, 5, "U+200E"),
}


@pytest.mark.parametrize("name", CHARACTERS)
def test_characters_that_do_not_show_are_refused(name: str) -> None:
    """What a reader sees is what the interpreter reads."""
    source, line, column, character = CHARACTERS[name]
    finding = refusal(source)
    message = f"the character {character} may not stand in a program"
    assert (finding.code, finding.message) == ("RC003", message)
    assert (finding.line, finding.column) == (line, column)


INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u2060", "\U000e0041", "\xa0", "\u00ad"]


@pytest.mark.parametrize("character", INVISIBLE)
def test_invisible_characters_are_refused_in_code_and_harmless_in_text(character: str) -> None:
    """Python reads none of them as code, or (from 3.13 on) some as a letter of a foreign name."""
    finding = refusal(f"y = 1\nrun{character}('a')")
    foreign = f"run{character}".isidentifier()
    assert (finding.code, finding.line, finding.column) == ("RC003", 2, 0 if foreign else 3)
    assert (ascii(character)[1:-1] if foreign else f"U+{ord(character):04X}") in finding.message
    assert judged(f"x = 'a{character}b'  # a{character}b").program is not None


FOREIGN = {
    "full-width letters": "ｒｕｎ = 1",
    "subscript letter": "ru\u2099 = 1",
    "long s": "\u017fetattr(obs, 'a', 1)",
    "attribute": "x = ()._\uff3fclass_\uff3f",
    "keyword": "run(ｋ=1)",
    "parameter": "f = lambda ａ: 1",
    "import": "import ｏｓ",
    "umlaut": "größe = 1",
    "combining mark": "a\u0301 = 1",
    "in an f-string": "x = f'{ｒｕｎ(1)}'",
    "attribute in an f-string": "x = f'{obs.ｓplit()}'",
    "after braces in an f-string": "x = f'{{{obs[1:2]}}}{ｒｕｎ}'",
    "in a format": "x = f'{obs:>{ｎ}}'",
    "in a dictionary in an f-string": "x = rf\"{ {'é': ｎ}['é'] }\"",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_names_outside_ascii_are_refused(name: str) -> None:
    """CPython would read them as other names than libcst does."""
    finding = refusal(FOREIGN[name])
    assert finding.code == "RC003"
    assert finding.message.endswith("is not plain ASCII")


TEXT = [
    *("'größe 苹果 🍎'  # größe", "f'{obs} größe {{é}}'", "f'{obs:é>{len(obs)}}'", "b'' # é"),
    *("f\"{obs['größe']}é\"", "f\"{obs == 'é'!r:é}é\"", "rf'''é{obs}\né{{'''", "f'é' 'é'"),
]


@pytest.mark.parametrize("literal", TEXT)
def test_text_outside_ascii_may_stand_in_strings_and_comments(literal: str) -> None:
    """Observations are in any language."""
    assert judged(f"x = {literal}").program is not None


@pytest.mark.parametrize("source", ["", " \n\t\n", "# only a comment\n"])
def test_a_program_without_statements_is_refused(source: str) -> None:
    """Nothing to run is said in its own words."""
    assert str(refusal(source)) == "RC005 the program has no statement"


@pytest.mark.parametrize("source", [None, 3, b"x = 1", ["x = 1"]])
def test_what_is_not_text_is_refused(source: object) -> None:
    """No bytes: a coding line would let the bytes mean something else than they show."""
    expected = f"RC003 the program is not text but {type(source).__name__}"
    assert str(refusal(source)) == expected


def test_a_syntax_error_has_its_place() -> None:
    """The words and the place are CPython's own."""
    finding = refusal("x = 1\nif x\n  run('a')")
    assert str(finding) == "line 2: RC003 this is not Python: expected ':'"
    assert finding.column == 4


@pytest.mark.parametrize(
    "source",
    ["x = 1\n  y = 2", "if 1:\n\tx = 1\n        y = 2", "x = '", "x = 1 $ 2", "x = (", "t''x"],
)
def test_text_that_is_not_python_is_a_finding(source: str) -> None:
    """Indentation, mixed tabs, open strings and brackets: never an exception."""
    assert refusal(source).code == "RC003"


def test_what_libcst_alone_refuses_is_a_finding() -> None:
    """`ast.parse` lets pass what the compiler would refuse; libcst has words for some of it."""
    finding = refusal("try:\n    pass\nexcept:\n    pass\nexcept ValueError:\n    pass")
    assert finding == Finding(
        "RC003",
        "the program cannot be read: The bare except: handler must be the last one.",
    )


def test_an_invalid_escape_is_silent() -> None:
    """CPython warns of it while it parses; the host's log is not the model's."""
    assert judged("x = '\\d'").program is not None


CODING = {
    "latin-1": ("# -*- coding: latin-1 -*-\nx = 1", 1, 14),
    "utf-7": ("#!/usr/bin/python\n# coding=utf-7\nx = '+AGE-'", 2, 9),
    "rot13": ("\n  # vim: set fileencoding=rot13 :\nx = 1", 2, 26),
}


@pytest.mark.parametrize("encoding", CODING)
def test_another_encoding_is_refused(encoding: str) -> None:
    """In a file the line would change what the bytes mean: the text shows one of two programs."""
    source, line, column = CODING[encoding]
    finding = refusal(source)
    message = f"the program declares the encoding {encoding!r}, but it is text"
    assert (finding.code, finding.message) == ("RC003", message)
    assert (finding.line, finding.column) == (line, column)


NO_CODING = [
    *("# -*- coding: utf-8 -*-\nx = 1", "# coding: UTF_8\nx = 1", "# vim: encoding=utf8\nx = 1"),
    *("x = 1\n# coding: latin-1", "# a\n# b\n# coding: latin-1\nx = 1", "coding = 'latin-1'"),
]


@pytest.mark.parametrize("source", NO_CODING)
def test_utf_8_may_be_declared_and_later_lines_declare_nothing(source: str) -> None:
    """PEP 263 looks at comments on the first two lines."""
    assert judged(source).program is not None


def test_the_gate_gives_the_tree_of_what_passes() -> None:
    """The tree is that of `ast.parse`."""
    tree = pass_gate("x = 1", STRICT.limits)
    assert isinstance(tree, ast.Module)
    assert ast.unparse(tree) == "x = 1"


SMALL = {
    "program": ("x = 1\nrun('a')", set()),
    "refused program": ("for i in obs:\n    clean(i)", {"RC110"}),
    "program at the limits": ("x = " + nested("run[", "1", "]", 50), set()),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_caller_that_stands_deep_is_not_told_that_the_text_is_deep(name: str) -> None:
    """At every depth of the caller's own recursion: the right answer, or its RecursionError."""
    source, expected = SMALL[name]

    def codes_below(depth: int) -> set[str]:
        if depth:
            return codes_below(depth - 1)
        return {finding.code for finding in judged(source).findings}

    room, overflows = frames_left(), 0
    for depth in (*range(0, room, 25), *range(room - 60, room)):
        try:
            assert codes_below(depth) == expected
        except RecursionError:
            overflows += 1
    assert overflows > 10


def test_a_third_of_the_stack_is_enough_for_the_caller() -> None:
    """Whatever passes the gate of the strict policy is judged in the other two thirds."""

    def judged_below(frames: int, source: str) -> Verdict:
        if frames_left() > frames:
            return judged_below(frames, source)
        return judged(source)

    for make in FORMS.values():
        for size in (20, 50, 58):
            source = make(size)
            verdict = judged_below(700, source)
            assert verdict == judged(source)
            assert not any("too deeply" in one.message for one in verdict.findings)


def test_text_that_is_too_deep_for_the_stack_is_a_finding() -> None:
    """The parser overflows before there is a tree to count; with room to spare, the text did it."""
    message = "the program is nested too deeply to be read"
    assert refusal(FORMS["minus"](10_000)).message == message
