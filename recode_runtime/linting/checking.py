"""One unit checked: its programs judged, and mended where that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recode_runtime.errors import Finding
from recode_runtime.grammar import Verdict, judge
from recode_runtime.grammar.gate import TEXT_CODES
from recode_runtime.linting import codes, comments
from recode_runtime.linting.declared import primitives_by_name
from recode_runtime.linting.fixing import applied, differences, edits_between, unified
from recode_runtime.linting.pieces import Piece, pieces
from recode_runtime.linting.rows import row_pieces
from recode_runtime.linting.text import Text, Unreadable, read_text
from recode_runtime.linting.units import (
    Edit,
    FileReport,
    Located,
    Problem,
    Unit,
    Work,
)
from recode_runtime.policy import Mending


def check(unit: Unit, work: Work) -> FileReport:
    """What there is to say about one file, or some of its rows.

    Raises:
        OSError: a mended file could not be written. All that is wrong with the file itself is in
            the report.
    """
    try:
        content = Path(unit.path).read_bytes() if unit.content is None else unit.content
        if unit.kind == "jsonl":
            return _check_rows(unit, content, work)
        text = read_text(content, python=unit.kind == "python")
    except (OSError, Unreadable) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        return FileReport(unit.path, problems=(Problem(unit.path, f"cannot be read: {why}"),))
    return _check_text(unit, text, work)


def _check_rows(unit: Unit, content: bytes, work: Work) -> FileReport:
    located: list[Located] = []
    problems: list[Problem] = []
    mended: list[_Mended] = []
    programs = 0
    for piece in row_pieces(unit, content):
        if isinstance(piece, Problem):
            problems.append(piece)
            continue
        programs += 1
        judged = _Judged(piece)
        located += judged.located(unit.path, work)
        if work.repair != "none" and not work.edits:
            mended.append(judged.mended(work.repair))
    return FileReport(
        unit.path,
        tuple(located),
        tuple(problems),
        programs,
        diff="".join(_row_diff(unit.path, one) for one in mended) if work.diff else "",
        unwritten=sum(len(one.codes) for one in mended),
    )


def _row_diff(path: str, one: _Mended) -> str:
    row = one.piece.row
    before, after = one.piece.source.split("\n"), one.source.split("\n")
    return unified(f"{path}:{row}" if row else path, before, after)


def _check_text(unit: Unit, text: Text, work: Work) -> FileReport:
    """A file that is text; after repairs the findings are those of the mended file."""
    judged = _judged(unit, text)
    report = FileReport(unit.path, programs=len(judged))
    if work.repair == "none" or work.edits:
        return replace(report, located=_all(judged, unit, work, text))
    mended = [one.mended(work.repair) for one in judged]
    edits = [edit for one in mended for edit in one.edits]
    after = replace(text, lines=applied(text.lines, edits)) if edits else text
    report = replace(
        report,
        fixed=tuple(code for one in mended if one.piece.fixable for code in one.codes),
        unwritten=sum(len(one.codes) for one in mended if not one.piece.fixable),
    )
    if work.diff:
        shown = differences(unit.path, text, after) if edits else ""
        shown += "".join(_row_diff(unit.path, one) for one in mended if not one.piece.fixable)
        return replace(report, located=_all(judged, unit, work, text), diff=shown)
    if unit.content is not None:
        report = replace(report, text=after.encoded)
    elif edits:
        after.write(Path(unit.path))
    judged = _judged(unit, after) if edits else judged
    return replace(report, located=_all(judged, unit, work, after))


def _judged(unit: Unit, text: Text) -> list[_Judged]:
    return [_Judged(piece) for piece in pieces(unit.kind, text.decoded, unit.context)]


def _all(judged: Iterable[_Judged], unit: Unit, work: Work, text: Text) -> tuple[Located, ...]:
    return tuple(one for each in judged for one in each.located(unit.path, work, text.plain))


@dataclass(frozen=True, slots=True)
class _Mended:
    """A program after its repairs; `codes` are theirs, one a repair."""

    piece: Piece
    source: str
    codes: tuple[str, ...]

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What they change in the file."""
        if not (self.piece.fixable and self.codes):
            return ()
        return edits_between(self.piece, self.source)


class _Judged:
    """One program with what the grammar and its comments say of it."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._off = piece.context.off
        self._directives = comments.read_directives(piece.source) if piece.human else []
        if piece.refused or self._skipped():
            self._all: tuple[Finding, ...] = piece.refused
        else:
            self._all = self._verdict().findings
        if any(one.code in TEXT_CODES for one in self._all):
            # No rule has looked at it, so no comment can be called idle.
            self._off = frozenset(codes.known())
        self.findings = comments.applied(self._all, self._directives, self._off)

    def _skipped(self) -> bool:
        """Whether a comment asks that the whole program is not looked at."""
        bare = [one for one in self._directives if one.wanted is None and one.top]
        whole = [one for one in bare if one.word == "ignore-file"]
        for one in whole:
            one.used.add("")
        return bool(whole)

    def _verdict(self, repair: Mending = "none", off: Iterable[str] = ()) -> Verdict:
        context = self._piece.context
        return judge(
            self._piece.source,
            policy=codes.without(context.policy, frozenset(off)),
            primitives=primitives_by_name(context.primitives),
            variables=context.variables,
            outputs=context.outputs,
            repair=repair,
            thorough=True,
        )

    def located(self, path: str, work: Work, lines: list[str] | None = None) -> Iterator[Located]:
        """The findings at their places."""
        edits: tuple[Edit, ...] = ()
        if work.edits and self._piece.fixable and any(one.repair for one in self.findings):
            edits = self.mended("safe" if work.repair == "none" else work.repair).edits
        for finding in self.findings:
            wanted = finding.repair == "safe" or (work.repair == "unsafe" and finding.repair)
            yield Located(
                path,
                self._piece.placed(finding),
                self._excerpt(finding, lines),
                self._piece.row,
                self._piece.text,
                bool(finding.repair) and self._piece.fixable,
                edits if wanted else (),
            )

    def _excerpt(self, finding: Finding, lines: list[str] | None) -> str:
        """The line of the file; or of the program, where the file holds it in another form."""
        placed = self._piece.placed(finding).line
        if lines is not None and not self._piece.text:
            return _line(lines, placed)
        margins = self._piece.margins[finding.line - 1 : finding.line] if finding.line else ()
        return "".join(margins) + _line(self._piece.source.split("\n"), finding.line)

    def mended(self, repair: Mending) -> _Mended:
        """The program after all repairs but those of what a comment ignores."""
        if not any(one.repair for one in self.findings):
            return _Mended(self._piece, self._piece.source, ())
        hidden = {one.code for one in self._all} - {one.code for one in self.findings}
        hidden |= {code for one in self._directives for code in one.used if code}
        if hidden & codes.fixed():
            return _Mended(self._piece, self._piece.source, ())
        verdict = self._verdict(repair, hidden)
        made = tuple(one.code for one in verdict.repairs)
        source, tidied = self._tidied(verdict.source)
        return _Mended(self._piece, source, made + tidied)

    def _tidied(self, source: str) -> tuple[str, tuple[str, ...]]:
        """The program without comments that ignore nothing, now that it is mended."""
        if not any(one.code == codes.UNUSED_IGNORE for one in self.findings):
            return source, ()
        if source == self._piece.source:
            after = comments.tidied(source, self._directives, self._off)
        else:
            again = _Judged(replace(self._piece, source=source))
            after = comments.tidied(source, again._directives, again._off)
        return after, (codes.UNUSED_IGNORE,) if after != source else ()


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""
