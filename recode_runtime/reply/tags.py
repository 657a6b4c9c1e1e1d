"""A reply cut at its tags: thoughts, program blocks, and the prose between, in their order."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import Literal

from recode_runtime.reply.prose import is_program
from recode_runtime.reply.trial import MOST_PARSED, Trial, without_borders

MOST_TAGS = 1_000
_MOST_ENDS = 16  # closing tags that are tried as the end of one block

_TAG = re.compile(
    r"<[ \t]{0,3}(?P<slash>[/\\]?)[ \t]{0,3}(?P<name>think(?:ing)?|thought|reasoning|execute)"
    r"(?:(?:[ \t][^<>\n]{0,200})?[ \t]{0,3}/?>|[ \t]{0,3}$)",
    re.IGNORECASE | re.MULTILINE,
)
_FENCE_LINE = re.compile(r"[ \t]*(?:```|~~~)[ \t]*(?:python3?|py)?[ \t]*", re.IGNORECASE)


class TooManyTags(Exception):
    """More tags than a reply is read with."""


Kind = Literal["prose", "thought", "block", "stray"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a reply: its kind, its text, and the tags round it as they were written.

    A block with an empty `opening` ends at a closing tag that nothing opened; one with an empty
    `closing` was not closed. A stray piece is a tag right beside another that says the same.
    """

    kind: Kind
    text: str
    opening: str = ""
    closing: str = ""


@dataclass(frozen=True, slots=True)
class _Tag:
    start: int
    end: int
    text: str
    name: Literal["think", "execute"]
    closing: bool


def cut(text: str, trial: Trial) -> list[Piece]:
    """The pieces of a reply.

    Raises:
        TooManyTags: there are more than 1,000 tags.
    """
    found = list(itertools.islice(_TAG.finditer(text), MOST_TAGS + 1))
    if len(found) > MOST_TAGS:
        raise TooManyTags
    return _Cutter(text, [_tag(match, text) for match in found], trial).cut()


def _tag(match: re.Match[str], text: str) -> _Tag:
    name: Literal["think", "execute"] = "execute" if match["name"].lower() == "execute" else "think"
    start, end = match.span()
    for mark in ("**", "`"):  # Markdown round a tag belongs to it
        if text.endswith(mark, 0, start) and text.startswith(mark, end):
            start, end = start - len(mark), end + len(mark)
    return _Tag(start, end, text[start:end], name, bool(match["slash"]))


