"""The filter of system calls, compiled ahead (`seccomp.toml`) and loaded here."""

from __future__ import annotations

import ctypes
from pathlib import Path

from recode_guest import kernel

_INSTRUCTION_BYTES = 8
_MODE_FILTER = 2


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_for(machine: str) -> bytes | None:
    """The filter for that kind of machine, or None if there is none."""
    try:
        return Path(__file__).with_name(f"seccomp-{machine}.bpf").read_bytes()
    except FileNotFoundError:
        return None


def load(instructions: bytes) -> None:
    """Put this process and all it will fork behind the filter, for good.

    Raises:
        OSError: the kernel has no seccomp, or a filter above this one forbids it.
    """
    program = _Program(len(instructions) // _INSTRUCTION_BYTES, instructions)
    kernel.process_control(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))
