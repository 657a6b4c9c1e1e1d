"""Bounds on processor time that mean the same on a slow machine as on a fast one.

The unit is what libcst takes, on this machine and now, to parse a plain program of 200 lines: some
40 ms of a processor of 2024.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import libcst

# A moment: enough for the largest text that a policy lets through, far from enough for work that
# grows with the square of its length.
MOMENT = 40.0

_PLAIN = "\n".join(
    f"seen_{n} = find(obs, kind='apple', where=[{n}, 'on', {{'a': {n}}}])\nrun('take ' + seen_{n})"
    for n in range(100)
)

Answer = TypeVar("Answer")


def in_a_moment(answer: Callable[[], Answer], units: float = MOMENT) -> Answer:
    """The answer. One that takes too long twice is a failure, a machine busy once is not.

    Raises:
        AssertionError: it took more units than these, both times.
    """
    result, seconds = timed(answer)
    if not is_moment(seconds, units):
        result, seconds = timed(answer)
        assert is_moment(seconds, units), f"{seconds / _unit():.0f} units of {_unit():.3f} s"
    return result


def timed(answer: Callable[[], Answer]) -> tuple[Answer, float]:
    """An answer, and the processor time in seconds that this process spent on it."""
    start = time.process_time()
    result = answer()
    return result, time.process_time() - start


def is_moment(seconds: float, units: float = MOMENT) -> bool:
    """Whether this much processor time is at most so many units."""
    return seconds <= units * _unit()


def _unit() -> float:
    return statistics.median(timed(lambda: libcst.parse_module(_PLAIN))[1] for _ in range(3))
