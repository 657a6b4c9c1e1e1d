"""The output formats: exact texts, and hostile ones."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from checked import checked, written
from recode_runtime.errors import Finding
from recode_runtime.grammar import pages
from recode_runtime.grammar.rules.placeholder_in_loop import PlaceholderInLoop
from recode_runtime.linting.formats import FORMATS
from recode_runtime.linting.formats import written as formatted
from recode_runtime.linting.units import FileReport, Located, Problem, Result

PLAN = "y = 1\nfor a in [y]:\n\tput(a, '\u65e5\u672c', lookUp(1))\n"
HOSTILE = "\x1b[31m\x00\x9b2J::error::x%0A\r\n]]><&\"'\u202e\ud800\ufffe\u2028,:"
FILE = HOSTILE.replace("\ud800", "\udcff")  # as Python writes a byte that is not UTF-8
DATA = Path(__file__).parent.parent / "data"


def output(folder: Path, wanted: str) -> str:
    """What is printed of a file with a loop, a bad name and a warning."""
    written(folder, {"plan.py": "x = lookUp(1)\ny = 1  # recode: ignore\n"})
    return checked(folder, "plan.py", "--output-format", wanted).out


def hostile_result() -> Result:
    """A result in which every text comes from someone who means harm."""
    finding = Finding("RC114", HOSTILE, 3, 1, HOSTILE, "error", 3, 9, "safe")
    row = Located(FILE, finding, f"\t{HOSTILE}", row=7, text="reply")
    located = (Located(FILE, finding, f"\t{HOSTILE}"), row)
    return Result([FileReport(FILE, located, (Problem(FILE, HOSTILE, 2),), 1)])


def test_full_shows_the_line_and_underlines(tmp_path: Path) -> None:
    """Tabs and wide characters do not shift the underline."""
    written(tmp_path, {"plan.py": PLAN})
    answer = checked(tmp_path, "plan.py", "--select", "RC110")
    assert answer.code == 1
    first, second, _ = answer.out.split("\n\n")
    assert first.splitlines() == [
        "RC110 the placeholder put stands in a loop",
        " --> plan.py:3:2",
        "  |",
        "3 |     put(a, '\u65e5\u672c', lookUp(1))",
        "  |     ^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  |",
        f"  = help: {PlaceholderInLoop.advice}",
    ]
    assert second.splitlines()[1] == " --> plan.py:3:15"
    assert second.splitlines()[4] == "  |                    ^^^^^^^^^"
    assert answer.out.endswith("\n\nFound 2 errors; 1 program in 1 file checked.\n")


def test_a_long_line_is_cut_round_the_finding(tmp_path: Path) -> None:
    """What is shown is never wider than a screen, and what is wrong is in it."""
    written(tmp_path, {"plan.py": f"y = '{'a' * 5_000}' + lookUp('{'b' * 5_000}')\n"})
    lines = checked(tmp_path, "plan.py", "-q", "--select", "RC114").out.splitlines()
    assert lines[3] == "1 | ..." + "a" * 36 + "' + lookUp('" + "b" * 62 + "..."
    assert lines[4] == "  | " + " " * 43 + "^" * 70


def test_concise_is_a_line_each(tmp_path: Path) -> None:
    """Place, code, whether it can be mended, message; a summary with what to do."""
    assert output(tmp_path, "concise") == (
        "plan.py:1:5: RC114 [*] the placeholder name lookUp is not snake_case\n"
        "plan.py:2:8: RC310 [*] warning: there is nothing to ignore here\n"
        "Found 1 error and 1 warning; 1 program in 1 file checked.\n"
        "[*] 2 can be mended by --fix\n"
    )


def test_json_has_everything(tmp_path: Path) -> None:
    """Places, advice, repairs as edits of lines, problems, counts."""
    value = json.loads(output(tmp_path, "json"))
    assert value["schema"] == "recode.check/1"
    assert value["summary"] == {
        "files": 1, "programs": 1, "errors": 1, "warnings": 1, "fixed": 0,
    }  # fmt: skip
    assert value["problems"] == []
    first = value["findings"][0]
    assert first.pop("edits") == [{"line": 1, "end_line": 3, "lines": ["x = look_up(1)", "y = 1"]}]
    assert first.pop("advice")
    assert first == {
        "path": "plan.py", "row": None, "text": "file",
        "line": 1, "column": 5, "end_line": 1, "end_column": 14,
        "code": "RC114", "level": "error",
        "message": "the placeholder name lookUp is not snake_case",
        "source_line": "x = lookUp(1)", "repair": "safe",
    }  # fmt: skip


def test_github_commands(tmp_path: Path) -> None:
    """One workflow command a finding."""
    assert output(tmp_path, "github") == (
        "::error file=plan.py,line=1,col=5,endLine=1,endColumn=14,title=recode (RC114)"
        "::plan.py:1:5: RC114 the placeholder name lookUp is not snake_case\n"
        "::warning file=plan.py,line=2,col=8,endLine=2,endColumn=24,title=recode (RC310)"
        "::plan.py:2:8: RC310 there is nothing to ignore here\n"
    )


def test_github_commands_cannot_be_forged() -> None:
    """Whatever a text holds, each line is one command of ours."""
    text = formatted(hostile_result(), "github")
    assert [line[:8] for line in text.splitlines()] == ["::error "] * 3
    assert text.isascii()
    place = re.match(r"::error file=([^,:]*),line=2,title=recode::", text)
    assert place
    assert "%3A%3Aerror%3A%3Ax%250A\\r\\n" in place[1]


def test_gitlab_report(tmp_path: Path) -> None:
    """The fields that GitLab documents, and a fingerprint that outlives a move."""
    entries = json.loads(output(tmp_path, "gitlab"))
    mark = entries[0].pop("fingerprint")
    assert entries[0] == {
        "description": "RC114: the placeholder name lookUp is not snake_case",
        "check_name": "RC114",
        "severity": "major",
        "location": {"path": "plan.py", "lines": {"begin": 1, "end": 1}},
    }
    assert entries[1]["severity"] == "minor"
    written(tmp_path, {"plan.py": "z = 1\nx = lookUp(1)\nx = lookUp(1)\n"})
    moved = json.loads(checked(tmp_path, "plan.py", "--output-format", "gitlab").out)
    assert moved[0]["fingerprint"] == mark
    assert moved[1]["fingerprint"] != mark


def test_junit_suites(tmp_path: Path) -> None:
    """A suite a file; errors fail, warnings pass; a clean file is a case too."""
    written(tmp_path, {"b.py": "x = 1\n"})
    output(tmp_path, "junit")
    text = checked(tmp_path, "--output-format", "junit").out
    root = ET.fromstring(text)  # what our own tests wrote
    assert (root.tag, root.attrib) == (
        "testsuites", {"name": "recode", "tests": "3", "failures": "1", "errors": "0"},
    )  # fmt: skip
    clean, found = root
    assert [case.attrib for case in clean] == [{"name": "recode", "classname": "b.py"}]
    assert found.attrib == {
        "name": "plan.py", "tests": "2", "failures": "1", "errors": "0", "skipped": "0",
    }  # fmt: skip
    assert found[0][0].attrib == {
        "type": "RC114", "message": "the placeholder name lookUp is not snake_case",
    }  # fmt: skip
    assert (found[1][0].tag, found[1][0].text) == (
        "system-out", "RC310 plan.py:2:8: there is nothing to ignore here",
    )  # fmt: skip


def test_junit_is_xml_whatever_is_in_it() -> None:
    """Characters that XML cannot hold come out as escapes."""
    root = ET.fromstring(formatted(hostile_result(), "junit"))
    assert root.attrib["errors"] == "1"
    assert [case[0].tag for case in root[0]] == ["failure", "failure", "error"]
    assert "\\x1b[31m\\x00\\x9b2J" in root[0][0][0].attrib["message"]


@pytest.mark.parametrize("wanted", FORMATS)
def test_no_format_lets_a_control_character_through(wanted: str) -> None:
    """Neither escapes of a terminal nor marks that turn text round reach the screen."""
    text = formatted(hostile_result(), wanted)
    assert [char for char in text if not (char.isprintable() or char == "\n")] == []


@pytest.mark.parametrize("wanted", ["full", "concise"])
def test_colours_change_nothing_else(wanted: str) -> None:
    """Without them the text is the same, and there are some."""
    plain = formatted(hostile_result(), wanted)
    coloured = formatted(hostile_result(), wanted, colour=True)
    assert coloured != plain
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def sarif(text: str) -> dict[str, Any]:
    """The log, if it is one by the official schema."""
    schema = json.loads((DATA / "sarif-2.1.0.json").read_text())
    Draft7Validator.check_schema(schema)
    log = json.loads(text)
    Draft7Validator(schema).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_sarif_fits_the_schema(tmp_path: Path) -> None:
    """With rules, their pages, places, and what mends a finding."""
    run = sarif(output(tmp_path, "sarif"))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["RC114", "RC310"]
    assert rules[0]["help"]["markdown"] == pages.page("RC114")
    assert rules[0]["properties"] == {"page": "docs/rules/RC114.md"}
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("RC114", 0, "error")
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "plan.py", "uriBaseId": "ROOT"},
                "region": {"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 14},
            }
        }
    ]
    assert second["level"] == "warning"
    assert first["fixes"][0]["artifactChanges"][0]["replacements"] == [
        {
            "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 3, "endColumn": 1},
            "insertedContent": {"text": "x = look_up(1)\ny = 1\n"},
        }
    ]


def test_sarif_tells_what_could_not_be_checked(tmp_path: Path) -> None:
    """As a notification, and the run was no success."""
    written(tmp_path, {"a b%.py": "x = 1\0", "c.jsonl": "nothing\n"})
    run = sarif(checked(tmp_path, ".", "--output-format", "sarif").out)
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    places = [note["locations"][0] for note in invocation["toolExecutionNotifications"]]
    assert places[0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b%25.py"
    assert places[1]["physicalLocation"]["region"] == {"startLine": 1}


def test_sarif_of_hostile_texts_fits_the_schema() -> None:
    """No text breaks out of its place."""
    run = sarif(formatted(hostile_result(), "sarif"))
    assert run["results"][0]["message"]["text"].startswith(HOSTILE)
    assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}


def test_the_schema_is_strict() -> None:
    """The check of it above can fail."""
    schema = json.loads((DATA / "sarif-2.1.0.json").read_text())
    log = json.loads(formatted(hostile_result(), "sarif"))
    log["runs"][0]["results"][0]["levl"] = "error"
    log["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert len(list(Draft7Validator(schema).iter_errors(log))) == 2


def test_statistics_count_codes(tmp_path: Path) -> None:
    """The most frequent first, as text or JSON."""
    written(tmp_path, {"a.py": "x = lookUp(1)\ny = findIt(x)\n", "b.py": "x = (\n"})
    text = checked(tmp_path, "--statistics").out
    assert text == ("2  RC114  [*]  placeholder name not snake_case\n1  RC003       not Python\n")
    listed = json.loads(checked(tmp_path, "--statistics", "--output-format", "json").out)
    assert listed[0] == {
        "code": "RC114", "title": "placeholder name not snake_case", "count": 2, "fixable": 2,
    }  # fmt: skip
    assert checked(tmp_path, "--statistics", "--select", "RC110", "a.py").out == ""


def test_the_output_may_go_to_a_file(tmp_path: Path) -> None:
    """And the exit code is the same."""
    written(tmp_path, {"plan.py": "x = lookUp(1)\n"})
    answer = checked(tmp_path, "plan.py", "--output-format", "sarif", "-o", "out.sarif")
    assert (answer.code, answer.out) == (1, "")
    assert sarif((tmp_path / "out.sarif").read_text())["results"]
    answer = checked(tmp_path, "plan.py", "-o", "nowhere/out.txt")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == ("recode: nowhere/out.txt: cannot be written: No such file or directory\n")


@pytest.mark.parametrize(("most", "code"), [("0", 1), ("1", 0), ("2", 0)])
def test_warnings_fail_where_there_are_too_many(tmp_path: Path, most: str, code: int) -> None:
    """Else they are shown and the exit code is 0."""
    written(tmp_path, {"plan.py": "y = 1  # recode: ignore\n"})
    assert checked(tmp_path, "plan.py").code == 0
    assert checked(tmp_path, "plan.py", "--max-warnings", most).code == code
