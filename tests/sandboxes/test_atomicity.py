"""A statement commits as a whole or not at all, whatever ends it."""

from __future__ import annotations

import time

import pytest

from sessions import Acts, opened, processes_of_session

SETUP = "items = [1, 2]\nnested = {'a': [1]}\nn = 5\nobs = 'text'\n"
WANT = ["items", "nested", "n", "obs"]
AS_IT_WAS = {"items": [1, 2], "nested": {"a": [1]}, "n": 5, "obs": "text"}

SPOIL = "items.append(9)\n    nested['a'].append(9)\n    n += 1\n    obs = 'new'\n    fresh = 1\n"
FAILING = {
    "an exception in the middle of a loop": (
        f"for i in range(3):\n    {SPOIL}    items[99]",
        "error",
        "IndexError: list index out of range",
    ),
    "an endless loop": (
        f"while True:\n    {SPOIL}    items.clear()",
        "limit",
        "stopped after 0.5 s of its own time",
    ),
    "an endless finally": (
        f"try:\n    {SPOIL}    1 / 0\nfinally:\n    while True: pass",
        "limit",
        "stopped after 0.5 s of its own time",
    ),
    "an endless C loop": (
        f"if n:\n    {SPOIL}    sum(range(10**12))",
        "limit",
        "stopped after 0.5 s of its own time",
    ),
    "an endless power": (
        f"if n:\n    {SPOIL}    10**10**8",
        "limit",
        "stopped after 0.5 s of its own time",
    ),
    "too much memory at once": (
        f"if n:\n    {SPOIL}    'a' * 10**10",
        "limit",
        "needed more than 256 MiB",
    ),
    "too much memory bit by bit": (
        f"if n:\n    {SPOIL}    while True: items += items",
        "limit",
        "needed more than 256 MiB",
    ),
    "a crash of the interpreter": (
        (
            f"if n:\n    {SPOIL}    m = iter([])\n"
            f"    for i in range(10**6): m = map(int, m)\n    list(m)"
        ),
        "error",
        "the interpreter crashed (SIGSEGV)",
    ),
    "runaway recursion": (
        f"if n:\n    {SPOIL}    f = lambda: f()\n    f()",
        "error",
        "RecursionError: maximum recursion depth exceeded",
    ),
    "too many digits": (
        f"if n:\n    {SPOIL}    int('9' * 10**6)",
        "error",
        (
            "ValueError: Exceeds the limit (4300 digits) for integer string conversion: "
            "value has 1000000 digits; use sys.set_int_max_str_digits() to increase the limit"
        ),
    ),
    "a cheap statement": (
        "n = obs = fresh = nowhere",
        "error",
        "NameError: name 'nowhere' is not defined",
    ),
    "a cheap if": (
        "if n:\n    obs = 'new'\n    fresh = 1\n    n = nested['b']",
        "error",
        "KeyError: 'b'",
    ),
}


@pytest.mark.parametrize("name", FAILING)
async def test_after_a_failure_the_namespace_is_exactly_what_it_was(name: str) -> None:
    """Values, changes in place and new names are undone; the session goes on."""
    source, kind, message = FAILING[name]
    async with opened(statement_seconds=0.5 if "endless" in name else 5.0) as session:
        assert (await session.execute(SETUP)).failure is None
        outcome = await session.execute(source)
        assert outcome.failure is not None
        assert (outcome.failure.kind, outcome.failure.message) == (kind, message)
        assert outcome.bound == ()
        after = await session.execute("items.append(3)", want=[*WANT, "fresh"])
        assert after.failure is None
        assert after.variables == {**AS_IT_WAS, "items": [1, 2, 3]}


async def test_a_stopped_statement_ends_within_its_limit_and_a_tenth() -> None:
    """The clock is the host's: 0.5 s are 0.5 s, and the next statement has all its time again."""
    async with opened() as session:
        began = time.perf_counter()
        outcome = await session.execute("while True: pass", line=7)
        took = time.perf_counter() - began
        assert 0.5 <= took < 1.0
        assert outcome.failure is not None
        assert outcome.failure.line == 7
        assert outcome.failure.traceback == (
            "line 7, in the program\n-->  while True: pass\nstopped after 0.5 s of its own time"
        )
        assert (await session.execute("x = [i for i in range(9)]", want=["x"])).ok


async def test_statements_before_the_failing_one_stand() -> None:
    """`bound` and `printed` tell of them, whichever way the failing one ended."""
    async with opened() as session:
        for last in ("1 / 0", "while True: pass", "while True: x = 'a' * 10**10"):
            outcome = await session.execute(f"a = 1\nprint('one')\nb = [a for _ in 'x']\n{last}")
            assert not outcome.ok
            assert outcome.bound == ("a", "b")
            assert outcome.printed == "one\n"
        assert (await session.execute("a, b = b, a", want=["a", "b"])).variables == {
            "a": [1],
            "b": 1,
        }


async def test_every_statement_of_a_source_has_its_own_time() -> None:
    """Two statements of 0.35 s each run under a limit of 0.5 s."""
    async with opened() as session:
        setup = "from datetime import datetime\nfrom datetime import timedelta\n"
        await session.execute(setup)
        spin = (
            "began = datetime.now()\nwhile datetime.now() - began < timedelta(seconds=0.35): pass\n"
        )
        outcome = await session.execute(spin + spin)
        assert outcome.failure is None
        assert 0.7 <= outcome.seconds < 1.2


async def test_what_primitives_did_stays_done_and_is_done_once() -> None:
    """Undoing is for the namespace; no call is repeated by a checkpoint."""
    acts = Acts()
    async with opened({"run": acts}) as session:
        await session.execute("run('a'); run('b')")
        failed = await session.execute("for x in 'cd':\n    obs = run(x)\n1 / 0")
        assert failed.failure is not None
        await session.execute("while True:\n    for x in 'e': run(x)\n    while True: pass")
    assert [call[0][0] for call in acts.calls] == ["a", "b", "c", "d", "e"]


async def test_a_thousand_checkpoints_leave_two_processes() -> None:
    """A side that is no longer needed leaves, and is reaped."""
    async with opened() as session:
        for _ in range(100):
            assert (await session.execute("x = [1 for _ in 'a']")).ok
        assert len(processes_of_session(session.pid)) == 2
