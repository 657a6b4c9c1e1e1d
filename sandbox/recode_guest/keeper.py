"""How a session comes to be: two or three processes, one forked from the other.

opener   only where it is needed: to import what is to be preloaded while files can be read, to be
nobody before there are namespaces, or to leave the threads of a module behind
keeper   is born as the first process in namespaces of its own; runs nothing untrusted; ends with
the host, with the zygote, or with the last worker, and takes all workers along
worker   runs programs; a checkpoint forks another
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from recode_guest import checkpoint, kernel, wire
from recode_guest.cgroups import Groups
from recode_guest.channel import Channel
from recode_guest.confine import Confinement, ConfinementFailed, close_all_but
from recode_guest.ground import Ground, become_nobody
from recode_guest.guards import LanguageError
from recode_guest.opening import Opening
from recode_guest.session import Session

REFUSED = 2
REPORT_WIDTH = 32
# More than the host waits for a session to open.
OPENER_SECONDS = 30

# The descriptors of a guest, by number: the same in every session.
STANDARD = (0, 1, 2)
CHANNEL, CONTROL, LIFELINE = 3, 4, 5


class Keeper:
    """Opens one session, and watches over it.

    Args:
        opening: what it may do.
        ground: what the zygote found; its descriptor of /proc is here already.
        number: the session's, for its control group.
        groups: where control groups can be made.
        instructions: the filter of system calls for this machine, if there is one.
        report: where the zygote is told of a keeper that is not its own child, and of a process
            group that must not outlive the keeper.
    """

    def __init__(
        self,
        opening: Opening,
        ground: Ground,
        number: int,
        groups: Groups,
        instructions: bytes | None,
        report: int,
    ) -> None:
        self._opening = opening
        self._ground = ground
        self._number = number
        self._groups = groups if opening.groups else None
        self._instructions = instructions
        self._report = report
        self._confinement = Confinement(ground, opening.limits, portable=opening.portable)

    def open(self, *, is_opener: bool) -> NoReturn:
        """Open the session on `CHANNEL`, and end with it; an opener leaves that to a child."""
        channel_socket, control = socket.socket(fileno=CHANNEL), socket.socket(fileno=CONTROL)
        channel = Channel(channel_socket, self._opening.limits.frame_bytes)
        confinement = self._confinement
        try:
            if is_opener:
                self._open_by_another()
            _tell_own_descriptor(control)
            session = Session(self._opening, channel, control)
            confinement.enter(self._groups, self._number)
        except (LanguageError, ConfinementFailed) as problem:
            channel.send(channel.packed({"op": "refused", "message": str(problem)}))
            os._exit(REFUSED)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
        if not confinement.has("pid-namespace"):
            _adopt_orphans()
        confinement.settle()
        _silence()
        alive, held = os.pipe()
        worker = os.fork()
        if worker == 0:
            self._work(session, held)
        os.setpgid(worker, worker)  # here and in the worker, so that neither can be too early
        os.close(CHANNEL)
        os.close(held)
        if confinement.has("pid-namespace"):
            confinement.seal(self._instructions, {*STANDARD, CONTROL, LIFELINE, alive})
            _wait(alive)
            os._exit(0)  # and the kernel ends whoever else is in the namespace
        self._tell_zygote(os.getpid(), worker)
        close_all_but({*STANDARD, CONTROL, LIFELINE, alive})
        _wait(alive)
        _end_group(worker)

    def _open_by_another(self) -> None:
        """In the opener: do what must come first, and fork the keeper, which returns."""
        signal.alarm(OPENER_SECONDS)  # nobody can end it otherwise; a fork does not inherit it
        checkpoint.die_with_parent(True)
        self._opening.import_preload()
        try:
            if sys.platform == "linux" and kernel.threads() > 1:
                self._leave_threads_behind()
            if self._ground.is_nobodys and not self._opening.portable:
                become_nobody()
            keeper = self._opening.forked(self._ground)
        except OSError as problem:
            raise ConfinementFailed(f"no process can be forked: {problem.strerror}") from None
        if keeper != 0:
            self._tell_zygote(keeper, 0)
            os._exit(0)

    def _leave_threads_behind(self) -> None:
        """Go on in a fork that has one thread; this process waits for it, and ends like it."""
        only = os.fork()
        if only != 0:
            _, status = os.waitpid(only, 0)
            os._exit(int(status != 0))

    def _tell_zygote(self, keeper: int, group: int) -> None:
        """Which keeper the session has, and the process group that must not outlive it, or 0."""
        report = b"%d %d %d" % (keeper, self._number, group)
        with contextlib.suppress(BrokenPipeError):  # the zygote is gone, and the session will be
            os.write(self._report, report.ljust(REPORT_WIDTH))

    def _work(self, session: Session, held: int) -> NoReturn:
        confinement = self._confinement
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        checkpoint.die_with_parent(True)
        confinement.seal(self._instructions, {*STANDARD, CHANNEL, CONTROL, held})
        ready = {
            "op": "ready",
            "version": wire.VERSION,
            "layers": confinement.holding,
            "missing": confinement.missing,
        }
        session.channel.send(session.channel.packed(ready))
        try:
            session.serve()
        finally:
            os._exit(REFUSED)


def arrange(descriptors: dict[int, int]) -> None:
    """Give descriptors the numbers that the keys say, and close all others but the standard three.

    A number in `descriptors` may be one that another is to get.
    """
    high = {wanted: os.dup(given) for wanted, given in descriptors.items()}
    while min(high.values()) <= max(descriptors):
        high = {wanted: os.dup(given) for wanted, given in high.items()}
    for wanted, given in high.items():
        os.dup2(given, wanted, inheritable=False)
    close_all_but({*STANDARD, *descriptors})


def _tell_own_descriptor(control: socket.socket) -> None:
    """Give the host a descriptor of this process, by which it sees its end and can bring it."""
    descriptors = [os.pidfd_open(os.getpid())] if sys.platform == "linux" else []
    with contextlib.suppress(BrokenPipeError):  # the host has given up; `_wait` will see it
        socket.send_fds(control, [b"keeper"], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def _silence() -> None:
    """Point output and errors at nothing, where input has pointed from the start."""
    os.dup2(0, 1)
    os.dup2(0, 2)


def _adopt_orphans() -> None:
    """Be the parent of every descendant whose own is gone, as the first of a namespace is."""
    if sys.platform == "linux":
        kernel.process_control(kernel.PR_SET_CHILD_SUBREAPER, 1)


def _wait(alive: int) -> None:
    """Wait for the host to go, the zygote, or the last worker: the pipe `alive` ends with it."""
    poll = select.poll()
    for descriptor in (CONTROL, LIFELINE, alive):
        poll.register(descriptor, 0)
    poll.poll()


def _end_group(worker: int) -> NoReturn:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # there may be nobody left
        os.killpg(worker, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # which says that the last one is reaped
        while True:
            os.wait()
    os._exit(0)
