"""The program's values as they leave the guest: as plain data.

Only what is exactly of a builtin type is looked into, because such a type does what CPython says
it does; of any other value nothing is asked, not even whether its type equals another, so that no
code of the program runs here. Work is counted and given up at a cap.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from recode_guest.failure import type_name

DEPTH = 32
NODES = 50_000
NODES_IN_ALL = 4 * NODES
SMALL = 100_000
NODE_WEIGHT = 20
FLOAT_BYTES = 20  # a fifth too light at worst, which the size of a frame allows for

_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})


class NotPlain(Exception):
    """The value cannot cross the wall as data; the message says why, in the program's words."""


def kind_of(value: Any) -> type:
    """The type of a value; `object` if it has a metaclass, whose `==` and hash may be anything."""
    kind = type(value)
    return kind if type(kind) is type else object


def weight(value: Any, most: int) -> int:
    """Roughly how many characters it is to write the value; over `most` for what is no plain data.

    What is shared counts as often as it is written. The answer itself costs no more than `most`.
    """
    total = 0
    stack = [value]
    while stack and total <= most:
        item = stack.pop()
        kind = kind_of(item)
        total += NODE_WEIGHT
        if kind is str:
            total += len(item)
        elif kind is int:
            total += item.bit_length()
        elif kind in _CONTAINERS:
            total += NODE_WEIGHT * len(item)
            if total <= most:
                stack.extend(item)
                stack.extend(item.values() if kind is dict else ())
        elif item is not None and kind is not bool and kind is not float:
            return most + 1
    return total


def small_ones(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those values that are sure to be copied and shown in no time, taken together."""
    left = SMALL
    small = {}
    for name, value in values.items():
        size = weight(value, left)
        if size <= left:
            small[name] = value
            left -= size
    return small


class Copier:
    """Copies values as plain data, counting what they weigh on the wire, and the work, in all."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._left = most_bytes
        self._work = NODES_IN_ALL
        self._nodes = 0

    def shown(self, _name: str, value: Any) -> Any:
        """A copy of the value; tuples become lists.

        Raises:
            NotPlain: it is something else, too deep, or too large beside those before it.
        """
        before = self._left
        self._nodes = given = min(NODES, self._work)
        try:
            return self._copy(value, 0)
        except (NotPlain, MemoryError, RecursionError) as problem:
            self._left = before
            reason = str(problem) if isinstance(problem, NotPlain) else "it is too large"
            raise NotPlain(reason) from None
        finally:
            self._work -= given - self._nodes

    def hidden(self, _name: str, value: Any) -> Any:
        """Nothing: the value is left out."""
        raise NotPlain(f"a {type_name(value)} that cannot be had")

    def _copy(self, value: Any, depth: int) -> Any:
        kind = kind_of(value)
        if value is None or kind is bool:
            self._weigh(5)
        elif kind is str:
            self._weigh(wire_length(value, self._left))
        elif kind is int:
            self._weigh(1 + _decimal_digits(value))
        elif kind is float:
            if not math.isfinite(value):
                raise NotPlain(f"{value} is not a finite number")
            self._weigh(FLOAT_BYTES)
        else:
            return self._copy_container(value, kind, depth)
        return value

    def _copy_container(self, value: Any, kind: type, depth: int) -> Any:
        if depth >= DEPTH:
            raise NotPlain(f"it is nested more than {DEPTH} levels deep")
        self._weigh(2)
        if kind is list or kind is tuple:
            return [self._copy(item, depth + 1) for item in value]
        if kind is dict:
            return {self._key(key): self._copy(item, depth + 1) for key, item in value.items()}
        raise NotPlain(f"a {type_name(value)} is not plain data")

    def _key(self, key: Any) -> str:
        if type(key) is not str:
            raise NotPlain(f"a dict key is a {type_name(key)}, not a str")
        self._weigh(1 + wire_length(key, self._left))
        return key

    def _weigh(self, size: int) -> None:
        self._left -= size + 1
        self._nodes -= 1
        if self._left < 0:
            raise NotPlain(f"it is larger than {self._most} bytes")
        if self._nodes < 0:
            raise NotPlain(f"it holds more than {NODES} values")


def plain(value: Any, most_bytes: int) -> Any:
    """A copy of one value as plain data; tuples become lists.

    Raises:
        NotPlain: it is something else, too deep, or too large.
    """
    return Copier(most_bytes).shown("", value)


def wire_length(text: str, most: int) -> int:
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
