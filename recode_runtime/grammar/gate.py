"""The gate: untrusted text in, a bounded syntax tree or one finding out.

libcst crashes, hangs or takes gigabytes on small hostile texts, and CPython's compiler does so on
a few, so text is bounded here first: size, characters, `ast.parse`, then the shape of the tree,
counted without recursion. What passes is safe for libcst on a stack of 2 MiB or more.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from recode_runtime.errors import Finding
from recode_runtime.policy import Limits

SYNTAX = "RC003"
TOO_LARGE = "RC004"
EMPTY = "RC005"

GATE_CODES = (SYNTAX, TOO_LARGE, EMPTY)

_SHORTER = "Write a shorter and flatter program, and leave the rest to a placeholder."
_PLAIN = "Write the program in plain ASCII names, with newlines and spaces only."

# C0 and C1 controls but \n and \t, bidirectional controls, byte order marks and lone surrogates:
# what a reader sees would not be what the interpreter reads.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_MARKS = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
_LINKS = (
    *(ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp),
    *(ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda),
)
_TRIES = tuple(getattr(ast, name) for name in ("Try", "TryStar") if hasattr(ast, name))
_FSTRING_START = getattr(tokenize, "FSTRING_START", -1)
_FSTRING_END = getattr(tokenize, "FSTRING_END", -1)
# The parser may nest three levels of syntax for each frame that is left.
_FRAMES_TO_PARSE = 100
_BETWEEN_PIECES = (tokenize.NL, tokenize.COMMENT)


def pass_gate(source: object, limits: Limits) -> ast.Module | Finding:
    """The syntax tree of a text that is safe to work on, or the first reason why it is not.

    Never raises, whatever the text; a text of any size gets its answer within a second.

    Raises:
        RecursionError: the caller's own stack is nearly used up.
    """
    if not isinstance(source, str):
        return Finding(SYNTAX, f"the program is not text but {type(source).__name__}")
    problem = _size_problem(source, limits) or _character_problem(source)
    if problem:
        return problem
    tree = _parsed(source)
    if isinstance(tree, Finding):
        return tree
    return _shape_problem(tree, limits) or _token_problem(source, limits) or tree


def too_large(
    limit: str, allowed: int, found: str, line: int = 0, column: int = 0, advice: str = _SHORTER
) -> Finding:
    """The finding that a limit of the policy's `[limits]` table is passed at a place."""
    message = f"the program has {found}; the limit {limit} is {allowed}"
    return Finding(TOO_LARGE, message, line, column, advice)


def too_deep() -> Finding:
    """The finding for text that is nested deeper than a parser can follow."""
    return Finding(TOO_LARGE, "the program is nested too deeply to be read", advice=_SHORTER)


def frames_left() -> int:
    """How many more frames of Python the caller can nest: few if it stands deep in a recursion."""
    frame, used = inspect.currentframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    return sys.getrecursionlimit() - used


def foreign_name(name: str, line: int = 0, column: int = 0) -> Finding:
    """The finding for an identifier outside ASCII.

    CPython reads such a name in its NFKC form and libcst as it is written, so the two would see
    different programs.
    """
    return Finding(SYNTAX, f"the name {name!r} is not plain ASCII", line, column, _PLAIN)


def _size_problem(source: str, limits: Limits) -> Finding | None:
    allowed = limits.source_bytes
    if len(source) > allowed:  # before anything that takes time
        return too_large("source_bytes", allowed, f"{len(source)} characters")
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > allowed:
        return too_large("source_bytes", allowed, f"{size} bytes")
    lines = source.count("\n") + (not source.endswith("\n"))
    if lines > limits.source_lines:
        return too_large("source_lines", limits.source_lines, f"{lines} lines")
    return None


def _character_problem(source: str) -> Finding | None:
    found = _UNFIT.search(source)
    if not found:
        return None
    line = source.count("\n", 0, found.start()) + 1
    column = found.start() - (source.rfind("\n", 0, found.start()) + 1)
    message = f"the character U+{ord(found[0]):04X} may not stand in a program"
    return Finding(SYNTAX, message, line, column, _PLAIN)


def _parsed(source: str) -> ast.Module | Finding:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape is the program's own affair
            tree = ast.parse(source)
    except SyntaxError as problem:
        return _syntax_finding(problem)
    except RecursionError:
        if frames_left() < _FRAMES_TO_PARSE:
            raise
        return too_deep()
    except MemoryError:
        return too_deep()
    except ValueError as problem:
        return Finding(SYNTAX, f"the program cannot be read: {problem}")
    return tree if tree.body else Finding(EMPTY, "the program has no statement")


