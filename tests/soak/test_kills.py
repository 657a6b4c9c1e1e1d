"""Thousands of processes of guests killed at random while a host uses them.

The host is a program of its own (`campaign.py`), so that all it has and all it leaves can be seen.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soaking import SUMMARY, WHOLE, share

pytestmark = pytest.mark.soak

CAMPAIGN = Path(__file__).with_name("campaign.py")
SEED = os.environ.get("RECODE_SOAK_SEED") or secrets.token_hex(4)
MOST_SECONDS = 3_600
MOST_GROWTH_KIB = (4_096, 512)


def campaign(folder: Path, kills: int, victims: str) -> dict[str, Any]:
    """What a campaign with its own folder for temporary files has to tell, and has told nobody."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(CAMPAIGN), SEED, str(kills), victims],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, ""), SEED
    told: dict[str, Any] = json.loads(done.stdout)
    SUMMARY.append(summary(victims, told))
    return told


def summary(victims: str, told: dict[str, Any]) -> str:
    """One line for the end of a run."""
    words = dict.fromkeys(("done", "failed", "undone", "lost"), 0)
    for what, count in told["outcomes"].items():
        if not what.startswith("nobody"):
            words[what.rpartition(" ")[2]] += count
    sizes = [sizes for _, sizes in sorted(told["resident_kib"].items(), key=lambda at: int(at[0]))]
    return (
        f"{sum(told['kills'].values()):,} kills, {victims}, seed {told['seed']}, "
        f"{told['seconds']:.0f} s: {words}; sessions {told['sessions']}; slowest request "
        f"{told['slowest']:.2f} s; KiB of host and zygote {sizes[0]} at first, {sizes[-1]} at last"
    )


def share_of(counts: dict[str, int], word: str) -> int:
    """How many of what is counted have that word in their name."""
    return sum(count for name, count in counts.items() if word in name.split())


def test_the_host_survives_every_kill_of_a_guest(tmp_path: Path) -> None:
    """Every request ends in a right outcome, nothing is left over, and nothing grows.

    Right is: done; failed as it must; undone with the session going on; or lost. A call that was
    made is made once, and what was reported as done is there. Only who had already decided can cost
    the session (`outcomes.py`).
    """
    goal = share(10_000, 250)
    told = campaign(tmp_path, goal, "guests")
    assert told["wrong"] == []
    assert told["left"] == {}
    assert sum(told["kills"].values()) >= goal
    assert told["sessions"]["did not open"] <= told["sessions"]["struck before they were in use"]
    for victim in ("opening", "keeper", "worker", "waiting", "running"):
        assert share_of(told["kills"], victim) >= goal / 50
    if WHOLE:
        early, late = told["resident_kib"]["1000"], told["resident_kib"][str(goal)]
        growth = [after - before for before, after in zip(early, late, strict=True)]
        assert all(grown <= most for grown, most in zip(growth, MOST_GROWTH_KIB, strict=True))


def test_the_host_survives_every_kill_of_its_zygote(tmp_path: Path) -> None:
    """Whatever it had forked is lost, it is replaced, and the rest is as above."""
    goal = share(3_000, 100)
    told = campaign(tmp_path, goal, "zygotes")
    assert told["wrong"] == []
    assert told["left"] == {}
    assert sum(told["kills"].values()) >= goal
    assert share_of(told["kills"], "zygote") >= goal / 50
