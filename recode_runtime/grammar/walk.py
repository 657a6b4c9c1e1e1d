"""One walk over a concrete syntax tree, in the order of its text, that serves all rules at once.

libcst's own batched visit goes through every comma and blank and costs twice the parsing; this one
follows the explicit lines of `PARTS` and looks visiting methods up once for each set of rules.
What has no line there is shown to `visit_unknown`, so that no construct passes unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import libcst

# What is worth a visit in each kind of node, in the order of the text; the rest is punctuation.
PARTS: Mapping[str, tuple[str, ...]] = {
    # blocks
    "Module": ("body",),
    "IndentedBlock": ("body",),
    "SimpleStatementLine": ("body",),
    "SimpleStatementSuite": ("body",),
    # simple statements
    "AnnAssign": ("target", "annotation", "value"),
    "Annotation": ("annotation",),
    "Assert": ("test", "msg"),
    "Assign": ("targets", "value"),
    "AssignTarget": ("target",),
    "AugAssign": ("target", "operator", "value"),
    "Break": (),
    "Continue": (),
    "Del": ("target",),
    "Expr": ("value",),
    "Global": ("names",),
    "Import": ("names",),
    "ImportAlias": ("name", "asname"),
    "ImportFrom": ("module", "names"),
    "ImportStar": (),
    "AsName": ("name",),
    "NameItem": ("name",),
    "Nonlocal": ("names",),
    "Pass": (),
    "Raise": ("exc", "cause"),
    "From": ("item",),
    "Return": ("value",),
    "TypeAlias": ("name", "type_parameters", "value"),
    # compound statements
    "For": ("target", "iter", "body", "orelse"),
    "While": ("test", "body", "orelse"),
    "If": ("test", "body", "orelse"),
    "Else": ("body",),
    "Try": ("body", "handlers", "orelse", "finalbody"),
    "TryStar": ("body", "handlers", "orelse", "finalbody"),
    "ExceptHandler": ("type", "name", "body"),
    "ExceptStarHandler": ("type", "name", "body"),
    "Finally": ("body",),
    "With": ("items", "body"),
    "WithItem": ("item", "asname"),
    "FunctionDef": ("decorators", "name", "type_parameters", "params", "returns", "body"),
    "ClassDef": ("decorators", "name", "type_parameters", "bases", "keywords", "body"),
    "Decorator": ("decorator",),
    "Parameters": ("posonly_params", "params", "star_arg", "kwonly_params", "star_kwarg"),
    "Param": ("name", "annotation", "default"),
    "ParamStar": (),
    "TypeParameters": ("params",),
    "TypeParam": ("param", "default"),
    "TypeVar": ("name", "bound"),
    "TypeVarTuple": ("name",),
    "ParamSpec": ("name",),
    # match
    "Match": ("subject", "cases"),
    "MatchCase": ("pattern", "guard", "body"),
    "MatchAs": ("pattern", "name"),
    "MatchClass": ("cls", "patterns", "kwds"),
    "MatchKeywordElement": ("key", "pattern"),
    "MatchList": ("patterns",),
    "MatchTuple": ("patterns",),
    "MatchMapping": ("elements", "rest"),
    "MatchMappingElement": ("key", "pattern"),
    "MatchOr": ("patterns",),
    "MatchOrElement": ("pattern",),
    "MatchSequenceElement": ("value",),
    "MatchSingleton": ("value",),
    "MatchStar": ("name",),
    "MatchValue": ("value",),
    # expressions
    "Name": (),
    "Integer": (),
    "Float": (),
    "Imaginary": (),
    "Ellipsis": (),
    "SimpleString": (),
    "ConcatenatedString": ("left", "right"),
    "FormattedString": ("parts",),
    "FormattedStringText": (),
    "FormattedStringExpression": ("expression", "format_spec"),
    "TemplatedString": ("parts",),
    "TemplatedStringText": (),
    "TemplatedStringExpression": ("expression", "format_spec"),
    "Attribute": ("value", "attr"),
    "Subscript": ("value", "slice"),
    "SubscriptElement": ("slice",),
    "Index": ("value",),
    "Slice": ("lower", "upper", "step"),
    "Call": ("func", "args"),
    "Arg": ("keyword", "value"),
    "Await": ("expression",),
    "Yield": ("value",),
    "Lambda": ("params", "body"),
    "NamedExpr": ("target", "value"),
    "IfExp": ("body", "test", "orelse"),
    "BooleanOperation": ("left", "operator", "right"),
    "BinaryOperation": ("left", "operator", "right"),
    "UnaryOperation": ("operator", "expression"),
    "Comparison": ("left", "comparisons"),
    "ComparisonTarget": ("operator", "comparator"),
    "Tuple": ("elements",),
    "List": ("elements",),
    "Set": ("elements",),
    "Dict": ("elements",),
    "Element": ("value",),
    "StarredElement": ("value",),
    "DictElement": ("key", "value"),
    "StarredDictElement": ("value",),
    "ListComp": ("elt", "for_in"),
    "SetComp": ("elt", "for_in"),
    "GeneratorExp": ("elt", "for_in"),
    "DictComp": ("key", "value", "for_in"),
    "CompFor": ("target", "iter", "ifs", "inner_for_in"),
    "CompIf": ("test",),
    # operators
    **dict.fromkeys(("And", "Or", "Not", "BitInvert", "Minus", "Plus"), ()),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "FloorDivide", "Modulo"), ()),
    **dict.fromkeys(("Power", "MatrixMultiply", "LeftShift", "RightShift"), ()),
    **dict.fromkeys(("BitAnd", "BitOr", "BitXor"), ()),
    **dict.fromkeys(("AddAssign", "SubtractAssign", "MultiplyAssign", "DivideAssign"), ()),
    **dict.fromkeys(("FloorDivideAssign", "ModuloAssign", "PowerAssign"), ()),
    **dict.fromkeys(("MatrixMultiplyAssign", "LeftShiftAssign", "RightShiftAssign"), ()),
    **dict.fromkeys(("BitAndAssign", "BitOrAssign", "BitXorAssign"), ()),
    **dict.fromkeys(("Equal", "NotEqual", "LessThan", "LessThanEqual", "GreaterThan"), ()),
    **dict.fromkeys(("GreaterThanEqual", "In", "NotIn", "Is", "IsNot"), ()),
    "MaybeSentinel": (),  # stands for a part that is not there
}

Method = Callable[[Any, Any], None]
# A visiting method, and the place of its visitor among those of the walk.
Calls = tuple[tuple[int, Method], ...]


class _Step(NamedTuple):
    """What is done at one kind of node: methods before, parts with methods round them, after."""

    before: Calls
    parts: tuple[tuple[str, Calls, Calls], ...]
    after: Calls


class Plan:
    """The steps of a walk for some kinds of visitors; made once, used for every program."""

    def __init__(self, kinds: Sequence[type]) -> None:
        self._kinds = kinds
        self._steps: dict[type, _Step] = {}

    def walk(self, node: libcst.CSTNode, visitors: Sequence[object]) -> None:
        """Visit a node and all below it; `visitors` are instances of the kinds, in their order."""
        kind = type(node)
        step = self._steps.get(kind) or self._learned(kind)
        before, parts, after = step
        for place, method in before:
            method(visitors[place], node)
        for name, entering, leaving in parts:
            part = getattr(node, name)
            if part is None:
                continue
            for place, method in entering:
                method(visitors[place], node)
            if type(part) is tuple:
                for one in part:
                    self.walk(one, visitors)
            else:
                self.walk(part, visitors)
            for place, method in leaving:
                method(visitors[place], node)
        for place, method in after:
            method(visitors[place], node)

    def _learned(self, kind: type) -> _Step:
        name = kind.__name__
        if name in PARTS:
            parts = tuple(
                (part, self._calls(f"visit_{name}_{part}"), self._calls(f"leave_{name}_{part}"))
                for part in PARTS[name]
            )
            step = _Step(self._calls(f"visit_{name}"), parts, self._calls(f"leave_{name}"))
        else:
            step = _Step(self._calls("visit_unknown"), (), ())
        self._steps[kind] = step
        return step

    def _calls(self, name: str) -> Calls:
        return tuple(
            (place, getattr(kind, name))
            for place, kind in enumerate(self._kinds)
            if hasattr(kind, name)
        )


@cache
def plan_for(kinds: tuple[type, ...]) -> Plan:
    """The plan for these kinds of visitors."""
    return Plan(kinds)
