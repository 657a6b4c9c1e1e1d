"""Every byte that a guest sends, looked at as the host receives it."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from typing import Any

from recode_runtime.sandboxes.pool import Order, Start, Started, pool

_KEPT = 256  # bytes; more than the longest secret, so that none is missed between two reads

Look = Callable[[bytes], None]


def tapped(look: Look, start: Start = pool.take) -> Start:
    """A way to start sessions whose every byte is shown to `look`, some of them twice."""

    async def take(order: Order, *, fresh: bool = False) -> Started:
        started = await start(order, fresh=fresh)
        return dataclasses.replace(
            started,
            channel=_Tap(started.channel, look),
            control=_Tap(started.control, look),
        )

    return take


class _Tap(socket.socket):
    """A socket that shows what it receives."""

    def __init__(self, tapped: socket.socket, look: Look) -> None:
        timeout = tapped.gettimeout()
        super().__init__(fileno=tapped.detach())
        self.settimeout(timeout)
        self._look = look
        self._end = b""

    def recv(self, *arguments: Any) -> bytes:
        """As of any socket."""
        return self._shown(super().recv(*arguments))

    def recvmsg(self, *arguments: Any) -> Any:
        """As of any socket."""
        received = super().recvmsg(*arguments)
        self._shown(received[0])
        return received

    def _shown(self, data: bytes) -> bytes:
        self._end = self._end[-_KEPT:] + data
        self._look(self._end)
        return data
