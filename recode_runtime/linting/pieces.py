"""A file cut into its programs, each with the way from its lines back to those of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.linting.units import Context, Kind
from recode_runtime.reply import read_reply

_LINE_END = re.compile(r"\r\n|\r|\n")
OFF = "no-recode"
_MOST_PLACED = 1_000  # lines; looking for more could take long, and the gate refuses fewer


@dataclass(frozen=True, slots=True)
class Piece:
    """One program, or the finding that tells why a reply holds none.

    Line n of the program is line `first + n - 1` of the file (of the reply, in a `row` of JSONL),
    and the file has `margins[n - 1]` to the left of it. With `first` 0 the program is nowhere in
    the file as it stands. What is said of the program as a whole is said at the line `head`, if
    there is one. `fixable` says that its lines may be replaced in the file; `human` that
    a person wrote it, whose comments may switch rules off.
    """

    source: str
    context: Context
    first: int = 1
    head: int = 0
    margins: tuple[str, ...] = ()
    row: int = 0
    fixable: bool = True
    human: bool = True
    refused: tuple[Finding, ...] = ()

    @property
    def text(self) -> Literal["", "reply", "program"]:
        """Whose lines those of a finding are: the file's, or else which text's."""
        if not self.first:
            return "program"
        return "reply" if self.row else ""

    def placed(self, finding: Finding) -> Finding:
        """The finding with its place in the file or the reply; as it is if there is none."""
        if not finding.line:
            return replace(finding, line=self.head)
        if not self.first:
            return finding
        ends = finding.end_line > 0
        return replace(
            finding,
            line=finding.line + self.first - 1,
            column=finding.column + self._margin(finding.line),
            end_line=finding.end_line + self.first - 1 if ends else 0,
            end_column=finding.end_column + self._margin(finding.end_line) if ends else 0,
        )

    def _margin(self, line: int) -> int:
        return len(self.margins[line - 1]) if line <= len(self.margins) else 0


def pieces(kind: Kind, text: str, context: Context) -> Iterator[Piece]:
    """The programs in a text, for all kinds but JSONL (`rows` has those)."""
    match kind:
        case "python":
            yield Piece(text.replace("\r\n", "\n"), context)
        case "markdown":
            yield from _fences(text, context)
        case _:
            yield of_reply(text, context)


def of_reply(text: str, context: Context, row: int = 0) -> Piece:
    """The program in a model's whole reply."""
    try:
        read = read_reply(
            text,
            context.outputs,
            repair=context.policy.repair.apply,
            variables=context.variables,
        )
    except ReplyUnreadable as unreadable:
        return Piece("", context, row=row, fixable=False, human=False, refused=unreadable.findings)
    first, margins = _place(_LINE_END.split(text), read.source.split("\n"))
    return Piece(
        read.source,
        context,
        first,
        margins=margins,
        row=row,
        fixable=False,
        human=False,
    )


def _place(reply: list[str], program: list[str]) -> tuple[int, tuple[str, ...]]:
    """Where the lines of a program stand in the reply it was read from; 0 if they do not."""
    if len(program) > _MOST_PLACED:
        return 0, ()
    wanted = [line.strip() for line in program]
    have = [line.strip() for line in reply]
    heads = (at for at, line in enumerate(have) if line.endswith(wanted[0]))
    for at in heads:
        if _stands(have[at : at + len(wanted)], wanted):
            lines = zip(reply[at:], program, strict=False)
            return at + 1, tuple(_margin(raw, line) for raw, line in lines)
    return 0, ()


def _stands(have: list[str], wanted: list[str]) -> bool:
    """Whether lines are those of a program; tags may stand before its first and after its last."""
    if len(have) != len(wanted):
        return False
    inner = have[1:-1] == wanted[1:-1]
    return inner and (len(wanted) == 1 or have[-1].startswith(wanted[-1]))


def _margin(raw: str, line: str) -> str:
    at = raw.find(line.strip())
    return raw[: max(0, at - (len(line) - len(line.lstrip())))]


def _fences(text: str, context: Context) -> Iterator[Piece]:
    """The Python fences of a Markdown text, as CommonMark sees them."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark")
    reader.core.ruler.enableOnly(["normalize", "block"])
    lines = _LINE_END.split(text)
    for token in reader.parse(text):
        if token.type == "fence" and token.map and _is_python(token.info):
            source = token.content.removesuffix("\n")
            first = token.map[0] + 1
            raw = lines[first : first + source.count("\n") + 1]
            yield _fence(source, raw, first + 1, context)


def _is_python(info: str) -> bool:
    words = re.split(r"[\s{},.]+", info.lower().strip("{}. "))
    return words[0] in ("python", "python3", "py") and OFF not in words


def _fence(source: str, raw: list[str], first: int, context: Context) -> Piece:
    wanted = source.split("\n")
    if len(raw) == len(wanted):
        pairs = list(zip(raw, wanted, strict=True))
        exact = all(line.endswith(own) for line, own in pairs)
        margins = tuple(line[: max(0, len(line) - len(own))] for line, own in pairs)
        return Piece(source, context, first, first - 1, margins, fixable=exact)
    return Piece(source, context, first, first - 1, fixable=False)  # it ends with the file
