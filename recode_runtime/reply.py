"""Model text -> thought and source.

A reply is `<think>...</think>` and `<execute>...</execute>`. Weaker models send less, so this also
reads Markdown fences, an unclosed tag, several blocks, indented blocks, a `def` wrapped round the
program, and bare programs; each repair is recorded. Nothing is changed inside the statements.
"""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from recode_runtime.errors import Finding, ReplyUnreadable

NO_PROGRAM = "RC001"
UNREADABLE = "RC002"
EMPTY = "RC005"

MOST_CHARACTERS = 262_144  # of a reply
_MOST_TAGS = 1_000
_MOST_PARSED = 32_768  # bytes of one text that is tried; twice what a policy of ours lets through
_MOST_TRIED = 524_288  # bytes of all texts that are tried for one reply

_ADVICE = "Reply with one program between <execute> and </execute>."
_TAG = re.compile(r"<(/?)(think|execute)[ \t]*>", re.IGNORECASE)
_FENCE = re.compile(r"(```+|~~~+)[ \t]*([\w+.-]*)")
_PYTHON = ("", "python", "python3", "py")


@dataclass(frozen=True, slots=True)
class ReplyRead:
    """What a reply says: the program's text, the reasoning before it, and what was mended."""

    source: str
    thought: str = ""
    repairs: tuple[str, ...] = ()


