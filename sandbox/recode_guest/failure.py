"""Why a statement did not work, in words a model can act on: the program's lines and no others.

An exception may be of a class that the program wrote. So its fields are read as CPython keeps them,
past any property or method of that name; only for its text is it asked, whatever comes of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TypeGuard, TypeVar

MESSAGE_CHARS = 2_000
LINE_CHARS = 200
TYPE_NAME_CHARS = 100
FRAMES = 6
COMPILER_ERRORS = (SyntaxError, IndentationError, TabError)

# What does not show, or changes how what follows shows: prompts and terminals get it escaped.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")

_LINE_END = re.compile(r"\r\n?|\n")
_Kind = TypeVar("_Kind", bound=BaseException)

_NAME_OF_TYPE = type.__dict__["__name__"].__get__
_TRACEBACK = BaseException.__dict__["__traceback__"].__get__


class Text:
    """The source of one request: what its lines are called in the program it was cut from."""

    def __init__(self, source: str, first_line: int, filename: str) -> None:
        self.filename = filename
        self._first = first_line
        # Not str.splitlines: it also cuts at form feeds and the like, where the tokenizer does not.
        self._lines = _LINE_END.split(source)

    def number(self, line: int) -> int:
        """The program's number for a line of this text; 0 for a line that there is not."""
        return line + self._first - 1 if line > 0 else 0

    def marked(self, line: int) -> str:
        """Two lines: which line of the program it is, and what stands there, marked."""
        shown = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        shown = clean(shown.strip(), LINE_CHARS)
        return f"line {self.number(line)}, in the program\n-->  {shown}"


def clean(text: str, most: int = MESSAGE_CHARS) -> str:
    """The text without addresses or control characters, cut visibly at `most` characters."""
    cut = _UNPRINTABLE.sub(_escaped, _ADDRESS.sub("", text[:most]))
    return cut if len(text) <= most else f"{cut}... [cut: {len(text)} characters]"


def _escaped(found: re.Match[str]) -> str:
    # As the codec `unicode_escape` does it, which cannot be found behind the wall.
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_a(problem: BaseException, kind: type[_Kind]) -> TypeGuard[_Kind]:
    """`isinstance`, which would also believe what the exception says of its own class."""
    return issubclass(type(problem), kind)


def type_name(value: Any) -> str:
    """The name of the value's type on one line, cut and cleaned."""
    name = str.__str__(_NAME_OF_TYPE(type(value)))
    return clean(name, TYPE_NAME_CHARS).replace("\n", "\\n").replace("\t", "\\t")


def of_exception(problem: BaseException, text: Text, kind: str) -> dict[str, Any]:
    """The JSON form of the failure that an exception means: of `kind`, or refused to compile."""
    lines = list(_lines(problem, text))
    if not lines and type(problem) in COMPILER_ERRORS:
        kind, lines = "refused", [getattr(problem, "lineno", 0) or 0]
    message = message_of(problem)
    shown = lines if len(lines) <= FRAMES else [lines[0], *lines[1 - FRAMES :]]
    return {
        "kind": kind,
        "message": message,
        "line": text.number(lines[-1]) if lines else 0,
        "traceback": "\n".join([*(text.marked(line) for line in shown), message]),
    }


def without_traceback(kind: str, message: str, text: Text, line: int) -> dict[str, Any]:
    """The JSON form of a failure that is known only to lie in the statement at `line`."""
    return {
        "kind": kind,
        "message": message,
        "line": text.number(line),
        "traceback": f"{text.marked(line)}\n{message}",
    }


def _lines(problem: BaseException, text: Text) -> Iterator[int]:
    """The lines of this text that were being run, outermost first."""
    link: TracebackType | None = _TRACEBACK(problem)
    while link is not None:
        if str.__eq__(link.tb_frame.f_code.co_filename, text.filename):
            yield link.tb_lineno
        link = link.tb_next


def message_of(problem: BaseException) -> str:
    """The type and the text of an exception, cut and cleaned."""
    name = type_name(problem)
    try:
        text = (problem.msg or "") if is_a(problem, SyntaxError) else problem
        said = str.__str__(str(text))
    except BaseException:  # noqa: BLE001  (too deep or too large to show, or hostile)
        said = "(its text cannot be shown)"
    return clean(f"{name}: {said}" if said else name)
