"""Statements of which everything is known: the calls they make, in order, and what they leave.

So whatever was killed, what the host reports can be compared with what was done (`outcomes.py`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recode_runtime.sandboxes.base import CallHandler

State = dict[str, Any]
Call = tuple[Any, ...]

LARGE = 200_000
ITEMS = 5_000
LIMITS = {"statement_seconds": 5.0, "statement_cpu_seconds": 0.2, "memory_mib": 256}
ENDLESS = ("limit", "stopped after 0.2 s of processor time")
CRASH = ("error", "the interpreter crashed (exit 7)")
HUNGRY = ("limit", "needed more than 256 MiB")


@dataclass(slots=True)
class Ledger:
    """The calls that arrived, in order; its methods are the primitives."""

    chance: random.Random
    calls: list[Call] = field(default_factory=list)

    async def note(self, *words: Any) -> str:
        """Answers at once."""
        return self._noted(*(len(word) if isinstance(word, str) else word for word in words))

    async def slow(self, number: int) -> str:
        """Takes its time to answer."""
        noted = self._noted(number)
        await asyncio.sleep(self.chance.choice([0.0, 0.002, 0.01]))
        return noted

    async def large(self, number: int) -> str:
        """Answers with nearly as much as the kernel holds for one who does not read."""
        return self._noted(number).ljust(LARGE, ".")

    @property
    def primitives(self) -> dict[str, CallHandler]:
        """By name."""
        return {"note": self.note, "slow": self.slow, "large": self.large}

    def taken(self) -> list[Call]:
        """The calls since the last time."""
        taken, self.calls = self.calls, []
        return taken

    def _noted(self, *words: Any) -> str:
        self.calls.append(words)
        return answer(*words)


def answer(*words: Any) -> str:
    """What a primitive answers."""
    return f"ok {words}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; it binds `name`, which no other of its program does.

    `fails` is the kind and message of its failure if it is one that always fails: then it makes its
    calls and leaves nothing.
    """

    name: str
    source: str
    calls: tuple[Call, ...] = ()
    value: Any = None
    appended: tuple[Any, ...] = ()
    fails: tuple[str, str] | None = None

    def apply(self, state: State) -> None:
        """Do to a state what the statement does to the namespace."""
        state[self.name] = self.value
        state["items"] = [*state["items"], *self.appended]


def value(name: str, number: int) -> Statement:
    """Neither calls nor needs a checkpoint."""
    return Statement(name, f"{name} = {number}", value=number)


def call(name: str, number: int) -> Statement:
    """Needs no checkpoint."""
    return Statement(name, f"{name} = note({number})", ((number,),), answer(number))


def slow_call(name: str, number: int) -> Statement:
    """The same of a primitive that takes its time."""
    return Statement(name, f"{name} = slow({number})", ((number,),), answer(number))


def loop(name: str, number: int) -> Statement:
    """Changes a list in place, call by call."""
    source = f"for {name} in range(3):\n    items.append(note({number}, {name}))"
    calls = tuple((number, i) for i in range(3))
    return Statement(name, source, calls, 2, tuple(answer(*call) for call in calls))


def slow_loop(name: str, number: int) -> Statement:
    """The same, once, of a primitive that takes its time."""
    source = f"for {name} in [0]:\n    items.append(slow({number}))"
    return Statement(name, source, ((number,),), 0, (answer(number),))


def large_words(name: str, number: int) -> Statement:
    """Sends much in one frame."""
    source = f"{name} = note({number}, 'w' * {LARGE})"
    return Statement(name, source, ((number, LARGE),), answer(number, LARGE))


def large_answer(name: str, number: int) -> Statement:
    """Gets much in one frame."""
    source = f"{name} = [large({number})][0]"
    return Statement(name, source, ((number,),), answer(number).ljust(LARGE, "."))


def many(name: str, number: int) -> Statement:
    """Leaves a value that is not small."""
    return Statement(name, f"{name} = [{number}] * {ITEMS}", value=[number] * ITEMS)


def fails(name: str, number: int) -> Statement:
    """Raises after it has changed a list in place."""
    source = f"for {name} in [0]:\n    note({number})\n    items.clear()\n    1 / 0"
    said = ("error", "ZeroDivisionError: division by zero")
    return Statement(name, source, ((number,),), fails=said)


def fails_at_once(name: str, number: int) -> Statement:
    """Raises without a checkpoint."""
    source = f"{name} = [note({number}), nowhere]"
    said = ("error", "NameError: name 'nowhere' is not defined")
    return Statement(name, source, ((number,),), fails=said)


def crash(name: str, number: int) -> Statement:
    """Ends its process; in the language "python" alone."""
    body = f"    note({number})\n    items.clear()\n    import os\n    os._exit(7)"
    source = f"for {name} in [0]:\n{body}"
    return Statement(name, source, ((number,),), fails=CRASH)


def endless(name: str, number: int) -> Statement:
    """Is stopped by its alarm."""
    source = f"while True:\n    {name} = {number}\n    items.clear()"
    return Statement(name, source, fails=ENDLESS)


def hungry(name: str, number: int) -> Statement:
    """Needs too much memory."""
    source = f"for {name} in [0]:\n    note({number})\n    items.append('w' * 10**10)"
    return Statement(name, source, ((number,),), fails=HUNGRY)


FORMS: dict[Callable[[str, int], Statement], int] = {
    value: 6,
    call: 8,
    slow_call: 4,
    loop: 12,
    slow_loop: 6,
    large_words: 6,
    large_answer: 6,
    many: 4,
    fails: 4,
    fails_at_once: 2,
    hungry: 2,
    endless: 1,
}
