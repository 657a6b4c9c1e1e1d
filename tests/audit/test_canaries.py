"""Every trap springs at the touch that it is for, and at no other."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recode_runtime.audit.canaries import Secrets, Traps

FILE = "the canary's file was read, changed or removed"


@pytest.fixture
def traps(tmp_path: Path) -> Iterator[Traps]:
    """Traps of a test's own."""
    made = Traps("a secret", tmp_path)
    yield made
    made.close()


def connect(traps: Traps) -> None:
    """Connect to the canary's port, and hang up."""
    socket.create_connection(("127.0.0.1", traps.port)).close()


def send(traps: Traps) -> None:
    """Send an empty datagram and one that is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"", ("127.0.0.1", traps.port))
        sender.sendto(b"x", ("127.0.0.1", traps.port))


TOUCHES: dict[str, tuple[Callable[[Traps], object], list[str]]] = {
    "nothing": (lambda traps: None, []),
    "a connection": (connect, ["somebody connected to the canary's port"]),
    "datagrams": (send, ["a datagram came to the canary's port"] * 2),
    "a change": (lambda traps: traps.file.write_text("x"), [FILE]),
    "a change of the mode": (lambda traps: traps.file.chmod(0o600), [FILE]),
    "a change that is undone": (lambda traps: traps.file.touch(), [FILE]),
    "a removal": (lambda traps: traps.file.unlink(), [FILE]),
    "a file beside it": (
        lambda traps: (traps.folder / "new").touch(),
        ["the file 'new' was made outside"],
    ),
    "a folder beside it": (
        lambda traps: (traps.folder / "new").mkdir(),
        ["the file 'new' was made outside"],
    ),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_touch_is_seen_until_the_traps_are_set_again(touch: str, traps: Traps) -> None:
    """In words; and the next case is not blamed for it."""
    act, words = TOUCHES[touch]
    act(traps)
    assert traps.sprung() == words
    traps.arm()
    assert traps.sprung() == []
    assert traps.file.read_text() == "a secret"


def test_a_reading_is_seen(traps: Traps) -> None:
    """Even if nothing of the file comes out, where the file system notes readings at all."""
    probe = traps.folder.with_name("noted")
    probe.write_text("x")
    os.utime(probe, ns=(10**18, 10**18 + 1))
    probe.read_text()
    notes = probe.stat().st_atime_ns != 10**18
    traps.file.read_text()
    assert traps.sprung() == ([FILE] if notes else [])


def test_the_places_in_a_text_are_filled(traps: Traps) -> None:
    """File, port and marker; another `@` stays as it is."""
    filled = traps.filled("open('@CANARY_FILE@'), @CANARY_PORT@, '@MARKER@', a @ b, '@OTHER@'")
    marker = traps.marker
    assert filled == f"open('{traps.file}'), {traps.port}, '{marker}', a @ b, '@OTHER@'"
    traps.arm()
    assert traps.marker != marker


def test_secrets_are_found_in_text_and_bytes() -> None:
    """Each by where it is kept; half of one is none."""
    secrets = Secrets.fresh()
    assert secrets.within(f"x{secrets.environment}{secrets.file}y") == [
        "the host's environment",
        "the canary's file",
    ]
    assert secrets.within(secrets.host.encode()) == ["a global of the host"]
    assert secrets.within(secrets.host[:-1]) == []
