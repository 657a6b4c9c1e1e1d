"""The kernel's calls that Python has no function for; each raises `OSError` with the kernel's word.

Linux only: elsewhere importing this module works and calling it does not.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

PR_SET_PDEATHSIG = 1
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39

CAP_SYS_ADMIN = 21

_CAPABILITY_VERSION = 0x2008_0522
_CAPABILITY_WORDS = 6  # effective, permitted and inheritable, of capabilities 0-31 and of 32-63
_CAPABILITIES = 64

# The calls whose numbers differ between machines and that the C library does not wrap as needed.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CLONE = {"x86_64": 56, "aarch64": 220}

_C = ctypes.CDLL(None, use_errno=True)
# The same, to be called without giving way to another thread.
_C_AT_ONCE = ctypes.PyDLL(None, use_errno=True)


def machine() -> str:
    """The processor as the kernel names it, `x86_64` or `aarch64`; `32-bit ...` if Python is."""
    name = os.uname().machine
    # Such a Python calls the same kernel by other numbers.
    return name if sys.maxsize > 2**32 else f"32-bit {name}"


def release() -> tuple[int, ...]:
    """The first two numbers of the kernel's version."""
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library that answers -1 for a failure.

    Raises:
        OSError: it failed, or this C library does not have it.
    """
    try:
        function = getattr(_C, name)
    except AttributeError:
        raise OSError(38, f"{name}: the C library does not have it") from None
    answer = int(function(*arguments))
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return answer


def system_call(name: str, number: int, *arguments: Any) -> int:
    """Call the kernel by number, and name the call if it fails; for those no C library wraps.

    Raises:
        OSError: it failed.
    """
    longs = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = int(_C.syscall(ctypes.c_long(number), *longs))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return answer


def process_control(option: int, *values: Any) -> int:
    """Ask or tell the kernel something of this process; see `man 2 prctl`.

    Raises:
        OSError: the kernel refused.
    """
    longs = [ctypes.c_ulong(v) if isinstance(v, int) else v for v in values]
    return call("prctl", option, *longs, *[ctypes.c_ulong(0)] * (4 - len(longs)))


def threads() -> int:
    """How many threads this process has, those that a library in C has started included.

    Raises:
        OSError: there is no /proc.
    """
    return len(list(Path("/proc/self/task").iterdir()))


def fork_into(flags: int) -> int:
    """As `os.fork`, but the child begins its life in new namespaces; see `man 2 clone`.

    Only for a process of one thread: the C library has no such fork, and what it does besides,
    for locks that other threads may hold and for libraries that asked to be told, is left out. For
    one thread that leaves the child's number, which only `raise(3)` would ask for; what Python does
    is done here.

    Raises:
        OSError: the kernel refused, or this kind of machine is not known here.
    """
    number = _CLONE.get(machine())
    if number is None:
        raise OSError(38, f"clone: not known for {machine()}")
    longs = [ctypes.c_long(one) for one in (number, flags | signal.SIGCHLD, 0, 0, 0, 0)]
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = int(_C_AT_ONCE.syscall(*longs))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, f"clone: {os.strerror(error)}")
    return pid


def unshare(flags: int) -> None:
    """New namespaces for this process, or for its children if `CLONE_NEWPID`; see `man 2 unshare`.

    Raises:
        OSError: the kernel refused.
    """
    call("unshare", flags)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount something; see `man 2 mount`.

    Raises:
        OSError: the kernel refused.
    """
    texts = (source.encode(), target.encode(), kind.encode())
    call("mount", *texts, ctypes.c_ulong(flags), options.encode())


def unmount(target: str, flags: int) -> None:
    """Unmount something; see `man 2 umount`.

    Raises:
        OSError: the kernel refused.
    """
    call("umount2", target.encode(), flags)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root folder, and find the old one at `old`; see `man 2 pivot_root`.

    Raises:
        OSError: the kernel refused, or this kind of machine is not known here.
    """
    number = _PIVOT_ROOT.get(machine())
    if number is None:
        raise OSError(38, f"pivot_root: not known for {machine()}")
    system_call("pivot_root", number, new.encode(), old.encode())


def name_machine(name: str) -> None:
    """Give the machine that name, and no domain; see `man 2 sethostname`.

    Raises:
        OSError: the kernel refused.
    """
    call("sethostname", name.encode(), ctypes.c_size_t(len(name)))
    call("setdomainname", b"", ctypes.c_size_t(0))


def capabilities() -> int:
    """Every capability that this process has in any of its sets but the bounding one, as bits."""
    words = _capability_words()
    low = words[0] | words[1] | words[2]
    high = words[3] | words[4] | words[5]
    return low | high << 32


def is_capable(number: int) -> bool:
    """Whether this process has a capability, in its own user namespace, and in effect."""
    words = _capability_words()
    return bool((words[0] | words[3] << 32) >> number & 1)


def drop_bounding_set() -> None:
    """Give up the capabilities that a program file could give back, where that is ours to do."""
    for number in range(_CAPABILITIES):
        try:
            process_control(PR_CAPBSET_DROP, number)
        except OSError:
            break  # past the last one; or not ours to drop, and then no_new_privs stands for it


def drop_capabilities() -> None:
    """Give up every capability.

    Raises:
        OSError: the kernel refused.
    """
    call("capset", _capability_header(), (ctypes.c_uint32 * _CAPABILITY_WORDS)())


def _capability_words() -> list[int]:
    words = (ctypes.c_uint32 * _CAPABILITY_WORDS)()
    call("capget", _capability_header(), words)
    return list(words)


def _capability_header() -> Any:
    return (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