class _Cutter:
    """Goes through the tags of one text from the first to the last."""

    def __init__(self, text: str, tags: list[_Tag], trial: Trial) -> None:
        self._text = text
        self._tags = tags
        self._trial = trial
        self._pieces: list[Piece] = []
        self._place = 0  # in the text: all before it is in a piece
        self._next = 0  # the tag to look at
        self._awaited: _Tag | None = None  # an opening tag with a thought right behind it

    def cut(self) -> list[Piece]:
        while self._next < len(self._tags):
            tag = self._tags[self._next]
            self._add("prose", self._text[self._place : tag.start])
            self._place, self._next = tag.end, self._next + 1
            if tag.closing:
                self._stray(tag)
            elif tag.name == "think":
                self._thought(tag)
            else:
                self._block(tag)
        self._add("prose", self._text[self._place :])
        return self._pieces

    def _add(self, kind: Kind, text: str) -> None:
        if text:
            self._pieces.append(Piece(kind, text))

    def _stray(self, tag: _Tag) -> None:
        """Where nothing was opened, all before `</think>` is thought, before `</execute>` block."""
        if any(piece.kind == "block" for piece in self._pieces):
            last = [piece.kind for piece in self._pieces if piece.text.strip()][-1:]
            if tag.name == "execute" and last == ["block"]:
                self._pieces.append(Piece("stray", "", tag.text))
            return
        thoughts = [piece for piece in self._pieces if piece.kind == "thought"]
        prose = "\n".join(piece.text for piece in self._pieces if piece.kind == "prose")
        if tag.name == "think" and not thoughts:
            self._pieces = [Piece("thought", prose)]
        elif tag.name == "execute" and prose.strip():
            self._pieces = [*thoughts, Piece("block", prose, "", tag.text)]

    def _thought(self, tag: _Tag) -> None:
        """A thought ends at its tag, or without one at the next <execute>."""
        rest = self._tags[self._next :]
        after = range(self._next, len(self._tags))
        closing = (at for at, one in zip(after, rest, strict=True) if _is(one, "think", True))
        program = (at for at, one in zip(after, rest, strict=True) if _is(one, "execute", False))
        end = next(closing, None)
        if end is None:
            end = next(program, len(self._tags))
        self._add("thought", self._until(end))
        self._go_behind(end)
        if self._awaited and end < len(self._tags) and self._tags[end].closing:
            tag, self._awaited = self._awaited, None
            self._block(tag)

    def _block(self, tag: _Tag) -> None:
        end = self._end_of_block()
        ending = self._tags[end] if end < len(self._tags) else None
        text = self._until(end)
        if ending and not ending.closing and not text.strip():
            self._awaited = tag if ending.name == "think" else None
            self._pieces.append(Piece("stray", "", tag.text))
        elif ending and not ending.closing and not self._core_reads(text):
            self._add("prose", text)  # the tag of the real block was only mentioned
        else:
            closing = ending.text if ending and ending.closing else ""
            self._pieces.append(Piece("block", text, tag.text, closing))
        self._go_behind(end)

    def _until(self, end: int) -> str:
        return self._text[self._place : self._tags[end].start if end < len(self._tags) else None]

    def _go_behind(self, end: int) -> None:
        """Go on after the tag `end`; an opening tag is looked at again."""
        if end >= len(self._tags):
            self._place, self._next = len(self._text), len(self._tags)
        elif self._tags[end].closing:
            self._place, self._next = self._tags[end].end, end + 1
        else:
            self._place, self._next = self._tags[end].start, end

    def _end_of_block(self) -> int:
        """The tag that ends a program: the last closing tag up to which the text is Python.

        A closing tag may also stand in a string or a comment of the program.
        """
        after = range(self._next, len(self._tags))
        closing = [at for at in after if _is(self._tags[at], "execute", True)]
        ends = closing[:_MOST_ENDS] if closing else [len(self._tags)]
        for end in reversed(ends):
            start = self._tags[end].start if end < len(self._tags) else len(self._text)
            if start - self._place <= MOST_PARSED and self._core_reads(self._until(end)):
                return end
        other = (at for at in after if not self._tags[at].closing or at in closing[:1])
        wrong = (at for at in after if _is(self._tags[at], "think", True) and not closing)
        return min(next(other, len(self._tags)), next(wrong, len(self._tags)))

    def _core_reads(self, text: str) -> bool:
        """Whether a block is Python, the fence round it aside."""
        text = text.lstrip(" \t")
        lines = without_borders(text).split("\n")
        if len(lines) > 1 and _FENCE_LINE.fullmatch(lines[0]):
            last = -1 if _FENCE_LINE.fullmatch(lines[-1]) else None
            text = "\n".join(lines[1:last])
        return self._trial.reads(text)


def _is(tag: _Tag, name: str, closing: bool) -> bool:
    return tag.name == name and tag.closing is closing


def without_mentions(pieces: list[Piece], trial: Trial) -> list[Piece]:
    """The pieces, with blocks as prose that only name the tags: `<execute>...</execute>`."""
    blocks = [piece for piece in pieces if piece.kind == "block"]
    mentions = [piece for piece in blocks if _is_mention(piece.text, trial)]
    if len(blocks) == 1 or len(mentions) == len(blocks):
        return pieces
    return [replace(one, kind="prose") if one in mentions else one for one in pieces]


def _is_mention(text: str, trial: Trial) -> bool:
    text = text.strip()
    if "\n" in text or not re.fullmatch(r"[\w\s.,:;`'\u2026-]*", text):
        return False
    tree = trial.parse(text)
    return bool(text) and not (tree and is_program(tree, text))
