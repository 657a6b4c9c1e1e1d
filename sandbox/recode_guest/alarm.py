"""The alarm of a statement: the kernel ends the process when its time is over.

Two clocks count: the statement's own time, which is held while the host answers a primitive, and
its processor time. Both are the kernel's, and what they send is not for a program to catch: no
handler is installed, so the process dies, in whatever C code it is.
"""

from __future__ import annotations

import signal

OWN_TIME = signal.SIGALRM
PROCESSOR_TIME = signal.SIGPROF


class Alarm:
    """The alarm of this process; a fork does not inherit it."""

    def __init__(self, seconds: float, processor_seconds: float) -> None:
        self._seconds = seconds
        self._processor_seconds = processor_seconds
        self._left = 0.0

    def set(self) -> None:
        """Begin to count, from nothing."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        signal.setitimer(signal.ITIMER_PROF, self._processor_seconds)

    def hold(self) -> None:
        """The host has something to do; its time does not count."""
        self._left, _ = signal.setitimer(signal.ITIMER_REAL, 0.0)

    def resume(self) -> None:
        """The host is done."""
        if self._left:
            signal.setitimer(signal.ITIMER_REAL, self._left)

    def off(self) -> None:
        """Count no more."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
