"""Plain functions off the event loop, in threads that nobody has to wait for.

`asyncio.to_thread` has two properties that do not fit here: its threads are joined when the loop
ends, so that a primitive which hangs would keep Ctrl-C from ending the program; and a call costs
about 0.1 ms for the way back through the loop, half of what a whole statement costs. Here threads
are daemons, kept for the next call (the idea is trio's thread cache), and a function that answers
at once is waited for on the spot.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

# How long the loop itself waits for a quick function, in seconds: less than a turn of a busy loop.
PATIENCE = 0.0002


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the function returns or raises, in the caller's context, without blocking the loop.

    A cancellation leaves at once; the function runs to its end, and its result is dropped.
    """
    job = _Job(function, args, kwargs)
    try:
        worker = _idle.pop()
    except IndexError:
        worker = _Worker()
    worker.jobs.put(job)
    if not job.done.acquire(timeout=PATIENCE):
        job.waiting = asyncio.get_running_loop().create_future()
        if not job.done.acquire(blocking=False):  # it may have ended before it saw who waits
            await job.waiting
    if job.error is not None:
        raise job.error
    return job.result


class _Job:
    """One call, and what became of it."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._call = (function, args, kwargs)
        self._context = contextvars.copy_context()
        self.done = threading.Lock()
        self.done.acquire()
        self.waiting: asyncio.Future[None] | None = None
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Make the call and keep what comes of it."""
        function, args, kwargs = self._call
        try:
            self.result = self._context.run(function, *args, **kwargs)
        except BaseException as problem:  # noqa: BLE001  # raised again by whoever waits
            self.error = problem

    def tell(self) -> None:
        """Wake whoever waits."""
        self.done.release()
        waiting = self.waiting
        if waiting is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                waiting.get_loop().call_soon_threadsafe(_wake, waiting)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class _Worker:
    """A daemon thread that makes one call after the other."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        threading.Thread(target=self._serve, name="recode-primitive", daemon=True).start()

    def _serve(self) -> None:
        while True:
            job = self.jobs.get()
            job.run()
            _idle.append(self)
            job.tell()
            del job  # an idle thread keeps nothing alive


_idle: list[_Worker] = []
