"""Every Python block of the README runs as it stands, and its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TREE = """\
solve(instruction, observation) done
  water = heat() done
    water = boil(0.5) done
  obs = pour(water, 'the pot') done
"""
PRINTED = [TREE, "line 2: RC110 ", "4\nstopped after 5 s of its own time\n"]


def test_there_are_as_many_blocks_as_expectations() -> None:
    """A new block needs a line here."""
    assert len(BLOCKS) == len(PRINTED)


@pytest.mark.parametrize(("block", "printed"), [*zip(BLOCKS, PRINTED, strict=True)])
def test_a_block_runs_and_prints(block: str, printed: str, tmp_path: Path) -> None:
    """As a script of its own, away from the checkout."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(printed)


def test_the_library_example_is_under_15_lines() -> None:
    """Two functions, a task, a model, a run, a walk."""
    lines = [line for line in BLOCKS[0].split("\n") if line.strip()]
    assert len(lines) < 15


def test_the_tree_is_what_the_command_prints(runs: Path) -> None:
    """Line for line; the lines that name the run, the time and the folder are left out."""
    shown = re.search(r"^    \$ recode (.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert shown
    command, *lines, left_out = [line.removeprefix("    ") for line in shown[1].split("\n")]
    assert left_out == "..."
    recode = Path(sys.executable).parent / "recode"
    done = subprocess.run([recode, *command.split()], capture_output=True, text=True, timeout=60)
    printed = done.stdout.split("\n")
    head = next(at for at, line in enumerate(printed) if line.startswith("╭"))
    assert lines[:head] == printed[:head]
    for line in lines[head + 1 :]:
        assert line.rstrip(" │") in done.stdout


def test_the_verbs_are_those_of_the_makefile() -> None:
    """No command in the README that is not there."""
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    for verb in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{verb}:", makefile, re.MULTILINE)
