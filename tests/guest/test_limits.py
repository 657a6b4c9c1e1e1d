"""The kernel's limits: what is set, what stays as it is, and what a system does not have."""

from __future__ import annotations

import resource
import sys

import pytest

from programs_apart import result_apart
from recode_guest import limits
from recode_guest.limits import MIB, Limits
from recode_runtime.policy import Policy

LIMITS = Limits.of(
    {name: getattr(Policy.named("strict").limits, name) for name in Limits.__slots__}
)
SETTING = f"""
    import resource, sys
    from recode_guest import limits
    from recode_guest.limits import Limits

    wanted = Limits(**{ {name: getattr(LIMITS, name) for name in Limits.__slots__}!r})
"""


def test_every_limit_is_set_softly_and_hard() -> None:
    """Processor time alone has a second between the two, in which SIGXCPU tells why."""
    told = result_apart(f"""{SETTING}
    limits.apply(wanted)
    result = {{str(kind): resource.getrlimit(kind) for kind in limits.kernel_limits(wanted)}}
    result["digits"] = sys.get_int_max_str_digits()
    """)
    expected = {str(kind): [most, most] for kind, most in limits.kernel_limits(LIMITS).items()}
    expected[str(resource.RLIMIT_CPU)] = [40, 41]
    assert told == {**expected, "digits": 4_300}


def test_a_limit_that_is_lower_already_stays() -> None:
    """Hard limits are nothing that an ordinary user could raise."""
    told = result_apart(f"""{SETTING}
    resource.setrlimit(resource.RLIMIT_AS, (200 * 2**20, 300 * 2**20))
    resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
    limits.apply(wanted)
    result = [resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)]
    """)
    assert told == [[300 * MIB, 300 * MIB], [3, 3]]


def test_a_limit_that_the_kernel_does_not_take_is_said_to_fail() -> None:
    """Never a number that quietly means something else."""
    told = result_apart(f"""{SETTING}
    try:
        limits._lower(resource.RLIMIT_AS, 2**70)
    except OSError as problem:
        result = [problem.errno, resource.getrlimit(resource.RLIMIT_AS)[1]]
    """)
    assert told == [0, resource.getrlimit(resource.RLIMIT_AS)[1]]


def test_what_macos_does_not_have_is_not_asked_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses a limit of address space, and has no message queues."""
    here = set(limits.kernel_limits(LIMITS))
    monkeypatch.setattr(sys, "platform", "darwin")
    there = set(limits.kernel_limits(LIMITS))
    assert here - there == {resource.RLIMIT_AS, resource.RLIMIT_MSGQUEUE}


def test_a_group_has_room_for_three_processes_at_their_limit() -> None:
    """Both sides of a checkpoint, and what the kernel counts besides."""
    assert limits.group_limits(LIMITS) == (3 * 512 * MIB, 8)
