"""Turns at the processor: how many guests run at once.

A statement's own time is measured by the clock on the wall, so a guest must not be charged for
waiting behind a thousand others. Guests therefore take turns, a few for each core; who waits for a
turn, and who waits for the host to answer a primitive, has no clock running.
"""

from __future__ import annotations

import asyncio
import os
from weakref import WeakKeyDictionary

TURNS = max(4, 2 * (os.cpu_count() or 1))

_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Turn:
    """The turn of one guest, taken and given back as often as it likes."""

    def __init__(self) -> None:
        self._turns = _of_loops.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(TURNS))
        self._is_taken = False

    async def take(self) -> None:
        """Wait for a turn, unless this guest has it."""
        if not self._is_taken:
            await self._turns.acquire()
            self._is_taken = True

    def give(self) -> None:
        """Give it back, if this guest has it."""
        if self._is_taken:
            self._is_taken = False
            self._turns.release()
