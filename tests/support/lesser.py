"""Runs a command as on a machine that gives less: `lesser.py KIND COMMAND ...`.

Each kind takes something away for good from this process, which then becomes the command. Calls are
taken away by a filter of libseccomp's; users and rights by a user namespace, which root must make.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_NEWUSER = 0x1000_0000
_NEWCGROUP = 0x0200_0000
# Those of all namespaces that we make.
_FLAGS = [1 << bit for bit in range(32) if 0x7E02_0000 >> bit & 1]
_INSIDE = [(0, _NEWUSER | _NEWCGROUP, _NEWCGROUP)]
_SET_SECCOMP, _DROP_FROM_BOUNDING_SET, _SYS_ADMIN = 22, 24, 21
_ALL_USERS = "0 0 65536"

C = ctypes.CDLL(None, use_errno=True)

Rule = tuple[int, str, Sequence[tuple[int, int, int]]]  # error, call, (argument, mask, value)


def refuse(*rules: Rule) -> None:
    """Answer those calls with an error from now on."""
    import pyseccomp

    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for error, call, where in rules:
        conditions = [
            pyseccomp.Arg(at, pyseccomp.MASKED_EQ, mask, value) for at, mask, value in where
        ]
        made.add_rule(pyseccomp.ERRNO(error), call, *conditions)
    made.load()


def as_root_of(mapping: str) -> None:
    """Become root in a new user namespace that knows these users and no others."""
    ours, theirs = os.pipe()
    ready, go = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        os.close(theirs)
        if not os.read(ours, 1):
            os._exit(1)  # there was no namespace to be had
        for file in ("uid_map", "gid_map"):
            Path(f"/proc/{parent}/{file}").write_text(mapping)
        os.write(go, b"x")
        os._exit(0)
    assert C.unshare(_NEWUSER) == 0, os.strerror(ctypes.get_errno())
    os.write(theirs, b"x")
    os.read(ready, 1)
    os.wait()
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def without_user_namespaces() -> None:
    """There are none below this one."""
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def without_administration() -> None:
    """No program started from here has CAP_SYS_ADMIN."""
    assert C.prctl(_DROP_FROM_BOUNDING_SET, _SYS_ADMIN, 0, 0, 0) == 0


def root_without_user_namespaces() -> None:
    """Root of a container that may make all other namespaces."""
    as_root_of(_ALL_USERS)
    without_user_namespaces()


def root_without_administration() -> None:
    """Root of a container in which user namespaces are allowed, as podman's are."""
    as_root_of(_ALL_USERS)
    without_administration()


def root_without_either() -> None:
    """Root of a container in which nothing is allowed."""
    as_root_of(_ALL_USERS)
    without_user_namespaces()
    without_administration()


def root_alone() -> None:
    """Root of a user namespace that knows no other user."""
    as_root_of("0 0 1")


def like_docker() -> None:
    """What the default profile of Docker forbids without CAP_SYS_ADMIN, as far as we ask for it."""
    refuse(
        *((errno.EPERM, call, ()) for call in ("unshare", "setns", "mount", "umount2")),
        *((errno.EPERM, call, ()) for call in ("pivot_root", "sethostname", "setdomainname")),
        *((errno.EPERM, "clone", [(0, flag, flag)]) for flag in _FLAGS),
        (errno.ENOSYS, "clone3", ()),
    )


def like_docker_without_birth() -> None:
    """A profile that allows all that we ask for but clone with the flags of namespaces."""
    refuse(
        *((errno.EPERM, "clone", [(0, flag, flag)]) for flag in _FLAGS),
        (errno.ENOSYS, "clone3", ()),
    )


def like_ubuntu() -> None:
    """User namespaces can be made, and are given no right: no user is mapped, nothing mounted.

    AppArmor refuses the write to /proc/self/uid_map; here, where it cannot, opening it is refused.
    """
    refuse(
        *((errno.EACCES, call, ()) for call in ("mount", "pivot_root")),
        *((errno.EPERM, call, ()) for call in ("sethostname", "setdomainname")),
        # A namespace that is made inside one of users needs a right there; root makes it outside.
        *((errno.EPERM, "unshare", where) for where in [_INSIDE] if os.geteuid() != 0),
        (errno.EPERM, "openat", [(2, os.O_ACCMODE, os.O_WRONLY)]),
    )


def without_landlock() -> None:
    """A kernel before 5.13."""
    refuse((errno.ENOSYS, "landlock_create_ruleset", ()))


def without_seccomp() -> None:
    """A kernel that loads no more filters than this one."""
    refuse((errno.EINVAL, "prctl", [(0, 0xFFFF_FFFF, _SET_SECCOMP)]))


KINDS: dict[str, Callable[[], None]] = {
    made.__name__: made
    for made in (
        root_without_user_namespaces,
        root_without_administration,
        root_without_either,
        root_alone,
        like_docker,
        like_docker_without_birth,
        like_ubuntu,
        without_landlock,
        without_seccomp,
    )
}


if __name__ == "__main__":
    KINDS[sys.argv[1]]()
    os.execv(sys.argv[2], sys.argv[2:])
