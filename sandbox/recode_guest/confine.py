"""Gives up everything the guest does not need, before the first untrusted byte.

Each layer has a name, by which a policy requires it and by which `layers` reports it. A layer is
reported only if the kernel, asked again, says that it holds.
"""

from __future__ import annotations

import ctypes
import os

from recode_guest import limits as kernel
from recode_guest.limits import Limits

NOBODY = 65_534

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39


class ConfinementFailed(Exception):
    """The kernel refused a step; the message names it."""


def _prctl(option: int, value: int = 0) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0))


def _must(option: int, value: int, what: str) -> None:
    if _prctl(option, value) != 0:
        raise ConfinementFailed(f"{what}: {os.strerror(ctypes.get_errno())}")


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent is gone."""
    _must(_PR_SET_CHILD_SUBREAPER, 1, "becoming the reaper of the guest")


def confine(limits: Limits, keep: set[int]) -> None:
    """Drop environment, descriptors, privileges and resources; for good, forks included.

    Args:
        limits: what the policy allows.
        keep: the descriptors that stay open besides the standard three.

    Raises:
        ConfinementFailed: the kernel refused a step.
    """
    _empty_environment()
    _close_all_but({0, 1, 2} | keep)
    if os.geteuid() == 0:
        _become_nobody()
    kernel.apply(limits)
    _must(_PR_SET_NO_NEW_PRIVS, 1, "no new privileges")
    _must(_PR_SET_DUMPABLE, 0, "not dumpable")


def silence() -> None:
    """Point the standard descriptors at nothing."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def layers(limits: Limits) -> list[str]:
    """The names of the layers that hold in this process, asked of the kernel."""
    holding = {
        "rlimits": kernel.hold(limits),
        "no-new-privileges": _prctl(_PR_GET_NO_NEW_PRIVS) == 1,
        "empty-environment": not os.environ,
        "non-dumpable": _prctl(_PR_GET_DUMPABLE) == 0,
        "own-session": os.getsid(0) == os.getppid(),
        "unprivileged-user": os.getresuid().count(0) == 0 and os.getresgid().count(0) == 0,
    }
    return [name for name, holds in holding.items() if holds]


def _empty_environment() -> None:
    # The interpreter itself sets LC_CTYPE where there is no locale; nothing else may be there,
    # because what a process was started with stays readable in its memory.
    if not os.environ.keys() <= {"LC_CTYPE"}:
        raise ConfinementFailed("the guest was not started with an empty environment")
    os.environ.clear()


def _close_all_but(keep: set[int]) -> None:
    edges = sorted(keep)
    ends = [*edges[1:], max(os.sysconf("SC_OPEN_MAX"), edges[-1] + 2)]
    for low, end in zip(edges, ends, strict=True):
        # An empty range must not be asked for: CPython 3.11 turns (0, 0) into "all there are".
        if low + 1 < end:
            os.closerange(low + 1, end)


def _become_nobody() -> None:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError as problem:
        raise ConfinementFailed(f"leaving the root user: {problem}") from None
