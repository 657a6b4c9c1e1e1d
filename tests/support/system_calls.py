"""The system calls of a guest as a table that was read by a person, for each kind of machine.

`python tests/support/system_calls.py` keeps a new one, made of `seccomp.toml` with the numbers that
libseccomp gives. The filters are judged by this table, so that nothing joins it unseen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GUEST = Path(__file__).parent.parent.parent / "sandbox" / "recode_guest"
KEPT = Path(__file__).parent.parent / "snapshots" / "system_calls.txt"
MACHINES = ("x86_64", "aarch64")

_ROW = re.compile(r"(\w+) +(\d+) +(\w+) +(\w+)((?: +\d+&0x[0-9a-f]+=0x[0-9a-f]+)*)")
_CONDITION = re.compile(r"(\d+)&(0x[0-9a-f]+)=(0x[0-9a-f]+)")
_ALL_BITS = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Row:
    """A call, what it gets, and the conditions (argument, mask, value) under which it gets that."""

    machine: str
    number: int
    name: str
    answer: str
    conditions: tuple[tuple[int, int, int], ...]

    def __str__(self) -> str:
        where = "".join(f" {at}&{mask:#x}={value:#x}" for at, mask, value in self.conditions)
        return f"{self.machine} {self.number:3} {self.name} {self.answer}{where}"

    def fits(self, arguments: tuple[int, ...]) -> bool:
        """Whether a call with those arguments gets that answer."""
        return all(arguments[at] & mask == value for at, mask, value in self.conditions)


def kept() -> list[Row]:
    """The rows that were read by a person."""
    rows = []
    for line in KEPT.read_text(encoding="utf-8").splitlines():
        found = _ROW.fullmatch(line)
        assert found is not None, line
        machine, number, name, answer, where = found.groups()
        conditions = tuple(
            (int(at), int(mask, 16), int(value, 16))
            for at, mask, value in _CONDITION.findall(where)
        )
        rows.append(Row(machine, int(number), name, answer, conditions))
    return rows


def listed() -> Iterator[tuple[str, str, tuple[tuple[int, int, int], ...]]]:
    """Name, answer and conditions of every call in `seccomp.toml`."""
    entries: list[dict[str, Any]] = tomllib.loads((GUEST / "seccomp.toml").read_text())["entry"]
    for entry in entries:
        conditions = tuple(
            (one["argument"], one.get("mask", _ALL_BITS), one["equals"])
            for one in entry.get("where", ())
        )
        for name in entry["calls"]:
            yield name, entry["answer"], conditions


def made() -> list[Row]:
    """The rows as `seccomp.toml` and libseccomp would have them."""
    import pyseccomp

    kinds = {"x86_64": pyseccomp.Arch.X86_64, "aarch64": pyseccomp.Arch.AARCH64}
    rows = []
    for machine in MACHINES:
        for name, answer, conditions in listed():
            number = pyseccomp.resolve_syscall(kinds[machine], name)
            if number >= 0:
                rows.append(Row(machine, number, name, answer, conditions))
    return sorted(rows, key=lambda row: (row.machine != MACHINES[0], row.number, row.conditions))


if __name__ == "__main__":
    KEPT.write_text("".join(f"{row}\n" for row in made()), encoding="utf-8")
