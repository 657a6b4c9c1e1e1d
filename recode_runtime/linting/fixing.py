"""Repairs as changes of a file: only the lines that differ are touched; margins and ends stay."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from recode_runtime.linting.pieces import Piece
from recode_runtime.linting.text import Text
from recode_runtime.linting.units import Edit
from recode_runtime.wording import visible


def edits_between(piece: Piece, after: str) -> tuple[Edit, ...]:
    """The edits of the file that turn a program in it into another."""
    old, new = piece.source.split("\n"), after.split("\n")
    return tuple(
        Edit(
            piece.first + start,
            piece.first + end,
            tuple(_with_margin(piece, start, line) for line in new[first:last]),
        )
        for tag, start, end, first, last in _opcodes(old, new)
        if tag != "equal"
    )


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    return list(difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _with_margin(piece: Piece, at: int, line: str) -> str:
    """A new line beside the old ones; where one is empty, its margin may be cut too."""
    if not piece.margins:
        return line
    margins = piece.margins[: at + 1] or piece.margins[:1]
    margin = max(margins, key=len) if not margins[-1] else margins[-1]
    return margin + line if line else margin.rstrip()


def applied(lines: Sequence[str], edits: Iterable[Edit]) -> tuple[str, ...]:
    """The lines of a file after the edits; a new line ends as the one it replaces.

    One that replaces none ends as most of the old ones do.
    """
    after = list(lines)
    usual = Counter(map(_end, lines)).most_common(1)[0][0] or "\n"
    for edit in sorted(edits, key=lambda one: one.line, reverse=True):
        old = after[edit.line - 1 : edit.end - 1]
        ends = [_end(line) or usual for line in old]
        ends += [usual] * (len(edit.lines) - len(old))
        new = [line + end for line, end in zip(edit.lines, ends, strict=False)]
        last = not old or edit.end > len(after)
        if last and new and after and not after[-1].endswith(("\n", "\r")):
            new[-1] = edit.lines[-1]
        after[edit.line - 1 : edit.end - 1] = new
    return tuple(after)


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def differences(path: str, before: Text, after: Text) -> str:
    """A unified diff of a file that `patch` takes, with the line ends that the file has."""
    name = _quoted(path)
    pair = (_patched_lines(before), _patched_lines(after))
    return "".join(map(_diff_line, difflib.unified_diff(*pair, name, name)))


def _patched_lines(text: Text) -> list[str]:
    """The lines as `patch` counts them: a lone carriage return ends none."""
    mark = "\ufeff" if text.encoding == "utf-8-sig" else ""
    return [line for line in re.split(r"(?<=\n)", mark + text.decoded) if line]


def _diff_line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _quoted(path: str) -> str:
    """A name as `patch` and git read it: in quotes where it would not be one plain line."""
    if visible(path) == path and not set(path) & {'"', "\\"}:
        return f"{path}\t" if " " in path else path
    return f'"{"".join(map(_quoted_byte, os.fsencode(path)))}"'


def _quoted_byte(byte: int) -> str:
    char = chr(byte)
    return char if char.isascii() and char.isprintable() and char not in '"\\' else f"\\{byte:03o}"


def unified(path: str, before: Sequence[str], after: Sequence[str]) -> str:
    """A unified diff of lines without ends; empty if they are the same."""
    name = visible(path)
    lines = difflib.unified_diff(before, after, name, name, lineterm="")
    return "".join(f"{line}\n" for line in lines)
