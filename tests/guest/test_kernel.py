"""The kernel's calls: each failure is an `OSError` that says which call it was."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from parts import skip_without
from programs_apart import result_apart
from recode_guest import kernel


def test_a_failure_names_the_call_and_the_kernels_reason() -> None:
    """Also where the C library has no such function, and where a number is not known."""
    with pytest.raises(OSError, match="prctl: Invalid argument"):
        kernel.process_control(9_999)
    with pytest.raises(OSError, match="made_up: Function not implemented"):
        kernel.system_call("made_up", 9_999)
    with pytest.raises(OSError, match="no_such: the C library does not have it"):
        kernel.call("no_such")


def test_a_machine_is_known_by_its_processor_and_the_width_of_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Python of 32 bits on a kernel of 64 calls it by other numbers."""
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    assert kernel.machine() == "x86_64"
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert kernel.machine() == "32-bit x86_64"
    with pytest.raises(OSError, match="pivot_root: not known for 32-bit x86_64"):
        kernel.pivot_root(".", ".")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("6.8.0-45-generic", (6, 8)), ("5.14.0-427.el9.x86_64", (5, 14)), ("4.4.0", (4, 4))],
)
def test_a_release_is_two_numbers(
    text: str, numbers: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a distribution adds to them."""
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=text))
    assert kernel.release() == numbers


def test_a_capability_that_is_not_in_effect_is_none_but_can_still_be_dropped() -> None:
    """What a process may take up again counts as its own until it is given up."""
    if os.geteuid() != 0:
        skip_without("root", "root")
    told = result_apart("""
        import ctypes
        from recode_guest import kernel

        words = kernel._capability_words()
        sets = (ctypes.c_uint32 * 6)(0, *words[1:3], 0, *words[4:])
        kernel.call("capset", kernel._capability_header(), sets)
        result = [kernel.is_capable(kernel.CAP_SYS_ADMIN), kernel.capabilities() != 0]
        kernel.drop_capabilities()
        result += [kernel.capabilities()]
    """)
    assert told == [False, True, 0]
