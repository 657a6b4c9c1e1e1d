"""The frames of the guest, read strictly: whatever is not exactly one of these ends the session.

Nothing that arrives is trusted: types, fields, ids, depth and the number of values are checked here
and in the session; the size was checked before a byte of a frame was read (`recode_guest.wire`).
Frames to the guest are written by `recode_guest.wire.encode`, which refuses what is not plain data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from recode_guest import wire

DEPTH = 64
# The guest sends 200,000 values of the program's at most (`recode_guest.values`); the rest is room
# for names, and for some thousand variables described. As objects they are some 40 MB.
VALUES = 250_000
RESULT_DEPTH = 32
ERROR_CHARS = 2_000
_MARK_BYTES = 80  # more than the mark of a cut takes


class Violation(Exception):
    """The guest broke the protocol; the message says how."""


class Gone(Violation):
    """The guest has ended, or has closed its end."""


class _Frame(msgspec.Struct, frozen=True, tag_field="op", forbid_unknown_fields=True):
    """A frame of the guest; `op` tells which."""


class Ready(_Frame, frozen=True, tag="ready"):
    """The first frame: `layers` of the wall hold; why the others do not is in `missing`."""

    version: int
    layers: list[str]
    missing: dict[str, str]


class Unable(_Frame, frozen=True, tag="refused"):
    """The first frame if the guest cannot give what the policy asks for."""

    message: str


class Call(_Frame, frozen=True, tag="call"):
    """The program calls a primitive: the `call`-th of request `id`."""

    id: int
    call: int
    name: str
    args: list[Any]
    kwargs: dict[str, Any]


class Step(_Frame, frozen=True, tag="step"):
    """A statement of request `id` has committed, and another follows."""

    id: int


class Done(_Frame, frozen=True, tag="done"):
    """Request `id` is done."""

    id: int
    printed: str = ""
    bound: list[str] = []
    variables: dict[str, Any] = {}


class Failed(_Frame, frozen=True, tag="failed"):
    """A statement of request `id` failed; what `bound` names stand from those before it."""

    id: int
    kind: Literal["error", "limit", "primitive", "refused", "ended"]
    message: str
    line: int
    traceback: str
    printed: str
    bound: list[str]


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variable, as in `tree.Variable`."""

    name: str
    type: str
    text: str
    size: int
    plain: bool
    value: Any


class Variables(_Frame, frozen=True, tag="variables"):
    """The answer to a `read`."""

    id: int
    variables: list[Described]


Answer = Done | Failed | Variables
AnyFrame = Ready | Unable | Call | Step | Done | Failed | Variables

_DECODER: msgspec.json.Decoder[AnyFrame] = msgspec.json.Decoder(AnyFrame)


def decoded(body: bytes) -> AnyFrame:
    """The frame in a JSON body from the guest.

    Raises:
        Violation: it is none of the frames above, or holds too many values or is nested too deeply
            for whoever gets it.
    """
    # The shortest value takes two bytes, with its comma.
    if len(body) > 2 * VALUES and _values_in(body) > VALUES:
        raise Violation(f"more than {VALUES} values in a frame")
    try:
        frame = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise Violation(f"not a frame of the guest: {problem}") from None
    if body.count(b"[") + body.count(b"{") > DEPTH and _is_deep(frame):
        raise Violation(f"a value nested more than {DEPTH} levels deep")
    return frame


def _values_in(body: bytes) -> int:
    """How many values, or at least how many strings, there are in a JSON text; nothing is built.

    Of a text that turns out to be no JSON it counts the part that a decoder would have built.
    """
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"")
    strings = bare.count(b'"') // 2
    if strings > VALUES:
        return strings
    outside = b'"'.join(bare.split(b'"')[::2])
    empty = sum(map(outside.count, (b"[]", b"{}")))
    return sum(map(outside.count, (b",", b"[", b"{"))) - empty


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, msgspec.Struct):
                below.extend(msgspec.structs.astuple(item))
        if not below:
            return False
        level = below
    return True


def plain(value: Any, depth: int = 0) -> Any:
    """The value of the host's as plain data; tuples become lists, half surrogates a mark.

    Raises:
        TypeError: it is something else; the message says what, in words fit for the program.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode(errors="replace").decode() if not value.isascii() else str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth < RESULT_DEPTH and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if depth < RESULT_DEPTH and isinstance(value, Mapping) and _has_text_keys(value):
        return {plain(key): plain(item, depth + 1) for key, item in value.items()}
    if depth >= RESULT_DEPTH and isinstance(value, list | tuple | Mapping):
        raise TypeError(f"a value nested more than {RESULT_DEPTH} levels deep is not plain data")
    raise TypeError(f"{_called(value)} is not plain data")


def _has_text_keys(value: Mapping[Any, Any]) -> bool:
    return all(isinstance(key, str) for key in value)


def _called(value: Any) -> str:
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a dict with keys that are not str"
    return f"a {type(value).__name__}"


def fitted(value: Any, most: int) -> Any:
    """A result as the program will have it: plain data of at most `most` bytes.

    Text over that is cut, visibly. Fitting twice changes nothing more.

    Raises:
        TypeError: it is not plain data, or it is too large and no text, so that there is no
            telling what to leave out.
    """
    value = plain(value)
    if isinstance(value, str):
        return value if len(value) * 4 <= most else _cut(value, most)
    if isinstance(value, list | dict) or (isinstance(value, int) and value.bit_length() > 64):
        size = len(wire.encode({"op": "", "value": value})) - len('{"op":"","value":}')
        if size > most:
            raise TypeError(f"the result is {size} bytes large; {most} are allowed")
    return value


def _cut(text: str, most: int) -> str:
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    kept = encoded[: max(0, most - _MARK_BYTES)].decode(errors="ignore")
    return f"{kept}\n[cut: {len(text)} characters, of which the first {len(kept)} are here]"


def error_text(problem: Exception) -> dict[str, str]:
    """What the program hears of an exception that a primitive raised."""
    message = str(problem)
    if len(message) > ERROR_CHARS:
        message = f"{message[:ERROR_CHARS]}... [cut: {len(message)} characters]"
    return {"type": type(problem).__name__, "message": plain(message)}


def answer(
    call: Call,
    *,
    value: Any = None,
    error: dict[str, str] | None = None,
    stop: tuple[str, str] | None = None,
) -> bytes:
    """The body of the frame that answers a call.

    Args:
        call: which one.
        value: the result, fitted.
        error: what `error_text` made of an exception.
        stop: kind and message of a failure with which the statement ends.
    """
    told = None if stop is None else {"kind": stop[0], "message": stop[1]}
    frame = {"op": "answer", "id": call.id, "call": call.call, "value": value}
    return wire.encode({**frame, "error": error, "stop": told})
