"""RC307."""

from __future__ import annotations

import ast
from typing import Any, ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.names import CalledName
from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.primitive import Primitive

_GO = ("go(place: str, turns: int = 1, *, fast: bool = False) -> str",)
_PICK = ("pick(things: list[str] | None = None, kind: Literal['cup', 'mug'] = 'cup') -> str",)


class PrimitiveCall(Rule):
    """A primitive is called in a way that does not fit its signature.

    ## What it does
    Warns of arguments that are missing or too many, keywords that the primitive does not have, and
    literals of another type than the parameter is annotated with. A primitive that is known by its
    name alone may be called in any way, and the values of variables are not judged.

    ## Why
    The call would fail when it is reached, after the statements before it have acted.

    ## Example
        # go(place: str) -> str
        obs = go('shelf', 3)

    ## Use instead
        # go(place: str) -> str
        obs = go('shelf')
    """

    code = "RC307"
    title = "primitive called against its signature"
    level: ClassVar[Level] = "warning"
    advice = "call it as its signature says"
    VALID: ClassVar[Cases] = {
        "fits": Case("obs = go('shelf', 2, fast=True)", primitives=_GO),
        "variables are not judged": Case("obs = go(items, turns=flag)", primitives=_GO),
        "unpacked": Case("obs = go(*items)\nobs = go(**obs)", primitives=_GO),
        "name alone": "obs = run(1, 2, anything='x')",
        "plain data": Case(
            "obs = pick(['a', obs])\nobs = pick(None, 'mug')\nobs = pick(('a',))", primitives=_PICK
        ),
        "any number": Case("obs = say('a', 'b')", primitives=("say(*words: str) -> str",)),
        "a number is a float": Case("obs = boil(1)", primitives=("boil(litres: float) -> str",)),
    }
    INVALID: ClassVar[Cases] = {
        "missing": Case("obs = go()", primitives=_GO),
        "too many": Case("obs = go('shelf', 1, True)", primitives=_GO),
        "unknown keyword": Case("obs = go('shelf', slow=True)", primitives=_GO),
        "unknown keyword beside unpacked ones": Case("obs = go(*items, slow=True)", primitives=_GO),
        "given twice": Case("obs = go('shelf', place='sink')", primitives=_GO),
        "wrong type": Case("obs = go(3)", primitives=_GO),
        "wrong type by keyword": Case("obs = go('shelf', turns='two')", primitives=_GO),
        "none of the choices": Case("obs = pick(kind='jug')", primitives=_PICK),
        "wrong type inside": Case("obs = pick([1, 2])", primitives=_PICK),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every call of a primitive whose signature is known."""
        call = self.context.calls[node]
        primitive = self.context.primitives.get(call.name) if call.kind == "primitive" else None
        problem = _misfit(call, primitive) if primitive else ""
        if primitive and problem:
            self.report(node, f"{call.name}() {problem}; it is {primitive.head}")


class _Unknown:
    """Stands for a value that is known only when the program runs."""


def _misfit(call: CalledName, primitive: Primitive) -> str:
    """What is wrong with a call, in the words of the primitive's own check."""
    positional, named = call.node.args, call.node.keywords
    args = [_value(one) for one in positional if not isinstance(one, ast.Starred)]
    kwargs = {one.arg: _value(one.value) for one in named if one.arg}
    exact = len(args) == len(positional) and len(kwargs) == len(named)
    return primitive.misfit(args if exact else [], kwargs, _Unknown, partly=not exact)


def _value(node: ast.expr) -> Any:
    """The plain data that a literal is, or `_Unknown`."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _Unknown
    return value if _is_plain(value) else _Unknown


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    return value is None or isinstance(value, str | bool | int | float)