def read_reply(text: str, outputs: Sequence[str] = (), *, repair: bool = True) -> ReplyRead:
    """The program in a reply; `outputs` are the names that a final `return` is assigned to.

    Raises:
        ReplyUnreadable: there is no program, or it needs a repair and `repair` is False; nothing
            else is raised, whatever the text. Texts of more than 262,144 characters are not read
            at all.
    """
    if not isinstance(text, str):
        _refuse(UNREADABLE, f"the reply is not text but {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        _refuse(UNREADABLE, f"the reply has {len(text)} characters; {MOST_CHARACTERS} are read")
    read = _Reading(tuple(outputs)).read(text)
    if read.repairs and not repair:
        _refuse(UNREADABLE, f"the policy allows no repairs, but {'; '.join(read.repairs)}")
    return read


def _refuse(code: str, message: str) -> NoReturn:
    raise ReplyUnreadable([Finding(code, message, advice=_ADVICE)])


@dataclass(slots=True)
class _Cut:
    """A reply cut at its tags: the program blocks, the thoughts, and the prose between."""

    blocks: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    closed: bool = True

    @property
    def outside(self) -> str:
        """All that stands outside the tags."""
        return "\n".join(self.prose)

    @property
    def thought(self) -> str:
        """The thoughts, or the prose before the program where there are none."""
        said = self.thoughts or (self.prose[:1] if self.blocks else [])
        return "\n".join(part.strip() for part in said).strip()


class _Reading:
    """One reply on its way to a program, with the repairs and the work spent so far."""

    def __init__(self, outputs: tuple[str, ...]) -> None:
        self._outputs = outputs
        self._repairs: list[str] = []
        self._left = _MOST_TRIED

    def read(self, text: str) -> ReplyRead:
        """The whole way."""
        if "\r\n" in text:
            text = text.replace("\r\n", "\n")
            self._repairs.append("line endings were changed to newlines")
        cut = self._cut(text)
        source = self._joined(cut) or self._untagged(cut)
        return ReplyRead(self._unwrapped(source), cut.thought, tuple(dict.fromkeys(self._repairs)))

    def _joined(self, cut: _Cut) -> str:
        """The program in the tags; empty if there are no tags."""
        blocks = [block for block in map(self._tidied, cut.blocks) if block.strip()]
        if cut.blocks and not blocks:
            _refuse(EMPTY, "the program is empty")
        if blocks and not cut.closed:
            self._repairs.append("an <execute> tag was not closed")
        if len(blocks) > 1:
            self._repairs.append(f"{len(blocks)} <execute> blocks were joined")
        return "\n".join(blocks)

    def _untagged(self, cut: _Cut) -> str:
        """The program in a reply without <execute> outside the thought."""
        for part in (cut.outside, *cut.thoughts):
            inner = _Cut() if part is cut.outside else self._cut(part)
            source = self._joined(inner) or self._fenced(part)
            if not source and part is cut.outside:
                source = self._bare(part)
            if source:
                mended = "the program had no <execute> tag"
                taken = "the program was taken from the thought"
                self._repairs.append(mended if part is cut.outside else taken)
                return source
        _refuse(NO_PROGRAM, "there is no program in the reply")

    def _fenced(self, text: str) -> str | None:
        """The program in the Python fences of a text; None if there are none."""
        fenced = list(_fenced_blocks(text))
        if not fenced:
            return None
        blocks = [block for block in fenced if block.strip()]
        self._repairs.append("a Markdown fence was removed")
        if len(blocks) > 1:
            self._repairs.append(f"{len(blocks)} fenced blocks were joined")
        return "\n".join(map(self._dedented, blocks))

    def _bare(self, text: str) -> str:
        source = self._dedented(text)
        tree = self._parse(source)
        return source if tree and _is_program(tree, source) else ""

    def _cut(self, text: str) -> _Cut:
        cut = _Cut()
        tags = list(itertools.islice(_TAG.finditer(text), _MOST_TAGS + 1))
        if len(tags) > _MOST_TAGS:
            _refuse(UNREADABLE, f"the reply has more than {_MOST_TAGS} tags")
        place = index = 0
        while index < len(tags):
            tag = tags[index]
            closing, name = tag[1], tag[2].lower()
            cut.prose.append(text[place : tag.start()])
            place, index = tag.end(), index + 1
            if closing:
                self._late_thought(cut, name)
            elif name == "think":
                end = _end_of_thought(tags, index)
                cut.thoughts.append(text[place : tags[end].start() if end < len(tags) else None])
                place, index = _after(tags, end, text)
            else:
                end = self._end_of_block(text, place, tags, index)
                tag_after = tags[end] if end < len(tags) else None
                self._take_block(cut, text[place : tag_after and tag_after.start()], tag_after)
                place, index = _after(tags, end, text)
        cut.prose.append(text[place:])
        return cut

    def _take_block(self, cut: _Cut, block: str, end: re.Match[str] | None) -> None:
        """Keep a block, unless it is prose that only mentions the tag of the real one."""
        closed = end is not None and _is(end, "/execute")
        if end is not None and not closed and not self._parse(self._quietly_tidied(block)):
            cut.prose.append(block)
            return
        cut.blocks.append(block)
        cut.closed &= closed

    def _late_thought(self, cut: _Cut, name: str) -> None:
        """Where `</think>` has no beginning, all before it was the thought."""
        if name == "think" and not cut.blocks and not cut.thoughts:
            cut.thoughts, cut.prose = [cut.outside], []

    def _end_of_block(self, text: str, start: int, tags: list[re.Match[str]], index: int) -> int:
        """The tag that ends a program: the last closing tag up to which the text is Python.

        A closing tag may also stand in a string or a comment of the program.
        """
        closing = [one for one in range(index, len(tags)) if _is(tags[one], "/execute")]
        for one in reversed(closing[:16]):
            size = tags[one].start() - start
            if size > min(_MOST_PARSED, self._left):
                continue
            self._left -= size
            tree = self._parse(self._quietly_tidied(text[start : tags[one].start()]))
            if tree and tree.body:
                return one
        opening = (one for one in range(index, len(tags)) if not tags[one][1])
        return min(closing[0] if closing else len(tags), next(opening, len(tags)))

    def _quietly_tidied(self, block: str) -> str:
        repairs = list(self._repairs)
        tidied = self._tidied(block)
        self._repairs = repairs
        return tidied

    def _tidied(self, block: str) -> str:
        """A block without fences, blank borders and common indentation."""
        block = _stripped(block.lstrip(" \t"))
        if not any(_FENCE.fullmatch(line.strip()) for line in block.split("\n")):
            return self._dedented(block)
        repairs = list(self._repairs)
        whole = self._dedented(block)
        if self._parse(whole):
            return whole
        self._repairs = repairs
        return whole if (fenced := self._fenced(block)) is None else fenced

    def _dedented(self, block: str) -> str:
        block = _stripped(block)
        first = block.lstrip()
        if first == block:
            return block
        indent = len(block) - len(first)
        tree = self._parse("if 1:\n" + block)
        if tree is None:
            dedented = textwrap.dedent(block)
        else:
            lines = ("if 1:\n" + block).split("\n")
            dedented = "\n".join(_shifted(lines, tree, 1, indent))
        if "\n" in block:
            self._repairs.append("common indentation was removed")
        return dedented

    def _unwrapped(self, source: str) -> str:
        """The body of a `def` that is the whole program, its `return` as an assignment."""
        tree = self._parse(source)
        if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
            return source
        function = tree.body[0]
        if not _may_be_unwrapped(function):
            return source
        unwrapped = _body_of(function, source, self._outputs)
        if not unwrapped.strip() or self._parse(unwrapped) is None:
            return source
        self._repairs.append(f"the body of `def {function.name}` was taken out of it")
        return unwrapped

    def _parse(self, source: str) -> ast.Module | None:
        """The tree of a text, or None if it is not Python or too much was tried already."""
        size = len(source)
        if size > _MOST_PARSED or size > self._left:
            return None
        self._left -= size
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _is(tag: re.Match[str], name: str) -> bool:
    return tag[1] + tag[2].lower() == name


def _after(tags: list[re.Match[str]], end: int, text: str) -> tuple[int, int]:
    """Where reading goes on after the tag `end`; an opening tag is read again."""
    if end >= len(tags):
        return len(text), len(tags)
    return (tags[end].end(), end + 1) if tags[end][1] else (tags[end].start(), end)


def _end_of_thought(tags: list[re.Match[str]], index: int) -> int:
    """The tag that ends a thought: `</think>`, or without one the next <execute>."""
    rest = range(index, len(tags))
    closing = next((one for one in rest if _is(tags[one], "/think")), None)
    if closing is not None:
        return closing
    return next((one for one in rest if _is(tags[one], "execute")), len(tags))


def _stripped(block: str) -> str:
    """Without blank lines at both ends."""
    first = len(block) - len(block.lstrip())
    return block[block.rfind("\n", 0, first) + 1 :].rstrip()


def _fenced_blocks(text: str) -> Iterator[str]:
    """The contents of the Python fences of a text; a fence left open runs to the end."""
    lines: list[str] = []
    fence = language = ""
    for line in text.split("\n"):
        match = _FENCE.fullmatch(line.strip())
        if match and not fence:
            fence, language, lines = match[1], match[2].lower(), []
        elif match and match[1].startswith(fence) and not match[2]:
            if language in _PYTHON:
                yield "\n".join(lines)
            fence = ""
        else:
            lines.append(line)
    if fence and language in _PYTHON:
        yield "\n".join(lines)


def _is_program(tree: ast.Module, source: str) -> bool:
    """Whether a text that parses means to be a program: `Okay` and `Sure (why not)` do not."""
    calls = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    if not tree.body or not all(isinstance(one, ast.Call) for one in calls):
        return False
    lines = [line.encode() for line in source.split("\n")]
    written = (one.func for one in calls if isinstance(one, ast.Call))
    tight = all(
        lines[(one.end_lineno or 1) - 1][one.end_col_offset :].startswith(b"(") for one in written
    )
    does = any(
        isinstance(node, ast.Call | ast.Assign | ast.AugAssign | ast.FunctionDef)
        for node in ast.walk(tree)
    )
    return tight and does


def _may_be_unwrapped(function: ast.FunctionDef) -> bool:
    """Whether the body means the same outside: no defaults, and one `return` at most, at the end.

    Defaults would be lost, and an early `return` has no equal at the top level.
    """
    given = function.args
    if function.decorator_list or given.defaults or given.kw_defaults:
        return False
    if given.vararg or given.kwarg:
        return False
    inner = list(ast.walk(ast.Module(function.body, [])))
    if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Global) for node in inner):
        return False
    returns = [node for node in inner if isinstance(node, ast.Return)]
    return returns in ([], [function.body[-1]])


