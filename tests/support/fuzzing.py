"""How many inputs a fuzzing test tries: a slice by default, the whole campaign by `make fuzz`."""

from __future__ import annotations

import os

WHOLE = os.environ.get("RECODE_FUZZ") == "whole"
SLICES = 100


def examples(slice_: int) -> int:
    """`slice_` inputs, or a hundred times as many in the whole campaign."""
    return slice_ * SLICES if WHOLE else slice_
