"""The hooks for pre-commit: a manifest it accepts, and entries that do what their names say."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))}
BIN = Path(sys.executable).parent


def run_hook(name: str, folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """The hook's entry with the names of files behind it, as pre-commit calls it."""
    program, *words = shlex.split(HOOKS[name]["entry"])
    return subprocess.run(
        [BIN / program, *words, *files], cwd=folder, capture_output=True, text=True, check=False
    )


def pre_commit(*words: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """pre-commit, as it is installed beside us."""
    command = [sys.executable, "-m", "pre_commit", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_pre_commit_accepts_the_manifest(tmp_path: Path) -> None:
    """By its own schema, which knows the types of files too."""
    done = pre_commit("validate-manifest", MANIFEST)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    broken = tmp_path / ".pre-commit-hooks.yaml"
    broken.write_text(MANIFEST.read_text(encoding="utf-8").replace("text", "txt"), encoding="utf-8")
    assert pre_commit("validate-manifest", broken).returncode == 1


def test_pre_commit_accepts_the_example_of_the_docs(tmp_path: Path) -> None:
    """And the hook in it is one of ours."""
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(repos:.*?)^```$", page, re.MULTILINE | re.DOTALL)
    config = tmp_path / ".pre-commit-config.yaml"
    config.write_text(text, encoding="utf-8")
    assert pre_commit("validate-config", config).returncode == 0
    (repo,) = yaml.safe_load(text)["repos"]
    assert [hook["id"] for hook in repo["hooks"]] == ["recode-check"]


def test_both_hooks_take_the_files_that_hold_programs() -> None:
    """Unless a project says otherwise; one process gets all, it uses the cores by itself."""
    assert list(HOOKS) == ["recode-check", "recode-fix"]
    for hook in HOOKS.values():
        names = ["a.py", "a/b.md", "a.markdown", "r.jsonl", "r.ndjson", "a.pyc", "jsonl", "a.json"]
        assert [name for name in names if re.search(hook["files"], name)] == names[:5]
        assert hook["require_serial"] is True
        assert hook["language"] == "python"


def test_the_check_tells_and_changes_nothing(tmp_path: Path) -> None:
    """A failing hook ends with 1, a passing one with 0."""
    plan = tmp_path / "plan.py"
    plan.write_text("findCup()\n", encoding="utf-8")
    done = run_hook("recode-check", tmp_path, "plan.py")
    assert done.returncode == 1
    assert "RC114" in done.stdout
    assert plan.read_text(encoding="utf-8") == "findCup()\n"
    plan.write_text("find_cup()\n", encoding="utf-8")
    assert run_hook("recode-check", tmp_path, "plan.py").returncode == 0


def test_the_fix_mends_what_it_can(tmp_path: Path) -> None:
    """pre-commit sees that the file changed; what is left is told."""
    plan = tmp_path / "plan.py"
    plan.write_text("findCup()\n", encoding="utf-8")
    assert run_hook("recode-fix", tmp_path, "plan.py").returncode == 0
    assert plan.read_text(encoding="utf-8") == "find_cup()\n"
    plan.write_text("findCup()\nfor i in [1]:\n    tidy(i)\n", encoding="utf-8")
    done = run_hook("recode-fix", tmp_path, "plan.py")
    assert (done.returncode, "RC110" in done.stdout) == (1, True)
