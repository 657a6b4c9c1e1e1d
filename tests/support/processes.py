"""What the tests ask about processes: children, descriptors, memory, threads, control groups."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

SOON_SECONDS = 60.0  # of a machine that is busy with other things


def name_of(pid: int) -> str:
    """What the kernel calls a process; nothing if there is none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """The processes that `pid` has started from any of its threads and that still run."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [child for child in found if is_running(child)]


def is_running(pid: int) -> bool:
    """Whether the process exists and is not merely waiting to be reaped."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_there(pid: int) -> bool:
    """Whether the process exists, if only to be reaped."""
    return Path(f"/proc/{pid}").exists()


def processes_of_session(leader: int) -> list[int]:
    """The processes, those to be reaped included, of the session that `leader` leads."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == leader:
                    found.append(int(entry.name))
    return found


def keepers(zygote: int) -> list[int]:
    """The keepers of its sessions, of those that have a worker already."""
    return [one for one in children(zygote) if children(one) and one in processes_of_session(one)]


def descriptors_open() -> int:
    """How many files, pipes and sockets this process has open, garbage apart."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def begin_peak() -> None:
    """From now on `peak_bytes` counts."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """The most memory that this process has had at once since `begin_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split(None, 1)[0]) * 1024


def other_threads() -> list[str]:
    """The threads of this process, without the event loop's own for `to_thread`."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if not name.startswith("asyncio_")]


async def soon(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true, while the event loop runs."""
    deadline = time.monotonic() + SOON_SECONDS
    while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110  (of other processes)
        await asyncio.sleep(0.005)
    return condition()


def soon_without_loop(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true."""
    return asyncio.run(soon(condition))


def groups_of(zygote: int) -> list[Path]:
    """The control groups that a zygote has made and that are still there."""
    folders = os.walk("/sys/fs/cgroup")  # which passes over what is removed meanwhile
    prefix = f"recode-{zygote}-"
    return [Path(at, name) for at, names, _ in folders for name in names if name.startswith(prefix)]
