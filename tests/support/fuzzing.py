"""How many inputs a fuzzing test tries, and what it cost to answer them.

A slice is tried by default, the whole campaign by `make fuzz`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pace import is_within, timed

WHOLE = os.environ.get("RECODE_FUZZ") == "whole"
SLICES = 100
MOST_SECONDS = 1.0  # of processor time, see `pace`

Answer = TypeVar("Answer")


def examples(slice_: int) -> int:
    """`slice_` inputs, or a hundred times as many in the whole campaign."""
    return slice_ * SLICES if WHOLE else slice_


@dataclass(slots=True)
class Ledger:
    """The inputs of this process: how many got an answer, and which took longest.

    `elsewhere` holds the last lines of the ledgers of other processes.
    """

    inputs: int = 0
    seconds: float = 0.0
    slowest: str = ""
    elsewhere: list[str] = field(default_factory=list)

    def timed(self, source: str, answer: Callable[[], Answer]) -> Answer:
        """The answer to a text. One that takes too long twice is a failure, a busy machine is not.

        Raises:
            AssertionError: no answer within a second.
        """
        result, seconds = timed(answer)
        if not is_within(MOST_SECONDS, seconds):
            result, seconds = timed(answer)
        self.inputs += 1
        if seconds > self.seconds:
            self.seconds, self.slowest = seconds, source
        assert is_within(MOST_SECONDS, seconds), f"{seconds:.2f} s for {shown(source)}"
        return result

    def __str__(self) -> str:
        """One line for the end of a run."""
        status = Path("/proc/self/status").read_text()  # getrusage counts the parent's memory too
        peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
        return (
            f"{self.inputs:,} inputs answered in one process; peak {peak} MiB; "
            f"slowest {self.seconds * 1000:.0f} ms: {shown(self.slowest)}"
        )


LEDGER = Ledger()


def shown(source: str) -> str:
    """A text as it can be printed: the whole of a short one, the ends of a long one."""
    if len(source) <= 200:
        return ascii(source)
    return f"{source[:120]!a} ... {source[-60:]!a} ({len(source)} characters)"
