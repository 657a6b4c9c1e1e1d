"""Every limit of a policy fires, says so in its own words, and costs the statement alone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from recode_runtime.sandboxes.process import ProcessSession
from sessions import Acts, opened, strict
from spoiling import fails_without_a_trace, spoiling

# Enough for any statement here that is to end by another limit.
PATIENT = {"statement_seconds": 300.0, "statement_cpu_seconds": 300.0}
OWN_TIME = "stopped after 0.5 s of its own time"

# Loops in C, which look at no signal before they are done.
IN_C = {
    "a sum": "sum(range(10**12))",
    "a power": "10**10**8",
    "a product": "3**(2**24) * 5**(2**24)",
    "a division": "(1 << 2**25) // 3**(2**22)",
    "a number of permutations": "math.perm(10**7)",
    "a catastrophic pattern": "re.match('(a+)+$', 'a' * 60 + 'b')",
    "a pattern of backreferences": r"re.match(r'(.*)(.*)(.*)(.*)\1\2x', 'a' * 5_000)",
    "an endless iterator": "max(itertools.count())",
    "an endless list of nothing": "collections.deque(itertools.count(), maxlen=0)",
    "comparisons": "sorted([[0] * 10**4] * 10**5)",
}


@pytest.mark.parametrize("name", IN_C)
async def test_a_loop_in_c_is_stopped_on_time(name: str) -> None:
    """It does not matter that the interpreter never comes to look at a signal."""
    async with opened(memory_mib=1024) as session:
        assert (await session.execute("import collections, itertools, math, re")).ok
        await fails_without_a_trace(session, spoiling(IN_C[name]), "limit", OWN_TIME)


async def test_own_time_is_stopped_on_time_and_not_before() -> None:
    """Within 100 ms, as soon as the machine has a moment; a stop is told where it happened."""
    async with opened() as session:
        for _ in range(20):
            stopped = await session.execute("while True: pass", line=7)
            assert stopped.seconds >= 0.5
            if stopped.seconds < 0.6:
                break
        assert stopped.seconds < 0.6
        assert stopped.failure is not None
        assert stopped.failure.line == 7
        assert stopped.failure.traceback == (
            f"line 7, in the program\n-->  while True: pass\n{OWN_TIME}"
        )
        assert (await session.execute("x = [i for i in range(9)]", want=["x"])).ok


async def test_time_is_not_own_while_the_host_answers() -> None:
    """Neither in a statement with a checkpoint nor in one without; only what comes after counts."""

    async def wait() -> None:
        await asyncio.sleep(0.7)

    async with opened({"wait": wait}, statement_seconds=0.6) as session:
        for source in ("wait()", "x = [wait() for _ in 'ab']"):
            outcome = await session.execute(source)
            assert outcome.failure is None
            assert outcome.seconds < 0.6
        source = "for _ in 'a':\n    wait()\n    while True: pass"
        failure = (await session.execute(source)).failure
        assert failure is not None
        assert failure.message == "stopped after 0.6 s of its own time"


async def test_processor_time_is_limited_by_itself() -> None:
    """A policy may give a statement long to wait and little to compute."""
    async with opened(statement_seconds=60.0, statement_cpu_seconds=0.3) as session:
        message = "stopped after 0.3 s of processor time"
        for then in ("sum(range(10**12))", "while True: pass"):
            await fails_without_a_trace(session, spoiling(then), "limit", message)


async def test_time_that_passes_without_computing_is_no_processor_time() -> None:
    """A call of a primitive takes none of it, whatever the host does meanwhile."""

    async def compute() -> None:
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass

    async with opened({"run": compute}, statement_cpu_seconds=0.3) as session:
        assert (await session.execute("x = [run() for _ in 'ab']")).ok


MEMORY = {
    "at once": "'a' * 10**10",
    "bit by bit": "while True: items += items",
    "in many pieces": "while True: items.append(bytes(1_000))",
    "in a number": "1 << 10**10",
    "in a copy": "[list(range(10**6)) for _ in range(100)]",
    "in a format": "f'{n:>10000000000}'",
}


@pytest.mark.parametrize("how", MEMORY)
async def test_memory_is_limited_however_it_is_taken(how: str) -> None:
    """At once and bit by bit."""
    async with opened(**PATIENT) as session:
        message = "needed more than 256 MiB"
        await fails_without_a_trace(session, spoiling(MEMORY[how]), "limit", message)


TOO_MANY_DIGITS = "ValueError: Exceeds the limit (4300 digits) for integer string conversion"
DIGITS_HINT = "use sys.set_int_max_str_digits() to increase the limit"
OTHERS = {
    "recursion": ("f = lambda: f()\n    f()", "RecursionError: maximum recursion depth exceeded"),
    "integer digits read": (
        "int('9' * 5_000)",
        f"{TOO_MANY_DIGITS}: value has 5000 digits; {DIGITS_HINT}",
    ),
    "integer digits shown": (
        "str(10**5_000)",
        f"{TOO_MANY_DIGITS}; {DIGITS_HINT}",
    ),
    "size of an argument": (
        "run('x' * 1_000)",
        "ValueError: run() cannot be given this: it is larger than 1000 bytes",
    ),
    "size of a call": (
        "run('x' * 500, 'y' * 500)",
        "ValueError: run() cannot be given this: it is larger than 1000 bytes",
    ),
    "size of keyword arguments": (
        "run(**{'x' * 600: 'y' * 600})",
        "ValueError: run() cannot be given this: it is larger than 1000 bytes",
    ),
    "digits of an argument": (
        "run(10**4_400)",
        "ValueError: run() cannot be given this: it is an int of about 4401 digits",
    ),
    "depth of an argument": (
        "deep = []\n    for _ in range(40): deep = [deep]\n    run(deep)",
        "ValueError: run() cannot be given this: it is nested more than 32 levels deep",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_what_is_too_much_is_an_error_that_a_program_can_read(name: str) -> None:
    """And can catch, if it does not mind; nothing of it reaches the host."""
    then, message = OTHERS[name]
    acts = Acts()
    async with opened({"run": acts}, value_bytes=1_000, **PATIENT) as session:
        await fails_without_a_trace(session, spoiling(then), "error", message)
        caught = f"if n:\n  try:\n    {then}\n  except Exception:\n    x = 'caught'"
        assert (await session.execute(caught, want=["x"])).variables == {"x": "caught"}
    assert acts.calls == []


async def test_a_policy_says_how_deep_and_how_many_digits() -> None:
    """As many Python frames, and digits, as it allows, and no more."""
    depth = "f = lambda k: k and f(k - 1)\nx = f({})"
    async with opened(recursion=100, integer_digits=1_000, **PATIENT) as session:
        assert (await session.execute(depth.format(80))).ok
        failure = (await session.execute(depth.format(200))).failure
        assert failure is not None
        assert failure.message.startswith("RecursionError: maximum recursion depth exceeded")
        assert (await session.execute("x = int('9' * 1_000)")).ok
        assert not (await session.execute("x = int('9' * 1_001)")).ok


async def test_a_statement_makes_so_many_calls() -> None:
    """The one too many is not made, and the program cannot go on behind it."""
    acts = Acts()
    async with opened({"run": acts}, statement_calls=3, **PATIENT) as session:
        then = "while True:\n        try: run('x')\n        except: pass"
        message = "stopped at primitive call 4; a statement may make 3"
        await fails_without_a_trace(session, spoiling(then), "limit", message)
    assert len(acts.calls) == 3


@pytest.mark.parametrize(("length", "is_told"), [(997, True), (998, False)])
async def test_a_value_of_so_many_bytes_is_told(length: int, is_told: bool) -> None:
    """One more and it is left out, as is what comes after it; the statement stands."""
    async with opened(value_bytes=1_000) as session:
        outcome = await session.execute(f"x = 'a' * {length}\ny = 1", want=["x", "y"])
        assert outcome.failure is None
        assert outcome.variables == ({"x": "a" * length} if is_told else {"y": 1})
        assert (await session.read(["x"], chars=10))["x"].plain is is_told


PRINTED = {
    "bytes": ("print('x' * 30)", "x" * 20 + "\n[cut: the program printed more than 20 bytes]\n"),
    "bytes in many parts": (
        "for i in range(100): print(i, end='')",
        "01234567891011121314\n[cut: the program printed more than 20 bytes]\n",
    ),
    "bytes of a character": (
        "print('é' * 15)",
        "é" * 10 + "\n[cut: the program printed more than 20 bytes]\n",
    ),
    "lines": (
        "for i in range(9): print(i)",
        "0\n1\n2\n\n[cut: the program printed more than 3 lines]\n",
    ),
    "lines at once": (
        r"print('a\nb\nc\nd')",
        "a\nb\nc\n[cut: the program printed more than 3 lines]\n",
    ),
    "as much as there may be": (r"print('a\nb\n345678901234567')", "a\nb\n345678901234567\n"),
    "empty lines": (
        "print(end='\\n' * 1_000)",
        "\n\n\n[cut: the program printed more than 3 lines]\n",
    ),
}


@pytest.mark.parametrize("name", PRINTED)
async def test_what_is_printed_is_cut_visibly(name: str) -> None:
    """In bytes and in lines; the statement stands, and the next one prints anew."""
    source, printed = PRINTED[name]
    async with opened(printed_bytes=20, printed_lines=3) as session:
        outcome = await session.execute(source)
        assert (outcome.failure, outcome.printed) == (None, printed)
        assert (await session.execute("print('b')")).printed == "b\n"


async def test_printing_without_end_is_a_matter_of_time_and_not_of_memory() -> None:
    """What is over the limit is not kept."""
    async with opened(printed_bytes=1_000) as session:
        outcome = await session.execute("while True: print('x' * 10_000)")
        assert outcome.failure is not None
        assert outcome.failure.message == OWN_TIME


@contextlib.asynccontextmanager
async def forking(processes: int) -> AsyncIterator[ProcessSession]:
    """A session of Python as it is with so many processes, where the kernel counts them."""
    language = {"mode": "python", "preload": ["os", "time"]}
    policy = strict(language=language, processes=processes, **PATIENT)
    async with opened(policy=policy) as session:
        if "process-limit" not in session.layers:
            pytest.skip(f"no limit of processes holds here: {session.missing['process-limit']}")
        assert (await session.execute("import os, time")).ok
        yield session


FORKS = {
    "as many as there may be": "while True: os.fork()",
    "that wait": "while os.fork(): pass\n    time.sleep(3_600)",
}


@pytest.mark.parametrize("name", FORKS)
async def test_a_statement_starts_so_many_processes(name: str) -> None:
    """The kernel refuses the one too many, and the copies of a program answer nobody."""
    async with forking(6) as session:
        message = "BlockingIOError: [Errno 11] Resource temporarily unavailable"
        await fails_without_a_trace(session, spoiling(FORKS[name]), "error", message)


async def test_a_program_that_takes_every_process_is_told_so() -> None:
    """There is none left for a checkpoint; the session goes on to say so."""
    takes = (
        "if os.fork() == 0:\n    while True:\n"
        "        try: os.fork()\n        except OSError: time.sleep(0.001)"
    )
    async with forking(4) as session:
        assert (await session.execute(takes)).ok
        for _ in range(1_000):  # until they have taken the last
            outcome = await session.execute("x = 1")
            if not outcome.ok:
                break
        assert outcome.failure is not None
        assert (outcome.failure.kind, outcome.failure.message) == (
            "limit",
            "needed more than the 4 processes that are allowed",
        )
