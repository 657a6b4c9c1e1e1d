"""The clock of a statement, on a loop whose time stands still until it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from recode_runtime.sandboxes.clock import Clock


class Handle:
    """A call that is due at a time, unless it is cancelled."""

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call = call
        self.is_open = True

    def cancel(self) -> None:
        """Never call it."""
        self.is_open = False


class Loop:
    """The part of an event loop that a clock uses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.handles: list[Handle] = []

    def time(self) -> float:
        """The time as it was set."""
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> Handle:
        """Note the call."""
        handle = Handle(self.now + delay, call)
        self.handles.append(handle)
        return handle

    @property
    def open(self) -> list[Handle]:
        """What is still to be called."""
        return [handle for handle in self.handles if handle.is_open]

    def move(self, seconds: float) -> None:
        """Let time pass, and call what is due by then."""
        self.now += seconds
        for handle in self.open:
            if handle.due <= self.now:
                handle.is_open = False
                handle.call()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    """The loop that clocks made in the test run on."""
    standing: Any = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: standing)
    return standing


def clock_that_tells(loop: Loop) -> tuple[Clock, list[float]]:
    """A clock of 1 s and a grace of 0.25 s, and the times at which it called."""
    told: list[float] = []
    return Clock(1.0, 0.25, lambda: told.append(loop.now)), told


def test_a_statement_has_its_time_and_a_grace(loop: Loop) -> None:
    """Its time is over first; that the guest has not ended it is told a grace later."""
    clock, told = clock_that_tells(loop)
    clock.start()
    loop.move(1.0)
    assert clock.is_over
    assert told == []
    loop.move(0.25)
    assert told == [1.25]


def test_a_statement_is_overdue_once_however_often_it_pauses(loop: Loop) -> None:
    """A call that comes after the time was up does not set the timer again."""
    clock, told = clock_that_tells(loop)
    clock.start()
    loop.move(1.25)
    for _ in range(3):
        clock.pause()
        loop.move(1.0)
        clock.resume()
        loop.move(1.0)
    assert told == [1.25]
    assert clock.is_over
    assert loop.open == []


def test_an_answer_that_has_begun_has_one_grace_more(loop: Loop) -> None:
    """And no third, however often it begins."""
    clock, told = clock_that_tells(loop)
    clock.start()
    loop.move(1.125)
    for _ in range(3):
        clock.extend()
    loop.move(0.125)
    assert told == []
    loop.move(0.25)
    assert told == [1.5]


def test_the_next_request_has_no_more_than_a_grace(loop: Loop) -> None:
    """What was given to the one before is not given again."""
    clock, told = clock_that_tells(loop)
    clock.start()
    clock.extend()
    clock.stop()
    clock.start()
    loop.move(1.25)
    assert told == [1.25]


def test_the_next_statement_has_all_its_time_and_is_told_of_anew(loop: Loop) -> None:
    """Also after one that was overdue."""
    clock, told = clock_that_tells(loop)
    clock.start()
    loop.move(0.75)
    clock.step()
    loop.move(0.75)
    assert told == []
    loop.move(0.5)
    assert told == [2.0]
    clock.step()
    assert not clock.is_over
    loop.move(1.125)
    assert told == [2.0]
    loop.move(0.125)
    assert told == [2.0, 3.25]


def test_paused_time_is_not_counted_and_a_stopped_clock_calls_nothing(loop: Loop) -> None:
    """A timer that goes off in a pause sets itself again for what is left."""
    clock, told = clock_that_tells(loop)
    clock.start()
    loop.move(0.5)
    clock.pause()
    loop.move(5.0)
    clock.resume()
    loop.move(0.5)
    assert clock.is_over
    assert told == []
    loop.move(0.25)
    assert told == [6.25]
    clock.start()
    loop.move(0.5)
    assert clock.stop() == 0.5
    assert loop.open == []
