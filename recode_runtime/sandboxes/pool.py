"""Sessions forked ahead: each is fresh, confined and ready, and is handed out once.

A session knows its policy before it is handed out and its primitives after; so there is a small
stock for each policy in use. It belongs to the process, whatever event loop asks.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import os
import socket
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes.zygote import Zygote, ZygoteBusy, shared

# Whoever alternates between policies finds a session ready; each of these holds a few megabytes.
POLICIES = 4
# A zygote with as many requests waiting as its socket holds is asked again; one that reads none in
# this time is stuck.
BUSY_SECONDS = 0.002
STUCK_SECONDS = 20.0
# Whoever takes a session is to have the processors first; then the stock is filled again.
FILL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Started:
    """A session's two sockets, our ends.

    `complaint` gives what it may have written to standard error, should it not open. `is_ahead` if
    it was forked ahead of this request, so that it may have died since.
    """

    channel: socket.socket
    control: socket.socket
    complaint: Callable[[], str]
    is_ahead: bool = False

    def close(self) -> None:
        """Give the sockets back, which ends the session."""
        self.channel.close()
        self.control.close()


@dataclass(frozen=True, slots=True)
class Order:
    """What the zygote is asked for, and how many such sessions are kept ready."""

    request: bytes
    ahead: int


class Start(Protocol):
    """A way to start sessions."""

    async def __call__(self, order: Order, *, fresh: bool = False) -> Started:
        """A session, none that was forked ahead if it must be `fresh`.

        Raises:
            SandboxUnavailable: none can be started.
        """
        ...


class Pool:
    """The stock of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stock: OrderedDict[bytes, deque[Started]] = OrderedDict()
        self._cleared = 0
        atexit.register(self.clear)
        os.register_at_fork(after_in_child=self._leave_to_parent)

    async def take(self, order: Order, *, fresh: bool = False) -> Started:
        """A session: one from the stock if there is any, unless it must be `fresh`.

        Raises:
            SandboxUnavailable: none can be started.
        """
        loop = asyncio.get_running_loop()
        loop.call_later(FILL_SECONDS, self._fill, order, self._cleared)
        with self._lock:
            stock = self._stock.get(order.request)
            if stock and not fresh:
                return stock.popleft()
        deadline = loop.time() + STUCK_SECONDS
        while loop.time() < deadline:
            try:
                return _started(order)
            except ZygoteBusy:
                await asyncio.sleep(BUSY_SECONDS)
        raise SandboxUnavailable("the guest cannot be started: its zygote takes no request")

    def clear(self) -> None:
        """End every session that is ready, and fork none for what was taken before."""
        with self._lock:
            self._cleared += 1
            for stock in self._stock.values():
                for started in stock:
                    started.close()
            self._stock.clear()

    def _fill(self, order: Order, cleared: int) -> None:
        """Have as many sessions ready as the order says; of the policies used last alone."""
        with self._lock, contextlib.suppress(ZygoteBusy, SandboxUnavailable):
            if order.ahead == 0 or cleared != self._cleared:
                return
            stock = self._stock.setdefault(order.request, deque())
            self._stock.move_to_end(order.request)
            while len(self._stock) > POLICIES:
                for started in self._stock.popitem(last=False)[1]:
                    started.close()
            while len(stock) < order.ahead:
                stock.append(_started(order, is_ahead=True))

    def _leave_to_parent(self) -> None:
        self._lock = threading.Lock()
        self.clear()


pool = Pool()


def _started(order: Order, *, is_ahead: bool = False) -> Started:
    """Ask the zygote for a session, a new zygote if the one that was there is gone."""
    for _ in range(2):
        zygote = shared.get()
        try:
            return _asked(zygote, order, is_ahead)
        except BrokenPipeError:
            shared.replace(zygote)
    raise SandboxUnavailable("the guest cannot be started: its zygote ends at once")


def _asked(zygote: Zygote, order: Order, is_ahead: bool) -> Started:
    channel, their_channel = _pair(socket.SOCK_STREAM)
    try:
        control, their_control = _pair(socket.SOCK_SEQPACKET)
    except SandboxUnavailable:
        channel.close()
        their_channel.close()
        raise
    started = Started(channel, control, zygote.complaint, is_ahead)
    try:
        with their_channel, their_control:
            zygote.fork((their_channel.fileno(), their_control.fileno()), order.request)
    except BaseException:
        started.close()
        raise
    return started


def _pair(kind: int) -> tuple[socket.socket, socket.socket]:
    try:
        return socket.socketpair(socket.AF_UNIX, kind)
    except OSError as problem:
        if problem.errno in (errno.EMFILE, errno.ENFILE):
            why = "no descriptor is left; a session takes three (ulimit -n raises the limit)"
        else:
            why = str(problem)
        raise SandboxUnavailable(f"the guest cannot be started: {why}") from None
