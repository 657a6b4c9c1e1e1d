"""The guest as processes: opened on two sockets, ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import weakref
from collections.abc import Callable
from pathlib import Path

from recode_runtime.policy import Limits
from recode_runtime.sandboxes.channel import Channel, Control
from recode_runtime.sandboxes.frames import Gone, Violation
from recode_runtime.sandboxes.pool import Started

END_SECONDS = 1.0
# A guest may commit all its statements before the host has read of the first; then it answers.
BESIDE_STEPS = 2


class Guest:
    """One guest, the sockets to it, and a descriptor of its keeper.

    The keeper ends its workers as soon as our end of `control` is closed. That also happens if this
    process dies, however it dies. Where the kernel has process descriptors (Linux), the guest has
    ended when that of its keeper says so; elsewhere, when nobody holds the other end of `control`.

    Args:
        started: the sockets.
        limits: what the policy allows; here, the sizes of what the guest sends.
        heard: called with every message on `control` but the first.

    Attributes:
        pid: the process id of the keeper; 0 before it has introduced itself.
    """

    def __init__(self, started: Started, limits: Limits, heard: Callable[[bytes], None]) -> None:
        self._started = started
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._keeper: int | None = None
        self.pid = 0
        self._introduced: asyncio.Future[None] = self._loop.create_future()
        self._introduced.add_done_callback(_noted)
        self._ended = asyncio.Event()
        self.channel = Channel(
            started.channel, limits.frame_bytes, limits.statements + BESIDE_STEPS
        )
        self.control = Control(started.control, self._told, self._hung_up)

    async def introduced(self) -> None:
        """Wait until the keeper has sent its descriptor.

        Raises:
            Violation: it sent something else, or nothing and is gone.
        """
        await self._introduced

    def complaint(self) -> str:
        """What a guest that did not open may have written to its standard error."""
        return self._started.complaint()

    def end_soon(self) -> None:
        """Begin to end the guest; returns at once and may be called again."""
        self.channel.close()
        self.control.close()
        if self._keeper is None:
            self._introduced.cancel()
            self._ended.set()  # it never was, or ends before it has heard anything

    async def end(self) -> None:
        """End the guest and everything it started, and wait until they are gone."""
        self.end_soon()
        if self._loop.is_closed():
            self._kill()  # nobody is left to see whether it ends by itself
            self._gone()
            return
        try:
            await asyncio.wait_for(self._ended.wait(), END_SECONDS)
        except (TimeoutError, asyncio.CancelledError) as problem:
            self._kill()
            if isinstance(problem, asyncio.CancelledError):
                raise
            await self._ended.wait()

    def _kill(self) -> None:
        if self._keeper is not None and not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._keeper, signal.SIGKILL)

    def _told(self, message: bytes, descriptors: list[int]) -> None:
        if self._introduced.done():
            self._heard(message)
        elif message == b"keeper" and descriptors and self._meets(descriptors[0]):
            self._introduced.set_result(None)
            return
        else:
            self._introduced.set_exception(Violation("its keeper did not introduce itself"))
        for descriptor in descriptors:
            os.close(descriptor)

    def _meets(self, keeper: int) -> bool:
        """Whether that is the descriptor of a process; then its end will be noticed."""
        try:
            self.pid = _pid_of(keeper)
            self._loop.add_reader(keeper, self._gone)
        except (OSError, ValueError):
            return False
        self._keeper = keeper
        self._give_back = weakref.finalize(self, os.close, keeper)
        return True

    def _hung_up(self) -> None:
        if not self._introduced.done():
            self._introduced.set_exception(Gone("the guest is gone"))
        if self._keeper is None:
            self._ended.set()

    def _gone(self) -> None:
        if self._keeper is not None:
            self._loop.remove_reader(self._keeper)
            self._give_back()
            self._keeper = None
        self._ended.set()
        # Whoever waits for a frame learns from the channel that none will come, once it is empty.


def _noted(introduced: asyncio.Future[None]) -> None:
    """Not every session that fails to open has come to ask for the keeper."""
    if not introduced.cancelled():
        introduced.exception()


def _pid_of(descriptor: int) -> int:
    lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
    (pid,) = [int(line.split()[1]) for line in lines if line.startswith("Pid:")]
    return pid
