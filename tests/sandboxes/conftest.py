"""What the tests of the wall share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attackers import Attackers
from recode_runtime.sandboxes import process


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that gives a guest the time of a machine that is busy with other things.

    Statements are ended by the guest itself; the host is there for one that does not.
    """
    monkeypatch.setattr(process, "GRACE_SECONDS", 20.0)


@pytest.fixture
def impatience(patience: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that ends a guest as soon as it may."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)


@pytest.fixture
def attackers(tmp_path: Path) -> Iterator[Attackers]:
    """Guests that break the protocol; none of them is left in the end."""
    started = Attackers(tmp_path)
    yield started
    started.close()
