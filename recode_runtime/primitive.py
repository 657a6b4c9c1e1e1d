"""A primitive: an ordinary Python function that a program may call through the wall.

Its signature and docstring become the text in the prompt and the check of its calls. Values cross
the wall as JSON, so parameters and results are plain data: None, bool, int, float, str, list, dict.
"""

from __future__ import annotations

import inspect
import json
import keyword
import types
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from recode_runtime.threads import in_thread

# Names that mean something to a program already: printing, and the arguments of the root.
_TAKEN = ("print", "printed", "eval", "exec", "instruction", "observation")

PrimitiveFunction = Callable[..., Any]
Primitives = Iterable[PrimitiveFunction] | Mapping[str, PrimitiveFunction]


class EpisodeEnded(Exception):
    """Raised by a primitive when the environment's episode is over: nothing can act any more."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One host function with the name by which programs call it.

    `hints` are the types of those parameters whose annotation is of plain data: `str`, `int`,
    `float`, `bool`, None, `list`, `dict`, `Literal`, and unions of them. Other parameters take
    whatever crosses the wall.
    """

    name: str
    function: PrimitiveFunction
    signature: inspect.Signature
    description: str = ""
    hints: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, function: PrimitiveFunction) -> Primitive:
        """The primitive for `function`, a sync or async callable with a readable signature.

        Raises:
            ValueError: the name is not a plain public identifier, or there is no signature.
        """
        if not (name.isidentifier() and name.isascii()) or name.startswith("_"):
            raise ValueError(
                f"a primitive needs a plain ASCII name that does not begin with '_', not {name!r}"
            )
        if name in _TAKEN or keyword.iskeyword(name):
            raise ValueError(f"a primitive cannot be called {name!r}: the language has that name")
        signature = inspect.signature(function, eval_str=False)
        return cls(name, function, signature, inspect.getdoc(function) or "", _hints(function))

    @property
    def text(self) -> str:
        """`name(parameters) -> type` and the docstring, as the prompt shows it."""
        if not self.description:
            return self._head
        return self._head + "\n    " + self.description.replace("\n", "\n    ")

    @property
    def _head(self) -> str:
        return f"{self.name}{self.signature}".replace("'", "")

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the arguments against the signature and act.

        A plain function runs in a thread, so that a slow one never blocks the event loop; an
        async one runs where it is awaited.

        Raises:
            TypeError: the arguments do not fit (the message speaks of the primitive alone), or the
                result is not plain data.
        """
        bound = self._bound(args, kwargs)
        args, kwargs = bound.args, bound.kwargs
        if inspect.iscoroutinefunction(self.function):
            return self._plain(await self.function(*args, **kwargs))
        result = await in_thread(self.function, *args, **kwargs)
        return self._plain(await result if isinstance(result, Awaitable) else result)

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        try:
            bound = self.signature.bind(*args, **kwargs)
            for name in bound.arguments.keys() & self.hints.keys():
                bound.arguments[name] = self._fitting(name, bound.arguments[name])
        except TypeError as problem:
            raise TypeError(f"{self.name}() {problem}; it is {self._head}") from None
        return bound

    def _fitting(self, name: str, value: Any) -> Any:
        """The argument in the type that is written beside the parameter."""
        try:
            return msgspec.convert(value, self.hints[name])
        except msgspec.ValidationError as problem:
            raise TypeError(f"argument {name!r}: {problem}") from None

    def _plain(self, result: Any) -> Any:
        """The result as plain data: tuples become lists, dataclasses dicts, dates text."""
        if result is None or type(result) in (str, bool):
            return result
        try:
            plain = msgspec.to_builtins(result, str_keys=True)
            return json.loads(json.dumps(plain, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as problem:
            raise TypeError(
                f"{self.name}() returned a {type(result).__name__}, which is not plain data: "
                f"{problem}"
            ) from None


def _hints(function: PrimitiveFunction) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # an annotation that means nothing at run time
        return {}
    kinds = {name: one.kind for name, one in inspect.signature(function).parameters.items()}
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: hint
        for name, hint in hints.items()
        if name in kinds and kinds[name] not in several and _is_plain(hint)
    }


def _is_plain(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return True
    if origin in (list, dict, typing.Union, types.UnionType):
        return all(map(_is_plain, typing.get_args(hint)))
    return hint in (str, int, float, bool, type(None), list, dict, Any)


def primitives_of(primitives: Primitives) -> dict[str, Primitive]:
    """The primitives by name, from functions (each under its own name) or from a mapping.

    Raises:
        ValueError: a name is unfit, or two functions share one.
        TypeError: it is no function.
    """
    pairs = (
        list(primitives.items())
        if isinstance(primitives, Mapping)
        else [(getattr(function, "__name__", ""), function) for function in primitives]
    )
    named: dict[str, Primitive] = {}
    for name, function in pairs:
        if not callable(function):
            raise TypeError(f"a primitive is a function, not {function!r}")
        if name in named:
            raise ValueError(f"two primitives are called {name!r}; give them in a mapping")
        named[name] = function if isinstance(function, Primitive) else Primitive.of(name, function)
    return named
