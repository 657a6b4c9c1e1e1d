"""SARIF 2.1.0, which code scanning services and editors read (OASIS, sarif-v2.1.0)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from recode_runtime import __version__
from recode_runtime.grammar import pages
from recode_runtime.linting import codes
from recode_runtime.linting.formats.fingerprints import fingerprints
from recode_runtime.linting.units import Edit, Located, Problem, Result

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def render(result: Result) -> str:
    """One run; its rules are those that have findings."""
    used = sorted({one.finding.code for one in result.located})
    numbers = {code: number for number, code in enumerate(used)}
    run = {
        "tool": {
            "driver": {
                "name": "recode",
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"uri": Path.cwd().as_uri() + "/"}},
        "invocations": [_invocation(result)],
        "results": [
            _result(one, mark, numbers[one.finding.code])
            for one, mark in fingerprints(result.located)
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    line = codes.known()[code]
    page = pages.page(code)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in line.title.replace("-", " ").split()),
        "shortDescription": {"text": line.title},
        "help": {"text": page, "markdown": page},
        # No helpUri: it must be absolute (3.49.12), and the page is all here.
        "properties": {"page": f"docs/rules/{code}.md"},
        "defaultConfiguration": {"level": "warning" if line.level == "warning" else "error"},
    }


def _invocation(result: Result) -> dict[str, Any]:
    notes = [
        {
            "level": "error",
            "message": {"text": one.message},
            "locations": [{"physicalLocation": _file(one)}],
        }
        for one in result.problems
    ]
    return {"executionSuccessful": not notes, "toolExecutionNotifications": notes}


def _file(one: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(one.path)}
    return place | ({"region": {"startLine": one.line}} if one.line else {})


def _result(one: Located, mark: str, rule: int) -> dict[str, Any]:
    finding = one.finding
    advice = f". {finding.advice[:1].upper()}{finding.advice[1:]}." if finding.advice else ""
    entry: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": f"{finding.message}{one.within}{advice}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": _artifact(one.path), "region": _region(one)}}
        ],
        "partialFingerprints": {"recode/v1": mark},
    }
    return entry | ({"fixes": [_fix(one.path, one.edits)]} if one.edits else {})


def _region(one: Located) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": one.line}
    if not one.text and one.finding.line:
        region["startColumn"] = one.column
    if one.end:
        region["endLine"], region["endColumn"] = one.end
    return region


def _artifact(path: str) -> dict[str, str]:
    uri = quote(os.fsencode(path))
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": "ROOT"}


def _fix(path: str, edits: tuple[Edit, ...]) -> dict[str, Any]:
    return {
        "description": {"text": "Mend this program by all its repairs"},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(path),
                "replacements": [_replacement(edit) for edit in edits],
            }
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    """Whole lines with their ends; a region ends before the first column of the line behind it."""
    region = {"startLine": edit.line, "startColumn": 1, "endLine": edit.end, "endColumn": 1}
    text = "".join(f"{line}\n" for line in edit.lines)
    return {"deletedRegion": region, "insertedContent": {"text": text}}
