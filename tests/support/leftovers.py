"""What is there before a campaign, and must be there and nothing else after it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

GROUPS = "/sys/fs/cgroup"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What the host and its zygote hold, and what stands in their names.

    Args:
        processes: the children of both by name, those included that are dead and not reaped.
        descriptors: of both, by what they lead to; of the zygote only if this process may know.
        groups: the control groups of sessions.
        mounts: what is mounted where the host can see it.
        files: the temporary files of the host.
    """

    processes: list[str]
    descriptors: list[list[str]]
    groups: list[str]
    mounts: list[str]
    files: list[str]


def leftovers(zygotes: Collection[int]) -> Leftovers:
    """What there is now; `zygotes` are all that there have been."""
    living = [pid for pid in (os.getpid(), *zygotes) if Path(f"/proc/{pid}/fd").exists()]
    return Leftovers(
        processes=sorted(_name(child) for one in living for child in children(one)),
        descriptors=[_descriptors(one) for one in living if os.access(f"/proc/{one}/fd", os.R_OK)],
        groups=sorted(group for group in _groups() if int(group.split("-")[-2]) in zygotes),
        mounts=Path("/proc/self/mounts").read_text().splitlines(),
        files=sorted(path.name for path in Path(tempfile.gettempdir()).iterdir()),
    )


def children(pid: int) -> list[int]:
    """The processes of which that one is the parent, those included that are dead."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it is gone
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _name(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it is gone
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _groups() -> list[str]:
    """The control groups of sessions; the second last part of a name is the zygote's process id."""
    return [
        f"{folder}/{name}"
        for folder, names, _ in os.walk(GROUPS)  # which does not mind that one goes
        for name in names
        if name.startswith("recode-")
    ]


def _descriptors(pid: int) -> list[str]:
    """What they lead to, without the numbers of sockets, pipes and files without a name."""
    links = list(Path(f"/proc/{pid}/fd").iterdir())
    found = []
    for link in links:
        try:
            found.append(re.sub(r"(:\[|/#)\d+.*", "", str(link.readlink())))
        except FileNotFoundError:
            continue  # the one by which the folder is read
    return sorted(found)
