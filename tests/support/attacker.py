"""A guest that breaks the protocol: `attacker.py CASE CHANNEL CONTROL`, standard library only.

It opens like a real one and misbehaves at the first request, in the way that CASE names.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
import sys
import time
from typing import Any

CASE = sys.argv[1]
FD, CONTROL = int(sys.argv[2]), int(sys.argv[3])
CALL = {"op": "call", "id": 1, "call": 1, "name": "run", "args": ["x"], "kwargs": {}}
DONE = {"op": "done", "id": 1, "printed": "", "bound": [], "variables": {}}
STEP = {"op": "step", "id": 1}
LAYERS = ["rlimits", "no-new-privileges", "empty-environment"]
READY = {"op": "ready", "version": 1, "group": os.getpid(), "layers": LAYERS}


def raw(body: bytes) -> None:
    """Write one frame."""
    data = struct.pack(">I", len(body)) + body
    while data:
        data = data[os.write(FD, data) :]


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


def control() -> socket.socket:
    """Our end of the control socket."""
    return socket.socket(fileno=os.dup(CONTROL))


def all_at_once() -> None:
    """Commit 200 statements before the host has heard of the first."""
    together(*[STEP] * 199, DONE)


def more_at_once() -> None:
    """Commit more statements than a program may have."""
    together(*[STEP] * 220, DONE)


def call_among_steps() -> None:
    """Call and go on without waiting for what comes of it."""
    together(STEP, CALL, STEP)


def late() -> None:
    """Take too long for two statements, and say how each was stopped."""
    heard = [control().recv(100).decode()]
    send(STEP)
    heard.append(control().recv(100).decode())
    send({**DONE, "printed": ", ".join(heard)})


def twice() -> None:
    """Answer twice."""
    together(DONE, DONE)


def answer_then_call() -> None:
    """Call while the host answers the first call."""
    together(CALL, {**CALL, "call": 2})


def flood() -> None:
    """Send frames without end."""
    while True:
        send(STEP)


def notice() -> None:
    """Claim to have taken over from a side that never was."""
    control().send(b"over 7")


def close() -> None:
    """Close the channel and live on."""
    os.close(FD)
    time.sleep(3_600)


AT_REQUEST = {
    "half a header": lambda: os.write(FD, b"\0\0"),
    "silence": lambda: None,
    "oversize header": lambda: os.write(FD, b"\xff\xff\xff\xff"),
    "empty frame": lambda: os.write(FD, b"\0\0\0\0"),
    "garbage": lambda: raw(b"\x80\x04garbage"),
    "pickle": lambda: raw(pickle.dumps(DONE)),
    "deep nesting": lambda: raw(b"[" * 1_000_000),
    "deep value": lambda: raw(json.dumps(CALL).replace('["x"]', "[" * 80 + "]" * 80).encode()),
    "not an object": lambda: send([1, 2]),
    "unknown op": lambda: send({"op": "usage", "id": 1}),
    "missing field": lambda: send({"op": "call", "id": 1}),
    "extra field": lambda: send({**DONE, "usage": 1}),
    "wrong types": lambda: send({**CALL, "id": ["a"], "args": "x"}),
    "forged id": lambda: send({**DONE, "id": 2}),
    "huge id": lambda: send({**DONE, "id": 2**70}),
    "forged call number": lambda: send({**CALL, "call": 5}),
    "unknown primitive": lambda: send({**CALL, "name": "__class__"}),
    "unknown failure": lambda: send(
        {
            "op": "failed",
            "id": 1,
            "kind": "contract",
            "message": "",
            "line": 0,
            "traceback": "",
            "printed": "",
            "bound": [],
        }
    ),
    "not a number": lambda: raw(b'{"op":"done","id":1,"variables":{"x":NaN}}'),
    "infinity": lambda: raw(b'{"op":"done","id":1,"variables":{"x":1e400}}'),
    "too many digits": lambda: raw(b'{"op":"done","id":1,"variables":{"x":' + b"9" * 9_000 + b"}}"),
    "half a surrogate pair": lambda: raw(b'{"op":"done","id":1,"printed":"\\ud800"}'),
    "answer of another kind": lambda: send({"op": "variables", "id": 1, "variables": []}),
    "ready again": lambda: send(READY),
    "all at once": all_at_once,
    "more at once": more_at_once,
    "call among steps": call_among_steps,
    "late": late,
    "twice": twice,
    "call within a call": answer_then_call,
    "flood": flood,
    "forged notice": notice,
    "close": close,
    "exit": lambda: os._exit(0),
}


def main() -> None:
    """Open, then misbehave."""
    read()
    if CASE == "at open: silence":
        time.sleep(3_600)
    if CASE == "at open: another version":
        send({**READY, "version": 2})
    elif CASE == "at open: a layer less":
        send({**READY, "layers": LAYERS[1:]})
    elif CASE == "at open: done":
        send(DONE)
    elif CASE == "at open: exit":
        sys.exit("no such thing here")
    else:
        send(READY)
        if CASE == "before any request":
            send(DONE)
        read()
        AT_REQUEST.get(CASE, lambda: None)()
    time.sleep(3_600)


main()
