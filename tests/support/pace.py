"""Bounds on processor time that a slow machine can keep too.

A bound is in seconds of the machine on which it was set, where libcst parses a plain program of 200
lines in `REFERENCE` seconds. On a machine that takes longer for that, now, it is longer by as much;
on a faster one it stays as it is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import libcst

REFERENCE = 0.042

_PLAIN = "\n".join(
    f"seen_{n} = find(obs, kind='apple', where=[{n}, 'on', {{'a': {n}}}])\nrun('take ' + seen_{n})"
    for n in range(100)
)

Answer = TypeVar("Answer")


def within(seconds: float, answer: Callable[[], Answer]) -> Answer:
    """The answer. One that takes too long twice is a failure, a machine busy once is not.

    Raises:
        AssertionError: it took longer, both times.
    """
    result, spent = timed(answer)
    if not is_within(seconds, spent):
        result, spent = timed(answer)
        assert is_within(seconds, spent), f"{spent:.2f} s of processor time, twice"
    return result


def timed(answer: Callable[[], Answer]) -> tuple[Answer, float]:
    """An answer, and the processor time in seconds that this process spent on it."""
    start = time.process_time()
    result = answer()
    return result, time.process_time() - start


def is_within(seconds: float, spent: float) -> bool:
    """Whether this much processor time keeps a bound, here and now."""
    return spent < seconds or spent < seconds * _parsing() / REFERENCE


def _parsing() -> float:
    return statistics.median(timed(lambda: libcst.parse_module(_PLAIN))[1] for _ in range(3))
