"""What is said below the findings: how many there are, and how many could be mended."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import TextIO

from recode_runtime.linting import codes
from recode_runtime.linting.formats.paint import Paint
from recode_runtime.linting.units import Result
from recode_runtime.policy import Mending
from recode_runtime.wording import visible


def coloured(stream: TextIO) -> bool:
    """Whether colours are wanted there (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def closing(result: Result, repair: Mending) -> str:
    """The last lines of the formats for people."""
    errors, warnings = result.count("error"), result.count("warning")
    fixed = sum(len(report.fixed) for report in result.reports)
    counts = [_some(errors, "error")] if errors or not warnings else []
    counts += [_some(warnings, "warning")] if warnings else []
    made = f"{_some(fixed, 'repair')} made. " if fixed else ""
    programs = sum(report.programs for report in result.reports)
    where = f"{_some(programs, 'program')} in {_some(result.files, 'file')}"
    if not errors and not warnings:
        well = "" if result.problems else "All is well: "
        return f"{made}{well}{where} checked.\n"
    return f"{made}Found {' and '.join(counts)}; {where} checked.\n{_hints(result, repair)}"


def _hints(result: Result, repair: Mending) -> str:
    fixable = [one for one in result.located if one.fixable]
    safe = sum(one.finding.repair == "safe" for one in fixable)
    unsafe = len(fixable) - safe
    lines = []
    if safe:
        lines.append(f"[*] {safe} can be mended by --fix")
    if unsafe and repair != "unsafe":
        lines.append(f"[*] {unsafe} can be mended by --fix --unsafe-fixes")
    unwritten = sum(report.unwritten for report in result.reports)
    if unwritten:
        lines.append(
            f"replies are not rewritten; --diff shows {_some(unwritten, 'repair')} of them"
        )
    return "".join(f"{line}\n" for line in lines)


def would_fix(result: Result) -> str:
    """What stands below a diff, on standard error."""
    fixed = sum(len(report.fixed) for report in result.reports)
    replies = sum(report.unwritten for report in result.reports)
    files = sum(bool(report.fixed) for report in result.reports)
    parts = []
    if fixed:
        parts.append(f"--fix would make {_some(fixed, 'repair')} in {_some(files, 'file')}.")
    if replies:
        parts.append(f"Shown: {_some(replies, 'repair')} of replies, which are not rewritten.")
    return " ".join(parts or ["Nothing would change."]) + "\n"


def harmless(diff: str) -> str:
    """A diff for a terminal, coloured if that is wanted; elsewhere it must stay fit for `patch`."""
    paint = Paint(coloured(sys.stdout))
    kinds = {"+": paint.added, "-": paint.removed, "@": paint.frame}
    lines = (line.removesuffix("\r") for line in diff.removesuffix("\n").split("\n") if diff)
    plain = (visible(line.rstrip("\t").replace("\t", "    ")) for line in lines)
    return "".join(f"{kinds.get(line[:1], str)(line)}\n" for line in plain)


def statistics(result: Result, *, as_json: bool) -> str:
    """How often each code was found, the most frequent first."""
    counts = Counter(one.finding.code for one in result.located)
    mended = Counter(one.finding.code for one in result.located if one.fixable)
    rows = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    known = codes.known()
    if as_json:
        entries = [
            {"code": code, "title": known[code].title, "count": count, "fixable": mended[code]}
            for code, count in rows
        ]
        return json.dumps(entries, indent=2) + "\n"
    wide = len(str(max(counts.values(), default=0)))
    return "".join(
        f"{count:{wide}}  {code}  {'[*]' if mended[code] else '   '}  {known[code].title}\n"
        for code, count in rows
    )


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
