"""What stands at the left of a program's lines: prompts, line numbers, list marks, indentation."""

from __future__ import annotations

import ast
import re
import textwrap

from recode_runtime.reply.prose import is_prose
from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import Trial, without_borders

_CODE = "RC003"

_PROMPT = re.compile(r"[ \t]*(>>>|\.\.\.)(?: |$|(?<=>)(?=[^\s>]))(.*)")
_NUMBER = re.compile(
    r"[ \t]*(?:[Ll](?:ine )?)?(\d{1,4})(?:[ \t]*[|:.)\]\u2502](?!\d)|(?=\s|$))(.*)"
)
_BULLET = re.compile(r"([-*+\u2022])[ \t]+(?=\S)(.*)")


def without_prompts(text: str, trial: Trial) -> Change | None:
    """The lines behind `>>>` and `...`; the others are what an interpreter answered.

    An answer that could itself be a statement might be meant as one, so it is not dropped.
    """
    lines = text.split("\n")
    found = [_PROMPT.fullmatch(line) for line in lines]
    first = next((at for at, match in enumerate(found) if match and match[1] == ">>>"), None)
    if first is None or any(line.strip() and not is_prose(line) for line in lines[:first]):
        return None
    kept: list[str] = []
    inside = False
    for line, match in zip(lines[first:], found[first:], strict=True):
        if match and (inside or match[1] == ">>>"):
            kept.append(match[2])
        elif _may_act(line, trial):
            return None
        inside = bool(match)
    return Change(_CODE, "interpreter prompts were removed", "\n".join(kept).rstrip())


def _may_act(line: str, trial: Trial) -> bool:
    tree = trial.parse(line.strip())
    return tree is not None and any(
        isinstance(node, ast.Call | ast.Assign | ast.AugAssign | ast.Import | ast.ImportFrom)
        for node in ast.walk(tree)
    )


def without_numbers(text: str, _trial: Trial) -> Change | None:
    """The lines behind line numbers that count up by one and stand before every line."""
    lines = [line for line in text.split("\n") if line.strip()]
    found = [_NUMBER.fullmatch(line) for line in lines]
    rests = [match[2] for match in found if match]
    numbers = [int(match[1]) for match in found if match]
    if not rests or len(rests) < len(lines):
        return None
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    first = next((rest for rest in rests if rest.strip()), "")
    indent = len(first) - len(first.lstrip())
    rests = [rest[min(indent, len(rest) - len(rest.lstrip())) :] for rest in rests]
    return Change(_CODE, "line numbers were removed", without_borders("\n".join(rests)))


def without_bullets(text: str, trial: Trial) -> Change | None:
    """The statements of a list that has a mark before every one.

    `- act()` is Python too, but a sign before a result that is thrown away means nothing.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    found = [_BULLET.fullmatch(line) for line in lines]
    rests = [match[2] for match in found if match]
    marks = {match[1] for match in found if match}
    if len(marks) != 1 or len(rests) < len(lines) or not trial.reads("\n".join(rests)):
        return None
    return Change(_CODE, "list marks were removed", "\n".join(rests))


def dedented(text: str, trial: Trial) -> Change | None:
    """The text without the indentation that all its lines share; the insides of strings stay."""
    text = without_borders(text)
    indent = len(text) - len(text.lstrip())
    if not indent:
        return None
    inside = f"if 1:\n{text}"
    tree = trial.parse(inside)
    if tree is None:
        moved = textwrap.dedent(text)
    else:
        moved = "\n".join(shifted(inside.split("\n"), tree, 1, indent))
    return Change(_CODE, "common indentation was removed", moved)


def aligned(text: str, trial: Trial) -> Change | None:
    """The text with its first line, which stood behind a tag, at the margin of the others."""
    first, newline, rest = text.partition("\n")
    if not newline or '"""' in text or "'''" in text or first.rstrip().endswith(("\\", ":")):
        return None
    moved = first.lstrip() + newline + textwrap.dedent(rest)
    if moved == text or not trial.reads(moved):
        return None
    return Change(_CODE, "uneven indentation was removed", moved)


def shifted(lines: list[str], tree: ast.Module, start: int, indent: int) -> list[str]:
    """The lines from `start` on moved left by `indent`, but for the insides of long strings."""
    inside = {number for first, last in _texts(tree) for number in range(first, last)}
    return [
        line if number in inside else line[min(indent, len(line) - len(line.lstrip())) :]
        for number, line in enumerate(lines[start:], start=start)
    ]


def _texts(tree: ast.Module) -> set[tuple[int, int]]:
    """The first and last line of every string; the pieces of an f-string all have its own."""
    return {
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    }
