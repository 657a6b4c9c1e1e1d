"""What the guest may use: the policy's numbers, and the kernel's limits made of them."""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass, fields
from typing import Any

MIB = 1024 * 1024
OPEN_FILES = 16
STACK_BYTES = 8 * MIB
# How much later the kernel ends a process that does not die of SIGXCPU.
CPU_GRACE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The keys of a policy's `[limits]` that the guest itself must know."""

    statement_seconds: float
    statement_cpu_seconds: float
    statements: int
    memory_mib: int
    processes: int
    printed_bytes: int
    printed_lines: int
    value_bytes: int
    frame_bytes: int
    recursion: int
    integer_digits: int

    @classmethod
    def of(cls, table: dict[str, Any]) -> Limits:
        """The limits in the host's `open` frame."""
        return cls(**{field.name: table[field.name] for field in fields(cls)})


def kernel_limits(limits: Limits) -> dict[int, int]:
    """Each resource with the most of it that a process of the guest may use.

    RLIMIT_CPU only backs up the alarm of `alarm.py`: every risky statement runs in a process of its
    own, which starts from zero.
    """
    most = {
        resource.RLIMIT_DATA: limits.memory_mib * MIB,
        resource.RLIMIT_CPU: math.ceil(2 * limits.statement_cpu_seconds) + 30,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_STACK: STACK_BYTES,
        resource.RLIMIT_MEMLOCK: 0,
    }
    if sys.platform == "linux":  # macOS refuses the first and does not know the second
        most[resource.RLIMIT_AS] = limits.memory_mib * MIB
        most[resource.RLIMIT_MSGQUEUE] = 0
    return most


def apply(limits: Limits) -> None:
    """Set every limit, for this process and all it will fork, and ask the kernel for them again.

    Raises:
        OSError: the kernel refused one.
    """
    for kind, most in kernel_limits(limits).items():
        _lower(kind, most, CPU_GRACE_SECONDS if kind == resource.RLIMIT_CPU else 0)
    sys.set_int_max_str_digits(max(limits.integer_digits, sys.int_info.str_digits_check_threshold))


def apply_process_limit(processes: int) -> None:
    """Set how many processes the user of this one may have, where the kernel counts them.

    Raises:
        OSError: the kernel refused.
    """
    _lower(resource.RLIMIT_NPROC, processes)


def _lower(kind: int, most: int, grace: int = 0) -> None:
    """Set a limit; one that is lower already stays."""
    hard = resource.getrlimit(kind)[1]
    hard = most + grace if hard == resource.RLIM_INFINITY else min(most + grace, hard)
    wanted = (min(most, hard), hard)
    try:
        resource.setrlimit(kind, wanted)
    except (ValueError, OverflowError) as problem:
        raise OSError(0, str(problem)) from None
    if resource.getrlimit(kind) != wanted:
        raise OSError(0, "the kernel says that it does not hold")


def group_limits(limits: Limits) -> tuple[int, int]:
    """The most bytes, and the most processes, of all processes of a session together.

    Two sides of a checkpoint may each hold what one may; the third share is for what the kernel
    counts besides, and for the process that watches over them.
    """
    return 3 * limits.memory_mib * MIB, limits.processes
