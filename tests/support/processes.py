"""What the tests ask about processes: children, descriptors, threads."""

from __future__ import annotations

import threading
from pathlib import Path


def children(pid: int) -> list[int]:
    """The processes that `pid` has started from any of its threads and that still run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [child for child in found if is_running(child)]


def is_running(pid: int) -> bool:
    """Whether the process exists and is not merely waiting to be reaped."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def descriptors_open() -> int:
    """How many files, pipes and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def other_threads() -> list[str]:
    """The threads of this process, without the event loop's own for `to_thread`."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if not name.startswith("asyncio_")]
