"""An explicit line for every construct of Python, refused or allowed, as `ast` names it.

What has no line is refused: a construct that a newer Python or libcst brings is no part of the
language until somebody has written down what it means here. The lines for libcst's kinds of nodes
are those of `walk.PARTS`, of which some are refused here. The reasons are with the rule, RC204.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from recode_runtime.grammar.order import Fields

# What is refused, by the names that libcst and `ast` give it, and how a finding calls it.
REFUSED: Mapping[str, str] = {
    "Await": "`await`",
    "Decorator": "decorators",
    "Global": "`global`",
    "Match": "`match`",
    "Nonlocal": "`nonlocal`",
    "Return": "`return`",
    "TemplatedString": "template strings",
    "TemplateStr": "template strings",
    "TryStar": "`except*`",
    "TypeAlias": "`type`",
    "TypeParameters": "type parameters",
    "Yield": "`yield`",
    "YieldFrom": "`yield`",
    "AsyncFor": "`async for`",
    "AsyncWith": "`async with`",
}

# Parts of what is refused as a whole; only what they belong to is reported.
_WITH_MATCH = {
    *("MatchCase", "MatchAs", "MatchClass", "MatchKeywordElement", "MatchList", "MatchTuple"),
    *("MatchMapping", "MatchMappingElement", "MatchOr", "MatchOrElement", "MatchSequenceElement"),
    *("MatchSingleton", "MatchStar", "MatchValue"),
    *("match_case", "MatchSequence"),
}
_WITH_OTHERS = {
    *("ExceptStarHandler", "TemplatedStringText", "TemplatedStringExpression", "Interpolation"),
    *("TypeParam", "TypeVar", "TypeVarTuple", "ParamSpec"),
}
# Refused by rules of their own: RC101, RC102.
DEFINITIONS = {"FunctionDef", "AsyncFunctionDef", "ClassDef"}

ABSTRACT: frozenset[str] = frozenset(
    {
        *(DEFINITIONS | _WITH_MATCH | _WITH_OTHERS),
        *("Module", "AnnAssign", "Assert", "Assign", "AugAssign", "Break", "Continue", "Expr"),
        *("Import", "ImportFrom", "Pass", "Raise", "For", "While", "If", "Try", "ExceptHandler"),
        *(
            "With",
            "Name",
            "Attribute",
            "Subscript",
            "Slice",
            "Call",
            "Lambda",
            "NamedExpr",
            "IfExp",
        ),
        *("Tuple", "List", "Set", "Dict", "ListComp", "SetComp", "GeneratorExp", "DictComp"),
        *("And", "Or", "Not", "BitAnd", "BitOr", "BitXor", "In", "NotIn", "Is", "IsNot"),
        *("Delete", "alias", "withitem", "comprehension", "arguments", "arg", "keyword"),
        *("Constant", "JoinedStr", "FormattedValue", "Starred", "Load", "Store", "Del"),
        *("BoolOp", "BinOp", "UnaryOp", "Compare", "Invert", "UAdd", "USub"),
        *("Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "MatMult", "LShift", "RShift"),
        *("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"),
    }
)


# Without what is text, and the marks of names.
FIELDS = Fields("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "name", "simple")


def kinds_of(tree: ast.AST) -> set[type]:
    """The classes of all nodes of a tree."""
    kinds: set[type] = set()
    stack: list[object] = [tree]
    while stack:
        node = stack.pop()
        kind = type(node)
        kinds.add(kind)
        for name in FIELDS[kind]:
            part = getattr(node, name)
            if type(part) is list:
                stack += part
            elif part is not None:
                stack.append(part)
    return {kind for kind in kinds if issubclass(kind, ast.AST)}
