"""`recode check` and `recode rules` as users meet them: real processes, whole outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from checked import called, written
from command_line import RECODE, Answer, recode
from recode_runtime.grammar import pages


def in_folder(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run `recode` there; exit code, standard output, standard error."""
    done = subprocess.run(
        [RECODE, *arguments], cwd=folder, input=stdin, capture_output=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "examples"),
    [
        (
            "check",
            [
                "    recode check plans --primitive 'go(place: str)' --variable obs\n",
                "    recode check replies.jsonl --field choices.0.message.content --statistics\n",
            ],
        ),
        ("rules", ["    recode rules RC110\n", "    recode rules --output-format json\n"]),
    ],
)
def test_the_help_teaches_by_example(command: str, examples: list[str]) -> None:
    """Examples stand on lines of their own, ready to be copied."""
    answer = recode(command, "--help")
    assert (answer.code, answer.err) == (0, "")
    for example in examples:
        assert example in answer.out


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["check", "--help"], ["libcst", "rich", "markdown_it", "recode_runtime.grammar"]),
        (["check", "plan.py"], ["rich", "markdown_it", "openai", "structlog"]),
        (["rules", "RC110"], ["rich", "markdown_it", "openai", "recode_runtime.supervisor"]),
    ],
)
def test_only_what_is_needed_is_loaded(
    tmp_path: Path, arguments: list[str], heavy: list[str]
) -> None:
    """So that an editor or a hook that calls it often does not wait."""
    written(tmp_path, {"plan.py": "x = run('a')\n"})
    code = (
        "import sys, atexit; from recode_runtime.cli import main\n"
        f"atexit.register(lambda: print(sorted(set({heavy!r}) & set(sys.modules))))\n"
        f"sys.argv = ['recode', *{arguments!r}]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_hostile_names_and_contents_are_shown_harmless(tmp_path: Path) -> None:
    """Names that are no UTF-8, or that would speak to the terminal or to CI."""
    name = b"a\x1b[31m\n::error::\xff,%.py"
    (tmp_path / name.decode("utf-8", "surrogateescape")).write_text("x = lookUp(1)\n")
    shown = rb"a\x1b[31m\n::error::\udcff,%.py"
    code, out, err = in_folder(tmp_path, "check", "--output-format", "concise", "-q")
    assert (code, err) == (1, b"")
    assert out == shown + b":1:5: RC114 [*] the placeholder name lookUp is not snake_case\n"
    code, out, err = in_folder(tmp_path, "check", "--output-format", "github")
    assert out.startswith(
        rb"::error file=a\x1b[31m\n%3A%3Aerror%3A%3A\udcff%2C%25.py,line=1,col=5,endLine=1,"
    )
    assert out.count(b"\n") == 1
    code, out, err = in_folder(tmp_path, "check", "--output-format", "sarif")
    artifact = json.loads(out)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert artifact["artifactLocation"]["uri"] == "a%1B%5B31m%0A%3A%3Aerror%3A%3A%FF%2C%25.py"
    code, out, err = in_folder(tmp_path, "check", "--fix")
    assert code == 0
    assert [path.read_text() for path in tmp_path.iterdir()] == ["x = look_up(1)\n"]


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    """`recode check | head` ends in silence."""
    written(tmp_path, {"plan.py": "x = lookUp(1)\n" * 200})
    done = subprocess.run(
        ["/bin/sh", "-c", f"{RECODE} check plan.py --select RC114 | head -n 1"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "RC114 [*] the placeholder name lookUp is not snake_case\n"
    assert done.stderr == ""


def test_the_rules_are_listed() -> None:
    """One line a code, in order, with title, level and repair."""
    answer = recode("rules")
    assert (answer.code, answer.err) == (0, "")
    lines = [line.split() for line in answer.out.splitlines()]
    assert [line[0] for line in lines] == [one.code for one in pages.all_codes()]
    assert lines[0] == ["RC001", "no", "program", "in", "the", "reply", "error", "safe"]
    assert ["RC310", "comment", "that", "ignores", "nothing", "warning", "safe"] in lines


@pytest.mark.parametrize("code", ["RC110", "rc310", "RC003"])
def test_a_page_is_printed(tmp_path: Path, code: str) -> None:
    """The page of the documentation, as it is."""
    assert called(tmp_path, "rules", code) == Answer(0, pages.page(code.upper()), "")


def test_the_beginning_of_codes_lists_those(tmp_path: Path) -> None:
    """In a table as that of all, or as a list of objects."""
    wanted = [one.code for one in pages.all_codes() if one.code.startswith("RC2")]
    shown = called(tmp_path, "rules", "rc2").out.splitlines()
    assert [line.split()[0] for line in shown] == wanted
    listed = json.loads(called(tmp_path, "rules", "RC2", "--output-format", "json").out)
    assert [one["code"] for one in listed] == wanted


def test_rules_as_json(tmp_path: Path) -> None:
    """All that is known, for other tools."""
    listed = json.loads(called(tmp_path, "rules", "--output-format", "json").out)
    assert [one["code"] for one in listed] == [one.code for one in pages.all_codes()]
    one = json.loads(called(tmp_path, "rules", "RC310", "--output-format", "json").out)
    assert one == {
        "code": "RC310",
        "title": "comment that ignores nothing",
        "level": "warning",
        "repair": "safe",
        "page": pages.page("RC310"),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RC1100"], "there is no rule 'RC1100'; did you mean RC110?"),
        (["RC9"], "there is no rule 'RC9'; see: recode rules"),
        (["loop"], "there is no rule 'loop'; see: recode rules"),
        (["--output-format", "xml"], "the rules are listed as text or json, not 'xml'"),
    ],
)
def test_wrong_usage_of_rules(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Exit code 2 and one line."""
    assert called(tmp_path, "rules", *arguments) == Answer(2, "", f"recode: {message}\n")
