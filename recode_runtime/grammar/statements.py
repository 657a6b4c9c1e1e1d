"""The statements of a program as the supervisor runs them: texts, places, and placeholders."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from recode_runtime.program import Placeholder, Statement

if TYPE_CHECKING:
    from recode_runtime.grammar.names import CalledName


def outputs_of(statement: ast.AST) -> tuple[str, ...] | None:
    """The names left of the `=`; empty for a bare call, None if they are not plain names."""
    if isinstance(statement, ast.Expr):
        return ()
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return names if parts and len(names) == len(parts) else None


def statement_of(node: ast.stmt, call: CalledName | None, lines: list[str]) -> Statement:
    """The statement that a top-level node is; `call` is the placeholder that stands there alone.

    `lines` are those of the program, cut at newlines only.
    """
    outputs = outputs_of(node)
    line, column = _beginning(node)
    source = _segment(lines, line, column, node.end_lineno or line, node.end_col_offset or 0)
    if call is None or outputs is None:
        return Statement(source, line)
    return Statement(source, line, _placeholder(call, outputs, lines))


def _placeholder(call: CalledName, outputs: tuple[str, ...], lines: list[str]) -> Placeholder:
    """The placeholder that a call is, its arguments as they are written (on one line)."""
    node = call.node
    return Placeholder(
        call.name,
        outputs,
        tuple(_on_one_line(argument, lines) for argument in node.args),
        {one.arg: _on_one_line(one.value, lines) for one in node.keywords if one.arg},
        call.variables,
    )


def _beginning(node: ast.stmt) -> tuple[int, int]:
    """Where a statement begins; `ast` leaves decorators out of it."""
    decorators = getattr(node, "decorator_list", [])
    return (decorators[0].lineno, 0) if decorators else (node.lineno, node.col_offset)


def _on_one_line(node: ast.expr, lines: list[str]) -> str:
    if node.lineno != node.end_lineno:
        return ast.unparse(node)
    return _segment(lines, node.lineno, node.col_offset, node.lineno, node.end_col_offset or 0)


def _segment(lines: list[str], first: int, start: int, last: int, end: int) -> str:
    """The text between two places; lines count from 1, columns are bytes of UTF-8 as in `ast`."""
    cut = lines[first - 1 : last]
    cut[-1] = cut[-1].encode()[:end].decode()
    cut[0] = cut[0].encode()[start:].decode()
    return "\n".join(cut)
