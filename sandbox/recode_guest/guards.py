"""What the compiled program calls in place of Python's own operations, and what it finds there.

RestrictedPython turns attribute and item access, iteration, writes, in-place operators, star calls,
print and import into calls of the names in `guards_of`. None of these names can be written in a
program, because they begin with an underscore.
"""

from __future__ import annotations

import builtins
import importlib
import operator
import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import Any

from RestrictedPython.Guards import guarded_iter_unpack_sequence, guarded_unpack_sequence
from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from recode_guest.failure import clean

CUT_MARK = "\n[cut: the program printed more than {most} bytes]\n"
WRITABLE = (dict, list, defaultdict, Counter, OrderedDict, deque)
IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "%=": operator.imod,
    "**=": operator.ipow,
    "<<=": operator.ilshift,
    ">>=": operator.irshift,
    "|=": operator.ior,
    "^=": operator.ixor,
    "&=": operator.iand,
    "//=": operator.ifloordiv,
    "@=": operator.imatmul,
}
# Names a policy may list; whatever else it lists is refused at open, so that a slip in a policy
# cannot hand out open, eval, getattr or the like.
GIVEABLE = frozenset(
    """
    abs all any ascii bin bool bytes callable chr complex dict divmod enumerate filter float format
    frozenset hash hex int isinstance issubclass iter len list map max min next oct ord pow print
    range repr reversed round set slice sorted str sum tuple type zip
    ArithmeticError AssertionError AttributeError BufferError EOFError Exception ImportError
    IndexError KeyError LookupError NameError NotImplementedError OSError OverflowError
    PermissionError RecursionError RuntimeError StopIteration TimeoutError TypeError UnicodeError
    ValueError ZeroDivisionError
    """.split()  # noqa: SIM905  (a list of 60 quoted words hides what it says)
)


class LanguageError(Exception):
    """The policy asks for a builtin or a facade that the guest cannot give."""


class Stop(BaseException):
    """Ends the statement; a program can neither name nor catch it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Facade:
    """The chosen names of a module; the module itself is not reachable from it."""

    __slots__ = ("_names", "_title")

    def __init__(self, title: str, names: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_title", title)
        object.__setattr__(self, "_names", dict(names))

    def __getattr__(self, name: str) -> Any:
        names = object.__getattribute__(self, "_names")
        if name in names:
            return names[name]
        raise AttributeError(f"module {self._title!r} has no attribute {name!r} here")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a module cannot be changed")

    def __repr__(self) -> str:
        return f"<module {self._title!r}>"


class Primitive:
    """What a program calls to act; it knows a name and a way to the host, and shows neither."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[[str, Any, Any], Any]) -> None:
        self._name = name
        self._call = call

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Ask the host."""
        return self._call(self._name, args, kwargs)

    def __hash__(self) -> int:
        return hash(self._name)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<primitive {self._name}>"


class Printed:
    """Collects what the program prints, up to a number of bytes of UTF-8."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[str] = []
        self._left = most

    def write(self, text: str) -> None:
        """Keep the text if there is room; the first that does not fit is cut, visibly."""
        if self._left < 0 or not text:
            return
        data = text[: self._left + 1].encode(errors="backslashreplace")
        if len(data) <= self._left:
            self._parts.append(data.decode())
            self._left -= len(data)
        else:
            mark = CUT_MARK.format(most=self._most)
            self._parts.append(data[: self._left].decode(errors="ignore") + mark)
            self._left = -1

    def take(self) -> str:
        """Everything since the last time."""
        text, self._parts, self._left = "".join(self._parts), [], self._most
        return clean(text, len(text)) if text else text

    def __call__(self) -> str:
        """What a program that reads `printed` gets."""
        return "".join(self._parts)

    def _call_print(self, /, *values: Any, **options: Any) -> None:
        if options.get("file") is not None:
            raise TypeError("print() writes to one place only here; leave file out")
        options["file"] = self
        options.pop("flush", None)
        print(*values, **options)  # noqa: T201


OPAQUE = (
    Primitive,
    Printed,
    Facade,
    FunctionType,
    MethodType,
    BuiltinFunctionType,
    GeneratorType,
    CodeType,
    FrameType,
    TracebackType,
    ModuleType,
)


def kind_of(value: Any, /) -> Any:
    """`type` with one argument; never the metaclass, with which classes could be made."""
    kind = type(value)
    if isinstance(value, type):
        return kind_of
    if kind in OPAQUE:
        raise TypeError("the type of a function is not available")
    return kind


def is_instance(value: Any, kinds: Any, /) -> bool:
    """`isinstance` that understands the guarded `type`."""
    if kinds is kind_of:
        return isinstance(value, type) or value is kind_of
    if isinstance(kinds, tuple):
        return any(is_instance(value, kind) for kind in kinds)
    return isinstance(value, kinds)


