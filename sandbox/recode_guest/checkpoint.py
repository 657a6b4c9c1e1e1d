"""A checkpoint: before a risky statement the process forks; one side runs, the other waits.

The running side writes one byte into a pipe at the moment its outcome is decided, and only then
tells the host. So there is one instant at which the statement has committed (`+`: the waiting side
leaves) or has failed in good order (`-`: the running side tells the host why, and leaves). If the
running side is gone without a byte, or is told to stop before it wrote one, the waiting side has
the session again, with the namespace exactly as it was: it never ran the statement.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from dataclasses import dataclass
from typing import NoReturn

from recode_guest.wire import CONTROL_BYTES

REPORTED = 3
OUT_OF_MEMORY = 4
BROKEN = 5

_COMMITTED = b"+"
_FAILED = b"-"
_HANG_UP = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Resumed(BaseException):
    """This process has waited for another that failed, and has the session again."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The running side ended without an outcome: `stopped` by the host, or by `status`."""

    stopped: bool
    status: int = 0


class Runner:
    """Held by the side that runs the statement."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def commit(self) -> None:
        """The statement is done; from here on this process is the session."""
        self._decide(_COMMITTED)

    def fail(self) -> None:
        """The statement failed; the host will hear why from here, and `leave` must follow."""
        self._decide(_FAILED)

    @staticmethod
    def leave(status: int) -> NoReturn:
        """End this process; the waiting side goes on."""
        os._exit(status)

    def _decide(self, verdict: bytes) -> None:
        try:
            os.write(self._pipe, verdict)
        except BrokenPipeError:
            pass  # the waiting side was killed; then this process is the session, whatever came
        finally:
            os.close(self._pipe)


def take(control: socket.socket, stop: bytes) -> Runner | Lost | None:
    """Fork; the waiting side returns when it has the session again.

    Args:
        control: where the host is heard meanwhile.
        stop: the message by which it ends the running side.

    Returns:
        Runner: this is the running side.
        Lost: this is the waiting side, and the host knows nothing yet.
        None: this is the waiting side, and the failure was reported by the running one.

    Raises:
        MemoryError: there is no room for a second process.
    """
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise MemoryError("no room for a checkpoint") from None
    if child == 0:
        os.close(reader)
        return Runner(writer)
    os.close(writer)
    try:
        return _Watch(child, reader, control, stop).until_lost()
    finally:
        os.close(reader)


class _Watch:
    """The waiting side."""

    def __init__(self, child: int, pipe: int, control: socket.socket, stop: bytes) -> None:
        self._child = child
        self._pipe = pipe
        self._control = control
        self._stop = stop

    def until_lost(self) -> Lost | None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._pipe in ready:
                return self._decided()
            if ready.get(self._control.fileno(), 0) & _HANG_UP:
                self._abandon()
            if self._control.recv(CONTROL_BYTES) == self._stop and not self._is_decided():
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
                return Lost(stopped=True)

    def _decided(self) -> Lost | None:
        verdict = os.read(self._pipe, 1)
        if verdict == _COMMITTED:
            os._exit(0)
        _, status = os.waitpid(self._child, 0)
        if not verdict:
            return Lost(stopped=False, status=os.waitstatus_to_exitcode(status))
        if os.waitstatus_to_exitcode(status) != REPORTED:
            os._exit(BROKEN)  # nobody knows how much the host has heard
        return None

    def _is_decided(self) -> bool:
        """Whether the child has written its byte; it is frozen, so it cannot do so meanwhile."""
        os.kill(self._child, signal.SIGSTOP)
        os.waitid(os.P_PID, self._child, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        decided = bool(poll.poll(0))
        if decided:
            os.kill(self._child, signal.SIGCONT)
        return decided

    def _abandon(self) -> NoReturn:
        """The host is gone."""
        os.kill(self._child, signal.SIGKILL)
        os._exit(0)
