"""Where nodes of the concrete tree stand: looked up for findings, in their own statements only.

libcst knows a place by writing the text out anew, which costs several times the parsing. `ast`
knows on which line every top-level statement begins, so only those in question are written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

import libcst
from libcst.metadata import CodePosition, CodeRange, MetadataWrapper, PositionProvider

from recode_runtime.grammar.scene import Scene


def places(
    scene: Scene, tree: ast.Module, nodes: Iterable[libcst.CSTNode]
) -> dict[libcst.CSTNode, CodeRange]:
    """The place of each node; `tree` is the tree of the same text.

    Raises:
        RecursionError: the caller's own stack is nearly used up.
    """
    wanted = {node: scene.home(node) for node in nodes}
    homes = set(wanted.values())
    module = scene.module
    if module not in homes:
        body = [one for one in module.body if one in homes]
        module = module.with_changes(header=(), body=body)
    written = _written(module)
    lines = _lines(scene.module, tree)
    down: dict[libcst.CSTNode, int] = {scene.module: 0}
    down.update({one: lines[one] - written[_first(one)].start.line for one in module.body})
    return {node: _moved(written[node], down[home]) for node, home in wanted.items()}


def _first(statement: libcst.CSTNode) -> libcst.CSTNode:
    """What begins where `ast` says that a top-level statement begins: behind its comments."""
    return statement.body[0] if isinstance(statement, libcst.SimpleStatementLine) else statement


def _lines(module: libcst.Module, tree: ast.Module) -> dict[libcst.CSTNode, int]:
    """The line on which each top-level statement begins."""
    found: dict[libcst.CSTNode, int] = {}
    statements = iter(tree.body)
    for one in module.body:
        found[one] = next(statements).lineno
        if isinstance(one, libcst.SimpleStatementLine):
            for _ in one.body[1:]:
                next(statements)
    return found


def _written(module: libcst.Module) -> Mapping[libcst.CSTNode, CodeRange]:
    try:
        return MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    except KeyError as lost:
        raise _recursion_behind(lost) from None


def _recursion_behind(lost: KeyError) -> BaseException:
    """The RecursionError that libcst hid: its clean-up looks for places that were not reached."""
    problem: BaseException = lost
    while problem.__context__ and not isinstance(problem, RecursionError):
        problem = problem.__context__
    return problem if isinstance(problem, RecursionError) else lost


def _moved(place: CodeRange, lines: int) -> CodeRange:
    start, end = place.start, place.end
    return CodeRange(
        CodePosition(start.line + lines, start.column), CodePosition(end.line + lines, end.column)
    )
