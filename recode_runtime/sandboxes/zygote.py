"""The host's end of the zygote: one warm process for this one, started when it is first needed.

It is started by exec with nothing: no environment, no site packages run, no descriptor but its
socket. Sessions are asked of it without waiting; each answers on sockets of its own. A zygote that
has died is replaced at the next request. A fork of this process has its own.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from recode_runtime.errors import SandboxUnavailable

_BOOT = "import sys; sys.path += sys.argv[1:-1]; from recode_guest.zygote import main; main()"
_FLAGS = ("-I", "-S", "-X", "utf8", "-c", _BOOT)
_COMPLAINT_BYTES = 2_000
_END_SECONDS = 2.0


class ZygoteBusy(Exception):
    """It has as many requests before it as the kernel will hold; ask again."""


class Zygote:
    """One zygote.

    Raises:
        SandboxUnavailable: no process can be started here.
    """

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.setblocking(False)
        self._complaints = _scratch()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and program)
                    [sys.executable, *_FLAGS, *_folders(), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._complaints,
                    cwd="/",
                    env={},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        except OSError as problem:
            self._connection.close()
            self._complaints.close()
            raise SandboxUnavailable(f"the guest cannot be started: {problem}") from None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fork(self, descriptors: Sequence[int], request: bytes) -> None:
        """Ask for a session at the other end of those two descriptors; returns at once.

        Args:
            descriptors: the guest's ends of channel and control.
            request: what the session may do, at most `wire.REQUEST_BYTES` of JSON.

        Raises:
            ZygoteBusy: there is no room for the request now.
            BrokenPipeError: the zygote is gone, or has been replaced meanwhile.
            SandboxUnavailable: the kernel will not carry the request.
        """
        try:
            socket.send_fds(self._connection, [request], descriptors)
        except BlockingIOError:
            raise ZygoteBusy from None
        except OSError as problem:
            if isinstance(problem, ConnectionError) or self._connection.fileno() < 0:
                raise BrokenPipeError(str(problem)) from None
            raise SandboxUnavailable(f"the guest cannot be started: {problem}") from None

    def complaint(self) -> str:
        """The end of what it and its sessions have written to standard error."""
        with contextlib.suppress(OSError, ValueError):
            size = self._complaints.seek(0, os.SEEK_END)
            start = max(0, size - _COMPLAINT_BYTES)
            return os.pread(self._complaints.fileno(), _COMPLAINT_BYTES, start).decode(
                errors="replace"
            )
        return ""

    def close(self) -> None:
        """End it, and with it every session that is still open."""
        self.forget()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Give back what belongs to this process, and leave the zygote to others."""
        self._connection.close()
        self._complaints.close()

    def leave_to_parent(self) -> None:
        """In a fork of the process that started it: forget it, and do not wait for it either."""
        self.forget()
        self._process.returncode = 0


class _Shared:
    """The zygote of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def get(self) -> Zygote:
        with self._lock:
            if self._zygote is None:
                self._zygote = Zygote()
            return self._zygote

    def replace(self, dead: Zygote) -> None:
        with self._lock:
            if self._zygote is dead:
                self._zygote = None
                dead.close()

    def close(self) -> None:
        with self._lock:
            if self._zygote is not None:
                self._zygote.close()
                self._zygote = None

    def _leave_to_parent(self) -> None:
        self._lock = threading.Lock()
        if self._zygote is not None:
            self._zygote.leave_to_parent()
            self._zygote = None


shared = _Shared()


def _scratch() -> IO[bytes]:
    """A file without a name; in memory where that can be, because no folder may be writable."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("complaints"), "w+b")
    return tempfile.TemporaryFile()


def _folders() -> list[str]:
    """Where the guest's package and what it needs lie, for an interpreter without site packages."""
    found = [importlib.util.find_spec(name) for name in ("recode_guest", "RestrictedPython")]
    origins = [spec.origin for spec in found if spec is not None and spec.origin is not None]
    return list(dict.fromkeys(str(Path(origin).parent.parent) for origin in origins))
