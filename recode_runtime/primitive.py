"""A primitive: an ordinary Python function that a program may call through the wall.

Its signature and docstring become the text in the prompt and the check of its calls. Values cross
the wall as JSON, so parameters and results are plain data: None, bool, int, float, str, list, dict.
"""

from __future__ import annotations

import ast
import inspect
import json
import keyword
import types
import typing
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from recode_runtime.threads import in_thread

# Names that mean something to a program already: printing, and the arguments of the root.
_TAKEN = ("print", "printed", "eval", "exec", "instruction", "observation")

PrimitiveFunction = Callable[..., Any]
Primitives = Iterable[PrimitiveFunction] | Mapping[str, PrimitiveFunction]
# What a program may call, to judge it by: functions, names, texts like `go(place: str) -> str`.
Declared = (
    Collection[str | PrimitiveFunction]
    | Mapping[str, PrimitiveFunction | None]
    | Mapping[str, "Primitive | None"]
)


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
        _refuse_unfit(name)
        signature = inspect.signature(function, eval_str=False)
        return cls(name, function, signature, inspect.getdoc(function) or "", _hints(function))

    @classmethod
    def declared(cls, text: str) -> Primitive:
        """A primitive that is known by its text only, to judge programs by; it cannot act.

        `go(place: str, *, fast: bool = False) -> str`, or just `run`, which takes anything.
        Annotations of plain data are checked as those of a function are, others are not.

        Raises:
            ValueError: the text is neither; the message says what is wrong and how it is written.
        """
        text = text.strip()
        if "(" not in text:
            _refuse_unfit(text)
            return cls(text, _no_function, _ANYTHING)
        written = _definition(text)
        _refuse_unfit(written.name)
        hints = dict(_declared_hints(written.args))
        return cls(written.name, _no_function, _signature(written, text), hints=hints)

    @property
    def returns(self) -> bool | None:
        """Whether its calls have a value; None where nothing says so."""
        annotation = self.signature.return_annotation
        if annotation is inspect.Signature.empty:
            return None
        return annotation not in (None, "None", type(None))

    @property
    def text(self) -> str:
        """`name(parameters) -> type` and the docstring, as the prompt shows it."""
        if not self.description:
            return self.head
        return self.head + "\n    " + self.description.replace("\n", "\n    ")

    @property
    def head(self) -> str:
        """`name(parameters) -> type`."""
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

    def misfit(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], unknown: object, *, partly: bool
    ) -> str:
        """What a call with these arguments would fail with; empty if nothing is known against it.

        `unknown` stands for values that are not known yet. With `partly`, there are arguments
        besides these.
        """
        bind = self.signature.bind_partial if partly else self.signature.bind
        try:
            bound = bind(*args, **kwargs)
            for name in bound.arguments.keys() & self.hints.keys():
                if bound.arguments[name] is not unknown:
                    self._fitting(name, bound.arguments[name])
        except TypeError as problem:
            return str(problem)
        return ""

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        try:
            bound = self.signature.bind(*args, **kwargs)
            for name in bound.arguments.keys() & self.hints.keys():
                bound.arguments[name] = self._fitting(name, bound.arguments[name])
        except TypeError as problem:
            raise TypeError(f"{self.name}() {problem}; it is {self.head}") from None
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


def _refuse_unfit(name: str) -> None:
    if not (name.isidentifier() and name.isascii()) or name.startswith("_"):
        raise ValueError(
            f"a primitive needs a plain ASCII name that does not begin with '_', not {name!r}"
        )
    if name in _TAKEN or keyword.iskeyword(name):
        raise ValueError(f"a primitive cannot be called {name!r}: the language has that name")


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


_ANYTHING = inspect.Signature(
    [
        inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
        inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
    ]
)
_WRITTEN = "write a name, or name(parameter: type, ...) -> type"
_PLAIN_NAMES: dict[str, Any] = {
    one.__name__: one for one in (str, int, float, bool, list, dict, typing.Any)
}


def _no_function(*_args: Any, **_kwargs: Any) -> Any:
    raise TypeError("this primitive is known by its text only")


def _definition(text: str) -> ast.FunctionDef:
    """The text as the head of a function; it is parsed and never evaluated."""
    try:
        body = ast.parse(f"def {text}: ...").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        why = problem.msg if isinstance(problem, SyntaxError) else str(problem)
        raise ValueError(f"the primitive {text!r} cannot be read ({why}); {_WRITTEN}") from None
    match body:
        case [ast.FunctionDef(body=[ast.Expr(ast.Constant(value=value))]) as written]:
            if value is ... and not getattr(written, "type_params", []):
                return written
    raise ValueError(f"the primitive {text!r} is more than the head of a function; {_WRITTEN}")


