"""The clock of a statement: its own time, which stops while the host answers a primitive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Clock:
    """Counts the guest's own seconds.

    The guest itself ends a statement that has had `most`; `overdue` is called, once for a
    statement, where it has had `grace` more and the guest has said nothing.

    One timer runs from `start` to `stop`. Pausing only notes the time, because a statement pauses
    at every call; a timer that goes off too early sets itself again.
    """

    def __init__(self, most: float, grace: float, overdue: Callable[[], None]) -> None:
        self._most = most
        self._grace = grace
        self._overdue = overdue
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._since: float | None = None
        self._before = 0.0
        self._step_began_at = 0.0
        self._is_told = False
        self._extra = 0.0

    @property
    def seconds(self) -> float:
        """Own time since `start`."""
        running = 0.0 if self._since is None else self._loop.time() - self._since
        return self._before + running

    @property
    def is_over(self) -> bool:
        """Whether the statement under way has had all its time."""
        return self._left <= 0

    @property
    def _left(self) -> float:
        return self._most - (self.seconds - self._step_began_at)

    @property
    def _patience(self) -> float:
        return self._left + self._grace + self._extra

    def start(self) -> None:
        """Begin from zero."""
        self._before = self._step_began_at = 0.0
        self._since = self._loop.time()
        self._is_told = False
        self._extra = 0.0
        self._set()

    def extend(self) -> None:
        """The guest has begun to answer for a statement that it ended: let it finish."""
        self._extra = self._grace

    def pause(self) -> None:
        """The guest waits."""
        self._before = self.seconds
        self._since = None

    def resume(self) -> None:
        """The guest runs again."""
        self._since = self._loop.time()
        self._set()

    def step(self) -> None:
        """The next statement begins, with all its time."""
        self._step_began_at = self.seconds
        self._is_told = False
        self._set()

    def stop(self) -> float:
        """Own time in all; nothing is called any more."""
        self.pause()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._before

    def _set(self) -> None:
        if self._timer is None and not self._is_told:
            self._timer = self._loop.call_later(max(0.0, self._patience), self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._since is None:
            return  # paused; `resume` sets the timer again
        if self._patience > 0:
            self._set()
        else:
            self._is_told = True
            self._overdue()
