"""Why a statement did not work, in words a model can act on: the program's lines and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any

MESSAGE_CHARS = 2_000
LINE_CHARS = 200
FRAMES = 6

# What does not show, or changes how what follows shows: prompts and terminals get it escaped.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")


class Text:
    """The source of one request: what its lines are called in the program it was cut from."""

    def __init__(self, source: str, first_line: int, filename: str) -> None:
        self.filename = filename
        self._first = first_line
        # Not str.splitlines: it also cuts at form feeds and the like, where the tokenizer does not.
        self._lines = source.split("\n")

    def number(self, line: int) -> int:
        """The program's number for a line of this text; 0 stays 0."""
        return line + self._first - 1 if line else 0

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


def of_exception(problem: BaseException, text: Text, kind: str) -> dict[str, Any]:
    """The JSON form of the failure that an exception of the program means."""
    message = message_of(problem)
    lines = list(_lines(problem, text))
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
    if isinstance(problem, SyntaxError) and problem.filename == text.filename:
        yield problem.lineno or 0
        return
    link: TracebackType | None = problem.__traceback__
    while link is not None:
        if link.tb_frame.f_code.co_filename == text.filename:
            yield link.tb_lineno
        link = link.tb_next


def message_of(problem: BaseException) -> str:
    """The type and the text of an exception, cut and cleaned."""
    name = type(problem).__name__
    try:
        said = problem.msg if isinstance(problem, SyntaxError) else str(problem)
    except Exception:  # noqa: BLE001  (its arguments may be too deep or too large to show)
        said = "(its text cannot be shown)"
    return clean(f"{name}: {said}" if said else name)
