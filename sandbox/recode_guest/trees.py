"""Walking a syntax tree, some times as fast as `ast.iter_child_nodes`."""

from __future__ import annotations

import ast

_LEAVES = (ast.Name, ast.Constant)


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below, in the order of the text; of names and constants none."""
    below: list[ast.AST] = []
    if isinstance(node, _LEAVES):
        return below
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            below += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            below.append(value)
    return below
