"""What the compiled program calls in place of Python's own operations, and what it finds there.

RestrictedPython turns attribute and item access, iteration, writes, in-place operators, star calls,
print and import into calls of the names in `guards_of`. None of these names can be written in a
program, because they begin with an underscore.

It is a long file because who reviews what a program can reach is to read all of it in one place.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import operator
import random
import string
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import (
    EllipsisType,
    GeneratorType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    NotImplementedType,
    SimpleNamespace,
)
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from recode_guest.failure import clean

CUT_MARK = "\n[cut: the program printed more than {most}]\n"
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
# No module gives what the guest would not give as a builtin, nor what reaches attributes by text.
_GIVEN = [getattr(builtins, name) for name in GIVEABLE if name != "type"]
KEPT_BACK = [
    *(value for value in vars(builtins).values() if callable(value) and value not in _GIVEN),
    *(operator.attrgetter, operator.methodcaller, string.Formatter),
]
# Not the module's own generator, which a fork seeds anew, and a checkpoint is a fork. Each session
# seeds this one when it begins. By a text here, so that what hashes texts is loaded by then.
RANDOM = random.Random("")  # noqa: S311


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
    """Collects what the program prints, up to a number of bytes of UTF-8 and of lines."""

    def __init__(self, most_bytes: int, most_lines: int) -> None:
        self._most = most_bytes, most_lines
        self._begin()

    def _begin(self) -> None:
        self._parts: list[str] = []
        self._bytes, self._lines = self._most

    def write(self, text: str) -> None:
        """Keep the text if there is room; the first that does not fit is cut, visibly."""
        if self._bytes < 0 or not text:
            return
        data = text[: self._bytes + 1].encode(errors="backslashreplace")
        lines = data.count(b"\n")
        if lines > self._lines or (lines == self._lines and not data.endswith(b"\n")):
            kept = b"\n".join(data.split(b"\n", self._lines)[: self._lines])
            self._cut(kept[: self._bytes], f"{self._most[1]} lines")
        elif len(data) > self._bytes:
            self._cut(data[: self._bytes], f"{self._most[0]} bytes")
        else:
            self._parts.append(data.decode())
            self._bytes -= len(data)
            self._lines -= lines

    def _cut(self, kept: bytes, most: str) -> None:
        self._parts.append(kept.decode(errors="ignore") + CUT_MARK.format(most=most))
        self._bytes = -1

    def take(self) -> str:
        """Everything since the last time."""
        text = "".join(self._parts)
        self._begin()
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


NAMELESS = (EllipsisType, NoneType, NotImplementedType)
# What the interpreter itself is made of: with the class of a function, a method or a generic alias
# (`list[int]`, which passes on the attributes of any class) a program would make such things of its
# own. And errors that read memory outside of their text when they are made with a wrong position.
OPAQUE = frozenset(
    {Facade, Primitive, Printed, UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError}
).union(kind for kind in vars(types).values() if isinstance(kind, type) and kind not in NAMELESS)
SEALED = OPAQUE.difference(
    {Facade, GeneratorType, MappingProxyType, SimpleNamespace},
    {UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError},
)
HIDDEN = INSPECT_ATTRIBUTES | {"mro"}
CALLED_ON_CLASSES = (MethodDescriptorType, MethodType)


def kind_of(value: Any, /) -> Any:
    """`type` with one argument: a class that a module names, and never a metaclass.

    With a metaclass a program could make classes; what no module names is not made to be called.
    """
    kind = type(value)
    if isinstance(value, type):
        return kind_of
    if kind in OPAQUE or type(kind) is not type or not _has_name(kind):
        raise TypeError(f"the type of a {kind.__name__} is not available")
    return kind


def _has_name(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    return kind in NAMELESS or getattr(module, kind.__name__, None) is kind


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
    if type(name) is not str or name.startswith("_") or name in HIDDEN:
        raise _not_available(name)
    if type(owner) in SEALED:
        raise AttributeError(f"a {type(owner).__name__} has no attributes here")
    if name in ("format", "format_map") and type(owner) is not Facade:
        raise AttributeError(f"str.{name}() is not available; write an f-string")
    if name == "obj" and isinstance(owner, AttributeError):
        raise _not_available(name)
    value = getattr(owner, name)
    if isinstance(value, ModuleType) or (isinstance(owner, type) and _is_unbound(value)):
        raise _not_available(name)
    return value


def _is_unbound(value: Any) -> bool:
    """Whether it is of a class for its objects; methods of Python code would take any other too."""
    return hasattr(type(value), "__get__") and type(value) not in CALLED_ON_CLASSES


def _not_available(name: object) -> AttributeError:
    return AttributeError(f"the attribute {name!r} is not available")


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
    owner = writable(owner)
    owner[index] = IN_PLACE[sign](owner[index], right)


def apply(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """A call with `*` or `**` in it."""
    return function(*args, **kwargs)


def _itself(value: Any, *_unpacking: Any) -> Any:
    # Counting iterations would be no budget: list(x), [*x] or sum(x) never pass here. The budget is
    # the clock and the memory of the process. Nor is there anything to unpack by hand: iterators
    # are C's, or the program's own generators, and CPython stops at one item too many.
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
    """A facade for each module, with exactly the names listed; and for each package of one.

    Raises:
        LanguageError: the module or a name of it is not there, or must not be handed out.
    """
    facades: dict[str, Facade] = {}
    for title in sorted(_with_packages(modules), reverse=True):
        inner = {name.rpartition(".")[2]: facades[name] for name in _inside(title, facades)}
        facades[title] = Facade(title, inner | _chosen(title, modules.get(title, ())))
    return facades


def _with_packages(titles: Iterable[str]) -> set[str]:
    """`a`, `a.b` and `a.b.c` for `a.b.c`, since that is what it is imported by."""
    return {
        package
        for title in titles
        for package in itertools.accumulate(title.split("."), lambda outer, name: f"{outer}.{name}")
    }


def _inside(package: str, titles: Iterable[str]) -> list[str]:
    return [title for title in titles if title.rpartition(".")[0] == package]


def _chosen(title: str, names: Sequence[str]) -> dict[str, Any]:
    try:
        owner = _owner(title)
        chosen = {name: getattr(owner, name) for name in names}
    except (ImportError, AttributeError) as problem:
        raise LanguageError(f"[language.facades] {title}: {problem}") from None
    for name, value in chosen.items():
        if name.startswith("_") or isinstance(value, ModuleType) or _is_kept_back(value):
            raise LanguageError(f"[language.facades] {title}: {name!r} cannot be handed out")
    return chosen


def _is_kept_back(value: Any) -> bool:
    return any(value is one for one in KEPT_BACK)


def _owner(title: str) -> Any:
    """What the names of a facade are taken from."""
    if title == "random":
        return RANDOM
    return importlib.import_module(title)


# What is imported at the call only, when behind the wall it is too late to look for files: by C
# code (strftime, today, strptime, "namereplace", division of huge ints), which does so by the
# `__import__` of whoever calls it, and by `Counter.most_common`.
LATE = ["_strptime", "heapq", "time", "unicodedata"] + ["_pylong"] * (sys.version_info >= (3, 12))
for _module in LATE:
    importlib.import_module(_module)


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
        if not names:
            return facades[title.partition(".")[0]]
        facade = facades[title]
        missing = [name for name in names if name.startswith("_") or not hasattr(facade, name)]
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
        "_iter_unpack_sequence_": _itself,
        "_unpack_sequence_": _itself,
        "_write_": writable,
        "_inplacevar_": in_place,
        "_inplaceitem_": in_place_item,
        "_apply_": apply,
        "_print_": lambda _getattr: printed,
        "_print": printed,
        "_exception_": Exception,
    }
