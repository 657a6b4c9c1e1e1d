"""The filter of system calls: what it lets through, call by call, on both kinds of machine."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpf import ALLOW, ARCHITECTURES, ERROR, KILL, X32_BIT, Call, Filter
from parts import skip_without
from recode_guest import kernel, seccomp
from system_calls import KEPT, MACHINES, Row, kept, listed, made

NUMBERS = range(601)
CHECKOUT = Path(__file__).parent.parent.parent
HIGH = 1 << 32
# Every constant that the table compares with, its neighbours, and the same beyond 32 bits.
EDGES = sorted(
    {0, 1, 2**32 - 1, 2**64 - 1}
    | {
        edge
        for row in kept()
        for _, mask, value in row.conditions
        for edge in (value, value + 1, value | HIGH, mask & (2**32 - 1), value ^ (mask & -mask))
    }
)


def loaded(machine: str) -> Filter:
    """The filter for that kind of machine, as it is shipped."""
    program = seccomp.filter_for(machine)
    assert program is not None
    return Filter.of(program)


def arguments_for(rows: list[Row]) -> Iterator[tuple[int, ...]]:
    """Each edge in each place with all the others 0, and in pairs where conditions come so."""
    for at, edge in itertools.product(range(6), EDGES):
        yield tuple(edge if place == at else 0 for place in range(6))
    for row in rows:
        for edges in itertools.product(EDGES, repeat=len(row.conditions)):
            chosen = dict(zip((at for at, _, _ in row.conditions), edges, strict=True))
            yield tuple(chosen.get(place, 0) for place in range(6))


def expected(rows: list[Row], arguments: tuple[int, ...]) -> int:
    """What the table says of a call; no two of its rows may say it differently."""
    answers = {row.answer for row in rows if row.fits(arguments)}
    assert len(answers) <= 1
    if not answers:
        return KILL
    answer = answers.pop()
    return ALLOW if answer == "allow" else ERROR | getattr(errno, answer)


@pytest.mark.parametrize("machine", MACHINES)
def test_each_call_gets_what_the_table_says_and_any_other_is_the_end(machine: str) -> None:
    """All numbers from 0 to 600, with every argument at every edge; no instruction is left out."""
    judge = loaded(machine)
    table = [row for row in kept() if row.machine == machine]
    for number in NUMBERS:
        rows = [row for row in table if row.number == number]
        for arguments in set(arguments_for(rows)):
            call = Call(number, arguments, ARCHITECTURES[machine])
            assert judge.verdict(call) == expected(rows, arguments), call
    for stranger in strangers(machine):
        assert judge.verdict(stranger) == KILL, stranger
    assert judge.used == set(range(len(judge.instructions)))


def strangers(machine: str) -> Iterator[Call]:
    """Calls by other numbers than the machine's own: of other processors, of x32, out of range."""
    own = ARCHITECTURES[machine]
    for number in NUMBERS:
        for architecture in set(ARCHITECTURES.values()) - {own}:
            yield Call(number, architecture=architecture)
        yield Call(number | X32_BIT, architecture=own)
    for number in (601, 10_000, X32_BIT - 1, 2**31, 2**32 - 1):
        yield Call(number, architecture=own)


def test_the_table_says_what_the_list_says() -> None:
    """Each entry, call and condition of `seccomp.toml` is in it, and nothing else is."""
    told = {(row.name, row.answer, row.conditions) for row in kept()}
    assert told == set(listed())
    # Calls that only one of the two has, by the kernel's own tables.
    older = {"open", "stat", "lstat", "poll", "access", "readlink"}
    names = {
        machine: {row.name for row in kept() if row.machine == machine} for machine in MACHINES
    }
    assert names["x86_64"] - names["aarch64"] == older
    assert names["aarch64"] <= names["x86_64"]


def test_every_entry_has_a_reason_of_its_own() -> None:
    """So that nobody has to guess why a call is on the list."""
    source = (CHECKOUT / "sandbox/recode_guest/seccomp.toml").read_text(encoding="utf-8")
    reasons = [entry["why"] for entry in tomllib.loads(source)["entry"]]
    assert len(set(reasons)) == len(reasons)
    assert min(map(len, reasons)) > 10


def test_the_filters_are_those_that_libseccomp_makes_of_the_list() -> None:
    """`tools/seccomp_filter.py --check`, and the numbers in the table."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError) as problem:
        skip_without("libseccomp", f"apt-get install libseccomp2 ({problem})")
    tool = [sys.executable, str(CHECKOUT / "tools" / "seccomp_filter.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [str(row) for row in made()] == KEPT.read_text(encoding="utf-8").splitlines()


def test_a_machine_of_another_kind_has_no_filter() -> None:
    """Nor has a Python of 32 bits on a known one, whose calls have other numbers."""
    assert seccomp.filter_for("riscv64") is None
    assert seccomp.filter_for("32-bit x86_64") is None
    assert kernel.machine() == os.uname().machine
