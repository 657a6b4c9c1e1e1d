"""The guest as a program: `python -I -m recode_guest CHANNEL CONTROL`, two inherited descriptors.

The process that the host starts is the *keeper*. It reads what the session may do, gives up what
nobody here needs, forks the first worker and runs nothing untrusted itself. It ends every worker
when the host is gone, and ends itself when no worker is left.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from recode_guest import confine, wire
from recode_guest.channel import Channel
from recode_guest.guards import LanguageError
from recode_guest.limits import Limits
from recode_guest.session import Session

REFUSED = 2
OPENING_BYTES = 16 * 1024 * 1024


def main() -> None:
    """Open the session that the host asks for, and keep it."""
    channel_socket, control = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    opening = Channel(channel_socket, OPENING_BYTES).receive()
    limits = Limits.of(opening["limits"])
    channel = Channel(channel_socket, limits.frame_bytes)
    try:
        session = Session(opening, limits, channel, control)
        confine.adopt_orphans()
        confine.confine(limits, {channel_socket.fileno(), control.fileno()})
    except (LanguageError, confine.ConfinementFailed) as problem:
        channel.send(channel.packed({"op": "refused", "message": str(problem)}))
        os._exit(REFUSED)
    confine.silence()
    alive, held = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(alive)
        _work(session, limits)
    os.setpgid(worker, worker)  # here and in the worker, so that neither can be too early
    os.close(held)
    channel_socket.close()
    _keep(worker, alive, control)


def _work(session: Session, limits: Limits) -> NoReturn:
    """Be the session; the workers are a group of their own, so that the keeper can end them all."""
    os.setpgid(0, 0)
    ready = {
        "op": "ready",
        "version": wire.VERSION,
        "group": os.getpgid(0),
        "layers": confine.layers(limits),
    }
    session.channel.send(session.channel.packed(ready))
    try:
        session.serve()
    finally:
        os._exit(REFUSED)


def _keep(worker: int, alive: int, control: socket.socket) -> NoReturn:
    """Wait for the host to go, or for the last worker: the pipe `alive` ends with it.

    Ignoring SIGCHLD has the kernel reap the workers; as the reaper of orphans this process is the
    parent of each of them in the end.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    poll = select.poll()
    poll.register(control, 0)
    poll.register(alive, 0)
    poll.poll()
    with contextlib.suppress(ProcessLookupError, PermissionError):  # there may be nobody left
        os.killpg(worker, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # which says that the last one is reaped
        while True:
            os.wait()
    os._exit(0)


if __name__ == "__main__":
    main()
