"""The parts of a machine that must be there: in CI a skip for a missing part is a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = {part for part in os.environ.get("RECODE_REQUIRE", "").split(",") if part}


def skip_without(part: str, need: str) -> NoReturn:
    """Skip the test that asks, because a part of the machine is missing, unless it is required."""
    if part in REQUIRED:
        pytest.fail(f"required, but missing: {need}")
    pytest.skip(f"needs {need}")
