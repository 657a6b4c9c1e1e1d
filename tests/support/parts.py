"""The parts of a machine that must be there: in CI a skip for a missing part is a failure."""

from __future__ import annotations

import os

REQUIRED = {part for part in os.environ.get("RECODE_REQUIRE", "").split(",") if part}
