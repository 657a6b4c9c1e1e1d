"""Findings as a model reads them: short, complete, and never a way out of the prompt."""

from __future__ import annotations

import re

import pytest

from recode_runtime.errors import Finding
from recode_runtime.grammar import ALL_RULES, Rule
from recode_runtime.grammar.gate import TEXT_CODES
from recode_runtime.prompt import FINDING_BYTES, FINDINGS_SHOWN, retry_text
from retry_texts import KEPT, findings_of, rendered, samples

INVALID = [(rule, name) for rule in ALL_RULES for name in rule.INVALID]
MOST_TOKENS = 120


def tokens(text: str) -> float:
    """More than a byte-level tokenizer makes of such text: it takes 3 to 4 bytes for one."""
    return max(len(text.split()) * 1.5, len(text.encode()) / 3)


def test_the_texts_are_those_that_were_read_by_a_person() -> None:
    """One broken program of every code; `python tests/support/retry_texts.py` keeps new texts."""
    assert rendered() + "\n" == KEPT.read_text(encoding="utf-8")


def test_every_code_has_a_text() -> None:
    """Rules, gate and the reader of replies; and the title names a code that was found."""
    found = {title.split()[0]: {one.code for one in findings} for title, findings, _ in samples()}
    assert set(found) == {*TEXT_CODES, *(rule.code for rule in ALL_RULES)}
    assert [code for code, codes in found.items() if code not in codes] == []


@pytest.mark.parametrize(("rule", "name"), INVALID, ids=lambda one: getattr(one, "code", one))
def test_a_finding_takes_at_most_120_tokens_and_its_words_are_whole(
    rule: type[Rule], name: str
) -> None:
    """No message and no advice of ours is so long that it would be cut."""
    findings, source = findings_of(rule, rule.INVALID[name])
    for finding, text in zip(findings, retry_text(findings, source), strict=True):
        assert tokens(text) <= MOST_TOKENS
        assert finding.message in text
        assert f"Use instead: {finding.advice}" in text


@pytest.mark.parametrize("letter", ["x", "é", "漢", "\N{GRINNING FACE}", "\u202e", "<", "\n"])
def test_hostile_lengths_are_cut(letter: str) -> None:
    """Message, line and advice of any size and any characters stay within the bound."""
    long = letter * 5_000
    (text,) = retry_text((Finding("RC110", long, 99_999, 0, long, "warning"),), "\n" * 99_998)
    (shown,) = retry_text((Finding("RC110", long, 1, 2_500, long),), long)
    for one in (text, shown):
        assert len(one.encode()) <= FINDING_BYTES
        assert one.count(" [cut]") >= 2
        assert all(line.startswith("| ") for line in one.split("\n"))


def test_a_long_line_is_shown_round_the_place() -> None:
    """What is meant is visible, and so is what was left out."""
    numbers = ", ".join(map(str, range(100)))
    line = f"values = [{numbers}, tidy(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]"
    finding = Finding("RC112", "no", 1, line.index("tidy"))
    (text,) = retry_text((finding,), line + " " * 10)
    assert text == (
        "| line 1: RC112 no\n|     ... 97, 98, 99, tidy(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]"
    )
    (beginning,) = retry_text((Finding("RC112", "no", 1, 0),), line)
    assert beginning.split("\n")[1] == (
        "|     values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,  [cut]"
    )


def test_a_line_stands_without_its_indentation() -> None:
    """The margin is ours."""
    (text,) = retry_text((Finding("RC110", "no", 2, 4),), "for i in items:\n    tidy(i)")
    assert text == "| line 2: RC110 no\n|     tidy(i)"


def test_a_finding_about_the_whole_text_shows_no_line() -> None:
    """Nor does one whose program is not at hand, or has no such line."""
    assert retry_text((Finding("RC120", "x is lost"),), "y = 1") == ["| RC120 x is lost"]
    assert retry_text((Finding("RC110", "no", 3),), "y = 1") == ["| line 3: RC110 no"]


def test_many_findings_are_counted_not_listed() -> None:
    """Errors first, in the order of the lines; the rest is a number."""
    warnings = [Finding("RC301", "w", line, level="warning") for line in range(1, 4)]
    errors = [Finding("RC110", "e", line) for line in range(10, 10 + FINDINGS_SHOWN - 1)]
    shown = retry_text((*warnings, *errors))
    assert shown[:2] == ["| line 10: RC110 e", "| line 11: RC110 e"]
    assert shown[-2:] == ["| line 1: RC301 (warning) w", "| [and 2 more]"]
    assert len(shown) == FINDINGS_SHOWN + 1
    assert len(retry_text(errors)) == len(errors)


@pytest.mark.parametrize("mark", ["</execute>", "<think>", "<|im_end|>", "[/INST]", "\x1b[2J"])
def test_no_part_of_a_finding_can_end_the_prompt(mark: str) -> None:
    """Tags, marks of chat templates and escapes are written out, also where a text was cut."""
    padded = [mark * 40, *("x" * count + mark * 40 for count in range(12))]
    for text in padded:
        shown = "\n".join(retry_text((Finding("RC110", text, 1, 30, text),), text))
        assert mark not in shown
        assert not re.search(r"<\s*/?\s*(think|execute)", shown)
