"""What was mended, step by step: each entry holds the lines that differ, cut where they are long.

Lines are compared in linear time, whatever the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recode_runtime.tree import Repair

SHOWN = 2_000  # characters of the lines before, and of those after


@dataclass(frozen=True, slots=True)
class Change:
    """What one step made of a text: the code of the rule, the step in words, the new text."""

    code: str
    what: str
    text: str

    def entry(self, before: str) -> Repair:
        """The repair that turned the text `before` into this one."""
        removed, added = _difference(before.split("\n"), self.text.split("\n"))
        return entry(self.code, self.what, "\n".join(removed), "\n".join(added))


def entry(code: str, what: str, before: str = "", after: str = "") -> Repair:
    """A repair with its lines cut to a size that can be shown."""
    return Repair(code, what, _cut(before), _cut(after))


def _cut(text: str) -> str:
    over = len(text) - SHOWN
    return text if over <= 0 else f"{text[:SHOWN]}\n[cut: {over} more characters]"


def _difference(old: Sequence[str], new: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The lines that only the old text has, and those that only the new one has."""
    if len(old) == len(new):
        pairs = [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]
        return [one for one, _ in pairs], [two for _, two in pairs]
    left_out = _left_out(old, new)
    if left_out is not None:
        return left_out, ()
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _left_out(old: Sequence[str], new: Sequence[str]) -> list[str] | None:
    """The lines without which the old text is the new one; None if that is not all."""
    dropped, place = [], 0
    for line in old:
        if place < len(new) and line == new[place]:
            place += 1
        else:
            dropped.append(line)
    return dropped if place == len(new) else None


def _same(one: Sequence[str], two: Sequence[str]) -> int:
    """How many lines at the beginning are the same."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(two)))
