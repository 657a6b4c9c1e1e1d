"""What is shipped is whole, needs nothing else, and works outside the checkout."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from parts import REQUIRED

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in the source distribution, built from the checkout as a release would be."""
    folder = tmp_path_factory.mktemp("sdist")
    _build("sdist", folder, at=CHECKOUT)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        # Early releases of Python 3.11 know no filter, and 3.12 warns where none is named.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution alone."""
    folder = tmp_path_factory.mktemp("wheel")
    _build("wheel", folder, at=sdist)
    return next(folder.glob("*.whl"))


def _build(target: str, folder: Path, *, at: Path) -> None:
    _done(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder), at=at)


def _done(*command: str, at: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=at, env=kept | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_sdist_has_all_that_its_tests_and_its_verbs_need(sdist: Path) -> None:
    """Nothing else either: no caches, no environments."""
    assert sorted(path.name for path in sdist.iterdir()) == [
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "README.md",
        "benchmarks",
        "docs",
        "policies",
        "pyproject.toml",
        "recode_runtime",
        "sandbox",
        "tests",
        "tools",
    ]
    for folder in (".ci", "benchmarks", "docs", "policies", "sandbox", "tests", "tools"):
        assert _files(sdist / folder) == _files(CHECKOUT / folder)
    assert not list(sdist.rglob("__pycache__"))


def _files(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def test_the_wheel_has_two_packages_and_its_data_inside(wheel: Path) -> None:
    """No import name of ours is `sandbox` or `policies`."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "recode_runtime",
        "recode_guest",
    }
    assert "recode_runtime/_bundle/policies/strict.toml" in names
    assert "recode_runtime/schemas/tree-1.json" in names
    assert "recode_runtime/audit/corpus/import.jsonl" in names
    for file in ("seccomp.toml", "seccomp-x86_64.bpf", "seccomp-aarch64.bpf"):
        assert f"recode_guest/{file}" in names
    assert "recode_runtime/py.typed" in names


@pytest.mark.slow
def test_recode_run_works_from_the_wheel_in_an_empty_venv(wheel: Path, tmp_path: Path) -> None:
    """Installed elsewhere, away from the checkout, the main job runs."""
    venv = tmp_path / "venv"
    _done(sys.executable, "-m", "venv", str(venv), at=tmp_path)
    python = str(venv / "bin" / "python")
    try:
        _done(python, "-m", "pip", "install", "--quiet", str(wheel), at=tmp_path)
    except AssertionError as problem:
        if "distribution" in REQUIRED:
            raise
        pytest.skip(f"the dependencies cannot be installed here: {str(problem)[-200:]}")
    recode = str(venv / "bin" / "recode")
    arguments = ["run", "--env", "crafting", "--seed", "1", "--depth", "2", "--model", "expert"]
    out = _done(recode, *arguments, at=tmp_path, RECODE_RUNS=str(tmp_path / "runs"))
    assert "score" in out
    where = _done(
        python, "-c", "import recode_runtime; print(recode_runtime.__file__)", at=tmp_path
    )
    assert where.startswith(str(venv))


def test_the_guest_needs_only_python_and_restrictedpython() -> None:
    """Whatever else it imported would have to be behind the wall too."""
    imported = {
        name.split(".")[0]
        for path in (CHECKOUT / "sandbox" / "recode_guest").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    assert {"json", "recode_guest"} < imported
    assert imported - sys.stdlib_module_names == {"RestrictedPython", "recode_guest"}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "." * node.level]
    return []


def test_ci_says_what_is_missing_where_it_cannot_install_it(tmp_path: Path) -> None:
    """Without apt-get, or without root, the names of the packages are told; nothing is tried."""
    for tool in ("bash", "dirname", "id"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    done = subprocess.run(
        [tmp_path / "bash", CHECKOUT / ".ci" / "run"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stdout) == (2, "")
    told = re.fullmatch(
        r"Missing here: (.*) \(names of Debian packages\)\.\n"
        r"Run this as root on Debian or Ubuntu, or install them first\.\n",
        done.stderr,
    )
    assert told is not None, done.stderr
    commands = {"make", "patch", "default-jre-headless", "util-linux", "python3"}
    assert set(told[1].split()) - {"libseccomp2"} == {*commands, "python3-venv"}


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("source", ["pyproject.toml", "Makefile", "tools/setup.sh"])
def test_what_sets_the_environment_up_makes_it_anew(source: str, tmp_path: Path) -> None:
    """An environment is as good as new until one of its sources changes."""
    (tmp_path / ".ready").touch()
    plan = ["make", "--dry-run", f"VENV={tmp_path}", "demo"]
    assert "tools/setup.sh" not in _done(*plan, at=CHECKOUT)
    assert "tools/setup.sh" in _done(*plan, f"--what-if={source}", at=CHECKOUT)