def _syntax_finding(problem: SyntaxError) -> Finding:
    line, column = max(problem.lineno or 0, 0), max((problem.offset or 1) - 1, 0)
    if "integer string conversion" in problem.msg:
        allowed = sys.get_int_max_str_digits()
        return too_large("integer_digits", allowed, "a longer integer", line, column)
    if "too many nested" in problem.msg or "too many levels" in problem.msg:
        return too_deep()
    return Finding(SYNTAX, f"this is not Python: {problem.msg}", line, column)


@dataclass(slots=True)
class _Visit:
    """One node of the tree on its way through the count."""

    node: ast.AST
    depth: int
    chain: int = 0
    tries: int = 0


def _shape_problem(tree: ast.Module, limits: Limits) -> Finding | None:
    nodes = statements = 0
    stack = [_Visit(tree, 0)]
    while stack:
        visit = stack.pop()
        nodes += 1
        statements += isinstance(visit.node, ast.stmt)
        problem = _counted(visit, nodes, statements, limits)
        if problem:
            return problem
        stack.extend(reversed(list(_below(visit))))
    return None


def _below(visit: _Visit) -> Iterator[_Visit]:
    node = visit.node
    tries = visit.tries + isinstance(node, _TRIES)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _MARKS):
            continue
        linked = isinstance(child, _LINKS) or _is_elif(node, child)
        yield _Visit(child, visit.depth + 1, visit.chain + 1 if linked else 0, tries)


def _is_elif(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]


def _counted(visit: _Visit, nodes: int, statements: int, limits: Limits) -> Finding | None:
    """The finding for the first limit that this node passes."""
    node = visit.node
    tries = visit.tries + isinstance(node, _TRIES)
    for name, allowed, count, found in (
        ("syntax_depth", limits.syntax_depth, visit.depth, "{} levels of nesting"),
        ("try_depth", limits.try_depth, tries, "{} nested try statements"),
        ("chain_length", limits.chain_length, _chain(visit), "a chain of {}"),
        ("integer_digits", _digits_allowed(limits), _digits(node), "an integer of {} digits"),
        ("statements", limits.statements, statements, "{} statements or more"),
        ("syntax_nodes", limits.syntax_nodes, nodes, "{} syntax nodes or more"),
    ):
        if count > allowed:
            place = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
            return too_large(name, allowed, found.format(count), *place)
    return None


def _chain(visit: _Visit) -> int:
    """The longest chain that this node makes: links of nesting, or operands side by side."""
    node = visit.node
    match node:
        case ast.BoolOp():
            width = len(node.values)
        case ast.Compare():
            width = len(node.ops) + 1
        case ast.Assign():
            width = len(node.targets)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            width = len(node.generators)
        case ast.JoinedStr():
            width = sum(isinstance(value, ast.FormattedValue) for value in node.values)
        case _:
            width = 0
    return max(visit.chain, width)


def _digits(node: ast.AST) -> int:
    """About how many decimal digits an integer literal has, in any base it is written in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return int(node.value.bit_length() * 0.30103)
    return 0


def _digits_allowed(limits: Limits) -> int:
    """Never above the interpreter's own limit: past it, an integer has no text at all."""
    return min(limits.integer_digits, sys.get_int_max_str_digits() or limits.integer_digits)


def _token_problem(source: str, limits: Limits) -> Finding | None:
    """What only the tokens show: names outside ASCII, and long rows of adjacent literals.

    `ast` shows neither: it has names in NFKC form and adjacent strings as one, while libcst nests
    the strings one in the other.
    """
    quotes = source.count("'") + source.count('"')
    if source.isascii() and quotes <= 2 * limits.chain_length:
        return None
    try:
        return _problem_of(tokenize.generate_tokens(io.StringIO(source).readline), limits)
    except (tokenize.TokenError, SyntaxError) as problem:
        return Finding(SYNTAX, f"this is not Python: {problem}")


def _problem_of(tokens: Iterator[tokenize.TokenInfo], limits: Limits) -> Finding | None:
    pieces = inside = 0
    for token in tokens:
        if token.type == tokenize.NAME and not token.string.isascii():
            return foreign_name(token.string, *token.start)
        inside += (token.type == _FSTRING_START) - (token.type == _FSTRING_END)
        if token.type in (tokenize.STRING, _FSTRING_START):
            pieces += _pieces(token.string)
        elif not inside and token.type not in (*_BETWEEN_PIECES, _FSTRING_END):
            pieces = 0
        if pieces > limits.chain_length:
            found = f"a row of {pieces} string literals"
            return too_large("chain_length", limits.chain_length, found, *token.start)
    return None


def _pieces(literal: str) -> int:
    """How many literals are in a token; before Python 3.12 a whole f-string is one token."""
    opening = re.match("[A-Za-z]*", literal)
    if opening and "f" in opening[0].lower():
        return 1 + max(literal.count("'"), literal.count('"')) // 2
    return 1
