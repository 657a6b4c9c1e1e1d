"""The program's values as text that says what they are.

Nothing here calls `repr` or `str` on anything that could be large, deep or shared many times over.
"""

from __future__ import annotations

import collections
import datetime
from collections.abc import Iterable
from typing import Any

from recode_guest import values
from recode_guest.failure import type_name
from recode_guest.values import DEPTH, NODES, NotPlain, kind_of

EXACT_TEXT = 100_000
HIDDEN = "<not shown: it takes too long to show>"
TIMES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
MAPPINGS = (dict, collections.defaultdict, collections.OrderedDict, collections.Counter)
BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    collections.deque: ("deque([", "])"),
}


class Describer:
    """Describes variables: type, text cut to `chars`, and the data of those that are plain.

    All data together takes at most `most_bytes` on the wire, and all texts half of that.
    """

    def __init__(self, chars: int, most_bytes: int) -> None:
        self._chars = chars
        self._left = most_bytes // 2
        self._copier = values.Copier(most_bytes)

    def shown(self, name: str, value: Any) -> dict[str, Any]:
        """The JSON form of a variable."""
        writer = _Writer(self._chars)
        try:
            writer.begin(value)
            text = writer.text.encode(errors="backslashreplace").decode()
        except Exception:  # noqa: BLE001  (a time may hold a time zone of the program's making)
            return self.hidden(name, value)
        left = self._left - values.wire_length(text, self._left)
        if left < 0:
            return self.hidden(name, value)
        self._left = left
        told = {"name": name, "type": type_name(value), "text": text, "size": writer.size}
        try:
            return told | {"plain": True, "value": self._copier.shown(name, value)}
        except NotPlain:
            return told | {"plain": False, "value": None}

    def hidden(self, name: str, value: Any) -> dict[str, Any]:
        """The JSON form of a variable of which only the type is told."""
        told = {"name": name, "type": type_name(value), "text": HIDDEN, "size": len(HIDDEN)}
        return told | {"plain": False, "value": None}


class _Enough(Exception):
    """The text is as long as anybody may ask for."""


class _Writer:
    """Writes a value as Python source; keeps `chars` characters of it and counts the rest."""

    def __init__(self, chars: int) -> None:
        self._kept: list[str] = []
        self._room = chars
        self._nodes = NODES
        self._exact = max(chars, EXACT_TEXT)
        self.size = 0

    @property
    def text(self) -> str:
        return "".join(self._kept)

    def begin(self, value: Any) -> None:
        """Write the value, or as much of it as may be; then `size` is only what it has at least."""
        try:
            self._write(value, 0)
        except _Enough:
            self._add(" ...")

    def _add(self, piece: str, size: int | None = None) -> None:
        self.size += len(piece) if size is None else size
        self._exact -= len(piece)
        if self._room > 0:
            self._kept.append(piece[: self._room])
            self._room -= len(piece)

    def _write(self, value: Any, depth: int) -> None:
        self._nodes -= 1
        if self._nodes < 0 or self._exact <= 0:
            raise _Enough
        kind = kind_of(value)
        if kind is str or kind is bytes:
            self._write_text(value)
        elif kind in BRACKETS or kind in MAPPINGS:
            self._write_container(value, kind, depth)
        elif value is None or kind in (int, bool, float, complex, range) or kind in TIMES:
            self._add(_scalar_text(value))
        else:
            self._add(f"<{type_name(value)}>")

    def _write_text(self, value: str | bytes) -> None:
        if len(value) <= self._exact:
            self._add(repr(value))
        else:
            self._add(repr(value[: self._exact]), len(value) + 2)

    def _write_container(self, value: Any, kind: type, depth: int) -> None:
        if depth >= DEPTH:
            self._add("...")
        elif kind in MAPPINGS:
            name = "" if kind is dict else kind.__name__
            self._add(f"{name}({{" if name else "{")
            self._write_pairs(value, depth)
            self._add("})" if name else "}")
        elif kind in (set, frozenset) and not value:
            self._add(f"{kind.__name__}()")
        else:
            self._write_items(value, depth)

    def _write_pairs(self, value: Any, depth: int) -> None:
        for index, (key, item) in enumerate(value.items()):
            self._add(", " if index else "")
            self._write(key, depth + 1)
            self._add(": ")
            self._write(item, depth + 1)

    def _write_items(self, value: Any, depth: int) -> None:
        opening, closing = BRACKETS[type(value)]
        self._add(opening)
        for index, item in enumerate(_ordered(value)):
            self._add(", " if index else "")
            self._write(item, depth + 1)
        self._add(",)" if type(value) is tuple and len(value) == 1 else closing)


def _ordered(value: Iterable[Any]) -> Iterable[Any]:
    """Items in an order that does not change from run to run, where that is cheap to have."""
    if not isinstance(value, set | frozenset) or values.weight(value, values.SMALL) > values.SMALL:
        return value
    kinds = {kind_of(item) for item in value}
    return sorted(value) if kinds in ({str}, {int}) else value


def _scalar_text(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # more digits than may be written
        if type(value) is int:
            return f"<int of {value.bit_length()} bits>"
        return f"<{type_name(value)}>"
