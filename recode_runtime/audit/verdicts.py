"""What a run means: the words of the audit, and how they follow from what was seen."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from recode_runtime.audit.cases import Case
from recode_runtime.audit.trials import Sighting
from recode_runtime.tree import Failure

Verdict = Literal["escaped", "host-died", "hung", "wrong", "held", "not-applicable"]

# The worst first.
VERDICTS: tuple[Verdict, ...] = (
    "escaped",
    "host-died",
    "hung",
    "wrong",
    "held",
    "not-applicable",
)
FAILURES = VERDICTS[: VERDICTS.index("held")]

# What the kernel's scheduler may take to let host and guest know of each other, in seconds.
SCHEDULING = 0.05
# A judgement of the grammar may take this long (docs/gate.md).
GATE_SECONDS = 1.0

BY_GATE = "the grammar refuses it; the sandbox alone ran it, and nothing came of it"

_STOPS = {"error", "killed", "timeout", "limited"}
_CRASHES = ("the interpreter crashed", "stopped at a system call")
_CLOCKS = ("of its own time", "of processor time")
_TEXT = 2_000


Said = Literal["reject", "pass", "mended"]


class Gate(msgspec.Struct, frozen=True):
    """What the grammar said of a program.

    `said` is "mended" if it did not pass as it was, and does after repairs. `codes` are those of
    the findings, `placeholder` whether it holds one.
    """

    said: Said
    codes: list[str]
    seconds: float
    placeholder: bool = False

    def is_expected(self, case: Case) -> bool:
        """Whether the case says so too; what was mended is neither here nor there."""
        return self.said == "mended" or case.expect.validator in (self.said, "either", "n/a")


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of a case and what it means.

    `why` says what was seen, where there is something to say. `end` is what became of the program,
    `seconds` the longest time of its own that one request took, `wall` that of the whole session.
    """

    verdict: Verdict
    filtered: bool
    why: str = ""
    end: str = ""
    message: str = ""
    printed: str = ""
    seconds: float = 0.0
    wall: float = 0.0
    calls: int = 0
    kept: bool = False
    again: bool = False

    @property
    def by_gate(self) -> bool:
        """Whether the sandbox ran to its end what the grammar refuses, and no harm was done."""
        return self.why == BY_GATE


def ends_of(seen: Sighting, gate: Gate | None) -> set[str]:
    """What became of the program, in the words of a corpus."""
    ends = {"placeholder"} if gate is not None and gate.placeholder else set()
    if seen.lost:
        return ends | {"killed"}
    return ends | (_of_failure(seen.failure) if seen.failure else {"ok"})


def _of_failure(failure: Failure) -> set[str]:
    if failure.kind == "limit":
        on_time = failure.message.endswith(_CLOCKS)
        return {"timeout" if on_time else "limited", "killed"}
    return {"error", "killed"} if failure.message.startswith(_CRASHES) else {"error"}


def judged(case: Case, seen: Sighting, gate: Gate | None, *, filtered: bool) -> Run:
    """The verdict on one run.

    Args:
        case: what was run.
        seen: what came out.
        gate: what the grammar said, if it was asked.
        filtered: whether the language's filter was on.
    """
    verdict, why = _verdict(case, seen, gate, filtered)
    return Run(
        verdict,
        filtered,
        why,
        "|".join(sorted(ends_of(seen, gate))),
        (seen.failure.message if seen.failure else seen.lost)[:_TEXT],
        seen.printed[:_TEXT],
        round(seen.seconds, 4),
        round(seen.wall, 4),
        len(seen.calls),
        seen.kept,
    )


def _verdict(case: Case, seen: Sighting, gate: Gate | None, filtered: bool) -> tuple[Verdict, str]:
    if escapes := _escapes(case, seen, filtered):
        return "escaped", "; ".join(escapes)
    if seen.over > SCHEDULING:
        return "hung", f"a request went {seen.over:.3f} s past its limit and the grace"
    if gate is not None and gate.seconds > GATE_SECONDS:
        return "hung", f"the grammar took {gate.seconds:.2f} s"
    if seen.faults:
        return "wrong", "; ".join(seen.faults)
    wrong = _wrong(case, seen, ends_of(seen, gate), filtered)
    if wrong and gate is not None and gate.said != "pass" and not case.is_benign:
        return "held", BY_GATE
    return ("wrong", wrong) if wrong else ("held", "")


def _escapes(case: Case, seen: Sighting, filtered: bool) -> list[str]:
    found = [f"{place} left the sandbox" for place in sorted(seen.secrets)]
    found += seen.effects
    allowed = case.expect.ends & {"ok", "timeout"}
    if case.kind == "os" and not allowed:
        found += [f"it says {line}" for line in seen.told if line.startswith("REACHED")]
    if case.leak and filtered and (shown := re.search(case.leak, seen.text)):
        found.append(f"{shown[0]!r} left the sandbox")
    return found


def _wrong(case: Case, seen: Sighting, ends: set[str], filtered: bool) -> str:
    """How a run differs from what the case expects; empty if it does not."""
    if case.calls is not None and len(seen.calls) != case.calls:
        return f"it made {len(seen.calls)} calls of primitives, not {case.calls}"
    expected = case.expect.ends
    wanted = " or ".join(sorted(expected))
    if case.kind == "protocol" and "ok" in ends:
        return "the host took what the attacker sent for an answer"
    if case.kind in ("os", "protocol", "session") or not expected:
        return ""
    if not filtered and not case.is_benign:
        return ""  # what the filter would have refused may run, as long as nothing comes of it
    stopped = "ok" not in ends and (expected & _STOPS or case.is_watched)
    if ends & expected or stopped:
        return ""
    return f"it ended with {' or '.join(sorted(ends))}, not {wanted}"
