"""What the tests share: parts that may be missing, and a runs folder of their own."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from parts import REQUIRED


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs Java where it is missing; where it is required, missing is a failure."""
    if item.get_closest_marker("java") is None:
        return
    missing = [what for what, there in _java_parts().items() if not there]
    if missing and "java" in REQUIRED:
        pytest.fail(f"required, but missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}")


def _java_parts() -> dict[str, bool]:
    return {
        "Java (apt-get install default-jre-headless)": shutil.which("java") is not None,
        "the extra textworld-express": importlib.util.find_spec("textworld_express") is not None,
    }


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder of the test's own, also for the command line."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("RECODE_RUNS", str(folder))
    return folder
