"""Which statement of the concrete tree a statement of the `ast` tree is.

Both trees have the same statements in the same order of the text. Wanted for findings only, so the
ties are made when a rule asks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst

_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def ties(module: libcst.Module, tree: ast.Module) -> dict[ast.stmt, libcst.CSTNode]:
    """The concrete statement of each statement of the tree; empty if the two trees differ."""
    abstract, concrete = list(_abstract(tree)), list(_concrete(module))
    return dict(zip(abstract, concrete, strict=True)) if len(abstract) == len(concrete) else {}


def _abstract(node: ast.AST) -> Iterator[ast.stmt]:
    if isinstance(node, ast.stmt):
        yield node
    for name in _BLOCKS:
        part = getattr(node, name, None)
        if isinstance(part, list):  # a lambda has a body that is none
            for one in part:
                yield from _abstract(one)


def _concrete(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    if isinstance(node, libcst.SimpleStatementLine):
        yield from node.body
        return
    if isinstance(node, libcst.BaseCompoundStatement | libcst.BaseSmallStatement):
        yield node
    for name in _BLOCKS:
        part = getattr(node, name, None)
        for one in part if isinstance(part, list | tuple) else [part]:
            if isinstance(one, libcst.CSTNode):
                yield from _concrete(one)
