"""The values between the stages of the linter: a unit of work, a located finding, a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from recode_runtime.errors import Finding, RecodeError
from recode_runtime.policy import Mending, Policy

Kind = Literal["python", "markdown", "jsonl", "reply"]


class WrongSettings(RecodeError):
    """An option or a configuration file is wrong; the message names what is known."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a program is judged by: the settings of one file, resolved.

    `off` are the codes that were deselected; the rules among them are off in `policy` already.
    `field` and `row_context` matter for JSONL alone.
    """

    policy: Policy
    primitives: tuple[str, ...]
    variables: tuple[str, ...] | None
    outputs: tuple[str, ...]
    field: str
    row_context: bool
    off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Work:
    """What is done besides finding: which repairs, whether they are written, shown, or listed."""

    repair: Mending = "none"
    diff: bool = False
    edits: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """One file, or some rows of one, with all that is needed to check it in another process.

    `path` is the name that is shown. With `content` nothing is read from `path`, and nothing
    written; `first_line` is the line of the file on which the content begins.
    """

    path: str
    kind: Kind
    context: Context
    content: bytes | None = None
    first_line: int = 1
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of a file to be replaced: from `line` (from 1) up to and without `end`."""

    line: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """A finding at its place in a file.

    Lines and columns of `finding` are those of the file; or of the reply in the `row` of a JSONL
    file, or of the program that was made of a reply, and then `text` says so. `excerpt` is the line
    in which it begins. `edits` mend the whole program by all the repairs that were asked for, and
    are given only where `Work.edits` asks for them.
    """

    path: str
    finding: Finding
    excerpt: str = ""
    row: int = 0
    text: Literal["", "reply", "program"] = ""
    fixable: bool = False
    edits: tuple[Edit, ...] = ()

    @property
    def line(self) -> int:
        """The line of the file, from 1."""
        return self.row or (1 if self.text else self.finding.line) or 1

    @property
    def column(self) -> int:
        """The column in that line, from 1; 1 for a row and for a program as a whole."""
        return 1 if self.text or not self.finding.line else self.finding.column + 1

    @property
    def end(self) -> tuple[int, int] | None:
        """The line and column just behind it, from 1, where they are known in the file."""
        finding = self.finding
        known = finding.end_line and not self.text
        return (finding.end_line, finding.end_column + 1) if known else None

    @property
    def within(self) -> str:
        """Where in a reply or its program it is, in words in brackets; else empty."""
        known = self.text and self.finding.line
        return f" (line {self.finding.line} of the {self.text})" if known else ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file, or a row of it, could not be checked, and what to do."""

    path: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one unit.

    `programs` were judged; `fixed` has the code of each repair that was made, or with `Work.diff`
    would be; `diff` is a unified diff; `text` is the mended content of a unit that brought its own;
    `unwritten` counts repairs of replies, which are never written.
    """

    path: str
    located: tuple[Located, ...] = ()
    problems: tuple[Problem, ...] = ()
    programs: int = 0
    fixed: tuple[str, ...] = ()
    diff: str = ""
    text: bytes | None = None
    unwritten: int = 0


@dataclass(frozen=True)
class Result:
    """All reports, in the order of the files."""

    reports: Sequence[FileReport]

    @cached_property
    def located(self) -> list[Located]:
        """All findings."""
        return [one for report in self.reports for one in report.located]

    @cached_property
    def problems(self) -> list[Problem]:
        """What could not be checked; rows of one file with the same fault are one problem."""
        met: dict[tuple[str, str], list[int]] = {}
        for report in self.reports:
            for one in report.problems:
                met.setdefault((one.path, one.message), []).append(one.line)
        return [_together(path, message, lines) for (path, message), lines in met.items()]

    def count(self, level: str) -> int:
        """How many findings have this level."""
        return sum(one.finding.level == level for one in self.located)

    @cached_property
    def files(self) -> int:
        """How many files could be read."""
        unread = {one.path for one in self.problems if not one.line}
        return len({report.path for report in self.reports} - unread)


def _together(path: str, message: str, lines: list[int]) -> Problem:
    more = len(lines) - 1
    also = f" (and {more} more row{'s' * (more > 1)})" if more else ""
    return Problem(path, message + also, lines[0])
