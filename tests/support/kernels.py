"""Other machines than this one: kernels that lack something, and users without privileges.

A filter of system calls gives the answers that such a kernel would give, to a command and to all
that it starts: `kernels.py SYSCALL=ERROR ... -- COMMAND`. Stdlib only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import struct
import sys
from pathlib import Path


def _may_search(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


def _ordinary() -> tuple[str, ...]:
    """What makes an ordinary user of root; it keeps what it takes to find the interpreter."""
    paths = (Path(sys.executable), Path(sys.executable).resolve(), Path(__file__).resolve())
    if os.geteuid() != 0:
        return ()
    user = ("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups")
    if all(map(_may_search, paths)):
        return (*user, "--")
    return (*user, "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search", "--")


ORDINARY = _ordinary()
ROOT_WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--")

# By name: the numbers on x86_64 and aarch64, and of some the argument and the value that is meant.
_CALLS = {
    "landlock_create_ruleset": (444, 444, None),
    "pidfd_open": (434, 434, None),
    "unshare": (272, 97, None),
    "PR_SET_SECCOMP": (157, 167, (0, 22)),
    # How the maps of a new user namespace are opened, and nothing else in a guest.
    "open_to_write": (257, 56, (2, os.O_WRONLY | os.O_CLOEXEC)),
}
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERROR = 0x7FFF_0000, 0x0005_0000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def answering(**answers: str) -> list[str]:
    """What to put before a command: `answering(unshare="EPERM")`."""
    pairs = [f"{call}={error}" for call, error in answers.items()]
    return [sys.executable, __file__, *pairs, "--"]


def _instruction(code: int, value: int, unless: int = 0) -> bytes:
    """One instruction of a filter; one that compares skips `unless` others where it is not so."""
    return struct.pack("HBBI", code, 0, unless, value)


def _rule(call: str, error: str) -> bytes:
    x86_64, aarch64, argument = _CALLS[call]
    number = x86_64 if platform.machine() == "x86_64" else aarch64
    end = _instruction(_RETURN, _ERROR | getattr(errno, error))
    if argument is not None:
        place, value = argument
        end = _instruction(_LOAD, 16 + 8 * place) + _instruction(_JUMP_IF_EQUAL, value, 1) + end
    compare = _instruction(_JUMP_IF_EQUAL, number, len(end) // 8)
    return _instruction(_LOAD, 0) + compare + end


def _load(instructions: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    program = Program(len(instructions) // 8, instructions)
    control = ctypes.CDLL(None, use_errno=True).prctl
    if control(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or control(
        _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the filter cannot be loaded")


if __name__ == "__main__":
    end = sys.argv.index("--")
    rules = [_rule(*pair.split("=")) for pair in sys.argv[1:end]]
    _load(b"".join(rules) + _instruction(_RETURN, _ALLOW))
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])
