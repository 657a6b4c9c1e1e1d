"""Data files are found in a wheel and in a checkout, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from recode_runtime import bundle
from recode_runtime.errors import BundleMissing


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An install somewhere else: a package folder, and what is around it."""
    package = tmp_path / "recode_runtime"
    package.mkdir()
    monkeypatch.setattr(bundle, "_PACKAGE", package)
    return tmp_path


def test_inside_the_package_comes_first(place: Path) -> None:
    """A wheel's own data wins over a folder beside it."""
    inside = place / "recode_runtime" / "_bundle" / "policies"
    inside.mkdir(parents=True)
    (place / "policies").mkdir()
    (place / "pyproject.toml").touch()
    assert bundle.folder("policies") == inside


def test_a_checkout_is_known_by_its_pyproject(place: Path) -> None:
    """Beside the package counts in a checkout."""
    (place / "policies").mkdir()
    (place / "pyproject.toml").touch()
    assert bundle.folder("policies") == place / "policies"


def test_a_strangers_folder_is_never_read(place: Path) -> None:
    """Without pyproject.toml a folder beside the package is somebody else's."""
    (place / "policies").mkdir()
    with pytest.raises(BundleMissing, match="'policies' is missing from this install"):
        bundle.folder("policies")
