"""A checkpoint: before a risky statement the process forks; one side runs, the other waits.

The running side writes one byte into a pipe at the moment its outcome is decided, and only then
tells the host. So there is one instant at which the statement has committed (`+`: the waiting side
leaves) or has failed in good order (`-`: the running side tells the host why, and leaves). If the
running side is gone without a byte, the waiting side has the session again, with the namespace
exactly as it was: it never ran the statement. What ends a running side that goes on too long is an
alarm of its own (`alarm.py`), so that no process here needs to be able to kill another.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from typing import NoReturn

from recode_guest import kernel
from recode_guest.alarm import Alarm

REPORTED = 3
OUT_OF_MEMORY = 4
BROKEN = 5

# A process that has ended counts until its keeper has buried it, a moment later.
FORK_TRIES = 100
FORK_PAUSE_MS = 1

_COMMITTED = b"+"
_FAILED = b"-"


class Resumed(BaseException):
    """This process has waited for another that failed, and has the session again."""


class NoProcess(MemoryError):
    """The guest has as many processes as it may have."""


class Runner:
    """Held by the side that runs the statement."""

    def __init__(self, pipe: int, alarm: Alarm) -> None:
        self._pipe = pipe
        self._process = os.getpid()
        self.alarm = alarm

    def commit(self) -> None:
        """The statement is done; from here on this process is the session."""
        self.alarm.off()
        die_with_parent(False)
        self._decide(_COMMITTED)

    def fail(self) -> None:
        """The statement failed; the host will hear why from here, and `leave` must follow."""
        self.alarm.off()
        self._decide(_FAILED)

    @staticmethod
    def leave(status: int) -> NoReturn:
        """End this process; the waiting side goes on."""
        os._exit(status)

    def _decide(self, verdict: bytes) -> None:
        if os.getpid() != self._process:
            os._exit(0)  # the program has forked, and this is the copy
        try:
            os.write(self._pipe, verdict)
        except BrokenPipeError:
            pass  # the waiting side was killed; then this process is the session, whatever came
        finally:
            os.close(self._pipe)


def take(control: socket.socket, alarm: Alarm) -> Runner | int | None:
    """Fork; the waiting side returns when it has the session again.

    Args:
        control: the waiting side ends with the host, which it notices here.
        alarm: set on the running side.

    Returns:
        Runner: this is the running side.
        int: this is the waiting side, and the host knows nothing yet; how the other ended, as
            `os.waitstatus_to_exitcode` has it.
        None: this is the waiting side, and the failure was reported by the running one.

    Raises:
        NoProcess, MemoryError: there is no room for a second process.
    """
    waiting = os.getpid()
    reader, writer = os.pipe()
    try:
        child = _forked()
    except MemoryError:
        os.close(reader)
        os.close(writer)
        raise
    if child == 0:
        os.close(reader)
        die_with_parent(True)
        if os.getppid() != waiting:
            os._exit(0)
        alarm.set()
        return Runner(writer, alarm)
    os.close(writer)
    try:
        return _until_lost(child, reader, control)
    finally:
        os.close(reader)


def _forked() -> int:
    """Fork; the sides of earlier checkpoints that are about to be gone are waited for."""
    for _ in range(FORK_TRIES):
        try:
            return os.fork()
        except BlockingIOError:
            select.poll().poll(FORK_PAUSE_MS)
        except OSError:
            raise MemoryError("no room for a checkpoint") from None
    raise NoProcess


def _until_lost(child: int, pipe: int, control: socket.socket) -> int | None:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    poll.register(control, 0)
    ready = dict(poll.poll())
    if pipe not in ready:
        os._exit(0)  # the host is gone, and the running side goes with this one
    verdict = os.read(pipe, 1)
    if verdict == _COMMITTED:
        os._exit(0)
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    if not verdict:
        return ended
    if ended != REPORTED:
        os._exit(BROKEN)  # nobody knows how much the host has heard
    return None


def die_with_parent(yes: bool) -> None:
    """Whether the kernel ends this process when its parent has ended."""
    if sys.platform == "linux":
        kernel.process_control(kernel.PR_SET_PDEATHSIG, signal.SIGKILL if yes else 0)
