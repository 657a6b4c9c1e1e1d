"""The configuration: where it is found, what it says, and what is wrong with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from checked import checked, written
from command_line import RECODE, UNPRIVILEGED, Answer
from recode_runtime.linting.formats import FOR_PEOPLE, FORMATS

PLAN = "obs = go('x')\n"
BAD = "x = lookUp(1)\nfor a in items:\n    put(a)\n"


def concise(folder: Path, *arguments: str | Path) -> list[str]:
    """`path:line code` of each finding."""
    answer = checked(folder, *arguments, "--output-format", "concise", "-q")
    assert answer.err == ""
    rows = (line.split(" ") for line in answer.out.splitlines())
    return [f"{row[0].rsplit(':', 2)[0]} {row[1]}" for row in rows]


def settings(folder: Path, *arguments: str | Path) -> dict[str, str]:
    """What --show-settings shows, by key; `from` is where it was found."""
    lines = checked(folder, "--show-settings", *arguments).out.splitlines()
    shown = dict(line.split(" = ", 1) for line in lines if not line.startswith("#"))
    return shown | {"from": lines[1].removeprefix("# from ")}


def test_the_nearest_configuration_counts(tmp_path: Path) -> None:
    """Of the folders above a file the first with a configuration, and that alone."""
    written(
        tmp_path,
        {
            "recode.toml": 'variables = ["top"]\n',
            "a/pyproject.toml": '[tool.recode]\npolicy = "paper"\n',
            "a/b/pyproject.toml": "[tool.other]\n",
            "a/b/plan.py": PLAN,
            "plan.py": PLAN,
        },
    )
    near = settings(tmp_path, "a/b/plan.py")
    assert near["from"] == str(tmp_path / "a" / "pyproject.toml")
    assert near["policy"] == '"paper"'
    assert "variables" not in near
    assert settings(tmp_path, "plan.py")["variables"] == '["top"]'


def test_recode_toml_goes_before_pyproject(tmp_path: Path) -> None:
    """In the same folder."""
    written(
        tmp_path,
        {
            "recode.toml": 'field = "mine"\n',
            "pyproject.toml": '[tool.recode]\nfield = "other"\n',
            "plan.py": PLAN,
        },
    )
    assert settings(tmp_path, "plan.py")["field"] == '"mine"'


def test_options_replace_keys(tmp_path: Path) -> None:
    """An option of the command line stands for the key of its name."""
    written(
        tmp_path,
        {"recode.toml": 'primitives = ["go"]\nignore = ["RC110"]\n', "plan.py": PLAN},
    )
    shown = settings(tmp_path, "plan.py", "--primitive", "run(a: str)", "--ignore", "RC2,RC114")
    assert shown["primitives"] == '["run(a: str)"]'
    assert shown["ignore"] == '["RC2", "RC114"]'


def test_isolated_and_config(tmp_path: Path) -> None:
    """No configuration, or the one that is named; not both."""
    written(
        tmp_path,
        {
            "recode.toml": 'field = "found"\n',
            "other/mine.toml": 'field = "named"\n',
            "plan.py": PLAN,
        },
    )
    assert settings(tmp_path, "plan.py", "--isolated")["field"] == '"reply"'
    assert settings(tmp_path, "plan.py", "--isolated")["from"] == "no configuration file"
    assert settings(tmp_path, "plan.py", "--config", "other/mine.toml")["field"] == '"named"'
    assert checked(tmp_path, "--isolated", "--config", "x.toml") == Answer(
        2, "", "recode: --config and --isolated exclude each other\n"
    )


def test_primitives_variables_and_outputs_are_the_context_of_a_program(tmp_path: Path) -> None:
    """What may be called, what is bound, what is promised."""
    written(tmp_path, {"plan.py": "put(obs)\nn = go('x')\n"})
    assert concise(tmp_path, "plan.py") == []
    assert concise(tmp_path, "plan.py", "--variable", "other") == ["plan.py:1 RC116"]
    given = ("--primitive", "go(place: str)", "--variable", "obs", "--output", "n,m")
    assert concise(tmp_path, "plan.py", *given) == ["plan.py:1 RC120"]
    written(tmp_path, {"plan.py": "go(1, 2)\n"})
    assert concise(tmp_path, "plan.py", *given[:2])[0].startswith("plan.py:1 RC3")


def test_files_may_have_keys_of_their_own(tmp_path: Path) -> None:
    """`[[files]]`: of the entries that fit, the last one counts for each key."""
    written(
        tmp_path,
        {
            "recode.toml": (
                'ignore = ["RC110"]\n'
                '[[files]]\npattern = "plans/**"\nignore = ["RC114"]\nfield = "a"\n'
                '[[files]]\npattern = ["*_old.py"]\nfield = "b"\n'
            ),
            "plan.py": BAD,
            "plans/deep/x.py": BAD,
            "plans/x_old.py": BAD,
        },
    )
    assert concise(tmp_path, "plan.py", "--variable", "items") == ["plan.py:1 RC114"]
    assert concise(tmp_path, "plans/deep", "--variable", "items") == ["plans/deep/x.py:3 RC110"]
    shown = settings(tmp_path, "plans/x_old.py")
    assert (shown["field"], shown["ignore"]) == ('"b"', '["RC114"]')


def test_a_policy_is_found_from_the_configuration_on(tmp_path: Path) -> None:
    """Its path is relative to the file that names it; that of an option to where we are."""
    written(
        tmp_path,
        {
            "a/recode.toml": 'policy = "soft.toml"\n',
            "a/soft.toml": 'extends = "strict"\n[grammar]\nRC114 = "off"\nRC110 = "warning"\n',
            "a/plan.py": BAD,
        },
    )
    answer = checked(tmp_path, "a", "--output-format", "concise", "-q")
    assert answer.code == 0
    assert answer.out.startswith("a/plan.py:3:5: RC110 warning: the placeholder put stands in")
    assert len(concise(tmp_path, "a", "--policy", "strict")) == 2
    assert concise(tmp_path, "a", "--policy", "a/soft.toml") == ["a/plan.py:3 RC110"]


def test_select_and_ignore_take_codes_and_prefixes(tmp_path: Path) -> None:
    """What is no program stays an error whatever is selected."""
    written(tmp_path, {"plan.py": BAD, "none.py": "x = (\n"})
    assert concise(tmp_path, "plan.py", "--select", "RC114") == ["plan.py:1 RC114"]
    assert concise(tmp_path, "plan.py", "--select", "RC1", "--ignore", "RC114") == [
        "plan.py:3 RC110"
    ]
    assert concise(tmp_path, "plan.py", "--ignore", "RC") == []
    assert concise(tmp_path, "none.py", "--ignore", "RC") == ["none.py:1 RC003"]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("polcy = 'x'", "unknown key polcy; did you mean 'policy'?"),
        ("zzz = 1", "unknown key zzz; known are "),
        (
            "[[files]]\npattern = 'x'\nfeld = 'x'",
            "unknown key [[files]] feld; did you mean 'field'",
        ),
        ("[[files]]\nfield = 'x'", "Object missing required field `pattern` - at `$.files[0]`"),
        ("primitives = 'go'", "Expected `array | null`, got `str` - at `$.primitives`"),
        (
            "policy = 'strct'",
            "there is no policy called 'strct'; shipped are hardened, paper, portable, strict.",
        ),
        ("ignore = ['RC003']", "RC003 is always an error and cannot be ignored"),
        ("select = ['RC1100']", "select: no rule's code begins with 'RC1100'; did you mean RC110?"),
        ("primitives = ['go(']", "primitives: "),
        ("[[files]]\npattern = '*'\nvariables = ['1st']", "variables: '1st' is not a name\n"),
        ("primitives = ['go', 'go(a)']", "primitives: two primitives are called 'go'"),
        ("policy =", "is not TOML: "),
    ],
)
def test_a_wrong_configuration_names_the_file_and_the_key(
    tmp_path: Path, toml: str, message: str
) -> None:
    """Exit code 2, one line, and the key that was meant."""
    written(tmp_path, {"recode.toml": toml, "plan.py": PLAN})
    answer = checked(tmp_path, "plan.py")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {tmp_path}/recode.toml: {message}")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "RC1100"], "the options: select: no rule's code begins with 'RC1100'; did"),
        (["--ignore", "XX"], "the options: ignore: no rule's code begins with 'XX'; see: recode"),
        (["--ignore", "RC005"], "the options: RC005 is always an error and cannot be ignored"),
        (["--policy", "strct"], "there is no policy called 'strct'"),
        (["--primitive", "a b"], "the options: primitives: "),
        (["--variable", "a-b"], "the options: variables: 'a-b' is not a name\n"),
        (
            ["--output", "report.json"],
            "the options: outputs: 'report.json' is not a name; --output-file is where a report",
        ),
        (["--config", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory\n"),
        (["--config", "pyproject.toml"], "pyproject.toml: has no table [tool.recode]"),
        (["--output-format", "srif"], "there is no format 'srif'; did you mean 'sarif'?"),
        (["--statistics", "--output-format", "sarif"], "--statistics are text, or --output-format"),
        (["--unsafe-fixes"], "--unsafe-fixes needs --fix or --diff"),
        (["--diff", "--statistics"], "--diff shows a diff alone: no --statistics, no --output-"),
        (["--diff", "--output-format", "json"], "--diff shows a diff alone: no --statistics"),
        (["--stdin-as", "reply"], "--stdin-as and --stdin-filename are about standard input: give"),
        (["--stdin-filename", "a.py"], "--stdin-as and --stdin-filename are about standard input"),
        (["-", "plan.py"], "standard input is checked alone: give - and nothing else"),
        (["-", "--stdin-as", "pyhton"], "--stdin-as knows no 'pyhton'; did you mean 'python'?"),
    ],
)
def test_wrong_options_are_told_in_a_line(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Exit code 2, nothing on standard output."""
    written(tmp_path, {"plan.py": PLAN, "pyproject.toml": "[tool.other]\n"})
    answer = checked(tmp_path, *(arguments if "-" in arguments else ["plan.py", *arguments]))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {message}")
    assert answer.err.count("\n") == 1


