"""What docs/ci.md shows can be copied: it parses, it names what exists, and it runs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from recode_runtime.linting.settings import Configuration
from recode_runtime.testing import ProgramRefused, assert_program

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
RECODE = str(Path(sys.executable).parent / "recode")


def fences(language: str) -> list[str]:
    """The contents of the fences in that language, in order."""
    return [content for kind, content in FENCES if kind == language]


def commands() -> list[list[str]]:
    """Every `recode` command that a workflow or a job runs, as words."""
    found = []
    for document in map(yaml.safe_load, fences("yaml")):
        for job in (document.get("jobs") or document).values():
            steps = job.get("steps", []) if isinstance(job, dict) else []
            lines = [step["run"] for step in steps if "run" in step]
            lines += job.get("script", []) if isinstance(job, dict) else []
            found += [shlex.split(line) for line in lines if line.startswith("recode ")]
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the settings of the page and one program that is outside the grammar."""
    (tmp_path / "pyproject.toml").write_text(fences("toml")[0], encoding="utf-8")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/kitchen.py").write_text("for i in [1]:\n    tidy_up(i)\n", encoding="utf-8")
    (tmp_path / "setup.py").write_text("def ordinary():\n    pass\n", encoding="utf-8")
    return tmp_path


def test_the_settings_are_settings() -> None:
    """Every key of the example is one that the linter knows."""
    (text,) = fences("toml")
    keys = tomllib.loads(text)["tool"]["recode"]
    assert set(keys) <= set(Configuration.__struct_fields__)


def test_there_are_commands_to_check() -> None:
    """Two workflows of GitHub, one job of GitLab."""
    formats = [words[words.index("--output-format") + 1] for words in commands()]
    assert formats == ["github", "sarif", "gitlab"]


@pytest.mark.parametrize("words", commands(), ids=lambda words: words[3])
def test_a_command_of_a_job_does_what_the_page_says(words: list[str], project: Path) -> None:
    """It ends with 1, says where the error is, and writes the file that is uploaded."""
    done = subprocess.run(
        [RECODE, *words[1:]], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    file = words[words.index("--output-file") + 1] if "--output-file" in words else ""
    told = (project / file).read_text(encoding="utf-8") if file else done.stdout
    assert "RC110" in told
    assert "kitchen.py" in told
    assert "setup.py" not in told
    if file:
        json.loads(told)


def test_what_is_uploaded_is_what_was_written() -> None:
    """The names of the reports agree between the command and the step after it."""
    _, sarif, gitlab = commands()
    uploads = [
        step["with"]["sarif_file"]
        for document in map(yaml.safe_load, fences("yaml"))
        for job in document.get("jobs", {}).values()
        for step in job["steps"]
        if "sarif_file" in step.get("with", {})
    ]
    assert uploads == [sarif[-1]]
    job = yaml.safe_load(fences("yaml")[-1])["recode"]
    assert job["artifacts"]["reports"]["codequality"] == gitlab[-1]


def test_the_pytest_examples_run(pytester: pytest.Pytester) -> None:
    """The tests, with the settings, and the row with the command beside it."""
    pytester.makepyprojecttoml(fences("toml")[0])
    pytester.makepyfile(fences("python")[0])
    words = shlex.split(fences("console")[0])
    rows = pytester.path / words[-1]
    rows.parent.mkdir()
    rows.write_text(fences("json")[0], encoding="utf-8")
    options = ("-p", "no:asyncio", "-p", "no:cacheprovider")
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=2)
    result = pytester.runpytest_subprocess(*options, *words[1:])
    result.assert_outcomes(passed=1)
    listed = pytester.runpytest_subprocess(*options, *words[1:], "--collect-only", "-q")
    listed.stdout.fnmatch_lines(["recorded/kitchen.jsonl::kitchen-3"])


def test_the_failure_is_shown_as_it_is() -> None:
    """Word for word."""
    with pytest.raises(ProgramRefused) as caught:
        assert_program("for item in items:\n    put_away(item)", variables=["items"])
    shown = "\n".join(f"    {line}".rstrip() for line in str(caught.value).split("\n"))
    assert shown in TEXT
