"""A control group of its own for each session, where this process may make one.

It caps what limits of single processes cannot: the memory and the number of all processes of a
session together. With version 1 a group is a folder below ours for each controller; with version 2
it is one folder below ours or, since a group that has processes hands nothing down, beside ours.
There is none beside ours if ours is capped: a session must not get round what caps the host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CONTROLLERS = ("memory", "pids")

_CAPS = ("memory.max", "memory.high", "cpu.max", "cpuset.cpus", "io.max")
_MEMORY_LIMITS = ("memory.limit_in_bytes", "memory.max")
_SWAP_LIMITS = {"memory.memsw.limit_in_bytes": None, "memory.swap.max": 0}


class Groups:
    """Where groups can be made, and the groups of this process.

    Args:
        proc: what /proc is; another one in tests.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        # Process ids are a process namespace's own; groups may be in sight of several.
        self._namespace = _namespace(proc)
        self._owner = os.getpid()
        self.parents = _parents(proc)
        for parent in set(self.parents.values()):
            self._sweep(parent, proc)

    def make(self, number: int, memory_bytes: int, processes: int) -> None:
        """Make group `number` and put this process into it.

        Raises:
            OSError: the kernel refused; `remove` removes what was made.
        """
        for controller, folder in self._folders(number).items():
            folder.mkdir(exist_ok=True)  # of version 2 there is one folder for both
            if controller == "memory":
                _limit_memory(folder, memory_bytes)
            else:
                (folder / "pids.max").write_text(str(processes))
        for folder in self._folders(number).values():
            (folder / "cgroup.procs").write_text("0")

    def remove(self, number: int) -> bool:
        """Remove group `number`; false while there are processes in it."""
        gone = [_removed(folder) for folder in self._folders(number).values()]
        return all(gone)

    def joined(self, number: int, memberships: str) -> set[str]:
        """The controllers that have a process in group `number`; its /proc/self/cgroup says so."""
        found: set[str] = set()
        for line in memberships.splitlines():
            _, controllers, path = line.split(":", 2)
            if path.endswith(f"/{self.name(number)}"):
                found.update(controllers.split(",") if controllers else CONTROLLERS)
        return found & self.parents.keys()

    def name(self, number: int) -> str:
        """What the folder of group `number` is called."""
        return f"recode-{self._owner}-{number}-{self._namespace}"

    def _folders(self, number: int) -> dict[str, Path]:
        name = self.name(number)
        return {controller: parent / name for controller, parent in self.parents.items()}

    def _sweep(self, parent: Path, proc: Path) -> None:
        """Remove what processes of ours have left that were killed before they could."""
        name = re.compile(rf"recode-(\d+)-\d+-{self._namespace}")
        for folder in parent.glob("recode-*"):
            found = name.fullmatch(folder.name)
            if found and not (proc / found[1]).exists():
                _removed(folder)


def _limit_memory(folder: Path, most: int) -> None:
    for name in _MEMORY_LIMITS:
        if (folder / name).exists():
            (folder / name).write_text(str(most))
    for name, value in _SWAP_LIMITS.items():
        if (folder / name).exists():
            (folder / name).write_text(str(most if value is None else value))


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _namespace(proc: Path) -> int:
    """The number of this process's own namespace of process ids; 0 if the kernel tells of none."""
    try:
        return (proc / "self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _parents(proc: Path) -> dict[str, Path]:
    """For each controller that is to be had, the folder in which groups can be made."""
    try:
        memberships = (proc / "self" / "cgroup").read_text().splitlines()
        mounts = (proc / "self" / "mountinfo").read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, Path] = {}
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        for mount in mounts:
            for controller, parent in _offers(mount, controllers.split(","), path):
                found.setdefault(controller, parent)
    return found


def _offers(mount: str, member_of: list[str], path: str) -> Iterator[tuple[str, Path]]:
    """The controllers and folders that one line of mountinfo offers to a member of `path`."""
    fields, _, rest = mount.partition(" - ")
    root, point = fields.split()[3:5]
    kind, _, options = rest.split()
    if not PurePosixPath(path).is_relative_to(root):
        return
    below = Path(point) / PurePosixPath(path).relative_to(root)
    if kind == "cgroup":
        for controller in CONTROLLERS:
            is_its = controller in member_of and controller in options.split(",")
            if is_its and os.access(below, os.W_OK):
                yield controller, below
    elif kind == "cgroup2" and member_of == [""]:
        for folder in (below,) if _is_capped(below) else (below, below.parent):
            for controller in _handed_down(folder):
                yield controller, folder


def _is_capped(folder: Path) -> bool:
    """Whether something is kept back from a group of version 2 that its neighbours may have."""
    caps = [(folder / name).read_text() for name in _CAPS if (folder / name).exists()]
    return any(cap.split()[:1] not in ([], ["max"]) for cap in caps)


def _handed_down(folder: Path) -> list[str]:
    """The controllers that groups below a folder of version 2 have."""
    try:
        given = (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []
    may = os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)
    return [controller for controller in CONTROLLERS if may and controller in given]
