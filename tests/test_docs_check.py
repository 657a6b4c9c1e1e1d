"""Every example of docs/check.md does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from recode_runtime.linting.settings import Configuration

PAGE = (Path(__file__).parent.parent / "docs" / "check.md").read_text(encoding="utf-8")
FILES = re.findall(r"^(`{3,})\w+ file=(\S+)\n(.*?)^\1$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = re.findall(r"^    \$ (.*)\n((?:    .*\n|\n(?=    ))*)", PAGE, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the page; its settings under a name that is not found."""
    for _, name, content in FILES:
        path = tmp_path / name.replace("recode.toml", "settings.toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


def test_the_page_has_its_examples() -> None:
    """The patterns above find them."""
    assert [name for _, name, _ in FILES] == [
        "plans/tea.py",
        "notes.md",
        "replies.jsonl",
        "recode.toml",
    ]
    assert len(EXAMPLES) == 7


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[one for one, _ in EXAMPLES])
def test_a_command_prints_what_the_page_shows(command: str, shown: str, folder: Path) -> None:
    """Line for line, run by a shell."""
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": f"{binaries}:/usr/bin:/bin"},
    )
    lines = [line.removeprefix("    ") for line in shown.rstrip("\n").split("\n")]
    assert done.stdout.rstrip("\n").split("\n") == lines


def test_the_settings_of_the_page_are_all_there_are(folder: Path) -> None:
    """Every key is shown, and the file is right."""
    tables = tomllib.loads((folder / "settings.toml").read_text())
    assert set(tables) == set(Configuration.__struct_fields__)
    command = [
        Path(sys.executable).parent / "recode",
        "check",
        "--config",
        "settings.toml",
        "plans",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 1
