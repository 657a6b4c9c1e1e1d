"""What Python does before it comes to a part of a statement, and whether it comes there once.

Source of the order: the Python language reference, "Evaluation order", and the compiler of CPython.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from functools import cached_property
from itertools import chain, takewhile

import libcst

from recode_runtime.grammar.scene import Scene, children


class Weight(IntEnum):
    """What would go wrong if something were done later than a placeholder, instead of before it.

    Nothing; or it reads or computes what the expansion of the placeholder may change; or it has an
    effect of its own.
    """

    NOTHING = 0
    READS = 1
    ACTS = 2


_LITERALS = (
    *(libcst.Integer, libcst.Float, libcst.Imaginary, libcst.Ellipsis, libcst.SimpleString),
    *(libcst.ConcatenatedString, libcst.FormattedString, libcst.FormattedStringText),
    *(libcst.Tuple, libcst.List, libcst.Element, libcst.Arg, libcst.Lambda),
    *(libcst.Parameters, libcst.Param),
)
_ACTS = (
    *(libcst.Call, libcst.Await, libcst.Yield, libcst.NamedExpr, libcst.GeneratorExp),
    *(libcst.ListComp, libcst.SetComp, libcst.DictComp),
)
_CONSTANTS = ("True", "False", "None")


class Evaluation:
    """What the statements of a program do before they come to each of their parts.

    `settled` are the names that nothing can bind anew. What is found is kept: to ask for every part
    of a statement takes about as long as to ask for the last.
    """

    def __init__(self, scene: Scene, settled: Collection[str]) -> None:
        self._scene = scene
        self._settled = settled
        self._before: dict[libcst.CSTNode, Weight | None]
        self._before = dict.fromkeys(scene.module.body, Weight.NOTHING)

    def before(self, node: libcst.CSTNode) -> Weight | None:
        """What the top-level statement of a node does before it evaluates that node.

        None if the node may be evaluated never or more than once.
        """
        way = chain([node], self._scene.above(node))
        unknown = list(takewhile(lambda one: one not in self._before, way))
        for one in reversed(unknown):
            self._enter(self._scene.parents[one])
        return self._before[node]

    def before_moving(self, node: libcst.CSTNode) -> Weight | None:
        """The same as `before`; None also if the node cannot go ahead of what is done before it.

        That is so if something else acts before, or if the node binds what may be read before.
        """
        most = self.before(node)
        return None if most == Weight.ACTS or (most and node in self._binding) else most

    def _enter(self, parent: libcst.CSTNode) -> None:
        """Note what is done before each part of a node that is known itself."""
        most = self._before[parent]
        if isinstance(parent, libcst.SimpleStatementLine):  # each can have a line of its own
            self._before.update(dict.fromkeys(parent.body, most))
            return
        self._before.update(dict.fromkeys(children(parent)))
        if most is None:
            return
        earlier: libcst.CSTNode | None = None
        for part in parts_in_order(parent):
            if earlier:
                most = max(most, weight(earlier, self._settled))
            self._before[part] = most
            earlier = part

    @cached_property
    def _binding(self) -> Collection[libcst.CSTNode]:
        """The nodes with a `:=` in them."""
        binding = (one for one in self._scene.parents if isinstance(one, libcst.NamedExpr))
        return {one for walrus in binding for one in (walrus, *self._scene.above(walrus))}


def weight(node: libcst.CSTNode, settled: Collection[str]) -> Weight:
    """What evaluating a node does."""
    most, stack = Weight.NOTHING, [node]
    while stack:
        one = stack.pop()
        if isinstance(one, _ACTS):
            return Weight.ACTS
        most = max(most, _own_weight(one, settled))
        stack.extend(_evaluated(one))
    return most


def _own_weight(node: libcst.CSTNode, settled: Collection[str]) -> Weight:
    """What a node does apart from what is below it."""
    match node:
        case libcst.Name(value=name):
            fixed = name in _CONSTANTS or name in settled
        case libcst.Arg(star=star):
            fixed = not star
        case libcst.Attribute(value=libcst.SimpleString(prefix=prefix), attr=label):
            fixed = hasattr(bytes if "b" in prefix else str, label.value)
        case libcst.UnaryOperation(operator=libcst.Minus() | libcst.Plus(), expression=number):
            fixed = isinstance(number, libcst.BaseNumber)
        case _:
            fixed = isinstance(node, (*_LITERALS, libcst.Minus, libcst.Plus))
    return Weight.NOTHING if fixed else Weight.READS


def _evaluated(node: libcst.CSTNode) -> Iterable[libcst.CSTNode]:
    """The parts that may be evaluated with a node: no labels, and not the body of a lambda."""
    if isinstance(node, libcst.Arg | libcst.Attribute | libcst.Lambda | libcst.Param):
        return parts_in_order(node)
    return children(node)


def parts_in_order(node: libcst.CSTNode) -> list[libcst.CSTNode]:
    """The parts that are evaluated exactly once with a node, in the order in which they are.

    A part that may be left out or done again is not among them, nor one that assigns.
    """
    parts: Sequence[libcst.CSTNode | None]
    match node:
        case libcst.Expr() | libcst.AnnAssign() | libcst.NamedExpr():
            parts = [node.value]
        case libcst.Element() | libcst.StarredElement() | libcst.StarredDictElement():
            parts = [node.value]
        case libcst.Arg() | libcst.Attribute() | libcst.Index():
            parts = [node.value]
        case libcst.Assign(targets=[libcst.AssignTarget() as only]):
            parts = [node.value, only]
        case libcst.Assign():
            parts = [node.value]
        case libcst.AssignTarget(target=target) | libcst.Del(target=target):
            parts = [target] if isinstance(target, libcst.Subscript) else []
        case libcst.AugAssign():
            parts = [node.target, node.value]
        case libcst.Assert() | libcst.If() | libcst.IfExp():
            parts = [node.test]
        case libcst.Raise():
            parts = [node.exc, node.cause]
        case libcst.From():
            parts = [node.item]
        case libcst.For() | libcst.CompFor():
            parts = [node.iter]
        case _:
            parts = _parts_of_expression(node)
    return [one for one in parts if one]


def _parts_of_expression(node: libcst.CSTNode) -> Sequence[libcst.CSTNode | None]:
    match node:
        case libcst.Call():
            return [node.func, *sorted(node.args, key=by_keyword)]
        case libcst.Subscript():
            return [node.value, *node.slice]
        case libcst.SubscriptElement():
            return [node.slice]
        case libcst.Slice():
            return [node.lower, node.upper, node.step]
        case libcst.BinaryOperation():
            return [node.left, node.right]
        case libcst.ConcatenatedString():
            return [node.left, node.right]
        case libcst.BooleanOperation():
            return [node.left]
        case libcst.UnaryOperation():
            return [node.expression]
        case libcst.Comparison():
            return [node.left, node.comparisons[0]]
        case libcst.ComparisonTarget():
            return [node.comparator]
        case libcst.Tuple() | libcst.List() | libcst.Set() | libcst.Dict():
            return node.elements
        case libcst.DictElement():
            return [node.key, node.value]
        case libcst.ListComp() | libcst.SetComp() | libcst.DictComp() | libcst.GeneratorExp():
            return [node.for_in]
        case libcst.FormattedString():
            return node.parts
        case libcst.FormattedStringExpression(equal=None):  # with `=` its text is shown as well
            return [node.expression, *(node.format_spec or ())]
        case libcst.Lambda():
            return [node.params]
        case libcst.Parameters():
            return [*node.posonly_params, *node.params, *node.kwonly_params]
        case libcst.Param():
            return [node.default]
        case _:
            return []


def by_keyword(argument: libcst.Arg) -> bool:
    """Positional and starred arguments are evaluated before the others, wherever they stand."""
    return argument.keyword is not None or argument.star == "**"
