"""The program's values as they leave the guest: as plain data, or as text that says what they are.

No class can be written in the guest, so every value is of a builtin type or of one that a facade
hands out; still nothing here calls `repr` or `str` on anything that could be large, deep or shared
many times over. Work is counted in nodes and given up at a cap.
"""

from __future__ import annotations

import collections
import datetime
import math
import sys
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Any

DEPTH = 32
NODES = 50_000
EXACT_TEXT = 100_000
TIMES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
MAPPINGS = (dict, collections.defaultdict, collections.OrderedDict, collections.Counter)
BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    collections.deque: ("deque([", "])"),
}


class NotPlain(Exception):
    """The value cannot cross the wall as data; the message says why, in the program's words."""


class _Copier:
    """Copies one value as plain data, counting what it will weigh on the wire."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._left = most_bytes

    def copy(self, value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            self._weigh(5)
        elif kind is str:
            self._weigh(_wire_length(value, self._left))
        elif kind is int:
            self._weigh(1 + _decimal_digits(value))
        elif kind is float:
            if not math.isfinite(value):
                raise NotPlain(f"{value} is not a finite number")
            self._weigh(20)
        else:
            return self._copy_container(value, depth)
        return value

    def _copy_container(self, value: Any, depth: int) -> Any:
        if depth >= DEPTH:
            raise NotPlain(f"it is nested more than {DEPTH} levels deep")
        self._weigh(2)
        if type(value) in (list, tuple):
            return [self.copy(item, depth + 1) for item in value]
        if type(value) is dict:
            return {self._key(key): self.copy(item, depth + 1) for key, item in value.items()}
        raise NotPlain(f"a {type(value).__name__} is not plain data")

    def _key(self, key: Any) -> str:
        if type(key) is not str:
            raise NotPlain(f"a dict key is a {type(key).__name__}, not a str")
        self._weigh(1 + _wire_length(key, self._left))
        return key

    def _weigh(self, size: int) -> None:
        self._left -= size + 1
        if self._left < 0:
            raise NotPlain(f"it is larger than {self._most} bytes")


def plain(value: Any, most_bytes: int) -> Any:
    """A copy of the value as plain data; tuples become lists.

    Raises:
        NotPlain: it is something else, too deep, or larger than `most_bytes` on the wire.
    """
    return _Copier(most_bytes).copy(value)


def _wire_length(text: str, most: int) -> int:
    """Bytes of the text as JSON, quotes included; escapes can make it six times as long."""
    if len(text) > most:
        return len(text)
    try:
        return len(encode_basestring(text).encode())
    except UnicodeEncodeError:
        raise NotPlain("it holds half of a surrogate pair, which is no text") from None


def _decimal_digits(number: int) -> int:
    digits = number.bit_length() * 30_103 // 100_000 + 1
    if digits > sys.get_int_max_str_digits():
        raise NotPlain(f"it is an int of about {digits} digits")
    return digits


class _Enough(Exception):
    """The text has used up its nodes."""


class _Writer:
    """Writes a value as Python source; keeps `chars` characters of it and counts the rest."""

    def __init__(self, chars: int) -> None:
        self._kept: list[str] = []
        self._room = chars
        self._nodes = NODES
        self.size = 0

    @property
    def text(self) -> str:
        return "".join(self._kept)

    def add(self, piece: str, size: int | None = None) -> None:
        self.size += len(piece) if size is None else size
        if self._room > 0:
            self._kept.append(piece[: self._room])
            self._room -= len(piece)

    def write(self, value: Any, depth: int = 0) -> None:
        self._nodes -= 1
        if self._nodes < 0:
            raise _Enough
        kind = type(value)
        if kind is str or kind is bytes:
            self._write_text(value)
        elif kind is int:
            self.add(_integer_text(value))
        elif value is None or kind in (bool, float, complex, range) or kind in TIMES:
            self.add(repr(value))
        elif kind in BRACKETS or kind in MAPPINGS:
            self._write_container(value, depth)
        else:
            self.add(f"<{type_name(value)}>")

    def _write_text(self, value: str | bytes) -> None:
        if len(value) <= EXACT_TEXT:
            self.add(repr(value))
        else:
            self.add(repr(value[:EXACT_TEXT]), len(value) + 2)

    def _write_container(self, value: Any, depth: int) -> None:
        if depth >= DEPTH:
            self.add("...")
        elif type(value) in MAPPINGS:
            name = "" if type(value) is dict else type(value).__name__
            self.add(f"{name}({{" if name else "{")
            self._write_pairs(value, depth)
            self.add("})" if name else "}")
        elif type(value) in (set, frozenset) and not value:
            self.add(f"{type(value).__name__}()")
        else:
            self._write_items(value, depth)

    def _write_pairs(self, value: Any, depth: int) -> None:
        for index, (key, item) in enumerate(value.items()):
            self.add(", " if index else "")
            self.write(key, depth + 1)
            self.add(": ")
            self.write(item, depth + 1)

    def _write_items(self, value: Any, depth: int) -> None:
        opening, closing = BRACKETS[type(value)]
        self.add(opening)
        for index, item in enumerate(_ordered(value)):
            self.add(", " if index else "")
            self.write(item, depth + 1)
        self.add(",)" if type(value) is tuple and len(value) == 1 else closing)


def _ordered(value: Iterable[Any]) -> Iterable[Any]:
    """Items in an order that does not change from run to run, where that is cheap to have."""
    if not isinstance(value, set | frozenset) or len(value) > NODES:
        return value
    kinds = {type(item) for item in value}
    return sorted(value) if kinds in ({str}, {int}) else value


def _integer_text(value: int) -> str:
    try:
        return repr(value)
    except ValueError:
        return f"<int of {value.bit_length()} bits>"


def type_name(value: Any) -> str:
    """The name of the value's type, as a program would call it."""
    return type(value).__name__


def described(name: str, value: Any, chars: int, most_bytes: int) -> dict[str, Any]:
    """The JSON form of a variable: its type, its text cut to `chars`, its data if it is plain."""
    writer = _Writer(chars)
    try:
        writer.write(value)
    except _Enough:
        writer.add(" ...")
    variable: dict[str, Any] = {"name": name, "type": type_name(value), "text": _clean(writer.text)}
    variable |= {"size": writer.size}
    try:
        return variable | {"plain": True, "value": plain(value, most_bytes)}
    except NotPlain:
        return variable | {"plain": False, "value": None}


def _clean(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
