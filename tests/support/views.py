"""A program as two parsers see it: the names in it, and in which order they are called and used.

Written apart from the package on purpose, so that a slip there is not repeated here.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

import libcst

_CONSTANTS = ("True", "False", "None")
_LABELS = {
    libcst.Attribute: ("attr",),
    libcst.Arg: ("keyword",),
    libcst.Param: ("name",),
    libcst.FunctionDef: ("name",),
    libcst.ExceptHandler: ("name",),
    libcst.ExceptStarHandler: ("name",),
}
_NO_EXPRESSIONS = (libcst.Import, libcst.ImportFrom, libcst.Global, libcst.Nonlocal)
# Their parts are not visited in the order of the text, or have no exact place in the tree.
_OUT_OF_ORDER = (ast.ClassDef, ast.Match, ast.JoinedStr)


def names_by_ast(tree: ast.AST) -> Counter[str]:
    """Every identifier of a program, labels and attributes too, and how often it is written."""
    return Counter(name for node in ast.walk(tree) for name in _written(node))


def _written(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant | ast.MatchSingleton):
        if node.value is None or isinstance(node.value, bool):
            yield str(node.value)
        return
    for field, value in ast.iter_fields(node):
        if field != "type_comment":
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and text != "*":
                    yield from text.split(".")


def names_by_libcst(module: libcst.Module) -> Counter[str]:
    """The same of the concrete tree."""
    names: Counter[str] = Counter()
    stack: list[libcst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, libcst.Name):
            names[node.value] += 1
        stack.extend(node.children)
    return names


def uses_by_ast(tree: ast.AST) -> list[str] | None:
    """Names that are read or bound, and calls, in the order of the text; None if it has none."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, _OUT_OF_ORDER):
            return None
        if isinstance(node, ast.Name | ast.Call):
            place = (
                node.lineno,
                node.col_offset,
                -(node.end_lineno or 0),
                -(node.end_col_offset or 0),
            )
            count = len(node.args) + len(node.keywords) if isinstance(node, ast.Call) else 0
            found.append((place, node.id if isinstance(node, ast.Name) else f"call of {count}"))
    return [word for _, word in sorted(found)]


def uses_by_libcst(module: libcst.Module) -> list[str]:
    """The same of the concrete tree."""
    found = []
    stack: list[libcst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, libcst.Call):
            found.append(f"call of {len(node.args)}")
        elif isinstance(node, libcst.Name) and node.value not in _CONSTANTS:
            found.append(node.value)
        if not isinstance(node, _NO_EXPRESSIONS):
            labels = [getattr(node, name) for name in _LABELS.get(type(node), ())]
            below = [child for child in node.children if not any(child is one for one in labels)]
            stack.extend(reversed(below))
    return found
