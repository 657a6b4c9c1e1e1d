"""Findings have places, and say whether the grammar can mend them."""

from __future__ import annotations

import pytest

from recode_runtime.errors import Finding
from recode_runtime.grammar import judge
from recode_runtime.policy import Policy

STRICT = Policy.named("strict")

PLACES = {
    "x = 1\nrun('go ' + find_room(obs))": ("RC112", 2, 12, 2, 26),
    "é = 1": ("RC003", 1, 0, 0, 0),
    "if flag:\n    for i in items:\n        clean(i)": ("RC110", 3, 8, 3, 16),
    "x = (obs.__class__,\n     1)": ("RC202", 1, 9, 1, 18),
    "x = '日本' + eval('1')": ("RC205", 1, 11, 1, 15),
}


def errors_of(source: str) -> list[Finding]:
    """What is refused in a program."""
    verdict = judge(source, policy=STRICT, primitives=["run"], variables=["obs", "items", "flag"])
    return [finding for finding in verdict.findings if finding.level == "error"]


@pytest.mark.parametrize("source", PLACES)
def test_a_finding_covers_the_text_it_speaks_of(source: str) -> None:
    """Lines count from 1, columns are characters from 0, the end is just behind."""
    (finding,) = errors_of(source)
    place = finding.line, finding.column, finding.end_line, finding.end_column
    assert (finding.code, *place) == PLACES[source]


def test_a_program_without_findings_keeps_its_source() -> None:
    """The verdict names the text that it speaks of, to the last blank."""
    source = "obs = run('look')   # first\n\n"
    verdict = judge(source, policy=STRICT, primitives=["run"], variables=[], repair="unsafe")
    assert (verdict.source, verdict.findings, verdict.repairs) == (source, (), ())
    assert verdict.program is not None
