"""The whole way from a reply to its program."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NoReturn

from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.policy import Mending
from recode_runtime.reply.ends import ends_turn
from recode_runtime.reply.fences import Unclear, has_fence
from recode_runtime.reply.foreign import TAGGED, from_json, from_other_tags
from recode_runtime.reply.mending import mended
from recode_runtime.reply.prose import (
    breaks_off,
    denies,
    goes_on,
    is_idle,
    is_program,
    leaves_out,
    takes_back,
)
from recode_runtime.reply.record import Change, entry
from recode_runtime.reply.tags import MOST_TAGS, Piece, TooManyTags, cut, without_mentions
from recode_runtime.reply.trial import Trial
from recode_runtime.reply.wrapper import unwrapped
from recode_runtime.tree import Repair

NO_PROGRAM = "RC001"
UNREADABLE = "RC002"
SYNTAX = "RC003"
EMPTY = "RC005"

MOST_CHARACTERS = 262_144  # of a reply

_ADVICE = "Reply with one program between <execute> and </execute>."
_ESCAPED_TAG = re.compile(r"&lt;\s{0,3}/?\s{0,3}execute", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplyRead:
    """What a reply says: the program's text, the reasoning before it, and what was mended."""

    source: str
    thought: str = ""
    repairs: tuple[Repair, ...] = ()


