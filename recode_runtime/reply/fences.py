"""Markdown fences: which lines of a text stand in them."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from recode_runtime.reply.prose import denies, goes_on, is_idle, is_prose
from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import Trial, without_borders

_CODE = "RC002"

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*\{?\.?([\w+.-]*)\}?([ \t][^`\n]*)?")
_LATE = re.compile(r"[^`]*[:.!][ \t]*(`{3,})[ \t]*(\w+)")  # after a sentence, on its line
_ON_ONE_LINE = re.compile(r"(`{1,3})(?:(?:python3?|py)[ \t]+)?([^`\n]+)\1")
# One closes and the next opens on the same line.
_GLUED = re.compile(r"(?m)^([ \t]{0,99}`{3})(`{3}\w{1,20})[ \t]{0,9}$")
_MOST_TRIED = 50  # fences of which more than the first end is looked at
_MOST_ENDS = 8  # closing fences that are tried after the first
_PYTHON = ("python", "python3", "py", "py3", "pycon", "tool_code", "execute")
_ANSWERS = ("text", "txt", "output", "plaintext", "console", "json")
_MARKDOWN = ("markdown", "md", "xml", "html")
LABEL = re.compile(r"(?:python3?|py)[ \t]*\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fenced:
    """The lines in one fence, the prose before it, the language it names, and its two marks.

    `closing` is empty for a fence that runs to the end of the text.
    """

    text: str
    before: str
    language: str
    opening: str
    closing: str


class Unclear(Exception):
    """It is not clear which of the programs in a text is meant, or whether one is."""


def has_fence(text: str) -> bool:
    """Whether any line of a text is a fence."""
    if "```" not in text and "~~~" not in text:
        return False
    return any(_fence_of(line) for line in text.split("\n"))


def unticked(text: str) -> str | None:
    """The one line of a text that stands in backticks as a whole, without them."""
    match = _ON_ONE_LINE.fullmatch(text.strip())
    return match[2].strip() if match else None


def out_of_fences(text: str, trial: Trial) -> list[Change]:
    """The changes that take the program out of the Python fences of a text, in their order.

    There are none if no fence holds one.

    Raises:
        Unclear: they may be alternatives, or what stands round them speaks against them.
    """
    fenced, after = _cut(text, trial)
    if len(fenced) == 1 and not fenced[0].closing and not fenced[0].language:
        lone = _before_a_lone_fence(fenced[0], trial)
        if lone is not None:
            return [_opened(lone)]
    chosen = _in_python(fenced, trial)
    if not chosen:
        blank = not any(one.text.strip() or one.before.strip() for one in fenced)
        return [_opened("")] if blank and not after.strip() else []
    inside = fenced[fenced.index(chosen[0]) : fenced.index(chosen[-1]) + 1]
    between = [one.before for one in inside[1:]]
    if not all(map(goes_on, between)) or len({one.text for one in chosen}) < len(chosen):
        raise Unclear
    said = [*(one.before for one in fenced), after]
    if any(_is_answer(one, trial, chosen=one in chosen) for one in inside[1:]):
        raise Unclear
    if len(chosen) > 1 and any(denies(_title(one)) for one in chosen):
        raise Unclear
    if denies("\n".join(said)) or any(_acts(prose, trial) for prose in said):
        raise Unclear
    opened = _opened(_from_first_to_last(inside))
    return [opened, _joined(chosen)] if len(chosen) > 1 else [opened]


def _opened(text: str) -> Change:
    return Change(_CODE, "a Markdown fence was removed", text)


def _joined(chosen: Sequence[Fenced]) -> Change:
    program = "\n".join(without_borders(one.text) for one in chosen)
    return Change(_CODE, f"{len(chosen)} fenced blocks were joined", program)


def _from_first_to_last(inside: Sequence[Fenced]) -> str:
    """The text in fences, and whatever stands between these."""
    parts = [without_borders(inside[0].text)]
    for one, following in itertools.pairwise(inside):
        parts += [one.closing, following.before, following.opening]
        parts.append(without_borders(following.text))
    return "\n".join(part for part in parts if part)


def _fence_of(line: str) -> re.Match[str] | None:
    text = line.strip()
    if not text.startswith(("`", "~")):
        late = _LATE.fullmatch(text) if text.endswith(_PYTHON) else None
        return late if late and late[2].lower() in _PYTHON else None
    return _FENCE.fullmatch(text)


def _cut(text: str, trial: Trial) -> tuple[list[Fenced], str]:
    """The fences of a text in their order, and the prose after the last."""
    lines = _GLUED.sub(r"\1\n\2", text).split("\n")
    fenced: list[Fenced] = []
    place = at = 0
    while at < len(lines):
        opening = _fence_of(lines[at])
        at += 1
        if opening:
            before, start = "\n".join(lines[place : at - 1]), at
            language = opening[2].lower()
            tries = len(fenced) < _MOST_TRIED and language in ("", *_PYTHON)
            end = _end_of_fence(lines, start, opening[1], trial, tries=tries)
            last = lines[end : end + 1]
            rest = [_before_mark(last[0], opening[1])] if last else []
            inner = "\n".join(lines[start:end] + [line for line in rest if line])
            closing = "".join(line if _fence_of(line) else opening[1] for line in last)
            fenced.append(Fenced(inner, before, language, lines[start - 1], closing))
            place = at = end + 1
    return fenced, "\n".join(lines[place:])


def _end_of_fence(lines: Sequence[str], start: int, mark: str, trial: Trial, *, tries: bool) -> int:
    """The line that closes a fence: the first, or with `tries` the first that leaves Python."""
    ends = (at for at in range(start, len(lines)) if _closes(lines[at], mark))
    first = next(ends, len(lines))
    for end in itertools.chain([first], itertools.islice(ends, _MOST_ENDS)) if tries else ():
        inner = [*lines[start:end], *(_before_mark(line, mark) for line in lines[end : end + 1])]
        if trial.reads("\n".join(inner)):
            return end
    return first


def _closes(line: str, mark: str) -> bool:
    match = _fence_of(line)
    if match:
        return match[1].startswith(mark) and not match[2]
    return line.rstrip().endswith(mark) and line.count(mark) == 1 and "#" not in line


def _before_mark(line: str, mark: str) -> str:
    """What stands before a closing fence on its own line."""
    return "" if _fence_of(line) else line.rstrip()[: -len(mark)]


def _before_a_lone_fence(fence: Fenced, trial: Trial) -> str | None:
    """The program before a closing fence whose opening is missing."""
    if trial.reads(fence.before) and not trial.reads(fence.text):
        return fence.before
    return None


def _in_python(fenced: Sequence[Fenced], trial: Trial) -> list[Fenced]:
    """The fences that may hold the program: those that say so, else those that name no language."""
    blocks = [one for one in fenced if one.text.strip()]
    named = [one for one in blocks if one.language in _PYTHON]
    nameless = [one for one in blocks if not one.language]
    if not named:
        outer = [one for one in blocks if one.language in _MARKDOWN and has_fence(one.text)]
        return nameless or outer
    return [one for one in blocks if one in named or (one in nameless and trial.reads(one.text))]


def _is_answer(fence: Fenced, trial: Trial, *, chosen: bool) -> bool:
    """Whether what stands behind a program in a fence is no program: then it is its answer."""
    if not fence.text.strip() or fence.language not in ("", *_ANSWERS):
        return False
    tree = trial.parse(fence.text)
    return is_idle(tree) if tree is not None else not chosen


def _title(fence: Fenced) -> str:
    """The comment with which a fenced program begins."""
    first = fence.text.strip().partition("\n")[0]
    return first if first.startswith("#") else ""


def _acts(prose: str, trial: Trial) -> bool:
    """Whether statements stand outside the fences too."""
    lines = [line for line in prose.split("\n") if line.strip() and not is_prose(line)]
    tree = trial.parse("\n".join(lines))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    return any(isinstance(name, ast.Name) and name.id.islower() for name in calls)
