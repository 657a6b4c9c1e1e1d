"""The wheel works in an empty environment outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from parts import REQUIRED

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout as a release would be."""
    folder = tmp_path_factory.mktemp("wheel")
    _done(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), at=CHECKOUT)
    return next(folder.glob("*.whl"))


def _done(*command: str, at: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=at, env=kept | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_two_packages_and_its_data_inside(wheel: Path) -> None:
    """No import name of ours is `sandbox`, `policies` or `containers`."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "recode_runtime",
        "recode_guest",
    }
    assert "recode_runtime/_bundle/policies/strict.toml" in names
    assert "recode_runtime/schemas/tree-1.json" in names
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
