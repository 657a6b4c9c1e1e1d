"""A guest that breaks the protocol: `attacker.py CASE CHANNEL CONTROL LAYERS`. Stdlib only.

It opens like a real one, unless CASE says otherwise, and misbehaves at the first program in the way
that CASE names.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

CASE = sys.argv[1]
FD = int(sys.argv[2])
CONTROL = socket.socket(fileno=int(sys.argv[3]))
FRAME_BYTES = 4 * 1024 * 1024
CALL = {"op": "call", "id": 2, "call": 1, "name": "run", "args": ["x"], "kwargs": {}}
DONE = {"op": "done", "id": 2, "printed": "", "bound": [], "variables": {}}
FAILED = {
    "op": "failed",
    "id": 2,
    "kind": "limit",
    "message": "ended",
    "line": 1,
    "traceback": "",
    "printed": "",
    "bound": [],
}
STEP = {"op": "step", "id": 2}
READY = {"op": "ready", "version": 2, "layers": sys.argv[4].split(","), "missing": {}}


def write(data: bytes) -> None:
    """Write bytes, however often it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(FD, rest) :]


def raw(body: bytes) -> None:
    """Write one frame."""
    write(struct.pack(">I", len(body)) + body)


def send(frame: Any) -> None:
    """Write one frame of JSON."""
    raw(json.dumps(frame).encode())


def read() -> dict[str, Any]:
    """Read one frame."""
    (length,) = struct.unpack(">I", os.read(FD, 4))
    data = b""
    while len(data) < length:
        data += os.read(FD, length - len(data))
    frame: dict[str, Any] = json.loads(data)
    return frame


def together(*frames: Any) -> None:
    """Write several frames at once, so that the host cannot answer in between."""
    bodies = [json.dumps(frame).encode() for frame in frames]
    whole = b"".join(struct.pack(">I", len(body)) + body for body in bodies)
    assert os.write(FD, whole) == len(whole)


def notice(message: bytes, *descriptors: int) -> None:
    """Send a message on the control socket."""
    socket.send_fds(CONTROL, [message], descriptors)


def own_descriptor() -> int:
    """A descriptor of this process."""
    return os.pidfd_open(os.getpid())


def with_value(text: bytes) -> None:
    """Answer with `text` as the value of x."""
    raw(b'{"op":"done","id":2,"variables":{"x":%b}}' % text)


