"""A checkpoint as it is: two processes, of which exactly one goes on."""

from __future__ import annotations

import errno
import os
import signal
import socket

import pytest

from forking import Ended, Forked, ended
from processes import descriptors_open
from recode_guest import checkpoint
from recode_guest.alarm import Alarm

# What the running side does, and what the waiting side then knows.
LOSSES = {
    "os._exit(7)": 7,
    "os._exit(0)": 0,
    "Runner.leave(checkpoint.OUT_OF_MEMORY)": checkpoint.OUT_OF_MEMORY,
    "os.kill(os.getpid(), signal.SIGKILL)": -signal.SIGKILL,
    "os.kill(os.getpid(), signal.SIGSEGV)": -signal.SIGSEGV,
    "ctypes.string_at(0)": -signal.SIGSEGV,
}


def test_after_a_commit_the_running_side_is_the_only_one() -> None:
    """The waiting side has left without a word."""
    program = """
    taken = take(control, NEVER)
    taken.commit()
    say("goes on")
    """
    assert ended(program) == Ended(["goes on"], 0)


def test_after_a_reported_failure_the_waiting_side_goes_on() -> None:
    """It hears only that the host knows."""
    program = """
    taken = take(control, NEVER)
    if isinstance(taken, Runner):
        taken.fail()
        say("reported")
        taken.leave(checkpoint.REPORTED)
    say("goes on", taken)
    """
    assert ended(program) == Ended(["reported", "goes on None"], 0)


@pytest.mark.parametrize("end", LOSSES)
def test_a_running_side_that_is_gone_without_a_word_is_told_of_by_its_end(end: str) -> None:
    """However it ended, and as what it was before the checkpoint."""
    program = f"""
    state = ["before"]
    taken = take(control, NEVER)
    if isinstance(taken, Runner):
        state.append("changed")
        {end}
    say(taken, *state)
    """
    assert ended(program) == Ended([f"{LOSSES[end]} before"], 0)


def test_a_failure_that_may_not_have_been_reported_ends_both() -> None:
    """It had said that it would, and nobody knows how much the host has heard."""
    program = """
    taken = take(control, NEVER)
    if isinstance(taken, Runner):
        taken.fail()
        os.kill(os.getpid(), signal.SIGKILL)
    say("goes on")
    """
    assert ended(program) == Ended([], checkpoint.BROKEN)


def test_a_running_side_ends_with_its_waiting_side() -> None:
    """Whoever kills the one has ended the statement: no other process is left with it."""
    program = Forked("""
    taken = take(control, NEVER)
    assert isinstance(taken, Runner)
    say(os.getppid())
    time.sleep(3_600)
    """)
    os.kill(int(program.line()), signal.SIGKILL)
    assert program.end() == Ended([], -signal.SIGKILL)


def test_a_running_side_that_was_an_orphan_before_it_could_ask_ends() -> None:
    """The kernel tells nobody of a parent that was gone already."""
    program = """
    def fork(fork=os.fork):
        child = fork()
        if child == 0:
            os.kill(os.getppid(), signal.SIGKILL)
            while os.getppid() == waiting:
                time.sleep(0.001)
        return child

    waiting = os.getpid()
    os.fork = fork
    take(control, NEVER)
    say("goes on")
    """
    assert ended(program) == Ended([], -signal.SIGKILL)


def test_a_running_side_that_commits_outlives_its_waiting_side() -> None:
    """From the moment it has asked not to end with it: then it is the session, heard or not."""
    program = """
    taken = take(control, NEVER)
    waiting = os.getppid()
    checkpoint.die_with_parent(False)
    os.kill(waiting, signal.SIGKILL)
    while os.getppid() == waiting:
        time.sleep(0.001)
    taken.commit()
    say("goes on")
    """
    assert ended(program) == Ended(["goes on"], -signal.SIGKILL)


