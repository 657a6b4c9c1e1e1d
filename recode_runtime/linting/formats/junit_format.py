"""JUnit XML: a suite a file, a case a finding; a clean file is one case that passes."""

from __future__ import annotations

from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from recode_runtime.linting.units import Located, Problem, Result
from recode_runtime.wording import visible


def render(result: Result) -> str:
    """The document; warnings pass, with their text as output."""
    located = {path: list(some) for path, some in groupby(result.located, lambda one: one.path)}
    problems: dict[str, list[Problem]] = {}
    for one in result.problems:
        problems.setdefault(one.path, []).append(one)
    paths = list(dict.fromkeys([report.path for report in result.reports] + [*problems]))
    suites = [_suite(path, located.get(path, []), problems.get(path, [])) for path in paths]
    cases = sum(max(1, len(located.get(p, [])) + len(problems.get(p, []))) for p in paths)
    failures = result.count("error")
    head = f'tests="{cases}" failures="{failures}" errors="{len(result.problems)}"'
    body = "".join(suites)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="recode" {head}>\n{body}</testsuites>\n'
    )


def _suite(path: str, located: list[Located], problems: list[Problem]) -> str:
    cases = [_case(one) for one in located] + [_error(one) for one in problems]
    cases = cases or [f"    <testcase name={_quoted('recode')} classname={_quoted(path)}/>\n"]
    failures = sum(one.finding.level == "error" for one in located)
    head = f'tests="{len(cases)}" failures="{failures}" errors="{len(problems)}" skipped="0"'
    return f"  <testsuite name={_quoted(path)} {head}>\n{''.join(cases)}  </testsuite>\n"


def _case(one: Located) -> str:
    finding = one.finding
    place = f"{one.path}:{one.line}:{one.column}{one.within}"
    text = escape(visible(f"{place}: {finding.message}"))
    body = (
        f"<failure type={_quoted(finding.code)} message={_quoted(finding.message)}>{text}</failure>"
        if finding.level == "error"
        else f"<system-out>{escape(finding.code)} {text}</system-out>"
    )
    name = _quoted(f"{finding.code} at {one.line}:{one.column}{one.within}")
    return f"    <testcase name={name} classname={_quoted(one.path)}>{body}</testcase>\n"


def _error(one: Problem) -> str:
    body = f'<error type="unreadable" message={_quoted(one.message)}/>'
    name = _quoted(f"line {one.line}" if one.line else "file")
    return f"    <testcase name={name} classname={_quoted(one.path)}>{body}</testcase>\n"


def _quoted(text: str) -> str:
    return quoteattr(visible(text))
