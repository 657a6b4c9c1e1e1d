"""A known list of actions cut into stages: the hierarchy that an expert expands step by step."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_MOST_ACTIONS = 6
_TAKEN = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)} | {
    *("run", "solve", "obs", "stage", "instruction", "observation", "action")
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A piece of the way, named after its last action; a long one consists of two parts."""

    number: int
    name: str
    actions: tuple[str, ...]
    parts: tuple[Stage, ...] = field(default=())

    @property
    def call(self) -> str:
        """The placeholder for it: `take_black_pepper(stage=3)`."""
        return f"{self.name}(stage={self.number})"

    def walk(self) -> Iterator[Stage]:
        """This stage and the ones it consists of, in the order of their numbers."""
        yield self
        for part in self.parts:
            yield from part.walk()


def stages_of(actions: Sequence[str], scores: Sequence[float]) -> tuple[Stage, ...]:
    """The stages of a way, each ending where the score changes.

    Args:
        actions: the actions, in order.
        scores: the score after each of them; before the first it is 0. Actions after the last
            change make a stage of their own.
    """
    stages: list[Stage] = []
    number = 1
    for piece in _pieces(actions, scores):
        stage = _stage(piece, number)
        number += sum(1 for _ in stage.walk())
        stages.append(stage)
    return tuple(stages)


def _pieces(actions: Sequence[str], scores: Sequence[float]) -> Iterator[tuple[str, ...]]:
    begin, before = 0, 0.0
    for end, score in enumerate(scores, start=1):
        if score != before:
            yield tuple(actions[begin:end])
            begin, before = end, score
    if begin < len(actions):
        yield tuple(actions[begin:])


def _stage(actions: tuple[str, ...], number: int, prefix: str = "") -> Stage:
    """A stage whose parts, if it is long, are its two halves; numbers go on from `number`."""
    name = _name(actions[-1], prefix)
    if len(actions) <= _MOST_ACTIONS:
        return Stage(number, name, actions)
    half = len(actions) // 2
    first = _stage(actions[:half], number + 1)
    second = _stage(actions[half:], number + 1 + sum(1 for _ in first.walk()), "finish_")
    return Stage(number, name, actions, (first, second))


def _name(action: str, prefix: str) -> str:
    """The action as a name: what Python, the run or its primitives call something gets `do_`."""
    words = re.sub(r"[^a-z0-9]+", "_", action.lower()).strip("_")
    name = prefix + (words or "act")
    return f"do_{name}" if name in _TAKEN or name[0].isdigit() else name
