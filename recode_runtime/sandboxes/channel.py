"""The host's ends of the two sockets: bytes in and out of the event loop, and nothing else.

One reader stays registered for the whole session and wakes whoever waits, without streams, tasks
or transports: that is what makes a call through the wall cheap (`benchmarks/statement.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable

from recode_guest import wire
from recode_runtime.sandboxes.frames import Gone, Violation


class Channel:
    """Frames to and from the guest. Every method but `receive` returns at once.

    Args:
        connection: our end of the socket.
        limit: the most bytes of one frame.
        queued: the most frames that can be due at once.
    """

    def __init__(self, connection: socket.socket, limit: int, queued: int) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._limit = limit
        self._queued = queued
        self._loop = asyncio.get_running_loop()
        self._splitter = wire.Splitter(limit)
        self._inbox: deque[bytes] = deque()
        self._outbox = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._broken: Violation | None = None
        self._listening = False
        self._writing = False
        self._loop.add_reader(connection, self._readable)

    def send(self, body: bytes) -> None:
        """Send a frame, now or as the guest takes it; from now on the guest may speak.

        Raises:
            wire.WireError: it is over the limit.
        """
        self._listening = True
        self._outbox += wire.pack(body, self._limit)
        self._flush()

    def listen(self) -> None:
        """The guest may speak, though nothing was sent to it."""
        self._listening = True

    async def receive(self) -> bytes:
        """The body of the next frame.

        Raises:
            Violation: what came is no frame, or the guest is gone.
        """
        while not self._inbox:
            if self._broken is not None:
                raise self._broken
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._inbox.popleft()

    def hush(self) -> None:
        """From now on until the next `send` the guest must be silent.

        Raises:
            Violation: it has said more than it was asked.
        """
        self._listening = False
        if self._inbox or self._splitter.is_inside or self._broken is not None:
            raise self._broken or Violation("it spoke out of turn")

    def drop(self) -> None:
        """Forget all that came and all that is still to be sent; the guest may speak again."""
        try:
            while self._connection.recv(wire.READ_BYTES):
                pass
        except OSError:
            pass  # nothing is left
        self._inbox.clear()
        self._splitter.reset()
        self._outbox.clear()
        self._loop.remove_writer(self._connection)
        self._writing = False
        self._listening = True

    def close(self) -> None:
        """Give the socket back; whoever waits is told."""
        if self._connection.fileno() >= 0:
            self._loop.remove_reader(self._connection)
            self._loop.remove_writer(self._connection)
            self._connection.close()
        self._break(Gone("the session is closed"))

    def _readable(self) -> None:
        try:
            data = self._connection.recv(wire.READ_BYTES)
            if not data:
                self._break(Gone("the guest is gone"))
            elif not self._listening:
                self._break(Violation("it spoke out of turn"))
            else:
                self._take(data)
        except BlockingIOError:
            return
        except OSError as problem:
            self._break(Gone(f"the guest is gone: {problem}"))
        except wire.WireError as problem:
            self._break(Violation(str(problem)))

    def _take(self, data: bytes) -> None:
        self._inbox.extend(self._splitter.feed(data))
        if len(self._inbox) > 1 and self._is_too_much():
            self._break(Violation("it sent frames faster than they could be due"))
        elif self._inbox:
            self._wake()

    def _is_too_much(self) -> bool:
        size = sum(map(len, self._inbox))
        return len(self._inbox) > self._queued or size > self._limit + wire.READ_BYTES

    def _flush(self) -> None:
        try:
            sent = self._connection.send(self._outbox)
        except BlockingIOError:
            sent = 0
        except OSError as problem:
            self._break(Gone(f"the guest is gone: {problem}"))
            return
        del self._outbox[:sent]
        if bool(self._outbox) != self._writing:
            self._writing = not self._writing
            if self._writing:
                self._loop.add_writer(self._connection, self._flush)
            else:
                self._loop.remove_writer(self._connection)

    def _break(self, problem: Violation) -> None:
        self._broken = self._broken or problem
        self._inbox.clear()
        if self._connection.fileno() >= 0:
            self._loop.remove_reader(self._connection)
            self._loop.remove_writer(self._connection)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Control:
    """Short messages beside the frames, one a packet.

    Args:
        connection: our end of the socket.
        heard: called with each message and the descriptors that came with it, which are its to
            close.
        hung_up: called once when nobody holds the other end any more.
    """

    def __init__(
        self,
        connection: socket.socket,
        heard: Callable[[bytes, list[int]], None],
        hung_up: Callable[[], None],
    ) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._heard = heard
        self._hung_up = hung_up
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self._readable)

    def send(self, message: bytes) -> None:
        """Send one message, if there is anybody to hear it."""
        with contextlib.suppress(OSError):  # the guest is gone, which the channel notices
            self._connection.send(message)

    def close(self) -> None:
        """Give the socket back; this is how the guest learns that the session is over."""
        if self._connection.fileno() >= 0:
            self._loop.remove_reader(self._connection)
            with contextlib.suppress(OSError):  # a fork of this process may hold a copy of it
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _readable(self) -> None:
        try:
            message, descriptors, _, _ = socket.recv_fds(self._connection, wire.CONTROL_BYTES, 1)
        except BlockingIOError:
            return
        except OSError:
            message, descriptors = b"", []
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # as of any that Python opens itself
        if message:
            self._heard(message, descriptors)
            return
        for descriptor in descriptors:  # a message without a byte may carry some
            os.close(descriptor)
        self._loop.remove_reader(self._connection)
        self._hung_up()
