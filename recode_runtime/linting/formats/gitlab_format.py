"""A code quality report, which GitLab shows in a merge request."""

from __future__ import annotations

import json

from recode_runtime.linting.formats.fingerprints import fingerprints
from recode_runtime.linting.units import Located, Result
from recode_runtime.wording import visible

_SEVERITIES = {"error": "major", "warning": "minor"}


def render(result: Result) -> str:
    """A JSON list with one object a finding; a file that cannot be read is a `blocker`."""
    entries = [_entry(one, mark) for one, mark in fingerprints(result.located)]
    entries += [
        {
            "description": visible(one.message),
            "check_name": "recode",
            "fingerprint": f"unreadable:{visible(one.path)}:{one.line}",
            "severity": "blocker",
            "location": {"path": visible(one.path), "lines": {"begin": one.line or 1}},
        }
        for one in result.problems
    ]
    return json.dumps(entries, indent=2) + "\n"


def _entry(one: Located, mark: str) -> dict[str, object]:
    finding = one.finding
    end = one.end[0] if one.end else one.line
    return {
        "description": f"{finding.code}: {visible(finding.message)}{one.within}",
        "check_name": finding.code,
        "fingerprint": mark,
        "severity": _SEVERITIES[finding.level],
        "location": {"path": visible(one.path), "lines": {"begin": one.line, "end": end}},
    }
