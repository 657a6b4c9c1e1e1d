"""The shape of a syntax tree against the limits of a policy, counted without recursion.

Most programs are small, and bounds that cost next to nothing prove that they keep every limit. The
others are counted node by node, in the order of the text.
"""

from __future__ import annotations

import ast
import operator
import sys

from recode_runtime.errors import Finding
from recode_runtime.policy import Limits

TOO_LARGE = "RC004"

SHORTER = "Write a shorter and flatter program, and leave the rest to a placeholder."

_TRIES = tuple(getattr(ast, name) for name in ("Try", "TryStar") if hasattr(ast, name))
_LINKS = (
    *(ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp),
    *(ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda),
)
# Lists of these may be as long as they like. A long list of any other class is a chain: `ast` keeps
# it flat, libcst may nest it.
_LONG = (
    *(ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.arguments, ast.Lambda),
    *(ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.ExceptHandler),
    *(ast.Match, ast.match_case, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Delete),
    *(ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Call),
    *_TRIES,
)
# Fields that hold no node worth counting. Of a class that is not here every field is followed.
_PLAIN: dict[type, set[str]] = {
    ast.Name: {"id", "ctx"},
    ast.Constant: {"value", "kind"},
    ast.Attribute: {"attr", "ctx"},
    ast.BoolOp: {"op"},
    ast.BinOp: {"op"},
    ast.UnaryOp: {"op"},
    ast.AugAssign: {"op"},
    ast.Compare: {"ops"},
    **{kind: {"ctx"} for kind in (ast.Subscript, ast.Starred, ast.List, ast.Tuple)},
}

_WORDS = {
    "syntax_depth": "{} levels of nesting",
    "try_depth": "{} nested try statements",
    "chain_length": "a chain of {}",
    "integer_digits": "an integer of {} digits",
    "literal_chars": "a literal of {} characters",
    "pattern_depth": "{} tuples nested in a del",
    "statements": "{} statements or more",
    "syntax_nodes": "{} syntax nodes or more",
}


class _Fields(dict[type, tuple[str, ...]]):
    """The names of the fields of a class that may hold nodes; none for what is no node."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        plain = _PLAIN.get(kind, ())
        self[kind] = tuple(name for name in getattr(kind, "_fields", ()) if name not in plain)
        return self[kind]


_FIELDS = _Fields()


def too_large(
    limit: str, allowed: int, found: str, line: int = 0, column: int = 0, advice: str = SHORTER
) -> Finding:
    """The finding that a limit of the policy's `[limits]` table is passed at a place."""
    message = f"the program has {found}; the limit {limit} is {allowed}"
    return Finding(TOO_LARGE, message, line, column, advice)


def shape_problem(tree: ast.Module, source: str, limits: Limits) -> Finding | None:
    """The first node that passes a limit, if there is one; `tree` is the tree of `source`."""
    if _text_proves(source, limits) and _levels_prove(tree, limits):
        return None
    return first_problem(tree, limits)


def _text_proves(source: str, limits: Limits) -> bool:
    """Whether the text alone shows that the limits on counts and literals are kept.

    A statement follows a newline, a semicolon or a colon; a hexadecimal digit is 1.21 decimal ones.
    """
    size = len(source)
    parts = source.count("\n") + source.count(";") + source.count(":") + 1
    return (
        size <= limits.literal_chars
        and size * 5 // 4 <= _digits_allowed(limits)
        and parts <= limits.statements
        and source.count("try") <= limits.try_depth
        and "del" not in source
    )


def _levels_prove(tree: ast.Module, limits: Limits) -> bool:
    """Whether the tree is so small that no limit on nodes, depth or chains can be passed."""
    longest, depth, nodes = limits.chain_length, 0, 0
    most = min(limits.syntax_depth, longest)
    level: list[object] = [tree]
    while level:
        below: list[object] = []
        for node in level:
            for name in _FIELDS[type(node)]:
                value = getattr(node, name)
                if type(value) is not list:
                    below.append(value)
                elif len(value) < longest:  # `a < b` is a chain of two with a list of one
                    below += value
                else:
                    return False
        depth, nodes = depth + 1, nodes + len(level)
        if depth > most or nodes > limits.syntax_nodes:
            return False
        level = below
    return True


def first_problem(tree: ast.Module, limits: Limits) -> Finding | None:
    """The same as `shape_problem`, always by counting every node."""
    allowed = {name: getattr(limits, name) for name in _WORDS}
    allowed["integer_digits"] = _digits_allowed(limits)
    nodes = statements = 0
    stack: list[tuple[ast.AST, int, int, int]] = [(tree, 0, 0, 0)]
    while stack:
        node, depth, chain, tries = stack.pop()
        nodes += 1
        statements += isinstance(node, ast.stmt)
        tries += isinstance(node, _TRIES)
        longest = max(chain, _width(node))
        literal, deleted = _characters(node), _deleted(node)
        counts = (depth, tries, longest, _digits(node), literal, deleted, statements, nodes)
        if any(map(operator.gt, counts, allowed.values())):
            return _over(counts, allowed, node)
        for child in reversed(_children(node)):
            linked = isinstance(child, _LINKS) or _is_elif(node, child)
            stack.append((child, depth + 1, chain + 1 if linked else 0, tries))
    return None


def _over(counts: tuple[int, ...], allowed: dict[str, int], node: ast.AST) -> Finding:
    """The finding for the first count that is above what is allowed."""
    passed = zip(allowed, allowed.values(), counts, strict=True)
    name, most, count = next(one for one in passed if one[2] > one[1])
    place = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    return too_large(name, most, _WORDS[name].format(count), *place)


def _children(node: ast.AST) -> list[ast.AST]:
    found: list[object] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name)
        found += value if isinstance(value, list) else [value]
    return [child for child in found if isinstance(child, ast.AST)]


def _is_elif(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]


def _width(node: ast.AST) -> int:
    """How many operands, targets, clauses or fields stand side by side in this node."""
    if isinstance(node, ast.Compare):
        return len(node.ops) + 1
    if isinstance(node, ast.JoinedStr):
        return sum(isinstance(value, ast.FormattedValue) for value in node.values)
    if isinstance(node, _LONG):
        return 0
    values = [getattr(node, name) for name in _FIELDS[type(node)]]
    return max((len(value) for value in values if isinstance(value, list)), default=0)


def _digits(node: ast.AST) -> int:
    """About how many decimal digits an integer literal has, in any base it is written in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return int(node.value.bit_length() * 0.30103)
    return 0


def _digits_allowed(limits: Limits) -> int:
    """Never above the interpreter's own limit: past it, an integer has no text at all."""
    return min(limits.integer_digits, sys.get_int_max_str_digits() or limits.integer_digits)


def _characters(node: ast.AST) -> int:
    """How many characters or bytes a literal stands for; of an f-string, those outside its fields.

    Literals side by side are one.
    """
    if isinstance(node, ast.JoinedStr):
        return sum(map(_characters, node.values))
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return len(node.value)
    return 0


def _deleted(node: ast.AST) -> int:
    """How deep the tuples of a `del` are nested; libcst reads them again at each level."""
    level: list[ast.expr] = list(node.targets) if isinstance(node, ast.Delete) else []
    depth = -1
    while level:
        level = [e for one in level if isinstance(one, ast.Tuple | ast.List) for e in one.elts]
        depth += 1
    return max(depth, 0)