def test_folders_are_searched_for_patterns(tmp_path: Path) -> None:
    """Sorted; hidden folders, caches and the like are left out, unless they are named."""
    names = ["b/x.py", "a.py", ".git/x.py", "venv/x.py", "x.txt", "a.md", "b/old/x.py"]
    written(tmp_path, dict.fromkeys(names, "x = lookUp(1)\n"))
    assert concise(tmp_path) == ["a.py:1 RC114", "b/old/x.py:1 RC114", "b/x.py:1 RC114"]
    assert concise(tmp_path, "venv/x.py") == ["venv/x.py:1 RC114"]
    assert concise(tmp_path, "venv") == ["venv/x.py:1 RC114"]
    assert concise(tmp_path, "b", "a.py", "b/x.py")[1:] == ["b/x.py:1 RC114", "a.py:1 RC114"]
    written(tmp_path, {"recode.toml": 'include = ["b/**/*.py"]\nexclude = ["b/old/"]\n'})
    assert concise(tmp_path) == ["b/x.py:1 RC114"]
    written(tmp_path, {"recode.toml": 'include = ["?.py"]\nexclude = ["old"]\n'})
    assert concise(tmp_path) == ["a.py:1 RC114", "b/x.py:1 RC114"]


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """And is no failure."""
    assert checked(tmp_path) == Answer(
        0,
        "",
        "recode: no files were found; recode check --show-settings says what is looked for\n",
    )


