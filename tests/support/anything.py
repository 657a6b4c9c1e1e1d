"""The values of the reference interpreter: they can be used in every way, and never fail."""

from __future__ import annotations

import dis
import random
import sys
from collections.abc import Iterator
from typing import Any


class Anything:
    """A value that can be used in every way; how often and whether is up to the chooser."""

    def __init__(self, chooser: Chooser) -> None:
        self.__dict__["chooser"] = chooser

    def __bool__(self) -> bool:
        return self.__dict__["chooser"].yes()

    def __iter__(self) -> Iterator[Anything]:
        return iter([self] * _wanted(sys._getframe(1), self.__dict__["chooser"]))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return (lambda: ["key"]) if name == "keys" else self

    def __call__(self, *args: Any, **kwargs: Any) -> Anything:
        """Functions that are handed over are called, as `sorted` does with its key."""
        for one in (*args, *kwargs.values()):
            if type(one) is type(_wanted) and self.__dict__["chooser"].yes():
                code = one.__code__
                one(*[self] * code.co_argcount, **dict.fromkeys(_keyword_only(code), self))
        return self

    def __len__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __contains__(self, item: object) -> bool:
        return self.__dict__["chooser"].yes()

    def __format__(self, spec: str) -> str:
        return "anything"

    def __exit__(self, *_: object) -> None:
        return None

    __hash__ = object.__hash__


def _itself(self: Anything, *_: object) -> Anything:
    return self


_BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("lshift", "rshift", "and", "or", "xor"),
)
_OTHER = (
    *("eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "invert", "abs", "enter", "next"),
    *("getitem", "setitem", "delitem"),
)
for _name in (*_BINARY, *(f"r{name}" for name in _BINARY), *_OTHER):
    setattr(Anything, f"__{_name}__", _itself)


def _keyword_only(code: Any) -> tuple[str, ...]:
    return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def _wanted(frame: Any, chooser: Chooser) -> int:
    """How many values the instruction that asks for an iterator will take; else a choice."""
    code, at = frame.f_code.co_code, frame.f_lasti
    match dis.opname[code[at]]:
        case "UNPACK_SEQUENCE":
            return code[at + 1]
        case "UNPACK_EX":
            return code[at + 1] + 1
        case _:
            return 2 if chooser.yes() else 0


class EveryError(ValueError, KeyError, IndexError, ArithmeticError, RuntimeError, TypeError):
    """An exception that most handlers take."""


class Chooser:
    """Yes, no, or at random: the first two runs see what happens always, and what never."""

    def __init__(self, run: int) -> None:
        self._random = random.Random(run) if run > 1 else None
        self._likely = (0.2, 0.5, 0.8)[run % 3]
        self._always = run == 0

    def again(self, state: object = None) -> object:
        """Where the choices are now; given that, they go on from there as they did before."""
        if self._random and state:
            self._random.setstate(state)
        return self._random.getstate() if self._random else None

    def yes(self) -> bool:
        """The next choice."""
        return self._random.random() < self._likely if self._random else self._always
