"""Everything as JSON; ASCII, so that any text in it survives any pipe."""

from __future__ import annotations

import json
from typing import Any

from recode_runtime.linting.units import Located, Result

SCHEMA = "recode.check/1"


def render(result: Result) -> str:
    """`findings`, `problems` and `summary`."""
    value = {
        "schema": SCHEMA,
        "findings": [_finding(one) for one in result.located],
        "problems": [
            {"path": one.path, "line": one.line or None, "message": one.message}
            for one in result.problems
        ],
        "summary": {
            "files": result.files,
            "programs": sum(report.programs for report in result.reports),
            "errors": result.count("error"),
            "warnings": result.count("warning"),
            "fixed": sum(len(report.fixed) for report in result.reports),
        },
    }
    return json.dumps(value, indent=2) + "\n"


def _finding(one: Located) -> dict[str, Any]:
    finding = one.finding
    place = {
        "line": finding.line or None,
        "column": finding.column + 1 if finding.line else None,
        "end_line": finding.end_line or None,
        "end_column": finding.end_column + 1 if finding.end_line else None,
    }
    return {
        "path": one.path,
        "row": one.row or None,
        "text": one.text or "file",
        **place,
        "code": finding.code,
        "level": finding.level,
        "message": finding.message,
        "advice": finding.advice,
        "source_line": one.excerpt,
        "repair": finding.repair or None,
        "edits": [
            {"line": edit.line, "end_line": edit.end, "lines": list(edit.lines)}
            for edit in one.edits
        ],
    }
