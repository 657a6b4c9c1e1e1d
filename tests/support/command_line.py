"""The installed `recode` command, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

RECODE = str(Path(sys.executable).parent / "recode")
# Before a command: for root every file is readable and writable, unless it gives that up.
UNPRIVILEGED = ("setpriv", "--bounding-set", "-all", "--") if os.geteuid() == 0 else ()


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def recode(*arguments: str | Path) -> Answer:
    """Run `recode` with these arguments to its end."""
    done = subprocess.run(
        [RECODE, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)
