"""Frames: the one form in which bytes cross the wall, in both directions.

A frame is a 4-byte big-endian length and that many bytes of JSON, an object with `op` and, where a
reply is due, `id`. Whoever reads decides how large a frame may be, before it allocates anything.
Values are plain data (None, bool, int, finite float, str, list, dict with str keys); a tuple
arrives as a list. Nothing is ever pickled.

Two sockets join host and guest. `channel` carries frames. `control` carries short messages, one a
packet, between the host and the guest's waiting side:

    guest -> host   keeper      with a descriptor of the process whose end is the session's
    guest -> host   over ID     the waiting side has the session again
    host -> guest   go ID       nothing of request ID is under way any more; drop what is left
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

VERSION = 2
READ_BYTES = 65_536
CONTROL_BYTES = 1_024
# One packet to the zygote; what the kernel's buffer of a socket holds by default is a little more.
REQUEST_BYTES = 131_072

_HEADER = struct.Struct(">I")
HEADER_BYTES = _HEADER.size


class WireError(Exception):
    """The other side sent something that is not a frame of this version."""


def pack(body: bytes, limit: int) -> bytes:
    """The frame around a JSON body.

    Raises:
        WireError: it would be larger than `limit` bytes.
    """
    if len(body) > limit:
        raise WireError(f"a frame of {len(body)} bytes is over the limit of {limit}")
    return _HEADER.pack(len(body)) + body


class Splitter:
    """Cuts a stream of bytes into the bodies of frames, however the bytes arrive."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()

    @property
    def is_inside(self) -> bool:
        """Whether a part of a frame has come and its rest has not."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are complete now.

        Raises:
            WireError: a header announces more than the limit, or nothing at all.
        """
        self._rest += data
        bodies = []
        while len(self._rest) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._rest)
            if not 0 < length <= self._limit:
                raise WireError(f"a frame of {length} bytes; 1 to {self._limit} are allowed")
            end = _HEADER.size + length
            if len(self._rest) < end:
                break
            bodies.append(bytes(self._rest[_HEADER.size : end]))
            del self._rest[:end]
        return bodies

    def reset(self) -> None:
        """Forget a frame of which only a part came."""
        self._rest.clear()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise WireError(f"{text[:20]} is not a finite number")
    return number


def _no_constant(text: str) -> None:
    raise WireError(f"{text} is not JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)


def encode(frame: dict[str, Any]) -> bytes:
    """The JSON body of a frame.

    Raises:
        WireError: a part of it is not plain data, or is text that UTF-8 cannot carry.
    """
    try:
        return _ENCODER.encode(frame).encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise WireError(f"this cannot cross the wall: {problem}") from None


def decode(body: bytes) -> dict[str, Any]:
    """The frame in a JSON body.

    Raises:
        WireError: it is not JSON, or not an object with an `op`.
    """
    try:
        frame = _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as problem:
        raise WireError(f"not a JSON frame: {problem}") from None
    if not isinstance(frame, dict) or not isinstance(frame.get("op"), str):
        raise WireError("a frame is an object with an op")
    return frame
