"""The guest's end of the channel: one frame at a time."""

from __future__ import annotations

import os
import select
import socket
from typing import Any

from recode_guest import wire


class Channel:
    """Frames to and from the host, one at a time; `received` counts the bytes of the latter."""

    def __init__(self, connection: socket.socket, limit: int) -> None:
        self._connection = connection
        self._limit = limit
        self._splitter = wire.Splitter(limit)
        self.received = 0

    def packed(self, frame: dict[str, Any]) -> bytes:
        """The bytes of a frame; nothing is sent yet."""
        return wire.pack(wire.encode(frame), self._limit)

    def send(self, data: bytes) -> None:
        """Send bytes made by `packed`."""
        self._connection.sendall(data)

    def receive(self) -> dict[str, Any]:
        """The next frame; ends the process if the host is gone."""
        bodies: list[bytes] = []
        while not bodies:
            data = self._connection.recv(wire.READ_BYTES)
            if not data:
                os._exit(0)
            bodies = self._splitter.feed(data)
        self.received += len(bodies[0])
        return wire.decode(bodies[0])

    def is_due(self, wait_ms: int = 0) -> bool:
        """Whether something of the host is there to be received, or comes within that time."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(wait_ms))

    def drain(self) -> None:
        """Drop what the host sent to a process that is gone."""
        while self.is_due() and self._connection.recv(wire.READ_BYTES):
            pass
        self._splitter.reset()
