"""Which statements can do no harm beyond an exception, so that they need no checkpoint.

A statement is *cheap* if its work is bounded by the size of the values it names, it changes nothing
but the names it binds, and it cannot crash the interpreter. What it binds can then be undone by
putting the old values back (`Undo`), because nothing was changed in place: no method is called, no
item written, no iterator advanced, `+=` only on immutable values. Everything else is *risky*.

The judgement reads the syntax tree and, for names, the exact type of the value at that moment: no
class can be written in the guest, so an exact builtin type does what CPython says it does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any

from recode_guest.guards import Facade, Primitive
from recode_guest.restricted import name_bound
from recode_guest.trees import children
from recode_guest.values import kind_of, weight

# Together they bound the work of a cheap statement to some hundredths of a second.
NODES = 100
TEXT_CHARS = 10_000
INTEGER_BITS = 20_000
ITEMS = 1_000
ARGUMENTS_WEIGHT = 100_000
# As much as a name of a text as long as it may be, or a number padded as far as it may be.
GROWTH_PER_NODE = 100_000
FREEABLE_NODES = 300
FORMAT_CHARS = 5

_SCALARS = frozenset({str, int, float, bool, type(None)})
_SEQUENCES = frozenset({str, list, tuple, dict})
_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})
_CONVERSIONS = frozenset({"str", "int", "float", "bool", "len"})


class Undo:
    """The values that some names had, to be put back."""

    def __init__(self, namespace: MutableMapping[str, Any], names: Collection[str]) -> None:
        self._namespace = namespace
        self._names = tuple(names)
        self._old = {name: namespace[name] for name in names if name in namespace}

    @property
    def names(self) -> set[str]:
        """The names it is about."""
        return set(self._names)

    def undo(self, keeping: Collection[str] = ()) -> None:
        """Every name but those to keep is bound, or unbound, as it was."""
        for name in self.names.difference(keeping):
            if name in self._old:
                self._namespace[name] = self._old[name]
            else:
                self._namespace.pop(name, None)


def is_freeable(value: Any) -> bool:
    """Whether dropping the value is sure to be quick and shallow.

    Freeing a long chain of `map` objects or closures recurses in C until the stack ends; of lists,
    tuples and dicts it does not.
    """
    left = FREEABLE_NODES
    stack = [value]
    while stack:
        left -= 1
        item = stack.pop()
        kind = kind_of(item)
        if kind in _SCALARS or kind in (Facade, Primitive):
            continue
        if kind not in _CONTAINERS or left < len(item):
            return False
        left -= len(item)
        if kind is dict:
            stack.extend(item.keys())
            stack.extend(item.values())
        else:
            stack.extend(item)
    return True


class Judge:
    """Judges one statement against the namespace as it is now.

    `growth` is how many bytes it can leave behind if it is cheap, answers of the host apart.
    """

    def __init__(self, namespace: Mapping[str, Any], primitives: Collection[str]) -> None:
        self._namespace = namespace
        self._primitives = primitives
        self._bound: set[str] = set()
        self._left = ARGUMENTS_WEIGHT
        self.growth = 0

    def is_cheap(self, statement: ast.stmt) -> bool:
        """Whether the statement needs no checkpoint."""
        return self._is_small(statement) and self._statement(statement)

    def _is_small(self, statement: ast.stmt) -> bool:
        stack: list[ast.AST] = [statement]
        for count in range(NODES):
            if not stack:
                self.growth = count * GROWTH_PER_NODE
                return True
            stack += children(stack.pop())
        return False

    def _statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Expr(value=value):
                return self._value(value)
            case ast.Assign(targets=targets, value=value):
                return self._value(value) and all(self._target(target) for target in targets)
            case ast.AnnAssign(target=target, value=value):
                return value is None or (self._value(value) and self._target(target))
            case ast.AugAssign(target=ast.Name() as target, op=ast.Add() | ast.Sub()):
                name = ast.Name(target.id, ast.Load())
                return self._scalar(name) and self._scalar(node.value) and self._target(target)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                return all(self._name(name_bound(alias)) for alias in names)
            case ast.If():
                body = [*node.body, *node.orelse]
                return self._value(node.test) and all(self._statement(one) for one in body)
            case _:
                return False

    def _target(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._name(node.id)

    def _name(self, name: str) -> bool:
        """Whether the name can be bound: what it held is then dropped."""
        fit = name not in self._bound and is_freeable(self._namespace.get(name))
        self._bound.add(name)
        return fit

    def _known(self, node: ast.expr) -> Any:
        """The value of a name, or a Facade's class (which is no scalar and no container)."""
        if isinstance(node, ast.Name) and node.id not in self._bound:
            return self._namespace.get(node.id, Facade)
        return Facade

    def _scalar(self, node: ast.expr | None) -> bool:
        """Whether the value is surely a small enough str, int, float, bool or None."""
        match node:
            case ast.Constant(value=value):
                return type(value) in _SCALARS
            case ast.Name():
                return _is_small_scalar(self._known(node))
            case ast.JoinedStr(values=parts):
                return all(self._scalar(part) for part in parts)
            case ast.FormattedValue(value=value, conversion=conversion, format_spec=spec):
                # `!r` can double a text; nested, it doubles it again and again.
                single = conversion < 0 or isinstance(value, ast.Name | ast.Constant)
                return single and self._scalar(value) and _is_plain_format(spec)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
                return self._scalar(left) and self._scalar(right)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._value(operand)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
                return self._scalar(operand)
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(test) and self._scalar(body) and self._scalar(orelse)
            case ast.Call(func=ast.Name(id=name), args=[only], keywords=[]):
                return self._conversion(name, only)
            case _:
                return False

    def _value(self, node: ast.expr | None) -> bool:
        """Whether computing the value is bounded, whatever the value is."""
        match node:
            case ast.Name():
                return True
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
                return all(self._value(part) for part in parts)
            case ast.Dict(keys=keys, values=values):
                return all(map(self._scalar, keys)) and all(map(self._value, values))
            case ast.Set(elts=parts):
                return all(self._scalar(part) for part in parts)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(test) and self._value(body) and self._value(orelse)
            case ast.Lambda(args=ast.arguments(defaults=[], kw_defaults=[])):
                return True
            case ast.Attribute(value=ast.Name() as owner):
                return type(self._known(owner)) is Facade
            case ast.Subscript(value=owner, slice=index):
                return self._index(self._known(owner), index)
            case ast.Call():
                return self._call(node) or self._scalar(node)
            case _:
                return self._scalar(node)

    def _index(self, owner: Any, node: ast.expr) -> bool:
        if type(owner) not in _SEQUENCES:
            return False
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            plain = all(part is None or self._scalar(part) for part in parts)
            return plain and len(owner) <= (TEXT_CHARS if type(owner) is str else ITEMS)
        return self._scalar(node)

    def _call(self, node: ast.Call) -> bool:
        if not isinstance(node.func, ast.Name):
            return False
        name = node.func.id
        judge: Callable[[ast.expr], bool] = self._argument
        if name == "print" and self._is_builtin(name):
            judge = self._scalar
        elif name not in self._primitives:
            return False
        keywords = all(keyword.arg and judge(keyword.value) for keyword in node.keywords)
        return keywords and all(judge(argument) for argument in node.args)

    def _argument(self, node: ast.expr) -> bool:
        """Whether sending the value to the host is little work, beside those before it."""
        if isinstance(node, ast.Constant):
            return True
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                self._left -= weight(self._known(part), max(self._left, 0))
        return self._left >= 0 and self._value(node)

    def _conversion(self, name: str, argument: ast.expr) -> bool:
        if name not in _CONVERSIONS or not self._is_builtin(name):
            return False
        if name == "len" and type(self._known(argument)) in _CONTAINERS:
            return True
        return self._scalar(argument)

    def _is_builtin(self, name: str) -> bool:
        return name not in self._namespace and name not in self._bound

    def _comparison(self, node: ast.Compare) -> bool:
        if len(node.ops) != 1:
            return self._scalar(node.left) and all(map(self._scalar, node.comparators))
        left, right = node.left, node.comparators[0]
        match node.ops[0]:
            case ast.Is() | ast.IsNot():
                return self._value(left) and self._value(right)
            case ast.In() | ast.NotIn():
                return self._scalar(left) and self._searchable(right)
            case _:
                one = self._scalar(left) or self._scalar(right)
                return one and self._value(left) and self._value(right)

    def _searchable(self, node: ast.expr) -> bool:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return all(self._scalar(part) for part in node.elts)
        value = self._known(node)
        if type(value) in (list, tuple):
            return len(value) <= ITEMS
        return type(value) in _CONTAINERS or (type(value) is str and self._scalar(node))


def _is_small_scalar(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= TEXT_CHARS
    if kind is int:
        return bool(value.bit_length() <= INTEGER_BITS)
    return kind in _SCALARS


def _is_plain_format(spec: ast.expr | None) -> bool:
    match spec:
        case None:
            return True
        case ast.JoinedStr(values=[ast.Constant(value=str(text))]):
            return len(text) <= FORMAT_CHARS
        case _:
            return False
