"""The alarm of a statement, with the kernel's own clocks."""

from __future__ import annotations

import signal

import pytest

from forking import Ended, ended

SPIN = "while True: pass"
SLEEP = "time.sleep(3_600)"
TIMERS = "[signal.getitimer(timer)[0] for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)]"


@pytest.mark.parametrize(
    ("limits", "what", "number"),
    [
        ((0.05, 1e6), SLEEP, signal.SIGALRM),
        ((0.05, 1e6), SPIN, signal.SIGALRM),
        ((0.05, 1e6), "sum(range(10**15))", signal.SIGALRM),
        ((1e6, 0.05), SPIN, signal.SIGPROF),
        ((1e6, 0.05), "10**10**8", signal.SIGPROF),
    ],
)
def test_each_clock_ends_the_process_with_a_signal_of_its_own(
    limits: tuple[float, float], what: str, number: int
) -> None:
    """In whatever it is: asleep, in a loop, in C code that looks at no signal."""
    assert ended(f"Alarm{limits}.set()\n{what}") == Ended([], -number)


def test_a_program_cannot_catch_it() -> None:
    """No handler of Python's has a chance where the interpreter is not back in its loop."""
    program = f"""
    Alarm(0.05, 1e6).set()
    try:
        {SLEEP}
    except BaseException:
        say("caught")
    finally:
        say("finally")
    """
    assert ended(program) == Ended([], -signal.SIGALRM)


def test_who_sleeps_has_no_processor_time() -> None:
    """Only the other clock counts that."""
    program = f"""
    Alarm(1e6, 50.0).set()
    before = {TIMERS}
    time.sleep(0.3)
    own, processor = [before[at] - left for at, left in enumerate({TIMERS})]
    say(own >= 0.3, processor < 0.3)
    """
    assert ended(program) == Ended(["True True"], 0)


def test_own_time_is_held_while_the_host_answers() -> None:
    """And goes on with what was left."""
    program = f"""
    alarm = Alarm(50.0, 1e6)
    alarm.set()
    time.sleep(0.02)
    before = {TIMERS}[0]
    alarm.hold()
    say({TIMERS}[0])
    time.sleep(0.02)
    alarm.resume()
    say(0 < {TIMERS}[0] <= before < 49.99)
    """
    assert ended(program) == Ended(["0.0", "True"], 0)


def test_one_that_was_held_goes_off_later() -> None:
    """What is left is not lost."""
    program = f"""
    alarm = Alarm(1.0, 1e6)
    alarm.set()
    alarm.hold()
    alarm.resume()
    {SLEEP}
    """
    assert ended(program) == Ended([], -signal.SIGALRM)


def test_processor_time_counts_while_the_host_answers() -> None:
    """Whoever waits uses none."""
    program = f"""
    alarm = Alarm(1e6, 0.05)
    alarm.set()
    alarm.hold()
    {SPIN}
    """
    assert ended(program) == Ended([], -signal.SIGPROF)


def test_one_that_is_off_stays_off() -> None:
    """Whatever is held and resumed after that: no statement is under way."""
    program = f"""
    alarm = Alarm(50.0, 50.0)
    alarm.set()
    alarm.off()
    alarm.hold()
    alarm.resume()
    say(*{TIMERS})
    """
    assert ended(program) == Ended(["0.0 0.0"], 0)


def test_one_that_was_never_set_is_not_set_by_a_call() -> None:
    """A cheap statement has none, and may call primitives."""
    program = f"alarm = Alarm(0.05, 0.05)\nalarm.hold()\nalarm.resume()\nsay(*{TIMERS})"
    assert ended(program) == Ended(["0.0 0.0"], 0)


def test_every_statement_begins_from_nothing() -> None:
    """Setting it again gives all the time again."""
    program = f"""
    alarm = Alarm(50.0, 50.0)
    alarm.set()
    time.sleep(0.05)
    first = {TIMERS}
    alarm.set()
    say(first[0] < 49.96, {TIMERS}[0] > first[0])
    """
    assert ended(program) == Ended(["True True"], 0)


def test_a_fork_does_not_inherit_it() -> None:
    """The waiting side of a checkpoint has none, nor has a copy that a program makes."""
    program = f"""
    Alarm(50.0, 50.0).set()
    if os.fork() == 0:
        say(*{TIMERS})
        os._exit(0)
    os.wait()
    say(*[left > 0 for left in {TIMERS}])
    """
    assert ended(program) == Ended(["0.0 0.0", "True True"], 0)
