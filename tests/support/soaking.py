"""What a session's processes are doing at one moment, as the kernel tells it, and how much to soak.

The processes of a session form a chain, each the parent of the next: the keeper, the worker, and
behind a checkpoint the side that runs the statement, for which the worker waits.
"""

from __future__ import annotations

import os
import platform
from collections import Counter
from pathlib import Path

from processes import children
from system_calls import kept

WHOLE = os.environ.get("RECODE_SOAK") == "whole"
# Of this run: a line for each campaign, and how many single moments had which outcome.
SUMMARY: list[str] = []
MOMENTS: Counter[str] = Counter()

# Of the system calls the names of those that a guest may make.
CALLS = {row.number: row.name for row in kept() if row.machine == platform.machine()}


def share(whole: int, slice_: int) -> int:
    """`whole` of something in the whole campaign, else `slice_` of it."""
    return whole if WHOLE else slice_


def chain(keeper: int) -> list[int]:
    """The living processes of a session, from the keeper to the one that runs."""
    found = [keeper]
    while below := _children(found[-1]):
        found.append(below[-1])
    return found


def role(pid: int, keeper: int) -> str:
    """What a process of the session with that keeper is; "opening" of one that has none yet."""
    if keeper in (0, pid):
        return "keeper" if keeper else "opening"
    if _children(pid):
        return "waiting"
    return "worker" if parent_of(pid) == keeper else "running"


def newest_child(parent: int) -> int:
    """The process that `parent` has started last and that still lives; 0 if there is none."""
    return max(_children(parent), key=_started_at, default=0)


def parent_of(pid: int) -> int:
    """The parent's process id; 0 if the process is gone."""
    return int(_stat(pid)[1])


def leads_a_session(pid: int) -> bool:
    """Whether the process has a session of the kernel's of its own, as a keeper soon has."""
    return int(_stat(pid)[3]) == pid


def state(pid: int) -> str:
    """`R` running, `S` waiting for something, `T` stopped, `Z` dead, `X` gone."""
    return _stat(pid)[0]


def is_gone(pid: int) -> bool:
    """Whether the process has ended."""
    return state(pid) in "XZ"


def doing(pid: int) -> str:
    """The system call in which the process is: empty if it is in none, or nobody may know."""
    try:
        number = Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except (OSError, IndexError):
        return ""
    return CALLS.get(int(number), f"call {number}") if number.isdigit() else ""


def resident_kib(pid: int) -> int:
    """The memory that the process has resident; none if it is dead."""
    return _status_kib(pid, "VmRSS")


def reserved_kib(pid: int) -> int:
    """The address space that it has, which is what the limit of a session counts."""
    return _status_kib(pid, "VmSize")


def _children(pid: int) -> list[int]:
    try:
        return children(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []


def _status_kib(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int((status.partition(f"{name}:")[2].split() or ["0"])[0])


def _started_at(pid: int) -> int:
    return int(_stat(pid)[19])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; those of nobody if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X", *["0"] * 30]
