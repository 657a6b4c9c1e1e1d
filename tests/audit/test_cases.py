"""A corpus is read strictly: whatever is wrong is told with its place and what would be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpora import row, written
from recode_runtime.audit.cases import Expectation, WrongCorpus, read_corpora, shipped_corpus

ENDS = "ok, error, killed, timeout, deadline, limited, placeholder, discarded"
NO_END = "missing ), unterminated subpattern at position 0"


def problem(folder: Path, *lines: str | bytes) -> str:
    """What is said of a file of those lines, without its path."""
    path = folder / "cases.jsonl"
    path.write_bytes(b"\n".join(one if isinstance(one, bytes) else one.encode() for one in lines))
    with pytest.raises(WrongCorpus) as caught:
        read_corpora([path])
    return str(caught.value).replace(f"{path}:", "")


def line(**changes: Any) -> str:
    """A good line with some fields changed; None leaves a field out."""
    fields = {**row("one", "x = 1\n"), **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", "1: is not UTF-8 text"),
        ("nothing", "1: is not JSON; a corpus has one JSON object a line"),
        ("[1]", "1: is not a JSON object"),
        (line(expct={}), "1: unknown field 'expct'; did you mean 'expect'?"),
        (line(kind="gest"), "1: unknown kind 'gest'; did you mean 'guest'?"),
        (
            line(kind="x"),
            "1: unknown kind 'x'; known are guest, os, protocol, render, session",
        ),
        (line(id=None), "1: the case is missing the required field `id`"),
        (line(id=3), "1: Expected `str`, got `int` - at `$.id`"),
        (
            line(code=None),
            "1: has neither 'code', the text, nor 'gen', an expression that makes it",
        ),
        (
            line(gen="1 +"),
            "1: 'gen' is not a Python expression: invalid syntax (<unknown>, line 1)",
        ),
        (
            line(leak="("),
            f"1: 'leak' is not a regular expression: {NO_END}",
        ),
        (
            line(expect={"proces": "ok"}),
            "1: unknown field of expect 'proces'; did you mean 'process'?",
        ),
        (
            line(expect={"process": "ok|fine"}),
            f"1: 'expect.process' says 'fine'; known are {ENDS}",
        ),
        (
            line(expect={"validator": "maybe"}),
            "1: Invalid enum value 'maybe' - at `$.expect.validator`",
        ),
    ],
)
def test_a_bad_line_is_told(text: str | bytes, message: str, tmp_path: Path) -> None:
    """The line's number, what is wrong, and what is known or expected."""
    assert problem(tmp_path, text) == message


def test_every_bad_line_is_told_up_to_twenty(tmp_path: Path) -> None:
    """So that a corpus is mended in one go; blank lines count and say nothing."""
    said = problem(tmp_path, "", *["x"] * 25).split("\n")
    assert said[0] == "2: is not JSON; a corpus has one JSON object a line"
    assert said[19].startswith("21: ")
    assert said[20:] == ["and 5 more"]


def test_two_cases_of_one_id_are_told(tmp_path: Path) -> None:
    """An id names one case, also across files."""
    assert problem(tmp_path, line(), line()) == "2: the id 'one' is taken by an earlier case"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its path."""
    path = tmp_path / "none.jsonl"
    with pytest.raises(WrongCorpus, match=f"^{path}: cannot be read: No such file or directory$"):
        read_corpora([path])


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("error|killed", {"error", "killed"}),
        ("error|ok (own netns)", {"error", "ok"}),
        ("error (not a placeholder)", {"error"}),
        ("killed at deadline", {"killed", "timeout"}),
        ("session discarded, host alive", {"killed"}),
        ("", set()),
    ],
)
def test_the_ends_are_read_from_words(text: str, ends: set[str]) -> None:
    """Notes in parentheses, and words that are none of them, say nothing."""
    assert Expectation(process=text).ends == ends


@pytest.mark.parametrize(
    ("changes", "benign"),
    [
        ({"expect": {"process": "ok"}}, True),
        ({"expect": {"process": "ok"}, "leak": "0x"}, False),
        ({"expect": {"process": "ok"}, "hostile_value": True}, False),
        ({"expect": {"process": "ok|error"}}, False),
        ({"expect": {"process": "ok"}, "kind": "render"}, False),
    ],
)
def test_what_must_run_is_benign(changes: dict[str, Any], benign: bool, tmp_path: Path) -> None:
    """A case is an ordinary program only if nothing else than its end is looked at."""
    (case,) = read_corpora([written(tmp_path, row("one", "x = 1\n") | changes)])
    assert case.is_benign is benign


def test_the_shipped_corpus_has_at_least_250_cases_of_every_kind() -> None:
    """Each of them is read without a complaint."""
    corpus = shipped_corpus()
    assert len(corpus) >= 250
    assert {case.kind for case in corpus} == {"guest", "os", "protocol", "render", "session"}
    assert all(case.why for case in corpus)
