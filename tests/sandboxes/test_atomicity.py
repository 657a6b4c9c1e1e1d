"""A statement commits as a whole or not at all, whatever ends it."""

from __future__ import annotations

import random

import pytest

from processes import processes_of_session, soon
from sessions import Acts, opened, strict
from spoiling import SPOIL, fails_without_a_trace, spoiling

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
    "a crash of the interpreter": (
        spoiling("m = iter([])\n    for i in range(10**6): m = map(int, m)\n    list(m)"),
        "error",
        "the interpreter crashed (SIGSEGV)",
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
    async with opened(statement_seconds=0.5 if "endless" in name else 20.0) as session:
        await fails_without_a_trace(session, source, kind, message)


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
    """Two statements of 1.2 s each run under a limit of 2 s."""
    async with opened(statement_seconds=2.0) as session:
        setup = "from datetime import datetime\nfrom datetime import timedelta\n"
        await session.execute(setup)
        spin = (
            "began = datetime.now()\nwhile datetime.now() - began < timedelta(seconds=1.2): pass\n"
        )
        outcome = await session.execute(spin + spin)
        assert outcome.failure is None
        assert outcome.seconds >= 2.4


async def test_what_primitives_did_stays_done_and_is_done_once() -> None:
    """Undoing is for the namespace; no call is repeated by a checkpoint."""
    acts = Acts()
    async with opened({"run": acts}) as session:
        await session.execute("run('a'); run('b')")
        failed = await session.execute("for x in 'cd':\n    obs = run(x)\n1 / 0")
        assert failed.failure is not None
        await session.execute("while True:\n    for x in 'e': run(x)\n    while True: pass")
    assert [call[0][0] for call in acts.calls] == ["a", "b", "c", "d", "e"]


async def test_a_hundred_checkpoints_leave_two_processes() -> None:
    """A side that is no longer needed leaves, and is reaped."""
    async with opened() as session:
        for _ in range(100):
            assert (await session.execute("x = [1 for _ in 'a']")).ok
        assert await soon(lambda: len(processes_of_session(session.pid)) == 2)


async def test_a_generator_that_was_seeded_goes_on_behind_checkpoints() -> None:
    """A fork would seed Python's own anew; a program finds it as it was."""
    policy = strict(language={"mode": "python", "preload": ["random"]})
    async with opened(policy=policy) as session:
        assert (await session.execute("import random\nrandom.seed(7)")).ok
        assert not (await session.execute("lost = [random.random(), 1 / 0]")).ok
        draws = "a = [random.random()]\nb = [random.random()]"
        outcome = await session.execute(draws, want=["a", "b"])
    expected = random.Random(7)
    assert outcome.variables == {"a": [expected.random()], "b": [expected.random()]}
