"""The zygote: a warm process that has imported what a guest needs, and forks one for each session.

It was started by exec with an empty environment and holds no secret, it runs nothing untrusted, and
the only thing it reads are the host's requests: what a session may do, with the descriptors of its
two sockets beside.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from typing import NoReturn

from recode_guest import kernel, wire
from recode_guest.cgroups import Groups
from recode_guest.ground import Ground
from recode_guest.keeper import CHANNEL, CONTROL, LIFELINE, REPORT_WIDTH, Keeper, arrange
from recode_guest.opening import Opening
from recode_guest.seccomp import filter_for

# Those that a keeper has while it opens a session.
REPORT, PROC = 6, 7
# What has been prepared for a policy is kept; a host that makes ever new ones must not fill memory.
OPENINGS = 16
DESCRIPTORS = 2
WAKE_BYTES = 4_096
# A control group cannot be removed before the last of its processes is gone.
AGAIN_MS = 50


def main() -> NoReturn:
    """Serve the host at the other end of the socket that the last argument names."""
    Zygote(socket.socket(fileno=int(sys.argv[-1]))).serve()


class Zygote:
    """Forks sessions, and removes the control group of each that has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ground = Ground()
        self._groups = Groups()
        self._instructions = filter_for(kernel.machine())
        self._lifeline, self._life = os.pipe()
        self._reports, self._report = os.pipe()
        self._awake, wake = os.pipe()
        for descriptor in (self._reports, self._awake, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._number = 0
        self._openings: dict[bytes, Opening] = {}
        self._has_threads = False
        self._openers: dict[int, int] = {}
        self._keepers: dict[int, tuple[int, int]] = {}
        self._ended: list[int] = []
        if sys.platform == "linux":
            kernel.process_control(kernel.PR_SET_CHILD_SUBREAPER, 1)
            kernel.process_control(kernel.PR_SET_DUMPABLE, 0)
        _settle()

    def serve(self) -> NoReturn:
        """Answer requests until the host is gone; then see every session out."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(self._awake, select.POLLIN)
        while True:
            ready = dict(poll.poll(AGAIN_MS if self._ended else None))
            if self._awake in ready or self._ended:
                self._reap()
            if self._connection.fileno() in ready and not self._answer():
                self._leave()

    def _answer(self) -> bool:
        """Fork the session that the host asks for; false if the host is gone."""
        packet, descriptors, _, _ = socket.recv_fds(
            self._connection, wire.REQUEST_BYTES, DESCRIPTORS
        )
        if not packet:
            return False
        opening = self._prepared(packet)
        self._number += 1
        needs_opener = opening.preload or self._ground.is_nobodys or self._has_threads
        try:
            first = os.fork() if needs_opener else opening.forked(self._ground)
        except OSError as problem:  # the host hears of it by the end of its sockets, and reads this
            sys.stderr.write(f"no process can be forked: {problem.strerror}\n")
        else:
            if first == 0:
                self._open(opening, *descriptors, is_opener=bool(needs_opener))
            if needs_opener:
                self._openers[first] = self._number
            else:
                self._keepers[first] = self._number, 0
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _prepared(self, request: bytes) -> Opening:
        """What is the same for all sessions that are asked for alike."""
        opening = self._openings.get(request)
        if opening is None:
            if len(self._openings) == OPENINGS:
                self._openings.clear()
            opening = self._openings[request] = Opening(request)
            # Some modules start threads when they are imported, as a facade's may have been.
            self._has_threads = sys.platform == "linux" and kernel.threads() > 1
            _settle()
        return opening

    def _open(self, opening: Opening, channel: int, control: int, *, is_opener: bool) -> NoReturn:
        """In a process of its own: become the session."""
        try:
            signal.set_wakeup_fd(-1)
            self._openings, self._openers, self._keepers = {}, {}, {}  # no session's business
            descriptors = {
                CHANNEL: channel,
                CONTROL: control,
                LIFELINE: self._lifeline,
                REPORT: self._report,
            }
            if self._ground.proc >= 0:
                descriptors[PROC] = self._ground.proc
                self._ground.proc = PROC
            arrange(descriptors)
            Keeper(
                opening, self._ground, self._number, self._groups, self._instructions, REPORT
            ).open(is_opener=is_opener)
        finally:
            sys.excepthook(*sys.exc_info())  # to the host, which reads our standard error
            os._exit(1)

    def _reap(self) -> None:
        """Collect every process that has ended, and what is left of its session."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._awake, WAKE_BYTES)
        ended = list(_ended_children())
        # An opener's keeper is this process's child once the opener has ended, and reported it.
        with contextlib.suppress(BlockingIOError):
            while report := os.read(self._reports, REPORT_WIDTH):  # each was written whole
                keeper, number, group = map(int, report.split())
                known = self._keepers.get(keeper, (number, 0))[1]
                self._keepers[keeper] = number, group or known
        for pid, status in ended:
            number = self._openers.pop(pid, 0)
            if pid in self._keepers:
                number, group = self._keepers.pop(pid)
                self._ended.append(number)
                if group and status != 0:
                    _end(group)
            elif number and status != 0:  # it has reported nobody
                self._ended.append(number)
        self._ended = [number for number in self._ended if not self._groups.remove(number)]

    def _leave(self) -> NoReturn:
        """The host is gone: the lifeline ends with this process, so let it end before."""
        os.close(self._life)
        for opener in self._openers:  # it may be waiting for a module that never is imported
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(opener, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
                self._reap()
        os._exit(0)


def _ended_children() -> Iterator[tuple[int, int]]:
    """Reap every child that has ended: its process id, and its status as `os.waitpid` has it."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            yield ended


def _end(group: int) -> None:
    """End the workers of a keeper that was killed before it could, where no namespace does."""
    with contextlib.suppress(ChildProcessError, ProcessLookupError, PermissionError):
        # Whoever is left of them is a child of this process by now; if nobody is, the number may
        # be that of a stranger's group already.
        os.waitid(os.P_PGID, group, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        os.killpg(group, signal.SIGKILL)


def _settle() -> None:
    """What is there by now is shared by all sessions: never to be looked at by the collector."""
    gc.collect()
    gc.freeze()
    gc.disable()
