"""The nodes of an `ast` tree in the order of the text.

That order is the bridge between the two views of a program: the n-th call of the `ast` tree is the
n-th call of the concrete tree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


class Fields(dict[type, tuple[str, ...]]):
    """The names of the fields of a class that may hold nodes, but for some; none for no node.

    Looked up once for each class.
    """

    def __init__(self, *without: str) -> None:
        super().__init__()
        self._without = frozenset(without)

    def __missing__(self, kind: type) -> tuple[str, ...]:
        fields = () if kind is ast.Constant else getattr(kind, "_fields", ())
        self[kind] = tuple(name for name in fields if name not in self._without)
        return self[kind]


def calls_in_order(tree: ast.AST) -> Iterator[ast.Call]:
    """All calls in the order of the text, an outer call before those inside it."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call):
            yield node
        stack.extend(reversed(list(_children_in_order(node))))


def _children_in_order(node: ast.AST) -> Iterable[ast.AST]:
    """The children as they are written; `ast` keeps those of a few nodes in another order."""
    match node:
        case ast.IfExp():
            return node.body, node.test, node.orelse
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return [part for pair in pairs for part in pair if part]
        case ast.Call():
            arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
            return node.func, *sorted(arguments, key=lambda one: (one.lineno, one.col_offset))
        case ast.arguments():
            return _parameters_in_order(node)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            returns = [node.returns] if node.returns else []
            return *node.decorator_list, node.args, *returns, *node.body
        case ast.ClassDef():
            return *node.decorator_list, *node.bases, *node.keywords, *node.body
        case _:
            return ast.iter_child_nodes(node)


def _parameters_in_order(node: ast.arguments) -> Iterator[ast.AST]:
    plain = [*node.posonlyargs, *node.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(node.defaults))
    pairs: list[tuple[ast.arg | None, ast.expr | None]] = []
    pairs += zip(plain, [*defaults, *node.defaults], strict=True)
    pairs.append((node.vararg, None))
    pairs += zip(node.kwonlyargs, node.kw_defaults, strict=True)
    pairs.append((node.kwarg, None))
    return (part for pair in pairs for part in pair if part)
