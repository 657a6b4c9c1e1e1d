"""The gate: untrusted text in, a bounded syntax tree or one finding out.

libcst crashes, hangs or takes gigabytes on small hostile texts, and CPython's compiler does so on
a few, so text is bounded here first: size, characters, `ast.parse`, then the shape of the tree and
the tokens, without recursion. What passes is safe for libcst on a stack of 2 MiB or more.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import sys
import tokenize
from collections.abc import Iterator

from recode_runtime.errors import Finding
from recode_runtime.grammar.shape import SHORTER, TOO_LARGE, shape_problem, too_large
from recode_runtime.policy import Limits
from recode_runtime.syntax import parse_quietly

SYNTAX = "RC003"
EMPTY = "RC005"

# Said of a text before any rule is asked: by the reader of replies, and here.
TEXT_CODES = ("RC001", "RC002", SYNTAX, TOO_LARGE, EMPTY)

_PLAIN = "Write the program in plain ASCII names, with newlines and spaces only."
_UNDECLARED = "Leave the coding line out."

# C0 and C1 controls but \n and \t, separators of lines, bidirectional controls, byte order
# marks and lone surrogates: what a reader sees would not be what the interpreter reads.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_CODING = re.compile(r"[ \t]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_UTF_8 = re.compile(r"utf[-_]?8([-_].*)?", re.IGNORECASE)
_OPENING = tuple(getattr(tokenize, f"{kind}STRING_START", -1) for kind in "FT")
_CLOSING = tuple(getattr(tokenize, f"{kind}STRING_END", -1) for kind in "FT")
_BETWEEN_PIECES = (tokenize.NL, tokenize.COMMENT)
_NO_CODE = (*_BETWEEN_PIECES, *_CLOSING, tokenize.INDENT, tokenize.DEDENT)
_TEXTS = (
    tokenize.STRING,
    tokenize.COMMENT,
    *(getattr(tokenize, f"{kind}STRING_MIDDLE", -1) for kind in "FT"),
)
_LINE_BEGINS = (*_BETWEEN_PIECES, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
_BRACKETS = ("(", "[", "{")
# The parser may nest three levels of syntax for each frame that is left.
_FRAMES_TO_PARSE = 100


def pass_gate(source: object, limits: Limits) -> ast.Module | Finding:
    """The syntax tree of a text that is safe to work on, or the first reason why it is not.

    Never raises, whatever the text; a text of any size gets its answer within a second.

    Raises:
        RecursionError: the caller's own stack is nearly used up.
    """
    if not isinstance(source, str):
        return Finding(SYNTAX, f"the program is not text but {type(source).__name__}")
    problem = (
        _size_problem(source, limits) or _character_problem(source) or _encoding_problem(source)
    )
    if problem:
        return problem
    tree = _parsed(source, limits)
    if isinstance(tree, Finding):
        return tree
    return shape_problem(tree, source, limits) or _token_problem(tree, source, limits) or tree


def too_deep(line: int = 0, column: int = 0) -> Finding:
    """The finding for text that is nested deeper than a parser can follow."""
    message = "the program is nested too deeply to be read"
    return Finding(TOO_LARGE, message, line, column, SHORTER)


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
    size = len(source) if source.isascii() else len(source.encode("utf-8", "surrogatepass"))
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


def _encoding_problem(source: str) -> Finding | None:
    """A coding line would let the text mean something else once it is bytes in a file."""
    if "coding" not in source:
        return None
    for number, line in enumerate(source.split("\n", 2)[:2], start=1):
        found = _CODING.match(line)
        if found and not _UTF_8.fullmatch(found[1]):
            message = f"the program declares the encoding {found[1][:40]!r}, but it is text"
            return Finding(SYNTAX, message, number, found.start(1), _UNDECLARED)
        if line.strip() and not line.lstrip().startswith("#"):
            return None
    return None


def _parsed(source: str, limits: Limits) -> ast.Module | Finding:
    try:
        tree = parse_quietly(source)
    except SyntaxError as problem:
        return _syntax_finding(problem, limits)
    except RecursionError:
        if frames_left() < _FRAMES_TO_PARSE:
            raise
        return too_deep()
    except MemoryError:
        return too_deep()
    except ValueError as problem:
        return Finding(SYNTAX, f"the program cannot be read: {problem}")
    return tree if tree.body else Finding(EMPTY, "the program has no statement")


def _syntax_finding(problem: SyntaxError, limits: Limits) -> Finding:
    line, column = max(problem.lineno or 0, 0), max((problem.offset or 1) - 1, 0)
    if "integer string conversion" in problem.msg:
        allowed = sys.get_int_max_str_digits()
        return too_large("integer_digits", allowed, "a longer integer", line, column)
    if "too many levels of indentation" in problem.msg:
        allowed = limits.indentation_levels
        return too_large("indentation_levels", allowed, "far more levels", line, column)
    if "too many nested" in problem.msg:
        return too_deep(line, column)
    return Finding(SYNTAX, f"this is not Python: {problem.msg}", line, column)


def _token_problem(tree: ast.Module, source: str, limits: Limits) -> Finding | None:
    """What only the tokens show: their number, indentation, foreign names, rows and brackets.

    `ast` has names in NFKC form, adjacent strings as one and no brackets, while libcst nests the
    strings one in the other and reads what is in a bracket of a pattern again for each bracket.
    """
    matches = "match" in source and any(isinstance(node, ast.Match) for node in ast.walk(tree))
    if not matches and _needs_no_tokens(source, limits):
        return None
    count = _TokenCount(limits, matches)
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            problem = count.problem_of(token)
            if problem:
                return problem
    except (tokenize.TokenError, SyntaxError) as problem:
        return Finding(SYNTAX, f"this is not Python: {problem}")
    return None


def _needs_no_tokens(source: str, limits: Limits) -> bool:
    """Whether the text alone shows that no token can be a problem.

    A token takes a character, a literal two quotes, a level of indentation a colon and a space.
    """
    levels = limits.indentation_levels
    return (
        source.isascii()
        and len(source) <= limits.tokens
        and source.count("'") + source.count('"') <= 2 * limits.chain_length
        and (source.count(":") <= levels or not ("\t" in source or " " * (levels + 1) in source))
    )


class _TokenCount:
    """What has been counted of a row of tokens."""

    def __init__(self, limits: Limits, matches: bool) -> None:
        self._limits = limits
        self._matches = matches
        self._number = self._levels = self._pieces = self._strings = 0
        self._brackets: int | None = None  # None outside of patterns
        self._begins = True

    def problem_of(self, token: tokenize.TokenInfo) -> Finding | None:
        """The finding for the first limit that is passed with this token."""
        if not token.string.isascii():
            foreign = _foreign_part(token)
            if foreign:
                return foreign_name(foreign, *token.start)
        self._number += bool(token.string) and not self._strings and token.type not in _NO_CODE
        self._levels += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
        self._count_pieces(token)
        self._count_brackets(token)
        for limit, count, found in (
            ("tokens", self._number, "{} tokens or more"),
            ("indentation_levels", self._levels, "{} levels of indentation"),
            ("chain_length", self._pieces, "a row of {} string literals"),
            ("pattern_depth", self._brackets or 0, "{} brackets nested in a pattern"),
        ):
            allowed = getattr(self._limits, limit)
            if count > allowed:
                return too_large(limit, allowed, found.format(count), *token.start)
        return None

    def _count_pieces(self, token: tokenize.TokenInfo) -> None:
        opens = token.type in _OPENING
        self._strings += opens - (token.type in _CLOSING)
        if opens or token.type == tokenize.STRING:
            self._pieces += _pieces(token.string)
        elif not self._strings and token.type not in (*_BETWEEN_PIECES, *_CLOSING):
            self._pieces = 0

    def _count_brackets(self, token: tokenize.TokenInfo) -> None:
        if self._begins and self._matches and token.string == "case":
            self._brackets = 0
        elif self._brackets is not None and token.type == tokenize.OP:
            self._brackets += (token.string in _BRACKETS) - (token.string in ")]}")
        if not self._brackets and token.string in (":", "if"):  # the end of the pattern
            self._brackets = None
        self._begins = token.type in _LINE_BEGINS


def _foreign_part(token: tokenize.TokenInfo) -> str:
    """What of a token outside ASCII is code; before Python 3.12 a whole f-string is one token."""
    if token.type not in _TEXTS:
        return token.string
    if token.type != tokenize.STRING or not _is_f_string(token.string):
        return ""
    found = re.search(r"\w*[^\x00-\x7f]+\w*", "".join(_code_of_fields(token.string)))
    return found[0] if found else ""


def _code_of_fields(literal: str) -> Iterator[str]:
    """The characters of an f-string that are code: in braces, not in strings or formats there."""
    depth = brackets = 0
    quote, in_format = "", False
    for part in re.findall(r"\{\{|\}\}|[^{}]|[{}]", literal):
        for character in part if depth or len(part) == 1 else "":  # a doubled brace is text
            if depth and (quote or character in "'\""):
                quote = "" if quote == character else quote or character
            elif character in "{}":
                depth = max(0, depth + (1 if character == "{" else -1))
                in_format &= depth > 0
                yield " "
            elif depth:
                brackets += (character in "([") - (character in ")]")
                in_format |= depth == 1 and not brackets and character == ":"
                yield " " if in_format and depth == 1 else character


def _is_f_string(literal: str) -> bool:
    return "f" in literal[: literal.find(literal[-1])].lower()


def _pieces(literal: str) -> int:
    """How many literals are in a token; before Python 3.12 a whole f-string is one token."""
    if _is_f_string(literal):
        return 1 + max(literal.count("'"), literal.count('"')) // 2
    return 1
