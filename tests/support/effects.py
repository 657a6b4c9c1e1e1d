"""Programs run by CPython itself in a world that notes everything that they do."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator

from recode_runtime.grammar.rewriting import snake_case

VARIABLES = ("a", "b", "c")
PLACEHOLDERS = ("p", "q", "goFar", "go_far")

_NOTED = (
    *("add", "sub", "mul", "lt", "gt", "neg", "getitem", "call", "contains"),
    *("setitem", "delitem", "iadd", "eq", "exit"),
)


class Value:
    """Something of which everything can be asked; what is asked is noted in the world."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name

    def __repr__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __getattr__(self, name: str) -> Value:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._noted("." + name)

    def _noted(self, what: str, *parts: object) -> Value:
        name = f"{self.name}{what}{list(parts) or ''}"
        if not self.world.quiet:
            self.world.trace.append(name)
        return Value(self.world, name)

    def __bool__(self) -> bool:
        self._noted("?")
        return len(self.name) % 3 > 0

    def __format__(self, spec: str) -> str:
        return repr(self._noted("{}", spec))

    def __iter__(self) -> Iterator[Value]:
        self._noted("()")
        return iter([Value(self.world, self.name + "0"), Value(self.world, self.name + "1")])

    def keys(self) -> list[str]:
        """What `**` asks for."""
        return ["m"]

    def __enter__(self) -> Value:
        return self._noted("enter")


def _method(name: str) -> Callable[..., object]:
    def method(self: Value, *parts: object, **named: object) -> object:
        if name == "exit":  # the words of the error that it is told may name a renamed variable
            self._noted("exit")
            return None
        return self._noted(f".{name}", *parts, *sorted(named.items()))

    return method


for _name in _NOTED:
    setattr(Value, f"__{_name}__", _method(_name))


class World:
    """Runs one program; `trace` is what it did, `values` what its variables hold in the end.

    A placeholder binds every variable that there is anew, as its expansion might: except names with
    underscores in front, which no expansion may bind. A `quiet` world has placeholders that bind
    nothing, and notes calls only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.trace: list[str] = []
        self._names: dict[str, object] = {name: Value(self, name) for name in VARIABLES}
        self._names["run"] = _Function(self, "run")
        for name in PLACEHOLDERS:
            self._names[name] = _Function(self, snake_case(name), self._bind_anew)

    def run(self, source: str) -> tuple[list[str], dict[str, str], str]:
        """The trace, the values of `VARIABLES` at the end, and the kind of error it ended in."""
        error = ""
        try:
            exec(compile(source, "<program>", "exec"), self._names)
        except Exception as problem:  # noqa: BLE001 - whatever the program raises is its outcome
            error = type(problem).__name__
        trace = [_without_addresses(one) for one in self.trace]
        values = {name: _without_addresses(repr(self._names.get(name))) for name in VARIABLES}
        return trace, values, error

    def called(self, name: str, parts: tuple[object, ...], named: dict[str, object]) -> Value:
        """What a function of the world gives; that it was called is noted."""
        shown = [_shown(one) for one in (*parts, *sorted(named.items()))]
        self.trace.append(f"{name}({shown})")
        return Value(self, f"{name}{len(self.trace) if not self.quiet else ''}")

    def _bind_anew(self) -> None:
        for name, value in self._names.items():
            if name[0] != "_" and not isinstance(value, _Function) and not self.quiet:
                self._names[name] = Value(self, f"{name}@{len(self.trace)}")


class _Function:
    """A primitive or a placeholder; what it prints does not tell where it is in memory."""

    def __init__(
        self, world: World, name: str, afterwards: Callable[[], None] = lambda: None
    ) -> None:
        self._world, self._name, self._afterwards = world, name, afterwards

    def __repr__(self) -> str:
        return self._name

    def __hash__(self) -> int:  # so that a set has the same order in both worlds
        return hash(self._name)

    def __call__(self, *parts: object, **named: object) -> Value:
        result = self._world.called(self._name, parts, named)
        self._afterwards()
        return result


def _shown(value: object) -> str:
    """A value in the same words whichever world made it."""
    if isinstance(value, types.FunctionType | types.GeneratorType):
        return type(value).__name__
    if isinstance(value, set | frozenset):
        return f"set {sorted(map(_shown, value))}"
    if isinstance(value, tuple | list):
        return str([_shown(one) for one in value])
    return repr(value)


def _without_addresses(text: str) -> str:
    return re.sub(" at 0x[0-9a-f]+", "", text)
