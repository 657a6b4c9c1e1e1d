"""The guest as a process of ours: started with nothing, ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence

from recode_guest import wire
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Limits
from recode_runtime.sandboxes.channel import Channel, Control

PROGRAM = ("-I", "-m", "recode_guest")
END_SECONDS = 0.3
# A guest may commit all its statements before the host has read of the first; then it answers.
BESIDE_STEPS = 2
COMPLAINT_BYTES = 2_000


class Guest:
    """One running guest and the sockets to it.

    The keeper (the process started here) ends its workers as soon as our end of `control` is
    closed. That also happens if this process dies, however it dies.

    Args:
        limits: what the policy allows; here, the sizes of what the guest sends.
        heard: called with every message on `control`.
        program: the arguments with which the interpreter runs the guest.

    Raises:
        SandboxUnavailable: no process can be started here; nothing is left behind.
    """

    def __init__(
        self, limits: Limits, heard: Callable[[bytes], None], program: Sequence[str] = PROGRAM
    ) -> None:
        ours, theirs = socket.socketpair()
        control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs, their_control:
                self._process = _started(program, theirs, their_control)
            self._watched = _exit_descriptor(self._process)
        except OSError as problem:
            ours.close()
            control.close()
            raise SandboxUnavailable(f"the guest cannot be started: {problem}") from None
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._loop.add_reader(self._watched, self._reap)
        self.channel = Channel(ours, limits.frame_bytes, limits.statements + BESIDE_STEPS)
        self.control = Control(control, heard)
        self.group: int | None = None

    @property
    def pid(self) -> int:
        """The process id of the keeper."""
        return self._process.pid

    def ready(self, group: int) -> None:
        """The guest is open: its workers are this process group, and it complains no more."""
        self.group = group
        if self._process.stderr is not None:
            self._process.stderr.close()

    def complaint(self) -> str:
        """What a guest that has ended without opening wrote to its standard error."""
        stream = self._process.stderr
        if stream is None or stream.closed:
            return ""
        os.set_blocking(stream.fileno(), False)
        return (stream.read(COMPLAINT_BYTES) or b"").decode(errors="replace").strip()

    def end_soon(self) -> None:
        """Begin to end the guest; returns at once and may be called again."""
        self.channel.close()
        self.control.close()

    async def end(self) -> None:
        """End the guest and everything it started, and wait until they are gone."""
        self.end_soon()
        try:
            await asyncio.wait_for(self._ended.wait(), END_SECONDS)
        except (TimeoutError, asyncio.CancelledError) as problem:
            self._kill()
            if isinstance(problem, asyncio.CancelledError):
                raise
            await self._ended.wait()

    def _kill(self) -> None:
        # The keeper still runs, so its group, and that of its workers, can be nobody else's yet.
        for group in (self.group, self._process.pid):
            if group is not None and not self._ended.is_set():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)

    def _reap(self) -> None:
        self._loop.remove_reader(self._watched)
        os.close(self._watched)
        self._process.wait()
        self._ended.set()
        # Whoever waits for a frame learns from the channel that none will come, once it is empty.


def _started(
    program: Sequence[str], channel: socket.socket, control: socket.socket
) -> subprocess.Popen[bytes]:
    """No shell, no environment, no terminal, no descriptor but the two sockets."""
    numbers = (channel.fileno(), control.fileno())
    return subprocess.Popen(  # noqa: S603  (our own interpreter and a fixed module name)
        [sys.executable, *program, *map(str, numbers)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env={},
        pass_fds=numbers,
        start_new_session=True,
    )


def _exit_descriptor(process: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the process has ended."""
    try:
        return os.pidfd_open(process.pid)
    except OSError:
        process.kill()
        process.communicate()
        raise


def opening_body(opening: dict[str, object]) -> bytes:
    """The first frame to the guest."""
    return wire.encode({"op": "open", "version": wire.VERSION, **opening})
