"""Canaries: secrets and traps of the host, by which an escape is seen whatever it says of itself.

Nothing guards them but the sandbox: everybody may read and write the file and its folder, and the
sockets listen on the loopback. A secret in a byte that leaves the sandbox is an escape, and so is a
touch of a trap.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT_VARIABLE = "RCR_CANARY"
_LONG_AGO_NS = 10**18
_SLOT = re.compile("@(CANARY_FILE|CANARY_PORT|MARKER)@")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Random texts, each known in one place of the host only."""

    environment: str
    host: str
    file: str

    @classmethod
    def fresh(cls) -> Secrets:
        """Three that nobody has seen."""
        kinds = ("ENV", "GLOB", "FILE")
        return cls(*(f"tok{kind}-{secrets.token_hex(12)}" for kind in kinds))

    def within(self, data: str | bytes) -> list[str]:
        """What of the host a text or some bytes give away, in words."""
        places = {
            "the host's environment": self.environment,
            "a global of the host": self.host,
            "the canary's file": self.file,
        }
        if isinstance(data, bytes):
            return [place for place, secret in places.items() if secret.encode() in data]
        return [place for place, secret in places.items() if secret in data]


class Traps:
    """A file, a folder, a TCP port and a UDP port that nobody but an escaped program touches.

    Args:
        content: what the file holds.
        folder: where it is; nothing else may be there.
    """

    def __init__(self, content: str, folder: Path) -> None:
        self._content = content
        self.folder = folder
        folder.chmod(0o777)
        self.file = folder / "canary"
        self.marker = f"mark{secrets.token_hex(8)}"
        self._tcp, self._udp = _listening()
        self.port: int = self._tcp.getsockname()[1]
        self._before: tuple[int, ...] = ()
        self.arm()

    def arm(self) -> None:
        """Set every trap; what sprang before is forgotten."""
        self._clear()
        self.marker = f"mark{secrets.token_hex(8)}"
        self.file.write_text(self._content, encoding="utf-8")
        self.file.chmod(0o666)
        # So long ago that the kernel notes the first read, also where it notes few (relatime).
        os.utime(self.file, ns=(_LONG_AGO_NS, _LONG_AGO_NS + 1))
        list(self._visits())
        self._before = self._state()

    def filled(self, text: str) -> str:
        """A text with the names of the traps in the places kept for them."""
        values = {
            "CANARY_FILE": str(self.file),
            "CANARY_PORT": str(self.port),
            "MARKER": self.marker,
        }
        return _SLOT.sub(lambda slot: values[slot[1]], text)

    def sprung(self) -> list[str]:
        """What was touched since `arm`, in words."""
        found = list(self._visits())
        if self._state() != self._before:
            found.append("the canary's file was read, changed or removed")
        return found + [f"the file {path.name!r} was made outside" for path in self._strangers()]

    def close(self) -> None:
        """Take in the sockets, and what was made outside; the folder is whoever's made it."""
        self._tcp.close()
        self._udp.close()
        self._clear()

    def _clear(self) -> None:
        for path in (*self._strangers(), self.file):
            _remove(path)

    def _strangers(self) -> list[Path]:
        """Files beside the canary's, and such as bear the marker where everybody may write."""
        found = [path for path in self.folder.iterdir() if path != self.file]
        shared = Path(tempfile.gettempdir())
        return found + [path for path in shared.iterdir() if self.marker in path.name]

    def _visits(self) -> Iterator[str]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._tcp.accept()[0].close()
                yield "somebody connected to the canary's port"
        with contextlib.suppress(BlockingIOError):
            while True:
                self._udp.recv(1)
                yield "a datagram came to the canary's port"

    def _state(self) -> tuple[int, ...]:
        try:
            known = self.file.stat()
        except OSError:
            return ()
        return (
            *(known.st_ino, known.st_mode, known.st_nlink, known.st_size),
            *(known.st_atime_ns, known.st_mtime_ns, known.st_ctime_ns),
        )


def _listening() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on the loopback, of one number."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0), backlog=512)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:  # somebody else's; take another
            tcp.close()
            udp.close()
            continue
        tcp.setblocking(False)
        udp.setblocking(False)
        return tcp, udp


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
