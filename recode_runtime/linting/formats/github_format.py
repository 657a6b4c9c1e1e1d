"""Workflow commands, which GitHub Actions shows beside the lines of a pull request."""

from __future__ import annotations

from recode_runtime.linting.units import Located, Problem, Result
from recode_runtime.wording import visible


def render(result: Result) -> str:
    """One command a finding or problem."""
    lines = [_problem(one) for one in result.problems] + [_finding(one) for one in result.located]
    return "".join(f"{line}\n" for line in lines)


def _problem(one: Problem) -> str:
    where = f"file={_property(one.path)},line={one.line or 1},title=recode"
    return f"::error {where}::{_data(one.message)}"


def _finding(one: Located) -> str:
    finding = one.finding
    places: dict[str, object] = {"file": _property(one.path), "line": one.line, "col": one.column}
    if one.end:
        # GitHub refuses columns of a finding that goes over several lines.
        places |= {"endLine": one.end[0]}
        if one.end[0] == one.line:
            places |= {"endColumn": one.end[1]}
        else:
            del places["col"]
    places["title"] = _property(f"recode ({finding.code})")
    where = ",".join(f"{name}={value}" for name, value in places.items())
    message = f"{one.path}:{one.line}:{one.column}: {finding.code} {finding.message}{one.within}"
    return f"::{finding.level} {where}::{_data(message)}"


def _data(text: str) -> str:
    # `printable` has escaped what ends a line; a percent sign would begin one of GitHub's escapes.
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
