"""The corpus of malformed replies, all the way: read, judged, and mended with safe repairs only."""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from recode_runtime.errors import ReplyUnreadable
from recode_runtime.grammar import judge
from recode_runtime.policy import Policy
from recode_runtime.reply import read_reply

CORPUS = Path(__file__).parent / "corpus" / "malformed_replies.jsonl"


@dataclass(frozen=True)
class Row:
    """One reply with the program a careful person would take from it; None: ask again."""

    id: str
    family: str
    reply: str
    primitives: list[str]
    variables: list[str]
    outputs: list[str]
    program: str | None
    why: str


ROWS = [Row(**json.loads(line)) for line in CORPUS.read_text("utf-8").splitlines()]

# Rows whose program is refused although it has a label, and why.
REFUSED = {
    "unicode-019": "the gate keeps names beyond ASCII out: two parsers would read them differently",
}
# Rows that are accepted as another program than the label, and why that is not mended here.
OTHERWISE = {
    "target-005": "the same meaning: `b = c = a` for `b = a` and `c = a`",
    "underscore-008": "the same meaning: the new name keeps clear of the keyword's",
}


def accepted(row: Row) -> str | None:
    """The program that the run time would run without another question to the model."""
    try:
        read = read_reply(row.reply, row.outputs, repair="safe", variables=row.variables)
    except ReplyUnreadable:
        return None
    verdict = judge(
        read.source,
        policy=Policy.named("strict"),
        primitives=row.primitives,
        variables=row.variables,
        outputs=row.outputs,
        repair="safe",
    )
    return verdict.source if verdict.program else None


@pytest.fixture(scope="module")
def programs() -> dict[str, str | None]:
    """What became of each reply, by its id."""
    return {row.id: accepted(row) for row in ROWS}


def _same_text(one: str, two: str) -> bool:
    return one.rstrip("\n") == two.rstrip("\n")


def _same_meaning(one: str, two: str) -> bool:
    return ast.dump(ast.parse(one)) == ast.dump(ast.parse(two))


def test_the_corpus_is_large_and_each_row_is_its_own() -> None:
    """There are 150 rows or more, of many families, and no id or reply stands there twice."""
    families = Counter(row.family for row in ROWS)
    assert len(ROWS) >= 150
    assert len(families) >= 20
    assert all(row.id.rpartition("-")[0] == row.family for row in ROWS)
    assert len({row.id for row in ROWS}) == len({row.reply for row in ROWS}) == len(ROWS)


def test_nine_of_ten_replies_with_a_mechanical_repair_need_no_further_question(
    programs: dict[str, str | None],
) -> None:
    """They give exactly the labelled text; which ones do not is known by name."""
    labelled = [row for row in ROWS if row.program is not None]
    missed = {
        row.id: programs[row.id]
        for row in labelled
        if programs[row.id] is None or not _same_text(programs[row.id] or "", row.program or "")
    }
    assert set(missed) == {one for one in {*REFUSED, *OTHERWISE} if one in _ids(labelled)}, missed
    assert len(missed) <= len(labelled) / 10


def test_no_reply_is_mended_into_something_that_means_something_else(
    programs: dict[str, str | None],
) -> None:
    """Each is accepted as what its label means, or not at all."""
    wrong = {
        row.id: (programs[row.id], row.why)
        for row in ROWS
        if (got := programs[row.id]) is not None
        and (row.program is None or not _same_meaning(got, row.program))
    }
    assert set(wrong) == set(OTHERWISE), wrong


def _ids(rows: list[Row]) -> set[str]:
    return {row.id for row in rows}
