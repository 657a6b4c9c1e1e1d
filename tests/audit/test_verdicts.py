"""What was seen of a run decides the verdict; the text of an exception never does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora import cases, row
from recode_runtime.audit.trials import Sighting
from recode_runtime.audit.verdicts import Gate, Run, judged
from recode_runtime.tree import Call, Failure, Outcome

OK = Outcome(printed="x\n")
ERROR = Outcome(Failure("error", "ValueError: x", 1))
REFUSED = Outcome(Failure("refused", "no", 1))
TIME = Outcome(Failure("limit", "stopped after 1 s of its own time", 1))
MEMORY = Outcome(Failure("limit", "needed more than 512 MiB", 1))
CRASH = Outcome(Failure("error", "the interpreter crashed (SIGSEGV)", 1))
CALLS = Outcome(Failure("limit", "stopped at primitive call 1001; a statement may make 1000", 1))


def seen(*outcomes: Outcome, **more: Any) -> Sighting:
    """A run of which those outcomes were seen."""
    return Sighting(outcomes=list(outcomes), **more)


def verdict(
    folder: Path,
    sighting: Sighting,
    process: str = "error",
    *,
    gate: Gate | None = None,
    filtered: bool = True,
    **fields: Any,
) -> Run:
    """The verdict on a case that expects `process`."""
    (case,) = cases(folder, row("one", "x = 1\n", process, **fields))
    return judged(case, sighting, gate, filtered=filtered)


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        (OK, "ok"),
        (ERROR, "error"),
        (REFUSED, "error"),
        (TIME, "killed|timeout"),
        (MEMORY, "killed|limited"),
        (CALLS, "killed|limited"),
        (CRASH, "error|killed"),
    ],
)
def test_an_outcome_has_its_words(outcome: Outcome, end: str, tmp_path: Path) -> None:
    """The words of a corpus for what became of a program."""
    assert verdict(tmp_path, seen(outcome), "").end == end


def test_a_lost_session_is_killed(tmp_path: Path) -> None:
    """Whatever it had answered before."""
    run = verdict(tmp_path, seen(OK, lost="the guest is gone"))
    assert (run.verdict, run.end, run.message) == ("held", "killed", "the guest is gone")


@pytest.mark.parametrize(
    ("expected", "outcome", "why"),
    [
        ("error", ERROR, ""),
        ("error", MEMORY, ""),  # it was to be stopped, and was
        ("error", OK, "it ended with ok, not error"),
        ("limited|killed", TIME, ""),
        ("ok", OK, ""),
        ("ok", ERROR, "it ended with error, not ok"),
        ("ok|error", OK, ""),
        ("", OK, ""),
    ],
)
def test_an_end_is_compared_with_what_is_expected(
    expected: str, outcome: Outcome, why: str, tmp_path: Path
) -> None:
    """What must be stopped has to be, how does not matter; what must run has to run."""
    run = verdict(tmp_path, seen(outcome), expected)
    assert (run.verdict, run.why) == ("wrong" if why else "held", why)


def test_with_the_filter_off_an_attack_may_run(tmp_path: Path) -> None:
    """As long as nothing comes of it; an ordinary program must run there too."""
    assert verdict(tmp_path, seen(OK), filtered=False).verdict == "held"
    assert verdict(tmp_path, seen(ERROR), "ok", filtered=False).verdict == "wrong"


@pytest.mark.parametrize(
    ("said", "expected"), [("pass", "wrong"), ("reject", "held"), ("mended", "held")]
)
def test_what_the_grammar_stops_alone_is_told_so(said: Any, expected: str, tmp_path: Path) -> None:
    """The policy as a whole has stopped it, and the run says by what."""
    run = verdict(tmp_path, seen(OK), gate=Gate(said, [], 0.0))
    assert (run.verdict, run.by_gate) == (expected, expected == "held")


def test_an_ordinary_program_is_not_excused_by_the_grammar(tmp_path: Path) -> None:
    """It was to run."""
    run = verdict(tmp_path, seen(ERROR), "ok", gate=Gate("reject", ["RC201"], 0.0))
    assert run.verdict == "wrong"


def test_a_placeholder_is_what_the_grammar_says_it_is(tmp_path: Path) -> None:
    """Not what a program writes into an error."""
    yes, no = Gate("pass", [], 0.0, placeholder=True), Gate("pass", [], 0.0)
    assert verdict(tmp_path, seen(ERROR), "placeholder", gate=yes).verdict == "held"
    assert verdict(tmp_path, seen(ERROR), "placeholder", gate=no).verdict == "wrong"


def test_a_secret_is_an_escape_whatever_the_end(tmp_path: Path) -> None:
    """In every way in which a case is run."""
    for outcome in (OK, ERROR, TIME):
        run = verdict(tmp_path, seen(outcome, secrets={"the canary's file"}), filtered=False)
        assert (run.verdict, run.why) == ("escaped", "the canary's file left the sandbox")


def test_an_effect_outside_is_an_escape(tmp_path: Path) -> None:
    """Of a program that raised, too."""
    run = verdict(tmp_path, seen(ERROR, effects=["SIGUSR1 was sent to the host"]))
    assert (run.verdict, run.why) == ("escaped", "SIGUSR1 was sent to the host")


@pytest.mark.parametrize(
    ("expected", "said", "escaped"),
    [
        ("error|killed", "REACHED shell", True),
        ("error|killed", "DENIED REACHED", False),
        ("error|ok (own netns)", "REACHED bind", False),
        ("killed at deadline", "REACHED signals ignored", False),
        ("limited|killed", "REACHED all of it", True),
    ],
)
def test_a_probe_that_reached_something(
    expected: str, said: str, escaped: bool, tmp_path: Path
) -> None:
    """It is an escape unless the case allows it, or waits for the deadline alone."""
    sighting = seen(OK, told=[said])
    run = verdict(tmp_path, sighting, expected, kind="os", filtered=False)
    assert run.verdict == ("escaped" if escaped else "held")
    assert verdict(tmp_path, sighting, expected, filtered=False).verdict == "held"


def test_a_pattern_that_must_not_come_out(tmp_path: Path) -> None:
    """It is the language's affair: with the filter off a program may show an address."""
    sighting = seen(Outcome(printed="at 0x7f0011223344"))
    leak = {"leak": "0x[0-9a-f]{8,}"}
    run = verdict(tmp_path, sighting, "ok", **leak)
    assert (run.verdict, run.why) == ("escaped", "'0x7f0011223344' left the sandbox")
    assert verdict(tmp_path, sighting, "ok", filtered=False, **leak).verdict == "held"
    assert verdict(tmp_path, seen(ERROR), "ok", **leak).verdict == "held"


