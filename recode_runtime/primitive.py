"""A primitive: an ordinary Python function that a program may call through the wall.

Its signature and docstring become the text in the prompt and the check of its calls. Values cross
the wall as JSON, so parameters and results are plain data: None, bool, int, float, str, list, dict.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from recode_runtime.threads import in_thread

PrimitiveFunction = Callable[..., Any]
Primitives = Iterable[PrimitiveFunction] | Mapping[str, PrimitiveFunction]


class EpisodeEnded(Exception):
    """Raised by a primitive when the environment's episode is over: nothing can act any more."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One host function with the name by which programs call it."""

    name: str
    function: PrimitiveFunction
    signature: inspect.Signature
    description: str = ""

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
        signature = inspect.signature(function, eval_str=False)
        return cls(name, function, signature, inspect.getdoc(function) or "")

    @property
    def text(self) -> str:
        """`name(parameters) -> type` and the docstring, as the prompt shows it."""
        head = f"{self.name}{self.signature}".replace("'", "")
        if not self.description:
            return head
        return head + "\n    " + self.description.replace("\n", "\n    ")

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the arguments against the signature and act.

        A plain function runs in a thread, so that a slow one never blocks the event loop; an
        async one runs where it is awaited.

        Raises:
            TypeError: the arguments do not fit (the message speaks of the primitive alone), or the
                result is not plain data.
        """
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as problem:
            raise TypeError(f"{self.name}() {problem}; it is {self.name}{self.signature}") from None
        if inspect.iscoroutinefunction(self.function):
            return self._plain(await self.function(*args, **kwargs))
        result = await in_thread(self.function, *args, **kwargs)
        return self._plain(await result if isinstance(result, Awaitable) else result)

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


def primitives_of(primitives: Primitives) -> dict[str, Primitive]:
    """The primitives by name, from functions (each under its own name) or from a mapping.

    Raises:
        ValueError: a name is unfit, or two functions share one.
    """
    pairs = (
        list(primitives.items())
        if isinstance(primitives, Mapping)
        else [(function.__name__, function) for function in primitives]
    )
    named: dict[str, Primitive] = {}
    for name, function in pairs:
        if name in named:
            raise ValueError(f"two primitives are called {name!r}; give them in a mapping")
        named[name] = function if isinstance(function, Primitive) else Primitive.of(name, function)
    return named
