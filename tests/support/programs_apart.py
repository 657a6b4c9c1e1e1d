"""Programs that change their process for good, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).parent.parent.parent
_SECONDS = 120.0
_TELL = "\nprint(json.dumps(result))"


def result_apart(program: str) -> Any:
    """What a program leaves in `result`."""
    boot = f"import json, sys; sys.path[:0] = {[str(_CHECKOUT / 'sandbox')]!r}\n"
    done = subprocess.run(
        [sys.executable, "-B", "-c", boot + textwrap.dedent(program) + _TELL],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)