def attribute(owner: Any, name: str, /) -> Any:
    """`owner.name`, where that leads nowhere but to data and methods.

    Raises:
        AttributeError: there is no such attribute, or it is not for programs.
    """
    if type(name) is not str or name.startswith("_") or name in INSPECT_ATTRIBUTES:
        raise AttributeError(f"the attribute {name!r} is not available")
    if type(owner) in (Primitive, Printed):
        raise AttributeError(f"{owner!r} has no attributes")
    if name == "mro" and isinstance(owner, type):
        raise AttributeError("the attribute 'mro' is not available")
    if name in ("format", "format_map") and (owner is str or isinstance(owner, str)):
        raise AttributeError(f"str.{name}() is not available; write an f-string")
    if name == "obj" and isinstance(owner, AttributeError):
        raise AttributeError("the attribute 'obj' is not available")
    value = getattr(owner, name)
    if isinstance(value, ModuleType):
        raise AttributeError(f"the attribute {name!r} is not available")
    return value


def writable(owner: Any, /) -> Any:
    """The owner of an item that is about to be set or deleted."""
    if type(owner) in WRITABLE:
        return owner
    raise TypeError(f"{type(owner).__name__!r} object does not support item assignment")


def in_place(sign: str, left: Any, right: Any, /) -> Any:
    """`left += right` and its twelve kin, as a value."""
    return IN_PLACE[sign](left, right)


def in_place_item(sign: str, owner: Any, index: Any, right: Any, /) -> None:
    """`owner[index] += right` and its kin, with owner and index evaluated once."""
    writable(owner)[index] = IN_PLACE[sign](owner[index], right)


def apply(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """A call with `*` or `**` in it."""
    return function(*args, **kwargs)


def _itself(value: Any) -> Any:
    # Counting iterations would be no budget: list(x), [*x] or sum(x) never pass here. The budget is
    # the clock and the memory of the process.
    return value


def builtins_of(names: Iterable[str], importer: Callable[..., Any]) -> dict[str, Any]:
    """A fresh `__builtins__`; an omitted one would be filled in by CPython with the real one.

    Raises:
        LanguageError: a name is not one that the guest gives.
    """
    given: dict[str, Any] = {"__import__": importer}
    for name in names:
        if name not in GIVEABLE:
            raise LanguageError(f"[language] builtins: the guest does not give {name!r}")
        given[name] = getattr(builtins, name)
    replaced = {"type": kind_of, "isinstance": is_instance}
    return given | {name: value for name, value in replaced.items() if name in given}


def facades_of(modules: Mapping[str, Sequence[str]]) -> dict[str, Facade]:
    """A facade for each module, with exactly the names listed.

    Raises:
        LanguageError: the module or a name of it is not there, is private, or is a module itself.
    """
    return {title: Facade(title, _chosen(title, names)) for title, names in modules.items()}


def _chosen(title: str, names: Sequence[str]) -> dict[str, Any]:
    try:
        owner = _owner(title)
        chosen = {name: getattr(owner, name) for name in names}
    except (ImportError, AttributeError) as problem:
        raise LanguageError(f"[language.facades] {title}: {problem}") from None
    for name, value in chosen.items():
        if name.startswith("_") or isinstance(value, ModuleType):
            raise LanguageError(f"[language.facades] {title}: {name!r} cannot be handed out")
    return chosen


def _owner(title: str) -> Any:
    """What the names of a facade are taken from."""
    if title == "random":
        # A fork seeds the module's own generator anew, and a checkpoint is a fork.
        return random.Random()  # noqa: S311
    return importlib.import_module(title)


# What strftime, today, strptime and "namereplace", being C code, import at the call and by the
# `__import__` of whoever calls them. Behind the wall it is too late to look for files.
PRELOADED = tuple(map(importlib.import_module, ("_strptime", "time", "unicodedata")))


def importer_of(facades: Mapping[str, Facade]) -> Callable[..., Facade | None]:
    """The `__import__` that knows the facades and nothing else."""

    def guarded_import(
        title: str,
        _globals: object = None,
        _locals: object = None,
        names: Sequence[str] | None = (),
        level: int = 0,
    ) -> Facade | None:
        if type(names) is list and title in sys.modules:
            # C code asks, which takes the module from sys.modules; a program's `import` statement
            # compiles to None or a tuple here, and gets nothing but facades.
            return None
        if level != 0 or title not in facades:
            known = ", ".join(sorted(facades))
            raise ImportError(f"module {title!r} is not available; available are {known}")
        facade = facades[title]
        missing = [name for name in names or () if not hasattr(facade, name)]
        if missing:
            raise ImportError(f"cannot import {', '.join(missing)} from {title!r} here")
        return facade

    return guarded_import


def guards_of(printed: Printed, given: dict[str, Any]) -> dict[str, Any]:
    """The globals of a program before it has bound anything, primitives apart."""
    return {
        "__builtins__": given,
        "_getattr_": attribute,
        "_getitem_": operator.getitem,
        "_getiter_": _itself,
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
        "_write_": writable,
        "_inplacevar_": in_place,
        "_inplaceitem_": in_place_item,
        "_apply_": apply,
        "_print_": lambda _getattr: printed,
        "_print": printed,
        "_exception_": Exception,
    }
