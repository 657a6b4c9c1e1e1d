"""What every session starts from: looked at once, in the zygote, before there is any.

Which namespaces can be had is found by trying: what the kernel has, its settings may forbid.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys

from recode_guest import kernel

NOBODY = 65_534

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

# What ends a statement must neither be ignored nor blocked, and the host may have done either.
_ALARMS = (signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU)
# The kernel counts the processes of a user in each user namespace by themselves since then.
_COUNTS_BY_NAMESPACE = (5, 14)


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
        self.namespaces = namespaces_of(self.proc)
        # Where the machine runs out of memory; the host may have been excepted from that.
        with contextlib.suppress(OSError):
            write(self.proc, "self/oom_score_adj", "1000")

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


def become_nobody() -> None:
    """For root, be another user for good.

    Raises:
        OSError: the kernel refused.
    """
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def namespaces_of(proc: int) -> dict[str, int]:
    """Each namespace of this process that the kernel has, as a number; given /proc's descriptor."""
    found = {}
    for _, file in NAMESPACES.values():
        with contextlib.suppress(OSError):
            found[file] = os.stat(f"self/ns/{file}", dir_fd=proc).st_ino
    return found


def write(proc: int, path: str, text: str) -> None:
    """Write to a file of /proc, given its descriptor."""
    descriptor = os.open(path, os.O_WRONLY, dir_fd=proc)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _environment_problem() -> str:
    # The interpreter itself sets LC_CTYPE where there is no locale; nothing else may be there,
    # because what a process was started with stays readable in its memory.
    if not os.environ.keys() <= {"LC_CTYPE"}:
        return "the guest was not started with an empty environment"
    os.environ.clear()
    return ""
