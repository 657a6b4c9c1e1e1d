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
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from recode_guest import kernel, landlock, seccomp
from recode_guest import limits as resources
from recode_guest.cgroups import Groups
from recode_guest.limits import Limits

NOBODY = 65_534
HOSTNAME = "guest"
# Room for other sessions, and for what else the user starts, where all of it counts.
PROCESS_SLACK = 1_000

# The namespaces by their names here, with the flag that makes one and its name in /proc. The first
# gives an ordinary user the right to make the others.
NAMESPACES = {
    "user-namespace": (kernel.CLONE_NEWUSER, "user"),
    "pid-namespace": (kernel.CLONE_NEWPID, "pid"),
    "mount-namespace": (kernel.CLONE_NEWNS, "mnt"),
    "network-namespace": (kernel.CLONE_NEWNET, "net"),
    "ipc-namespace": (kernel.CLONE_NEWIPC, "ipc"),
    "uts-namespace": (kernel.CLONE_NEWUTS, "uts"),
    "cgroup-namespace": (kernel.CLONE_NEWCGROUP, "cgroup"),
}
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

# What ends a statement must neither be ignored nor blocked, and the host may have done either.
_ALARMS = (signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU)
# The kernel counts the processes of a user in each user namespace by themselves since then.
_COUNTS_BY_NAMESPACE = (5, 14)
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


class Ground:
    """What every session starts from: looked at once, in the zygote, and handed down by fork.

    In a fresh fork the same code takes several times as long, because it touches memory that must
    be copied first.

    Attributes:
        problem: why there can be no guest at all; empty if there can.
        proc: a descriptor of /proc, for when the root is empty; -1 if there is none.
        no_proc: why there is none.
        namespaces: each namespace of the zygote that the kernel has, as a number.
        born_in: the flags of the namespaces into which a keeper can be forked.
        missing: of each namespace that is not to be had, why.
        is_admin: whether it may make namespaces without making one of users first.
        user, group: who a keeper is when it is born.
        is_nobodys: whether nobody is to make the namespaces, because the zygote is root without
            being an admin, and inside one of users root could become nobody else any more.
        not_nobody: why that cannot be.
        counts_by_namespace: whether the kernel counts the processes of a user in each by itself.
    """

    def __init__(self) -> None:
        self.problem = _environment_problem()
        self.proc = -1
        self.no_proc = self.not_nobody = ""
        self.namespaces: dict[str, int] = {}
        self.born_in = 0
        self.missing: dict[str, str] = {}
        self.is_admin = self.is_nobodys = self.counts_by_namespace = False
        for number in _ALARMS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self.user, self.group = os.geteuid(), os.getegid()
        if hasattr(os, "setresuid"):  # a host that has put root aside must not leave it to a guest
            os.setresgid(self.group, self.group, self.group)
            os.setresuid(self.user, self.user, self.user)
        if sys.platform == "linux":
            self._look()

    def fork(self, *, portable: bool, groups: bool) -> int:
        """As `os.fork`; the child is born in new namespaces, where there are to be any.

        One that is to join a control group makes its namespace of these itself, after that.

        Raises:
            OSError: the kernel refused.
        """
        if portable or not self.born_in:
            return os.fork()
        return kernel.fork_into(self.born_in & ~(kernel.CLONE_NEWCGROUP if groups else 0))

    def kinds(self) -> list[str]:
        """The namespaces to be made at once; for an admin, that of users follows at the end."""
        return [name for name in NAMESPACES if name != "user-namespace" or not self.is_admin]

    def _look(self) -> None:
        self.is_admin = kernel.is_capable(kernel.CAP_SYS_ADMIN)
        self.counts_by_namespace = kernel.release() >= _COUNTS_BY_NAMESPACE
        self._find_proc()
        if os.geteuid() == 0:
            kernel.drop_bounding_set()
        if os.geteuid() == 0 and not self.is_admin:
            self.is_nobodys = True
        self._try_namespaces()
        self.is_nobodys = self.is_nobodys and self.born_in != 0 and not self.not_nobody
        if self.is_nobodys:
            self.user = self.group = NOBODY

    def _find_proc(self) -> None:
        try:
            self.proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        except OSError as problem:
            self.no_proc = f"the guest needs /proc to start: {problem.strerror}"
            return
        self.namespaces = _namespaces(self.proc)
        # Where the machine runs out of memory; the host may have been excepted from that.
        with contextlib.suppress(OSError):
            _write(self.proc, "self/oom_score_adj", "1000")

    def _try_namespaces(self) -> None:
        """Which can be had: first in a child that unshares them, then in one that is born there."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writer, json.dumps([*self._refused()]).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            self.not_nobody, self.missing = json.loads(answer.read())
        os.waitpid(child, 0)
        to_be_had = [name for name in self.kinds() if name not in self.missing]
        self.born_in = sum(NAMESPACES[name][0] for name in to_be_had)
        if self.born_in:
            try:
                child = self.fork(portable=False, groups=False)
            except OSError as problem:
                self.missing = dict.fromkeys(self.kinds(), problem.strerror or str(problem))
                self.born_in = 0
            else:
                if child == 0:
                    os._exit(0)
                os.waitpid(child, 0)

    def _refused(self) -> tuple[str, dict[str, str]]:
        """In a process that ends after it: why it cannot be nobody, and which cannot be unshared.

        All are tried at once, then one by one to learn which it was.
        """
        not_nobody = ""
        if self.is_nobodys:
            try:
                become_nobody()
            except OSError as problem:
                not_nobody = problem.strerror or str(problem)
        with contextlib.suppress(OSError):
            kernel.unshare(sum(NAMESPACES[name][0] for name in self.kinds()))
            return not_nobody, {}
        missing: dict[str, str] = {}
        for name in self.kinds():
            if "user-namespace" in missing:  # without it the others are not to be had
                missing[name] = missing["user-namespace"]
                continue
            try:
                kernel.unshare(NAMESPACES[name][0])
            except OSError as problem:
                missing[name] = problem.strerror or str(problem)
        return not_nobody, missing


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
        if _namespaces(self._ground.proc).get("user") == self._ground.namespaces.get("user"):
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
        now = _namespaces(self._ground.proc)
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
        _write(self._ground.proc, path, text)


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


def _environment_problem() -> str:
    # The interpreter itself sets LC_CTYPE where there is no locale; nothing else may be there,
    # because what a process was started with stays readable in its memory.
    if not os.environ.keys() <= {"LC_CTYPE"}:
        return "the guest was not started with an empty environment"
    os.environ.clear()
    return ""


def become_nobody() -> None:
    """For root, be another user for good.

    Raises:
        OSError: the kernel refused.
    """
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _namespaces(proc: int) -> dict[str, int]:
    """Each namespace of this process that the kernel has, as a number."""
    found = {}
    for _, file in NAMESPACES.values():
        with contextlib.suppress(OSError):
            found[file] = os.stat(f"self/ns/{file}", dir_fd=proc).st_ino
    return found


def _write(proc: int, path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY, dir_fd=proc)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


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