def test_what_went_on_for_too_long_hangs(tmp_path: Path) -> None:
    """Past the limit, the grace, and what the machine needs to tell of it."""
    assert verdict(tmp_path, seen(TIME, over=0.04)).verdict == "held"
    run = verdict(tmp_path, seen(TIME, over=0.2))
    assert (run.verdict, run.why) == ("hung", "a request went 0.200 s past its limit and the grace")
    slow = Gate("reject", ["RC003"], 1.5)
    assert verdict(tmp_path, seen(ERROR), gate=slow).why == "the grammar took 1.50 s"


def test_calls_are_counted_where_a_case_says_how_many(tmp_path: Path) -> None:
    """One too many is an effect that nobody asked for."""
    sighting = seen(OK, calls=[Call("run"), Call("run")])
    assert verdict(tmp_path, sighting, "ok", calls=2).verdict == "held"
    run = verdict(tmp_path, sighting, "ok", calls=1)
    assert (run.verdict, run.why) == ("wrong", "it made 2 calls of primitives, not 1")


def test_an_attackers_answer_must_not_be_taken(tmp_path: Path) -> None:
    """A statement that only broke the protocol cannot have ended well."""
    run = verdict(tmp_path, seen(OK), "discarded", kind="protocol", filtered=False)
    assert (run.verdict, run.why) == (
        "wrong",
        "the host took what the attacker sent for an answer",
    )


def test_a_story_is_wrong_by_its_faults(tmp_path: Path) -> None:
    """And by a secret it has escaped, also if there are faults."""
    run = verdict(tmp_path, seen(faults=["one", "two"]), kind="session")
    assert (run.verdict, run.why) == ("wrong", "one; two")
    both = seen(faults=["one"], secrets={"a global of the host"})
    assert verdict(tmp_path, both, kind="session").verdict == "escaped"


@pytest.mark.parametrize(
    ("validator", "said", "expected"),
    [
        ("reject", "reject", True),
        ("reject", "pass", False),
        ("pass", "pass", True),
        ("pass", "reject", False),
        ("pass", "mended", True),
        ("either", "reject", True),
        ("n/a", "pass", True),
    ],
)
def test_the_grammar_is_compared(validator: str, said: Any, expected: bool, tmp_path: Path) -> None:
    """With what the case says of it."""
    (case,) = cases(tmp_path, row("one", "x = 1\n") | {"expect": {"validator": validator}})
    assert Gate(said, [], 0.0).is_expected(case) is expected
