"""The steps that make Python of a block, in their order; each looks at what the last one left."""

from __future__ import annotations

import re
from collections.abc import Callable

from recode_runtime.reply.characters import (
    has_entities,
    without_entities,
    without_escapes,
    without_slips,
    without_smart_quotes,
)
from recode_runtime.reply.ends import without_marks, without_stray_tag
from recode_runtime.reply.fences import LABEL, has_fence, out_of_fences, unticked
from recode_runtime.reply.layout import (
    aligned,
    dedented,
    without_bullets,
    without_numbers,
    without_prompts,
)
from recode_runtime.reply.prose import without_prose
from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import MOST_PARSED, Trial, without_borders
from recode_runtime.tree import Repair

_MARKUP = "RC002"
_MOST_FENCES = 3  # in one another

# Lists, line numbers, margins and the label of a fence may be Python as they stand, and so may
# entities; none of them can be meant.
_DECEIVES = re.compile(r"[-*+\u2022 \t]|\d+[ \t]*\|" + f"|{LABEL.pattern}", re.IGNORECASE)

Step = Callable[[str, Trial], Change | None]


def mended(block: str, trial: Trial, *, tagged: bool) -> tuple[str, list[Repair]]:
    """The text of a block as Python, and what it took; `tagged` if it stood behind a tag.

    A text that no step makes Python of loses its fences and its margin, and is else left as it
    is for the grammar to judge.

    Raises:
        Unclear: the block holds several programs in fences.
    """
    after_tag = block.lstrip(" \t") if tagged else block
    text = without_borders(after_tag)
    deceives = _DECEIVES.match(text) or has_entities(text)
    if not deceives and trial.reads(text):
        return text, []
    way = _Way(text, trial)
    if deceives:
        way.take_if_it_reads((without_bullets, without_numbers, without_entities))
    if not way.reads():
        way.take(without_marks)
    way.open_fences()
    certain = _Way(way.text, trial)
    if len(way.text) <= MOST_PARSED:
        way.try_each(_GUARDED)
        way.take(dedented)
        if tagged and after_tag[:1] not in ("", "\n"):
            way.try_each((aligned,))
    if way.reads():
        return way.text, way.repairs
    certain.take(dedented)
    return certain.text, way.repairs[: way.certain] + certain.repairs


_GUARDED: tuple[Step, ...] = (
    without_stray_tag,
    without_prose,
    without_prompts,
    without_numbers,
    without_bullets,
    without_prose,
    without_escapes,
    without_entities,
    without_slips,
    without_smart_quotes,
)


class _Way:
    """One text on its way, with what was done to it."""

    def __init__(self, text: str, trial: Trial) -> None:
        self.text = text
        self.repairs: list[Repair] = []
        self.certain = 0  # how many repairs hold whether or not the text becomes Python
        self._trial = trial

    def reads(self) -> bool:
        return self._trial.reads(self.text)

    def take(self, step: Step) -> None:
        change = step(self.text, self._trial)
        if change is not None and change.text.strip():
            self._note(change)

    def take_if_it_reads(self, steps: tuple[Step, ...]) -> None:
        """Take the steps that leave Python."""
        for step in steps:
            change = step(self.text, self._trial)
            if change is not None and self._trial.reads(change.text):
                self._note(change)

    def try_each(self, steps: tuple[Step, ...]) -> None:
        """Take steps until the text is Python."""
        for step in steps:
            if self.reads():
                return
            self.take(step)

    def open_fences(self) -> None:
        """Take the program out of its fences, or the backticks round it."""
        if match := LABEL.match(self.text):
            what = "the name of the language was removed"
            self._note(Change(_MARKUP, what, self.text[match.end() :]))
        if not self.reads() and (inner := unticked(self.text)):
            self._note(Change(_MARKUP, "backticks round the program were removed", inner))
        for _ in range(_MOST_FENCES):
            if self.reads() or not has_fence(self.text):
                break
            changes = out_of_fences(self.text, self._trial)
            if not changes:
                break
            for change in changes:
                self._note(change)
        self.certain = len(self.repairs)

    def _note(self, change: Change) -> None:
        self.repairs.append(change.entry(self.text))
        self.text = without_borders(change.text)