def _signature(written: ast.FunctionDef, text: str) -> inspect.Signature:
    returns = ast.unparse(written.returns) if written.returns else inspect.Signature.empty
    try:
        return inspect.Signature(list(_parameters(written.args)), return_annotation=returns)
    except ValueError as problem:
        raise ValueError(f"the primitive {text!r}: {problem}; {_WRITTEN}") from None


def _parameters(args: ast.arguments) -> Iterable[inspect.Parameter]:
    kinds = inspect.Parameter
    placed = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(placed) - len(args.defaults))
    defaults += args.defaults
    for number, (one, default) in enumerate(zip(placed, defaults, strict=True)):
        early = number < len(args.posonlyargs)
        kind = kinds.POSITIONAL_ONLY if early else kinds.POSITIONAL_OR_KEYWORD
        yield _parameter(one, kind, default)
    if args.vararg:
        yield _parameter(args.vararg, kinds.VAR_POSITIONAL)
    for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _parameter(one, kinds.KEYWORD_ONLY, default)
    if args.kwarg:
        yield _parameter(args.kwarg, kinds.VAR_KEYWORD)


def _parameter(one: ast.arg, kind: Any, default: ast.expr | None = None) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    return inspect.Parameter(
        one.arg,
        kind,
        default=_Written(ast.unparse(default)) if default else empty,
        annotation=ast.unparse(one.annotation) if one.annotation else empty,
    )


class _Written(str):
    """The text of a default, shown as it is written."""

    __slots__ = ()
    __repr__ = str.__str__


def _declared_hints(args: ast.arguments) -> Iterable[tuple[str, Any]]:
    for one in (*args.posonlyargs, *args.args, *args.kwonlyargs):
        hint = _hint(one.annotation) if one.annotation else None
        if hint is not None:
            yield one.arg, hint


def _hint(written: ast.expr) -> Any:
    """The type that an annotation of plain data is; None for any other."""
    match written:
        case ast.Constant(value=None):
            return type(None)
        case ast.Constant(value=str(text)):
            return _hint_of_text(text)
        case ast.Name(id=name):
            return _PLAIN_NAMES.get(name)
        case ast.Attribute(value=ast.Name(id="typing"), attr="Any"):
            return Any
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _joined([left, right])
        case ast.Subscript(value=owner, slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _subscripted(ast.unparse(owner).removeprefix("typing."), parts)
        case _:
            return None


def _hint_of_text(text: str) -> Any:
    try:
        return _hint(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _joined(parts: list[ast.expr]) -> Any:
    hints = [_hint(part) for part in parts]
    return None if None in hints else typing.Union[tuple(hints)]  # noqa: UP007


def _subscripted(owner: str, parts: list[ast.expr]) -> Any:
    hints = [_hint(part) for part in parts] if owner != "Literal" else []
    match owner, len(parts):
        case "Literal", _:
            values = tuple(one.value for one in parts if isinstance(one, ast.Constant))
            return typing.Literal[values] if len(values) == len(parts) else None
        case ("list", 1) | ("dict", 2) if None not in hints:
            return _PLAIN_NAMES[owner][tuple(hints)]
        case "Optional", 1:
            return _joined([*parts, ast.Constant(None)])
        case "Union", _:
            return _joined(parts)
        case _:
            return None


def declared_primitives(given: Declared) -> dict[str, Primitive | None]:
    """What is known of each primitive by its name; None where nothing but the name is.

    Args:
        given: names, texts and functions in one collection, or a mapping from names.

    Raises:
        ValueError: a name or text is unfit, or two share a name.
        TypeError: it is neither text nor function.
    """
    if isinstance(given, str):
        raise ValueError(f"primitives are a collection: write [{given!r}]")
    if isinstance(given, Mapping):
        return {name: one and _one_declared(one, name) for name, one in given.items()}
    found: dict[str, Primitive | None] = {}
    for one in given:
        primitive = _one_declared(one, getattr(one, "__name__", ""))
        if primitive.name in found:
            raise ValueError(f"two primitives are called {primitive.name!r}")
        found[primitive.name] = primitive
    return found


def _one_declared(given: object, name: str) -> Primitive:
    if isinstance(given, Primitive):
        return given
    if isinstance(given, str):
        return Primitive.declared(given)
    if callable(given):
        return Primitive.of(name, given)
    raise TypeError(f"a primitive is a name, a text or a function, not {given!r}")


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
