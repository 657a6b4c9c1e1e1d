"""The host's end of the channel, with the guest's end in the test's hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from recode_guest import wire
from recode_runtime.sandboxes.channel import Channel
from recode_runtime.sandboxes.frames import Violation

FASTER = "it sent frames faster than they could be due"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a socket; the host's is closed by its channel."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with theirs:
        yield ours, theirs


async def test_frames_wait_up_to_the_number_that_can_be_due(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """They come out in order; one more is a breach."""
    ours, theirs = ends
    channel = Channel(ours, 1_000, queued=3)
    channel.send(b"{}")
    theirs.sendall(b"".join(wire.pack(body, 1_000) for body in (b"1", b"2", b"3")))
    assert [await channel.receive() for _ in range(3)] == [b"1", b"2", b"3"]
    theirs.sendall(wire.pack(b"4", 1_000) * 4)
    with pytest.raises(Violation, match=FASTER):
        await channel.receive()
    channel.close()


async def test_frames_that_wait_are_bounded_in_bytes_too(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Nobody takes them, so they pile up until the channel breaks."""
    ours, theirs = ends
    channel = Channel(ours, 60_000, queued=1_000)
    channel.send(b"{}")
    for _ in range(3):
        theirs.sendall(wire.pack(b"x" * 60_000, 60_000))
        await asyncio.sleep(0.01)
    with pytest.raises(Violation, match=FASTER):
        await channel.receive()
    channel.close()