def read_reply(
    text: str,
    outputs: Sequence[str] = (),
    *,
    repair: Mending = "safe",
    variables: Collection[str] | None = None,
) -> ReplyRead:
    """The program in a reply.

    Args:
        text: untrusted text of any size and kind.
        outputs: the names that a final `return` is assigned to.
        repair: "none" if nothing may be mended; all that is mended here is safe.
        variables: the names that are bound before the program runs. A `def` with a parameter that
            is none of them is not unwrapped. None: whatever the parameters are is bound.

    Raises:
        ReplyUnreadable: there is no program, or it needs a repair and `repair` is "none"; nothing
            else is raised, whatever the text. Texts of more than 262,144 characters are not read
            at all.
    """
    if not isinstance(text, str):
        _refuse(UNREADABLE, f"the reply is not text but {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        _refuse(UNREADABLE, f"the reply has {len(text)} characters; {MOST_CHARACTERS} are read")
    try:
        read = _Reading(tuple(outputs), variables).read(text)
    except TooManyTags:
        _refuse(UNREADABLE, f"the reply has more than {MOST_TAGS} tags")
    except Unclear:
        _refuse(UNREADABLE, "it is not clear which program is meant")
    if read.repairs and repair == "none":
        said = "; ".join(one.what for one in read.repairs)
        _refuse(UNREADABLE, f"the policy allows no repairs, but {said}")
    return read


def _refuse(code: str, message: str) -> NoReturn:
    raise ReplyUnreadable([Finding(code, message, advice=_ADVICE)])


class _Reading:
    """One reply on its way to a program, with the repairs and the work spent so far."""

    def __init__(self, outputs: tuple[str, ...], variables: Collection[str] | None) -> None:
        self._outputs = outputs
        self._variables = variables
        self._repairs: list[Repair] = []
        self._trial = Trial()

    def read(self, text: str) -> ReplyRead:
        """The whole way."""
        text = self._foreign(self._decoded(self._with_newlines(text)))
        pieces = without_mentions(cut(text, self._trial), self._trial)
        source = self._from_blocks(pieces)
        if source is None:
            source = self._untagged(pieces)
        for change in unwrapped(source, self._trial, self._outputs, self._variables):
            source = self._taken(change, source)
        self._refuse_if_idle(source)
        return ReplyRead(source, _thought(pieces), tuple(self._repairs))

    def _taken(self, change: Change, before: str) -> str:
        self._repairs.append(change.entry(before))
        return change.text

    def _with_newlines(self, text: str) -> str:
        if "\r" not in text:
            return text
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        return self._taken(Change(SYNTAX, "line endings were changed to newlines", plain), text)

    def _decoded(self, text: str) -> str:
        """A reply that was escaped as a whole, tags and all, as it was before."""
        if "&" not in text or "<" in text or not _ESCAPED_TAG.search(text):
            return text
        change = Change(UNREADABLE, "HTML entities were decoded", html.unescape(text))
        return self._taken(change, text)

    def _foreign(self, text: str) -> str:
        """A reply that has its program in another form of markup, in tags."""
        if TAGGED.search(text):
            return text
        change = from_other_tags(text) or from_json(text)
        return self._taken(change, text) if change else text

    def _from_blocks(self, pieces: Sequence[Piece]) -> str | None:
        """The program in the tags; None if there are no tags."""
        pieces = _of_one_turn(pieces)
        blocks = [piece for piece in pieces if piece.kind == "block"]
        if not blocks:
            return None
        _refuse_if_taken_back(pieces)
        for piece in pieces:
            if piece.kind == "stray":
                self._note("a tag that stood out of place was removed", piece.opening)
        sources = [self._of_block(block) for block in blocks if block.text.strip()]
        if not any(sources):
            _refuse(EMPTY, "the program is empty")
        if len(sources) > 1:
            self._join(pieces)
        return "\n".join(sources)

    def _of_block(self, block: Piece) -> str:
        self._note_tags(block)
        source, repairs = mended(block.text, self._trial, tagged=bool(block.opening))
        self._repairs += repairs
        if not block.closing:
            self._refuse_if_cut(block.text.rstrip(" \t"), source)
        return source

    def _note_tags(self, block: Piece) -> None:
        if not block.opening:
            self._note("the opening <execute> tag was missing", after="<execute>")
        elif block.opening != "<execute>":
            self._note("a tag was not written <execute>", block.opening, "<execute>")
        if not block.closing:
            self._note("an <execute> tag was not closed", after="</execute>")
        elif block.closing != "</execute>":
            self._note("a tag was not written </execute>", block.closing, "</execute>")

    def _note(self, what: str, before: str = "", after: str = "") -> None:
        self._repairs.append(entry(UNREADABLE, what, before, after))

    def _join(self, pieces: Sequence[Piece]) -> None:
        """Note that blocks are joined, if it is clear that they follow each other."""
        places = [at for at, piece in enumerate(pieces) if piece.kind == "block"]
        between = pieces[places[0] : places[-1]]
        said = "\n".join(piece.text for piece in between if piece.kind in ("prose", "thought"))
        texts = [pieces[at].text.strip() for at in places]
        if not goes_on(said) or len(set(texts)) < len(texts):
            raise Unclear
        self._note(f"{len(places)} <execute> blocks were joined", said.strip())

    def _refuse_if_cut(self, text: str, source: str) -> None:
        """Refuse a program without an end that may have been cut in a word."""
        tree = self._trial.parse(source)
        ends = text.endswith(source.rpartition("\n")[2])  # or a fence or a sentence follows it
        if tree is not None and ends and breaks_off(tree, source):
            _refuse(UNREADABLE, "the reply breaks off in the program")

    def _refuse_if_idle(self, source: str) -> None:
        """Refuse a program that does nothing, or in which dots stand for what it should do."""
        tree = self._trial.parse(source)
        if tree is None or not tree.body:
            return
        if is_idle(tree):
            _refuse(EMPTY, "the program does nothing")
        if "..." in source and leaves_out(tree):
            _refuse(UNREADABLE, "the program leaves something out: it has `...` for a statement")

    def _untagged(self, pieces: Sequence[Piece]) -> str:
        """The program in a reply without <execute> outside the thought."""
        outside = "\n".join(piece.text for piece in pieces if piece.kind == "prose")
        thoughts = [piece for piece in pieces if piece.kind == "thought"]
        source = self._bare(outside) or self._in_thought(thoughts)
        if source:
            return source
        _refuse(NO_PROGRAM, "there is no program in the reply")

    def _bare(self, text: str) -> str:
        """The program in a text that has fences at the most."""
        fenced = has_fence(text)
        source, repairs = mended(text, self._trial, tagged=False)
        tree = self._trial.parse(source)
        if tree is None or not tree.body:
            return source if fenced and not has_fence(source) and source != text else ""
        if not fenced and not is_program(tree, source):
            return ""
        self._refuse_if_cut(text.rstrip(" \t"), source)
        self._repairs += repairs
        added = "<execute>\n</execute>"
        self._repairs.append(entry(NO_PROGRAM, "the program had no <execute> tag", after=added))
        return source

    def _in_thought(self, thoughts: Sequence[Piece]) -> str | None:
        """The program with which the last thought ends, in tags of its own, and no example."""
        if not thoughts:
            return None
        pieces = cut(thoughts[-1].text, self._trial)
        *before, last = [piece for piece in pieces if piece.text.strip()] or [Piece("prose", "")]
        if last.kind != "block" or not last.closing or any(one.kind == "block" for one in before):
            return None
        lead = before[-1].text.strip().rpartition("\n")[2] if before else ""
        if lead and denies(lead):
            return None
        self._note("the program was taken from the thought", after="</think>")
        return self._from_blocks(pieces)


def _refuse_if_taken_back(pieces: Sequence[Piece]) -> None:
    """Refuse a program that only stands in a sentence, or of which the next one says it is wrong.

    Raises:
        Unclear: so it is.
    """
    last = max(at for at, piece in enumerate(pieces) if piece.kind == "block")
    behind = "\n".join(piece.text for piece in pieces[last + 1 :] if piece.kind == "prose")
    if takes_back(behind) or behind.lstrip(" ,")[:1].islower():
        raise Unclear


def _of_one_turn(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The pieces up to the end of the model's turn; a server may not have stopped it there."""
    seen = False
    for at, piece in enumerate(pieces):
        seen = seen or piece.kind == "block"
        if seen and piece.kind == "prose" and ends_turn(piece.text):
            return pieces[:at]
    return pieces


def _thought(pieces: Sequence[Piece]) -> str:
    """The thoughts, or the prose before the program where there are none."""
    said = [piece.text for piece in pieces if piece.kind == "thought"]
    if not said and any(piece.kind == "block" for piece in pieces):
        first = pieces[0]
        said = [first.text] if first.kind == "prose" else []
    return "\n".join(part.strip() for part in said).strip()
