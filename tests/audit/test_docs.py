"""The example of docs/audit.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from command_line import recode
from recode_runtime.audit.cases import Case

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


def test_the_corpus_of_the_page_gives_the_table_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is written there."""
    (corpus,) = re.findall(r"^```json file=cases.jsonl\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (command, table) = re.findall(r"^    \$ recode (.*)\n((?:    .*\n)+)", PAGE, re.MULTILINE)[0]
    (tmp_path / "cases.jsonl").write_text(corpus)
    monkeypatch.chdir(tmp_path)
    answer = recode(*command.split())
    assert answer.code == 0
    lines = [line.strip() for line in answer.out.splitlines()]
    assert lines[:4] == [line.strip() for line in table.splitlines()]


def test_every_field_of_a_case_is_on_the_page() -> None:
    """And no other."""
    (rows,) = re.findall(r"\| field \| \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE)
    columns = [row.split("|")[1] for row in rows.splitlines()]
    named = {name for column in columns for name in re.findall(r"`(\w+)`", column)}
    assert named == {field.rstrip("_") for field in Case.__struct_fields__}
