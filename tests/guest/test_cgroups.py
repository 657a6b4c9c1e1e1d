"""Control groups: where one can be had, what it caps, and that none is left.

The groups of version 1 or 2, whichever this machine hands out, are the kernel's own. Of version 2,
where the folders to choose from differ from system to system, the choice is tried on a copy of its
files in a folder of the test's: no kernel answers there.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parts import skip_without
from processes import groups_of, is_running, processes_of_session, soon
from recode_guest.cgroups import Groups
from recode_runtime.sandboxes.process import ProcessSession
from recode_runtime.sandboxes.zygote import shared
from sessions import opened
from walls import bare, behind, found

MIB = 2**20


@contextlib.asynccontextmanager
async def grouped(**limits: int) -> AsyncIterator[ProcessSession]:
    """A session with a control group of its own."""
    async with opened({}, policy=bare(isolation={"control_groups": True}, **limits)) as session:
        for layer in ("memory-cgroup", "pids-cgroup"):
            if layer not in session.layers:
                skip_without("control groups", f"control groups: {session.missing[layer]}")
        yield session


def number_in(folder: Path, *names: str) -> int:
    """What the first of those files says that is there."""
    return int(next(folder / name for name in names if (folder / name).exists()).read_text())


def members_of(folder: Path) -> set[int]:
    """The processes in a group."""
    return set(map(int, (folder / "cgroup.procs").read_text().split()))


def running(session: ProcessSession) -> list[int]:
    """Its processes that have not ended."""
    return [one for one in processes_of_session(session.pid) if is_running(one)]


async def test_all_of_a_session_is_in_a_group_that_goes_with_it() -> None:
    """It has room for both sides of a checkpoint and a third; afterwards no folder is left."""
    async with grouped(memory_mib=200, processes=6) as session:
        folders = groups_of(shared.get().pid)
        assert {len(folders)} <= {1, 2}
        for folder in folders:
            assert members_of(folder) == set(processes_of_session(session.pid))
        memory, pids = (
            next(one for one in folders if any(one.glob(f"{kind}.*")))
            for kind in ("memory", "pids")
        )
        assert number_in(memory, "memory.limit_in_bytes", "memory.max") == 600 * MIB
        assert number_in(pids, "pids.max") == 6
    assert await soon(lambda: not groups_of(shared.get().pid))


async def test_processes_that_each_keep_their_limit_do_not_exceed_the_groups() -> None:
    """The kernel ends one of them, and the session goes on."""
    async with grouped(memory_mib=128, processes=8, statement_seconds=60.0) as session:
        # Each takes 90 MiB, within its own 128; five of them are more than the group's 384.
        takes = """
        reader, writer = os.pipe()
        def child():
            taken = bytearray(b"x") * (90 * 2**20)
            os.write(writer, b"x")
            C.poll(None, 0, -1)
        children = [os.fork() or child() for _ in range(5)]
        os.close(writer)
        got = len(children)
        """
        await found(session, takes)
        assert await soon(lambda: len(running(session)) < 2 + 5)
        assert await found(session, "got = 1") == 1


async def test_the_number_of_processes_is_the_groups_where_no_namespace_counts_them() -> None:
    """The kernel refuses the fork that would be one too many."""
    change = "kernel.unshare = off"
    policy = bare(isolation={"control_groups": True})
    forks = """
    children = []
    try:
        while len(children) < 100:
            children.append(os.fork() or C.poll(None, 0, -1))
    except OSError as problem:
        got = [len(children), errno.errorcode[problem.errno]]
    """
    async with behind(change=change, policy=policy) as session:
        if "pids-cgroup" not in session.layers:
            skip_without("control groups", f"control groups: {session.missing['pids-cgroup']}")
        # Eight, of which three are the keeper and both sides of the checkpoint.
        assert await found(session, forks) == [5, "EAGAIN"]


@pytest.fixture
def parents() -> Iterator[set[Path]]:
    """The folders of this machine in which groups can be made."""
    here = set(Groups().parents.values())
    if not here:
        skip_without("control groups", "a control group in which groups can be made")
    yield here
    for folder in here:
        for left in folder.glob("recode-*-*-*"):
            if left.name.startswith(("recode-1-", "recode-999999999-")):
                left.rmdir()


def own_namespace() -> int:
    """The number of the namespace in which this process has its id."""
    return Path("/proc/self/ns/pid").stat().st_ino


async def test_what_a_killed_zygote_has_left_is_removed_by_the_next(parents: set[Path]) -> None:
    """Nothing that belongs to a living one, or to processes that cannot be seen from here."""
    namespace = own_namespace()
    stale, living, foreign = (
        f"recode-999999999-1-{namespace}",
        f"recode-1-1-{namespace}",
        f"recode-999999999-1-{namespace + 1}",
    )
    for parent in parents:
        for name in (stale, living, foreign):
            (parent / name).mkdir()
    async with behind() as session:
        assert session.layers
    for parent in parents:
        left = {folder.name for folder in parent.glob("recode-*")}
        assert {stale, living, foreign} & left == {living, foreign}


class Copy:
    """The files of version 2, as far as they are asked; the host is in `ours`."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.root = folder / "cgroup"
        self.ours = self.root / "user.slice" / "app.scope"
        (self.proc / "self").mkdir(parents=True)
        self.ours.mkdir(parents=True)
        self.put(self.proc / "self" / "cgroup", "0::/user.slice/app.scope")
        self.put(
            self.proc / "self" / "mountinfo",
            "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            f"30 22 0:26 / {self.root} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
        )
        for group in (self.root, self.ours.parent, self.ours):
            self.put(group / "cgroup.procs")
            self.put(group / "cgroup.subtree_control", "cpu memory pids")
        self.put(self.ours / "cgroup.subtree_control")
        for name in ("memory.max", "memory.high"):
            self.put(self.ours / name, "max")
        self.put(self.ours / "cpu.max", "max 100000")
        self.put(self.ours / "cpuset.cpus", "")

    @staticmethod
    def put(file: Path, *lines: str) -> None:
        """Make a file of those lines."""
        file.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A copy of its own for each test."""
    return Copy(tmp_path)


def test_version_2_has_groups_beside_ours(copy: Copy) -> None:
    """A group that has processes hands nothing down; its parent does."""
    beside = copy.ours.parent
    assert Groups(copy.proc).parents == {"memory": beside, "pids": beside}


def test_version_2_has_groups_below_ours_where_ours_hands_controllers_down(copy: Copy) -> None:
    """Only the topmost group may have both processes and groups with controllers."""
    copy.put(copy.proc / "self" / "cgroup", "0::/")
    assert Groups(copy.proc).parents == {"memory": copy.root, "pids": copy.root}


@pytest.mark.parametrize(
    ("name", "cap"),
    [
        ("memory.max", "1073741824"),
        ("memory.high", "1073741824"),
        ("cpu.max", "50000 100000"),
        ("cpuset.cpus", "0-1"),
        ("io.max", "8:0 rbps=1048576"),
    ],
)
def test_a_session_does_not_get_round_what_caps_its_host(copy: Copy, name: str, cap: str) -> None:
    """A group beside ours would not be capped; so there is none."""
    copy.put(copy.ours / name, cap)
    assert Groups(copy.proc).parents == {}


def test_version_2_offers_what_is_handed_down_and_can_be_joined(copy: Copy) -> None:
    """One controller of two; none without the right to move processes; none of other mounts."""
    beside = copy.ours.parent
    copy.put(beside / "cgroup.subtree_control", "pids")
    assert Groups(copy.proc).parents == {"pids": beside}
    (beside / "cgroup.procs").unlink()
    assert Groups(copy.proc).parents == {}
    copy.put(copy.proc / "self" / "cgroup", "0::/../elsewhere")
    assert Groups(copy.proc).parents == {}
    (copy.proc / "self" / "cgroup").unlink()
    assert Groups(copy.proc).parents == {}


def test_a_group_of_version_2_is_one_folder_with_both_caps(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel would, the copy has the files of a group as soon as there is its folder."""
    mkdir = Path.mkdir

    def with_files(folder: Path, *arguments: int, **named: bool) -> None:
        mkdir(folder, *arguments, **named)
        for name in ("memory.max", "memory.swap.max"):
            if not (folder / name).exists():
                copy.put(folder / name, "max")

    groups = Groups(copy.proc)
    monkeypatch.setattr(Path, "mkdir", with_files)
    groups.make(7, 600 * MIB, 9)
    (folder,) = copy.ours.parent.glob("recode-*")
    assert folder.name == groups.name(7)
    told = {file.name: file.read_text() for file in folder.iterdir()}
    assert told == {
        "memory.max": str(600 * MIB),
        "memory.swap.max": "0",
        "pids.max": "9",
        "cgroup.procs": "0",
    }


def test_the_kernels_word_is_asked_for_each_controller(copy: Copy) -> None:
    """Version 1 has a line for each, version 2 one for all; a name alone does not count."""
    groups = Groups(copy.proc)
    name = groups.name(7)
    assert groups.joined(7, f"0::/user.slice/{name}\n") == {"memory", "pids"}
    assert groups.joined(7, f"9:cpu:/\n8:pids:/{name}\n4:memory:/\n0::/\n") == {"pids"}
    assert groups.joined(7, f"4:memory:/x/{name}\n8:pids:/x/{name}0\n") == {"memory"}
    assert groups.joined(7, "0::/user.slice/app.scope\n") == set()
