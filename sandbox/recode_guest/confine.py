"""Gives up everything the guest does not need, before the first untrusted byte.

Three processes have a part in it, one forked from the other: the zygote looks at the `Ground` they
stand on; `enter` and `settle` are for the keeper, which is born in namespaces of its own; `seal` is
for the worker, which will run programs, and for the keeper itself.
Each layer has a name, by which a policy requires it. It is reported as holding only if the kernel,
asked again, says so; of every other the reason is kept, for `recode doctor` and for refusals.

What each layer is for, and why it is put up in this order, stands in `docs/wall.md`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from recode_guest import kernel, landlock, seccomp
from recode_guest import limits as resources
from recode_guest.cgroups import Groups
from recode_guest.ground import NAMESPACES, NOBODY, Ground, become_nobody, namespaces_of, write
from recode_guest.limits import Limits

HOSTNAME = "guest"
# Room for other sessions, and for what else the user starts, where all of it counts.
PROCESS_SLACK = 1_000

# All that `portable` leaves out.
LINUX_LAYERS = (
    *NAMESPACES,
    "empty-root",
    "memory-cgroup",
    "pids-cgroup",
    "unprivileged-user",
    "process-limit",
    "no-capabilities",
    "no-new-privileges",
    "non-dumpable",
    "landlock",
    "seccomp",
)

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18
_MNT_DETACH = 2
# Any folder that is there; what is mounted over it is seen by nobody else.
_MOUNT_POINTS = ("/tmp", "/proc", "/mnt")  # noqa: S108  (nothing is written there)

# Asked before the limit of open files is lowered, because more may be open by then.
_DESCRIPTORS = min(os.sysconf("SC_OPEN_MAX"), 2**31 - 1)


def _tasks() -> int:
    """How many threads the machine runs."""
    try:
        return int(Path("/proc/loadavg").read_text().split("/")[1].split()[0])
    except OSError:
        return 0


# Before there is any guest, so that none can make them more; and of all users, because to count
# those of one takes longer than to open a session.
_OTHER_TASKS = _tasks()


class ConfinementFailed(Exception):
    """A step failed without which there is no guest, whatever the policy; the message names it."""


class Confinement:
    """The steps, and what came of them.

    Args:
        ground: what there was before.
        limits: what the policy allows.
        portable: leave out all but the environment, the descriptors and the limits, for machines
            that have nothing else and code that one trusts.

    Attributes:
        holding: the names of the layers that hold.
        missing: of each other layer, why it does not.
    """

    def __init__(self, ground: Ground, limits: Limits, *, portable: bool) -> None:
        self._ground = ground
        self._limits = limits
        self._left_out = _why_left_out(portable)
        self.holding: list[str] = []
        self.missing: dict[str, str] = {}
        if self._left_out:
            self.missing = dict.fromkeys(LINUX_LAYERS, self._left_out)

    def enter(self, groups: Groups | None, number: int) -> None:
        """Join control group `number`, if there are to be any, and make the namespaces one's own.

        Raises:
            ConfinementFailed: the guest was not started as it must be.
        """
        if self._ground.problem:
            raise ConfinementFailed(self._ground.problem)
        self._decide("empty-environment")
        if self._left_out:
            return
        if self._ground.no_proc:
            raise ConfinementFailed(self._ground.no_proc)
        if self._ground.not_nobody:
            self._decide("unprivileged-user", self._ground.not_nobody)
        for name in self._ground.kinds():
            self._decide(name, self._ground.missing.get(name, ""))
        self._join(groups, number)
        if groups is not None and self.has("cgroup-namespace"):
            with self._layer("cgroup-namespace"):
                kernel.unshare(kernel.CLONE_NEWCGROUP)
        if self.has("user-namespace"):
            self._own_users(self._ground.user, self._ground.group)
        if self.has("uts-namespace"):
            with self._layer("uts-namespace"):
                kernel.name_machine(HOSTNAME)
                _hold(os.uname().nodename == HOSTNAME)
        self._empty_root()

    def settle(self) -> None:
        """Drop privileges and resources, for good, forks included."""
        with self._layer("own-session"):
            os.setsid()
            _hold(os.getsid(0) == os.getpid())
        with self._layer("rlimits"):
            resources.apply(self._limits)
        if self._left_out:
            return
        if not self._is_decided("unprivileged-user"):
            self._leave_user()
        if not self._is_decided("user-namespace"):
            self._own_user_namespace()
        self._verify_namespaces()
        self._limit_processes()
        with self._layer("no-capabilities"):
            kernel.drop_bounding_set()
            kernel.drop_capabilities()
            _hold(kernel.capabilities() == 0)
        with self._layer("no-new-privileges"):
            kernel.process_control(kernel.PR_SET_NO_NEW_PRIVS, 1)
            _hold(kernel.process_control(kernel.PR_GET_NO_NEW_PRIVS) == 1)
        with self._layer("non-dumpable"):
            kernel.process_control(kernel.PR_SET_DUMPABLE, 0)
            _hold(kernel.process_control(kernel.PR_GET_DUMPABLE) == 0)
        os.close(self._ground.proc)
        with self._layer("landlock"):
            os.close(landlock.deny_all())
            _hold(_refused_root() == "EACCES")

    def seal(self, instructions: bytes | None, keep: set[int]) -> None:
        """Close every descriptor but `keep`, and load the filter of system calls."""
        with self._layer("closed-descriptors"):
            close_all_but(keep)
            _hold(_open_descriptors() <= keep)
        if self._left_out:
            return
        with self._layer("seccomp"):
            if instructions is None:
                raise OSError(0, f"there is no filter for {kernel.machine()}")
            seccomp.load(instructions)
            _hold(_refused_root() == "ENOENT")

    def has(self, name: str) -> bool:
        """Whether a layer holds."""
        return name in self.holding

    @contextlib.contextmanager
    def _layer(self, name: str) -> Iterator[None]:
        """A layer that holds if the block comes to its end."""
        try:
            yield
        except OSError as problem:
            self._decide(name, problem.strerror or str(problem))
        else:
            self._decide(name)

    def _decide(self, name: str, why_not: str = "") -> None:
        """What is said of a layer from now on; a later word takes the place of an earlier one."""
        if name in self.holding:
            self.holding.remove(name)
        self.missing.pop(name, None)
        if why_not:
            self.missing[name] = why_not
        else:
            self.holding.append(name)

    def _is_decided(self, name: str) -> bool:
        return name in self.holding or name in self.missing

    def _join(self, groups: Groups | None, number: int) -> None:
        why_not, joined = "no control group can be made here", set[str]()
        if groups is None:
            why_not = "the policy does not ask for one ([isolation] control_groups)"
        else:
            try:
                groups.make(number, *resources.group_limits(self._limits))
                joined = groups.joined(number, self._read("self/cgroup"))
            except OSError as problem:
                why_not = problem.strerror or str(problem)
        for controller in ("memory", "pids"):
            self._decide(f"{controller}-cgroup", "" if controller in joined else why_not)

    def _own_users(self, user: int, group: int) -> None:
        """Nobody inside is this user outside; no other is known inside, and no namespace below.

        Where the kernel maps nobody (AppArmor on Ubuntu forbids it), the namespace stands all the
        same, and its only user is nobody.
        """
        if namespaces_of(self._ground.proc).get("user") == self._ground.namespaces.get("user"):
            return  # what follows must never be done to the machine; `settle` reports it
        with contextlib.suppress(OSError), _dumpable():
            self._write("self/setgroups", "deny")
            self._write("self/uid_map", f"{NOBODY} {user} 1")
            self._write("self/gid_map", f"{NOBODY} {group} 1")
        with contextlib.suppress(OSError):
            self._write("sys/user/max_user_namespaces", "0")

    def _empty_root(self) -> None:
        """A root folder with nothing in it that cannot be written."""
        with self._layer("empty-root"):
            if not self.has("mount-namespace"):
                raise OSError(0, self.missing["mount-namespace"])
            kernel.mount("none", "/", "", _MS_REC | _MS_PRIVATE)
            point = next((path for path in _MOUNT_POINTS if Path(path).is_dir()), "/")
            flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
            kernel.mount("none", point, "tmpfs", flags, "size=4k,nr_inodes=1")
            os.chdir(point)
            kernel.pivot_root(".", ".")
            kernel.unmount(".", _MNT_DETACH)
            os.chdir("/")
            _hold(not list(Path("/").iterdir()))

    def _leave_user(self) -> None:
        with self._layer("unprivileged-user"):
            # Not asked again: root is nobody to itself in a namespace that does not map it.
            if self._ground.user == 0:
                become_nobody()
            # Groups are an ordinary user's own, and not for it to leave: 0 is usual in containers.
            _hold(0 not in os.getresuid())

    def _own_user_namespace(self) -> None:
        """For a guest that root has started: the other namespaces were made without this one."""
        ids = os.geteuid(), os.getegid()
        with self._layer("user-namespace"):
            kernel.unshare(kernel.CLONE_NEWUSER)
            self._own_users(*ids)

    def _verify_namespaces(self) -> None:
        now = namespaces_of(self._ground.proc)
        for name, (_, file) in NAMESPACES.items():
            if self.has(name) and now.get(file) == self._ground.namespaces.get(file):
                self._decide(name, "the kernel made none")

    def _limit_processes(self) -> None:
        """Exact in a user namespace of our own; otherwise far off, but not without end."""
        with self._layer("process-limit"):
            if self._ground.user == 0 and not self.has("unprivileged-user"):
                raise OSError(0, "there is none for root")
            if self.has("user-namespace") and self._ground.counts_by_namespace:
                resources.apply_process_limit(self._limits.processes)
                return
            most = _OTHER_TASKS + self._limits.processes + PROCESS_SLACK
            resources.apply_process_limit(most)
            raise OSError(0, f"the kernel counts all processes of the user: {most} are allowed")

    def _read(self, path: str) -> str:
        with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=self._ground.proc)) as file:
            return file.read()

    def _write(self, path: str, text: str) -> None:
        write(self._ground.proc, path, text)


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor but those."""
    edges = [-1, *sorted(keep)]
    ends = [*edges[1:], max(_DESCRIPTORS, edges[-1] + 2)]
    for low, end in zip(edges, ends, strict=True):
        # An empty range must not be asked for: CPython 3.11 turns (0, 0) into "all there are".
        if low + 1 < end:
            os.closerange(low + 1, end)


def _why_left_out(portable: bool) -> str:
    if sys.platform != "linux":
        return "it needs Linux"
    return "the policy asks for none ([isolation] level)" if portable else ""


def _hold(holds: bool) -> None:
    if not holds:
        raise OSError(0, "the kernel says that it does not hold")


@contextlib.contextmanager
def _dumpable() -> Iterator[None]:
    """What /proc has of a process is its own to write only while it is dumpable."""
    kernel.process_control(kernel.PR_SET_DUMPABLE, 1)
    try:
        yield
    finally:
        kernel.process_control(kernel.PR_SET_DUMPABLE, 0)


def _open_descriptors() -> set[int]:
    """The descriptors of this process, as far as the limit of open files lets them be."""
    found = set()
    for number in range(resources.OPEN_FILES):
        with contextlib.suppress(OSError):
            os.fstat(number)
            found.add(number)
    return found


def _refused_root() -> str:
    """With which error the kernel keeps the root folder back, if it does."""
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY))
    except PermissionError:
        return "EACCES"
    except FileNotFoundError:
        return "ENOENT"
    return ""