@pytest.mark.parametrize("wanted", [*FORMATS, "statistics"])
def test_where_nothing_is_found_a_report_for_programs_is_empty_but_there(
    tmp_path: Path, wanted: str
) -> None:
    """What uploads or parses it does not fail."""
    options = ["--output-format", wanted]
    if wanted == "statistics":
        options = ["--statistics", "--output-format", "json"]
    answer = checked(tmp_path, *options, "-o", "report")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.startswith("recode: no files were found; ")
    report = tmp_path / "report"
    assert report.exists() == (wanted not in FOR_PEOPLE)
    if wanted == "junit":
        assert list(ElementTree.parse(report).getroot()) == []
    elif wanted == "github":
        assert report.read_text() == ""
    elif report.exists():
        json.loads(report.read_text())


def test_a_folder_that_cannot_be_read_ends_no_search(tmp_path: Path) -> None:
    """It is told, and what stands behind it is checked."""
    written(tmp_path, {"a.py": PLAN, "b/x.py": PLAN, "c.py": PLAN})
    (tmp_path / "b").chmod(0)
    done = subprocess.run(
        [*UNPRIVILEGED, RECODE, "check"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    (tmp_path / "b").chmod(0o700)
    assert (done.returncode, done.stderr) == (2, "recode: b: cannot be read: Permission denied\n")
    assert done.stdout == "2 programs in 2 files checked.\n"


def test_a_working_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    """In a line with what to do."""
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {RECODE} check"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("recode: the working directory is gone; change to one that is there\n")


def test_the_settings_of_a_file_that_is_not_there_are_not_shown(tmp_path: Path) -> None:
    """Those of the folder would be taken for its own."""
    answer = checked(tmp_path, "nowhere.py", "--show-settings")
    assert answer == Answer(2, "", "recode: nowhere.py: there is no such file or folder\n")


def test_a_wrong_code_in_a_policy_is_told_once(tmp_path: Path) -> None:
    """As a wrong setting, however many files are checked by it."""
    written(
        tmp_path,
        {"own.toml": 'extends = "strict"\n[grammar]\nRC2O5 = "off"\n', "a.py": BAD, "b.py": BAD},
    )
    answer = checked(tmp_path, ".", "--policy", "own.toml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("knows no rule RC2O5; did you mean RC205?") == 1
