"""One line a finding: `plans/tea.py:3:5: RC110 [*] the placeholder pour stands in a loop`."""

from __future__ import annotations

from recode_runtime.linting.formats.paint import Paint
from recode_runtime.linting.units import Located, Result
from recode_runtime.wording import visible


def render(result: Result, *, colour: bool) -> str:
    """All findings, in the order of the files."""
    paint = Paint(colour)
    return "".join(f"{_line(one, paint)}\n" for one in result.located)


def _line(one: Located, paint: Paint) -> str:
    place = f"{paint.path(visible(one.path))}:{one.line}:{one.column}:"
    return f"{place} {head(one, paint)}"


def head(one: Located, paint: Paint) -> str:
    """Code, mark and message; a warning and a place inside a row are told in words."""
    finding = one.finding
    mark = f" {paint.mark('[*]')}" if one.fixable else ""
    level = "warning: " if finding.level == "warning" else ""
    return (
        f"{paint.code(finding.code, finding.level)}{mark} "
        f"{level}{visible(finding.message)}{one.within}"
    )
