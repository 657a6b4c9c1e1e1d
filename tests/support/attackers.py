"""Starts `attacker.py` in the place of a guest."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

from recode_runtime.policy import Policy
from recode_runtime.sandboxes.pool import Order, Started
from recode_runtime.sandboxes.process import ProcessSandbox
from sessions import LIMITS

ATTACKER = Path(__file__).with_name("attacker.py")
END_SECONDS = 10.0


class Attackers:
    """Sandboxes whose guests are attackers, outside of every wall and children of this process.

    Args:
        folder: where each leaves what it writes to standard error.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []

    def sandbox(self, case: str, **limits: float) -> ProcessSandbox:
        """A sandbox whose guest breaks the protocol in that way."""
        policy = Policy.named("strict").but(limits={**LIMITS, **limits})
        layers = ",".join(policy.isolation.require)

        async def start(order: Order, *, fresh: bool = False) -> Started:
            return self._start(case, layers)

        return ProcessSandbox(policy, start)

    def all_ended(self) -> bool:
        """Whether every one of them has been ended, or is about to be."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return bool([one.wait(END_SECONDS) for one in self._started])
        return False

    def close(self) -> None:
        """Leave none of them."""
        for one in self._started:
            one.kill()
            one.wait()

    def _start(self, case: str, layers: str) -> Started:
        channel, theirs = socket.socketpair()
        control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        complaints = self._folder / f"{len(self._started)}.stderr"
        with theirs, their_control, complaints.open("wb") as errors:
            numbers = (theirs.fileno(), their_control.fileno())
            command = [sys.executable, "-I", "-S", str(ATTACKER), case, *map(str, numbers), layers]
            one = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=errors, pass_fds=numbers
            )
        self._started.append(one)
        return Started(channel, control, complaints.read_text)