def with_many(value: bytes) -> None:
    """Answer with a list of that value, as long as a frame can hold."""
    with_value(b"[" + b",".join([value] * ((FRAME_BYTES - 100) // (len(value) + 1))) + b"]")


def slow_steps() -> None:
    """Take most of the time for each of three statements."""
    for frame in (STEP, STEP, DONE):
        time.sleep(0.6)
        send(frame)


def over_and(*frames: Any) -> None:
    """Take over from a lost side, as a good guest does, and go on with those frames."""
    notice(b"over 2")
    assert CONTROL.recv(100) == b"go 2"
    for frame in frames:
        send(frame)


def over_with_descriptors() -> None:
    """Take over, with more descriptors in the message than anybody could want."""
    notice(b"over 2", *[own_descriptor() for _ in range(100)])
    assert CONTROL.recv(100) == b"go 2"
    send(FAILED)


def notices() -> None:
    """Send notices with descriptors without end."""
    while True:
        notice(b"over 7", own_descriptor())


def endless(chunk: bytes) -> Callable[[], None]:
    """Write a gibibyte, whoever reads it."""

    def run() -> None:
        for _ in range(1024**3 // len(chunk)):
            write(chunk)

    return run


def close() -> None:
    """Close the channel and live on."""
    os.close(FD)
    time.sleep(3_600)


AT_REQUEST: dict[str, Callable[[], Any]] = {
    # bytes that are no frame
    "half a header": lambda: write(b"\0\0"),
    "half a frame": lambda: write(struct.pack(">I", FRAME_BYTES) + b"{" * 1_000_000),
    "silence": lambda: None,
    "oversize header": lambda: write(b"\xff\xff\xff\xff"),
    "a byte too many": lambda: raw(b" " * (FRAME_BYTES + 1)),
    "empty frame": lambda: write(b"\0\0\0\0"),
    "garbage": lambda: raw(b"\x80\x04garbage"),
    "pickle": lambda: raw(pickle.dumps(DONE)),
    "no UTF-8": lambda: raw(b'{"op":"done","id":2,"printed":"\xff"}'),
    "a gibibyte without an end": endless(b"x" * 65_536),
    "a gibibyte of one frame": lambda: (
        write(struct.pack(">I", FRAME_BYTES)),
        endless(b"[" * 65_536)(),
    ),
    "a gibibyte of frames": endless(
        (struct.pack(">I", len(json.dumps(STEP))) + json.dumps(STEP).encode()) * 2_000
    ),
    # JSON that is no frame
    "deep nesting": lambda: raw(b"[" * 1_000_000),
    "deep value": lambda: with_value(b"[" * 80 + b"]" * 80),
    "deep argument": lambda: send({**CALL, "args": json.loads("[" * 80 + "]" * 80)}),
    "many lists": lambda: with_many(b"[]"),
    "many objects": lambda: with_many(b'{"":0}'),
    "many texts": lambda: with_many('"é"'.encode()),
    "many numbers": lambda: with_many(b"1.5"),
    "many keys": lambda: with_value(
        b"{%b}" % b",".join(b'"%d":0' % number for number in range(300_000))
    ),
    "many texts of brackets": lambda: with_many(b'"\\"[]"'),
    "many lists and no end": lambda: raw(
        b'{"op":"done","id":2,"variables":{"x":[' + b"[]," * 1_300_000
    ),
    "not an object": lambda: send([1, 2]),
    "no op": lambda: send({"id": 2}),
    "unknown op": lambda: send({"op": "usage", "id": 2}),
    "missing field": lambda: send({"op": "call", "id": 2}),
    "extra field": lambda: send({**DONE, "usage": 1}),
    "wrong types": lambda: send({**CALL, "id": ["a"], "args": "x"}),
    "a fraction as id": lambda: send({**DONE, "id": 2.5}),
    "truth as id": lambda: send({**DONE, "id": True}),
    "not a number": lambda: with_value(b"NaN"),
    "infinity": lambda: with_value(b"1e400"),
    "too many digits": lambda: with_value(b"9" * 9_000),
    "half a surrogate pair": lambda: raw(b'{"op":"done","id":2,"printed":"\\ud800"}'),
    # frames at the wrong moment
    "forged id": lambda: send({**DONE, "id": 3}),
    "an old id": lambda: send({**DONE, "id": 1}),
    "huge id": lambda: send({**DONE, "id": 2**63 - 1}),
    "larger than any id": lambda: send({**DONE, "id": 2**70}),
    "forged call number": lambda: send({**CALL, "call": 5}),
    "unknown primitive": lambda: send({**CALL, "name": "__class__"}),
    "unknown failure": lambda: send({**FAILED, "kind": "contract"}),
    "answer of another kind": lambda: send({"op": "variables", "id": 2, "variables": []}),
    "ready again": lambda: send(READY),
    "refused late": lambda: send({"op": "refused", "message": "no"}),
    "all at once": lambda: together(*[STEP] * 199, DONE),
    "more at once": lambda: together(*[STEP] * 220, DONE),
    "call among steps": lambda: together(STEP, CALL, STEP),
    "call within a call": lambda: together(CALL, {**CALL, "call": 2}),
    "the same call again": lambda: (send(CALL), read(), send(CALL)),
    "answer within a call": lambda: together(CALL, DONE),
    "twice": lambda: together(DONE, DONE),
    "twice, a little later": lambda: (send(DONE), time.sleep(0.02), send(DONE)),
    "a part of a second answer": lambda: (send(DONE), write(b"\0\0\0\x09{")),
    "slow steps": slow_steps,
    # the control socket
    "forged notice": lambda: notice(b"over 7"),
    "a notice of an old request": lambda: notice(b"over 1"),
    "an unknown notice": lambda: notice(b"stop 2"),
    "a keeper again": lambda: notice(b"keeper", own_descriptor()),
    "a notice too long": lambda: notice(b"over 2" + b" " * 2_000),
    "notices": notices,
    "over twice": lambda: (over_and(), notice(b"over 2")),
    "over and silence": over_and,
    "over and a call": lambda: over_and(CALL),
    "over and a step": lambda: over_and(STEP),
    "over and an answer": lambda: over_and(FAILED),
    "over with descriptors": over_with_descriptors,
    "over after the answer": lambda: (send(DONE), time.sleep(0.02), notice(b"over 2")),
    "nothing but descriptors": lambda: (notice(b"", own_descriptor()), send(DONE)),
    "control closed": lambda: (CONTROL.close(), send(DONE)),
    # the end
    "close": close,
    "exit": lambda: os._exit(0),
}
AT_OPEN: dict[str, Callable[[], Any]] = {
    "at open: silence": lambda: time.sleep(3_600),
    "at open: another version": lambda: send({**READY, "version": 3}),
    "at open: a layer less": lambda: send({**READY, "layers": READY["layers"][1:]}),
    "at open: done": lambda: send(DONE),
    "at open: garbage": lambda: raw(b"garbage"),
    "at open: refused": lambda: send({"op": "refused", "message": "\x1b[2J" + "no" * 3_000}),
    "at open: twice": lambda: together(READY, READY),
    "at open: exit": lambda: sys.exit("no such thing here"),
}
AS_KEEPER: dict[str, Callable[[], Any]] = {
    "keeper: another word": lambda: notice(b"keepers", own_descriptor()),
    "keeper: no descriptor": lambda: notice(b"keeper"),
    "keeper: a file": lambda: notice(b"keeper", 0),
    "keeper: nothing at all": lambda: notice(b""),
    "keeper: a descriptor alone": lambda: notice(b"", own_descriptor()),
    "keeper: two descriptors": lambda: notice(b"keeper", own_descriptor(), own_descriptor()),
    "keeper: silence": lambda: None,
}


def main() -> None:
    """Open, then misbehave."""
    AS_KEEPER.get(CASE, lambda: notice(b"keeper", own_descriptor()))()
    AT_OPEN.get(CASE, lambda: send(READY))()
    if CASE == "before any request":
        send(DONE)
    read()
    send({**DONE, "id": 1})
    read()
    AT_REQUEST[CASE]()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, struct.error):
        main()  # until the host is gone
    time.sleep(3_600)
