"""Values of classes that a program could write: whatever is asked of them is noted, and fails."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, ClassVar

_OF_VALUES = """
    __repr__ __str__ __format__ __bytes__ __eq__ __ne__ __lt__ __hash__ __bool__ __len__ __iter__
    __next__ __contains__ __getitem__ __getattribute__ __int__ __index__ __float__ __reduce_ex__
    __length_hint__ __sizeof__ __dir__ __call__ __enter__ __add__ __radd__ __mod__ __instancecheck__
    items keys values encode bit_length isoformat utcoffset copy
""".split()  # noqa: SIM905  (a list of quoted words hides what it says)
_OF_CLASSES = """
    __repr__ __str__ __eq__ __ne__ __hash__ __bool__ __len__ __iter__ __contains__ __call__
    __instancecheck__ __subclasscheck__ __or__ __ror__
""".split()  # noqa: SIM905


class Ran:
    """What of the program's code has run."""

    methods: ClassVar[list[str]] = []


def noting(name: str) -> Callable[..., Any]:
    """A method of that name that should never run."""

    def method(*_args: object, **_options: object) -> Any:
        Ran.methods.append(name)
        raise ArithmeticError(name)

    return method


def hostile_class(*bases: type, metaclass: type = type) -> Any:
    """A class in which everything that can be defined is."""
    methods = {name: noting(name) for name in _OF_VALUES}
    return metaclass("Hostile", bases, {**methods, "__class__": property(noting("__class__"))})


def hostile_metaclass() -> type:
    """A class of classes in which everything that can be defined is, the name included."""
    methods = {name: noting(name) for name in _OF_CLASSES if name != "__call__"}
    return type("Meta", (type,), {**methods, "__name__": property(noting("__name__"))})


HOSTILE_VALUES: dict[str, Callable[[], Any]] = {
    "an object": lambda: hostile_class()(),
    "of a metaclass": lambda: hostile_class(metaclass=hostile_metaclass())(),
    "a text": lambda: hostile_class(str)("text"),
    "a text of a metaclass": lambda: hostile_class(str, metaclass=hostile_metaclass())("text"),
    "bytes": lambda: hostile_class(bytes)(b"bytes"),
    "an int": lambda: hostile_class(int)(3),
    "a float": lambda: hostile_class(float)(1.5),
    "a list": lambda: hostile_class(list)([1]),
    "a tuple": lambda: hostile_class(tuple)([1]),
    "a dict": lambda: hostile_class(dict)(a=1),
    "a set": lambda: hostile_class(set)([1]),
    "a date": lambda: hostile_class(datetime.date)(2024, 5, 1),
    "an exception": lambda: hostile_class(ValueError)("text"),
}
