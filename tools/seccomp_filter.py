"""Make the guest's seccomp filters of `sandbox/recode_guest/seccomp.toml`, by libseccomp.

The filters are part of the repository, so that a guest needs neither libseccomp nor privilege, and
loads in microseconds what was compiled once. `--check` says whether they are up to date.
"""

from __future__ import annotations

import errno
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyseccomp

GUEST = Path(__file__).parent.parent / "sandbox" / "recode_guest"
MACHINES = {"x86_64": pyseccomp.Arch.X86_64, "aarch64": pyseccomp.Arch.AARCH64}


def entries() -> list[dict[str, Any]]:
    """The entries of the list, in its order."""
    found: list[dict[str, Any]] = tomllib.loads((GUEST / "seccomp.toml").read_text())["entry"]
    return found


def path_of(machine: str) -> Path:
    """Where the filter for one kind of machine lies."""
    return GUEST / f"seccomp-{machine}.bpf"


def compiled(machine: str) -> bytes:
    """The filter for one kind of machine, as the kernel takes it."""
    made = pyseccomp.SyscallFilter(pyseccomp.KILL_PROCESS)
    made.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    made.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, 2)  # a binary tree: a dozen steps at most
    if MACHINES[machine] != pyseccomp.system_arch():
        made.add_arch(MACHINES[machine])
        made.remove_arch(pyseccomp.system_arch())
    for entry in entries():
        answer = _answer(entry["answer"])
        where = list(_conditions(entry))
        for call in entry["calls"]:
            if pyseccomp.resolve_syscall(MACHINES[machine], call) >= 0:
                made.add_rule_exactly(answer, call, *where)
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


def _answer(text: str) -> int:
    return pyseccomp.ALLOW if text == "allow" else pyseccomp.ERRNO(getattr(errno, text))


def _conditions(entry: dict[str, Any]) -> Iterator[pyseccomp.Arg]:
    for one in entry.get("where", ()):
        if "mask" in one:
            kind, first, second = pyseccomp.MASKED_EQ, one["mask"], one["equals"]
        else:
            kind, first, second = pyseccomp.EQ, one["equals"], 0
        yield pyseccomp.Arg(one["argument"], kind, first, second)


def main() -> int:
    """Write the filters, or with `--check` compare them."""
    if "--check" not in sys.argv[1:]:
        for machine in MACHINES:
            path_of(machine).write_bytes(compiled(machine))
        return 0
    stale = [machine for machine in MACHINES if path_of(machine).read_bytes() != compiled(machine)]
    if stale:
        sys.stderr.write(f"not as seccomp.toml says: {', '.join(stale)}; run {sys.argv[0]}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