def _body_of(function: ast.FunctionDef, source: str, outputs: tuple[str, ...]) -> str:
    lines = source.split("\n")
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return ""
    first = body[0]
    if first.lineno == function.lineno:  # def f(): a; b
        lines[first.lineno - 1] = lines[first.lineno - 1].encode()[first.col_offset :].decode()
        start, indent = first.lineno - 1, 0
    else:
        start, indent = _with_comments(lines, first.lineno - 1), first.col_offset
    shifted = _shifted(lines, ast.Module(body, []), start, indent)
    if isinstance(body[-1], ast.Return):
        _assign_return(shifted, body[-1], start, outputs, source)
    return "\n".join(shifted).strip("\n")


def _with_comments(lines: list[str], start: int) -> int:
    while lines[start - 1].lstrip().startswith("#") or not lines[start - 1].strip():
        start -= 1
    return start


def _assign_return(
    lines: list[str], node: ast.Return, start: int, outputs: tuple[str, ...], source: str
) -> None:
    """Replace the final `return value` by `outputs = value`, or by nothing if nothing is lost."""
    at = node.lineno - 1 - start
    original = source.split("\n")[node.lineno - 1]
    moved = len(original) - len(lines[at])
    column = len(original.encode()[: node.col_offset].decode()) - moved
    head, rest = lines[at][:column], lines[at][column:].removeprefix("return").lstrip()
    nothing = node.value is None or (isinstance(node.value, ast.Constant) and not outputs)
    nothing = nothing or rest.strip("() ") == ", ".join(outputs)
    names = isinstance(node.value, ast.Name | ast.Tuple) and not outputs
    if nothing or (names and not any(isinstance(one, ast.Call) for one in ast.walk(node))):
        lines[at:] = [head.rstrip("; ")] if head else []
    else:
        lines[at] = head + (f"{', '.join(outputs)} = " if outputs else "") + rest


def _texts(tree: ast.Module) -> set[tuple[int, int]]:
    """The first and last line of every string; the pieces of an f-string all have its own."""
    return {
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    }


def _shifted(lines: list[str], tree: ast.Module, start: int, indent: int) -> list[str]:
    """The lines from `start` on moved left by `indent`, but for the insides of long strings."""
    inside = {number for first, last in _texts(tree) for number in range(first, last)}
    return [
        line if number in inside else line[min(indent, len(line) - len(line.lstrip())) :]
        for number, line in enumerate(lines[start:], start=start)
    ]
