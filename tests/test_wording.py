"""Text that shows what it is, and the name that was meant."""

from __future__ import annotations

import pytest

from recode_runtime.wording import did_you_mean, escaped, visible

HOSTILE = "\x1b[2J\x1b]0;title\x07[red]a[/red] \u202eb \u200bc\rd\ud800"
HARMLESS = r"\x1b[2J\x1b]0;title\x07[red]a[/red] \u202eb \u200bc\rd\ud800"


@pytest.mark.parametrize("text", ["plain", "ünïcødé 中文 😀", "[red]", "a\\b"])
def test_what_prints_is_left_alone(text: str) -> None:
    """Letters of every script, emoji and brackets are shown as they are."""
    assert visible(text) == text


def test_what_does_not_print_is_written_out() -> None:
    """ANSI sequences, bells, bidirectional marks, zero-width characters, lone surrogates."""
    assert visible(HOSTILE) == HARMLESS
    assert escaped("\n\t\ud800") == r"\n\t\ud800"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """In quotes or without; where none is near, with all there are, or with other words."""
    known = ["primitives", "policy"]
    assert did_you_mean("primitive", known) == "; did you mean 'primitives'?"
    assert did_you_mean("primitive", known, quotes=False) == "; did you mean primitives?"
    assert did_you_mean("x", known) == "; known are primitives, policy"
    assert did_you_mean("x", known, other=".") == "."