def test_both_sides_end_with_the_host() -> None:
    """The waiting side notices, the running side goes with it."""
    program = Forked("""
    take(control, NEVER)
    say("runs")
    time.sleep(3_600)
    """)
    assert program.line() == "runs"
    program.control.close()
    assert program.end() == Ended([], 0)


@pytest.mark.parametrize("decide", ["commit", "fail"])
def test_the_alarm_is_off_before_the_byte_is_written(decide: str) -> None:
    """So that no side can have decided and be ended by the alarm after all."""
    program = f"""
    def write(descriptor, data, write=os.write):
        timers = [signal.getitimer(timer) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)]
        write(1, f"{{data}} {{timers}}\\n".encode())
        return write(descriptor, data)

    taken = take(control, Alarm(50.0, 50.0))
    if isinstance(taken, Runner):
        os.write = write
        taken.{decide}()
        taken.leave(checkpoint.REPORTED)
    """
    byte = {"commit": b"+", "fail": b"-"}[decide]
    assert ended(program).lines == [f"{byte!r} [(0.0, 0.0), (0.0, 0.0)]"]


def test_statements_that_end_as_their_alarm_does_are_decided_once() -> None:
    """Of a hundred each has committed or is lost, and the session goes on after every one."""
    program = """
    for number in range(100):
        began = time.monotonic()
        taken = take(control, Alarm(0.004, 1.0))
        if isinstance(taken, Runner):
            while time.monotonic() < began + 0.003 + number % 20 * 0.0001:
                pass
            taken.commit()
            say(number, "committed")
        else:
            say(number, "lost", taken)
    """
    lines = ended(program).lines
    assert [int(line.split()[0]) for line in lines] == list(range(100))
    outcomes = {line.partition(" ")[2] for line in lines}
    assert outcomes == {"committed", f"lost {-signal.SIGALRM}"}


def test_a_copy_of_the_running_side_decides_nothing() -> None:
    """A program without the filter can fork; what its copy comes to is nobody's outcome."""
    program = """
    taken = take(control, NEVER)
    if isinstance(taken, Runner):
        if os.fork() == 0:
            taken.commit()
            say("the copy goes on")
        os.wait()
        os._exit(7)
    say("goes on", taken)
    """
    assert ended(program) == Ended(["goes on 7"], 0)


def test_checkpoints_one_after_the_other_keep_no_descriptor_and_no_process() -> None:
    """Committed, failed and lost ones."""
    program = """
    ends = [lambda taken: taken.commit(), lambda taken: os._exit(1)]
    ends.append(lambda taken: (taken.fail(), taken.leave(checkpoint.REPORTED)))
    before = len(os.listdir("/proc/self/fd"))
    for number in range(90):
        taken = take(control, NEVER)
        if isinstance(taken, Runner):
            ends[number % 3](taken)
    say(len(os.listdir("/proc/self/fd")) - before)
    try:
        os.wait()
    except ChildProcessError:
        say("no child")
    """
    assert ended(program).lines == ["0", "no child"]


def test_where_no_process_is_left_there_is_no_checkpoint() -> None:
    """It is tried for a while, because sides of earlier checkpoints may be about to go."""
    program = """
    if os.geteuid() == 0:  # whose processes the kernel does not count
        os.setresuid(54321, 54321, 54321)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    before = os.listdir("/proc/self/fd")
    try:
        take(control, NEVER)
    except NoProcess as problem:
        say(isinstance(problem, MemoryError), os.listdir("/proc/self/fd") == before)
    """
    assert ended(program).lines == ["True True"]


def test_where_no_memory_is_left_there_is_no_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other refusal of the kernel is final."""

    def fork() -> int:
        raise OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(os, "fork", fork)
    ours, theirs = socket.socketpair()
    before = descriptors_open()
    with ours, theirs:
        with pytest.raises(MemoryError, match="no room for a checkpoint"):
            checkpoint.take(ours, Alarm(1.0, 1.0))
        assert descriptors_open() == before
