"""Programs and replies checked in other people's tests, with failures that read like a diff.

`assert_program` is for one text in one test; the pytest plugin builds its fixture and its tests of
whole JSONL files on it. Nothing is run.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recode_runtime.embedding import Report, check
from recode_runtime.errors import Finding
from recode_runtime.grammar import judge
from recode_runtime.linting.rows import row_pieces
from recode_runtime.linting.units import Context, Problem, Unit
from recode_runtime.policy import Policy
from recode_runtime.wording import visible

_CONTEXT = 3  # lines round a finding, as in a unified diff
_LINE_CHARACTERS = 120


class ProgramRefused(AssertionError):
    """A text is not what its test says it is; the message is all that there is to read."""


def assert_program(
    code: str,
    *,
    policy: Policy | str | Path = "strict",
    primitives: Collection[str] = ("run",),
    variables: Collection[str] | None = None,
    outputs: Sequence[str] = (),
    repaired: str | None = None,
    warnings: bool = False,
) -> Report:
    """The report on a program, or a reply, that is inside the grammar as it stands.

    Args:
        code: the text, verbatim; `textwrap.dedent` is for texts that are indented with the test.
        policy: as for `recode_runtime.check`.
        primitives: what the program may call.
        variables: the names that are bound before it; None if that is not known.
        outputs: the names that it has promised to bind.
        repaired: what a run would make of the text, by the repairs of the policy, before it runs
            it. Given, the text may be in need of repair; line ends at its two ends do not count.
        warnings: whether a warning fails too. A run is not stopped by one.

    Raises:
        AssertionError: it is not; the message shows the findings at their lines, what to use
            instead, and what the safe repairs would make of the text.
        PolicyError: the policy is wrong.
    """
    __tracebackhide__ = True
    policy = Policy.of(policy)
    setting = Setting(policy, primitives, variables, outputs)
    as_it_stands = policy.but(repair={"apply": "none"})
    report = setting.report(code, as_it_stands if repaired is None else policy)
    return setting.demand(report, repaired, warnings=warnings)


def assert_row(row: bytes, context: Context, number: int = 1) -> Report:
    """The report on the reply in a row of a JSONL file, if a run would take it.

    A run makes the repairs of its policy first. A row with the field `program` says what comes out
    of that; `number` is the row's line in its file.

    Raises:
        AssertionError: a run would ask the model again, the program is another one than the row
            says, or the row cannot be used.
        PolicyError: the policy is wrong.
    """
    piece = next(row_pieces(Unit("", "jsonl", context, first_line=number), row))
    if isinstance(piece, Problem):
        raise ProgramRefused(piece.message)
    own = piece.context
    setting = Setting(own.policy, own.primitives, own.variables, own.outputs)
    refused = Report(piece.source, None, piece.refused)
    report = refused if piece.refused else setting.report(piece.source)
    return setting.demand(report, _expected(row) if own.row_context else None, warnings=False)


def _expected(row: bytes) -> str | None:
    program = json.loads(row).get("program")
    if not isinstance(program, str | None):
        raise ProgramRefused("the field 'program' is not text; it says what the reply becomes")
    return program


@dataclass(frozen=True, slots=True)
class Setting:
    """What texts are judged by."""

    policy: Policy
    primitives: Collection[str] = ("run",)
    variables: Collection[str] | None = None
    outputs: Sequence[str] = ()

    def report(self, text: str, policy: Policy | None = None) -> Report:
        """What `check` says of a text: as a run would, with its repairs."""
        return check(
            text,
            policy=policy or self.policy,
            primitives=self.primitives,
            variables=self.variables,
            outputs=self.outputs,
        )

    def demand(self, report: Report, repaired: str | None, *, warnings: bool) -> Report:
        """The report, if it says what it should.

        Raises:
            ProgramRefused: a finding counts, or the program is another than `repaired`.
        """
        __tracebackhide__ = True
        counting = [one for one in report.findings if warnings or one.level == "error"]
        if counting or not report.ok:
            raise ProgramRefused(self._refusal(report))
        if repaired is not None and report.source.strip("\n") != repaired.strip("\n"):
            raise ProgramRefused(_difference(report.source, repaired))
        return report

    def _refusal(self, report: Report) -> str:
        what = "has warnings" if report.ok else "is outside the grammar"
        codes = ", ".join(dict.fromkeys(finding.code for finding in report.findings))
        head = f"{codes}: the program {what} (policy {self.policy.name})"
        return "\n".join(
            [head, "", *_annotated(report.source, report.findings), "", *self._offer(report)]
        )

    def _offer(self, report: Report) -> list[str]:
        """What the repairs would make of it, as a diff, or that there is none."""
        diff = list(_diff(report.source, self._mended(report.source), "as it is", "repaired"))
        head = (
            ["the safe repairs would make of it:", *diff] if diff else ["no safe repair is known"]
        )
        unsafe = sum(finding.repair == "unsafe" for finding in report.findings)
        return [*head, f"unsafe repairs are known for {unsafe} of the findings"] if unsafe else head

    def _mended(self, source: str) -> str:
        """The source after all safe repairs, also if they leave something to do."""
        reading = self.report(source, self.policy.but(repair={"apply": "safe"}))
        verdict = judge(
            reading.source,
            policy=self.policy,
            primitives=self.primitives,
            variables=self.variables,
            outputs=self.outputs,
            repair="safe",
            thorough=True,
        )
        return verdict.source


def _difference(source: str, repaired: str) -> str:
    diff = _diff(repaired.strip("\n"), source.strip("\n"), "expected", "what would run")
    return "\n".join(["the program is not the expected one", "", *diff])


def _diff(before: str, after: str, old: str, new: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), old, new, lineterm="")
    return map(_shown, lines)


def _shown(line: str) -> str:
    """A line of an untrusted text: what does not print is written out, what is long is cut."""
    cut = len(line) - _LINE_CHARACTERS
    return visible(line) if cut <= 0 else f"{visible(line[:_LINE_CHARACTERS])} [+{cut} characters]"


def _annotated(source: str, findings: Sequence[Finding]) -> list[str]:
    """The lines of a text near its findings, each finding under its line.

    A marked line begins with `>`. Findings about the text as a whole come first.
    """
    lines = source.rstrip("\n").split("\n")
    placed = [one for one in findings if 0 < one.line <= len(lines)]
    told = [text for one in findings if one not in placed for text in _told(one, "")]
    last = 0
    for number in _near(placed, len(lines)):
        if number != last + 1:
            told.append("  ...")
        last = number
        here = [finding for finding in placed if finding.line == number]
        told += _line(number, lines[number - 1], here)
    return [*told, "  ..."] if 0 < last < len(lines) else told


def _near(findings: Sequence[Finding], count: int) -> list[int]:
    """The numbers of the lines to show."""
    near = {
        number
        for finding in findings
        for number in range(finding.line - _CONTEXT, finding.line + _CONTEXT + 1)
    }
    return sorted(number for number in near if 0 < number <= count)


def _line(number: int, line: str, findings: Sequence[Finding]) -> list[str]:
    told = [f"{'>' if findings else ' '} {number:>4} | {_shown(line)}".rstrip()]
    for finding in findings:
        told.append(f"       | {' ' * _width(line, finding.column)}{_carets(line, finding)}")
        told += _told(finding, "       | ")
    return told


def _told(finding: Finding, margin: str) -> list[str]:
    kind = "" if finding.level == "error" else f" ({finding.level})"
    told = [f"{margin}{finding.code}{kind} {_shown(finding.message)}"]
    advice = f"{margin}use instead: {_shown(finding.advice)}"
    return [*told, advice] if finding.advice else told


def _carets(line: str, finding: Finding) -> str:
    ends_here = finding.end_line == finding.line
    end = finding.end_column if ends_here else len(line.rstrip())
    shown = min(end, _LINE_CHARACTERS) - min(finding.column, _LINE_CHARACTERS)
    return "^" * max(shown, 1)


def _width(line: str, column: int) -> int:
    """How wide the text before a place is when it is shown."""
    return len(visible(line[: min(column, _LINE_CHARACTERS)]))
