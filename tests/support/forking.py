"""Programs that fork, crash and are killed, each in a process of its own; what they print is told.

A program ends when the last of its processes does: all of them hold its output.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass

BEGIN = """
import ctypes, gc, mmap, os, resource, signal, socket, sys, time, weakref
from recode_guest import checkpoint, memory
from recode_guest.alarm import Alarm
from recode_guest.checkpoint import NoProcess, Runner, take

control = socket.socket(fileno=int(sys.argv[1]))
NEVER = Alarm(1e6, 1e6)

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""
END_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: the lines of all its processes, and the first one's end.

    `status` is as in `subprocess`: the exit status, or the number of the signal negated.
    """

    lines: list[str]
    status: int


class Forked:
    """A program at work.

    Args:
        source: of the program; `control` is its end of the host's socket.
    """

    def __init__(self, source: str) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BEGIN + textwrap.dedent(source), str(theirs.fileno())],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                text=True,
            )

    def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> Ended:
        """Wait for the last of its processes."""
        with self.control, self._process:
            try:
                rest, _ = self._process.communicate(timeout=END_SECONDS)
            finally:
                self._process.kill()
        return Ended(rest.splitlines(), self._process.returncode)


def ended(source: str) -> Ended:
    """How a program ends that is left alone."""
    return Forked(source).end()
