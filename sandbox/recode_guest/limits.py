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


@dataclass(frozen=True, slots=True)
class Limits:
    """The keys of a policy's `[limits]` that the guest itself must know."""

    statement_seconds: float
    statements: int
    memory_mib: int
    printed_bytes: int
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

    RLIMIT_CPU only backs up the host's clock: every risky statement runs in a process of its own,
    which starts from zero. RLIMIT_NPROC is left out: it counts all processes of a user on the
    machine, so it would fail checkpoints because of strangers.
    """
    return {
        resource.RLIMIT_AS: limits.memory_mib * MIB,
        resource.RLIMIT_CPU: math.ceil(2 * limits.statement_seconds) + 30,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_STACK: STACK_BYTES,
    }


def apply(limits: Limits) -> None:
    """Set every limit, soft and hard, for this process and all it will fork."""
    for kind, most in kernel_limits(limits).items():
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    sys.set_int_max_str_digits(max(limits.integer_digits, sys.int_info.str_digits_check_threshold))


def hold(limits: Limits) -> bool:
    """Whether the kernel reports limits at least as strict as those asked for."""
    return all(
        0 <= resource.getrlimit(kind)[1] <= most for kind, most in kernel_limits(limits).items()
    )
