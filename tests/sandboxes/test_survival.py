"""No program, no value and no request costs the session, whatever it does to the guest."""

from __future__ import annotations

import time
from typing import Any

import pytest

from processes import processes_of_session, soon
from recode_runtime.primitive import EpisodeEnded
from recode_runtime.sandboxes import frames
from recode_runtime.sandboxes.process import ProcessSession
from recode_runtime.tree import Failure, Variable
from sessions import Acts, opened

HIDDEN = "<not shown: it takes too long to show>"
FILLS_MEMORY = {
    "bit by bit": "x = []\ntry:\n    while True: x.append(bytes(2_000))\nexcept Exception: pass",
    "to the brim": (
        "x = []\n"
        "for size in (5_000_000, 50_000, 600, 8):\n"
        "    try:\n        while True: x.append(bytes(size))\n"
        "    except Exception: pass"
    ),
}
# A chain that C frees by recursion, in a cycle that only the collector finds.
CHAIN = "m = iter([])\nfor i in range(600_000): m = {link}\nl = [m]\nl.append(l)"
LINKS = ["enumerate(m)", "filter(None, m)", "map(int, m)", "zip(m)"]
CHEAP = "\n".join(f"a{i} = [{','.join(['[[[1]]]'] * 14)}]" for i in range(40))


async def works(session: ProcessSession) -> bool:
    """Whether statements with and without a checkpoint still run, and no process is left over."""
    outcome = await session.execute("one = 1\ntwo = sorted([2])", want=["one", "two"])
    return outcome.variables == {"one": 1, "two": [2]} and await only_two(session)


async def only_two(session: ProcessSession) -> bool:
    """Whether soon nothing is left but the keeper and one worker."""
    return await soon(lambda: len(processes_of_session(session.pid)) == 2)


@pytest.mark.parametrize("count", [5, 20, 200])
async def test_many_cheap_statements_in_one_source(count: int) -> None:
    """They commit faster than the host reads of them."""
    async with opened() as session:
        for _ in range(10):
            source = "\n".join(f"a{i} = {i}" for i in range(count))
            assert len((await session.execute(source)).bound) == count
        assert await works(session)


async def test_a_statement_that_calls_on_when_its_time_is_up() -> None:
    """It is stopped once, and no timer of it is left to end a later statement."""
    spin = (
        "import datetime\nt = datetime.datetime.now()\n"
        "while (datetime.datetime.now() - t).total_seconds() < {}: pass\n"
    )
    async with opened(statement_seconds=1.0, statement_calls=10**6) as session:
        failure = (await session.execute(spin.format(0.9) + "while True: run()")).failure
        assert failure is not None
        assert failure.message == "stopped after 1 s of its own time"
        for _ in range(3):
            assert (await session.execute(spin.format(0.5))).ok
        assert await works(session)


@pytest.mark.parametrize("name", FILLS_MEMORY)
async def test_a_statement_that_would_leave_no_memory_is_undone(name: str) -> None:
    """Also if it catches the MemoryError itself: the guest needs some room of its own."""
    async with opened(statement_seconds=10.0) as session:
        failure = (await session.execute(FILLS_MEMORY[name])).failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("limit", "needed more than 256 MiB")
        assert (await session.execute("pass", want=["x"])).variables == {"x": []}
        assert await works(session)


async def test_cheap_statements_that_would_leave_no_memory_are_undone() -> None:
    """Answers of the host fill it as well."""

    async def run() -> Any:
        return [[]] * 80_000

    async with opened({"run": run}, memory_mib=128) as session:
        for i in range(40):
            outcome = await session.execute(f"x{i} = run()")
            if not outcome.ok:
                break
        assert outcome.failure is not None
        assert (outcome.failure.kind, outcome.failure.message) == (
            "limit",
            "needed more than 128 MiB",
        )
        assert 3 <= i < 39
        assert await works(session)
        assert (await session.execute("x0 = None\nx1 = run()")).ok


@pytest.mark.parametrize("link", LINKS)
async def test_garbage_that_cannot_be_freed_in_peace(link: str) -> None:
    """Nothing is collected where no checkpoint stands behind the process."""
    async with opened(statement_seconds=10.0) as session:
        for source in (CHAIN.format(link=link), "m = None", "l = None", *[CHEAP] * 3):
            assert (await session.execute(source)).failure is None
        assert await works(session)


async def test_what_a_caught_error_of_a_primitive_keeps_alive() -> None:
    """Its traceback holds the frame, the frame the chain; it is freed before the commit."""

    async def run() -> None:
        raise ValueError("no")

    make = "m = iter([])\nfor _ in range(600_000): m = enumerate(m)"
    hand_over = "try:\n    (lambda chain: run())([m, (m := None)][0])\nexcept ValueError: pass"
    async with opened({"run": run}, statement_seconds=10.0) as session:
        assert (await session.execute(make)).ok
        outcome = await session.execute(hand_over)
        assert outcome.failure is None or "crashed (SIGSEGV)" in outcome.failure.message
        assert await works(session)


async def test_a_cycle_that_a_statement_leaves_is_collected_with_it() -> None:
    """So programs that make cycles do not run out of memory."""
    program = "for i in range(40):\n    a = [bytes(5_000_000)]\n    a.append(a)"
    async with opened(statement_seconds=10.0) as session:
        for _ in range(3):
            assert (await session.execute(program)).failure is None


@pytest.mark.parametrize(
    "source", ["s in L", "[s[::-1] == 1, s[::-1] == 1]", "x = s + s", "L[::-1] == s"]
)
async def test_an_operation_that_looks_cheap_on_huge_values_can_be_stopped(source: str) -> None:
    """It is preceded by a checkpoint, as any that takes long."""
    setup = (
        "s = chr(0x1F600) * 900_000 + 'b'\nt = chr(0x1F600) * 900_000 + 'c'\nL = [t] * 100_000\n"
    )
    async with opened() as session:
        assert (await session.execute(setup)).ok
        failure = (await session.execute(source)).failure
        assert failure is None or failure.message == "stopped after 0.5 s of its own time"
        assert await works(session)


VALUES = {
    "a range of huge numbers": ("v = range(10**5000)", "range", "<range>"),
    "many huge texts": ("v = [chr(888) * 100_000] * 40_000", "list", "['\\u0378\\u"),
    "many huge numbers": ("v = [10**4200] * 49_000", "list", "[100000000"),
    "many huge numbers in a set": ("v = {10**4200 + i for i in range(9_000)}", "set", None),
    "many huge texts in a set": (
        "s = 'a' * 9_000\nv = {s + str(i) for i in range(5_000)}",
        "set",
        None,
    ),
    "a time zone with a huge name": (
        (
            "import datetime\nz = datetime.datetime.now().astimezone().tzinfo\n"
            "z = type(z)(datetime.timedelta(0), 'z' * 10**6)\n"
            "v = [datetime.datetime.now().astimezone(z)] * 5_000"
        ),
        "list",
        "[datetime.",
    ),
}


@pytest.mark.parametrize("name", VALUES)
async def test_no_value_is_too_much_to_be_read(name: str) -> None:
    """It is told of as far as it can be, and left out of what was wanted."""
    source, kind, text = VALUES[name]
    async with opened(statement_seconds=5.0) as session:
        outcome = await session.execute(source + "\nsmall = 1", want=["v", "small"])
        assert outcome.failure is None
        assert outcome.variables == {"small": 1}
        found = await session.read(["v", "small", "absent"], chars=10)
        assert list(found) == ["v", "small"]
        assert (found["v"].type, found["v"].plain, found["v"].value) == (kind, False, None)
        assert found["v"].text == text if text else len(found["v"].text) == 10
        assert found["small"] == Variable("small", "int", "1", 1, True, 1)
        assert await works(session)


async def test_one_value_under_many_names_is_read_quickly() -> None:
    """What cannot be had takes its time once or twice, not forty times."""
    names = [f"v{i}" for i in range(40)]
    async with opened(statement_seconds=5.0) as session:
        await session.execute(f"{' = '.join(names)} = [[] for _ in range(400_000)]")
        began = time.perf_counter()
        outcome = await session.execute("pass", want=names)
        assert outcome.variables == {}
        assert time.perf_counter() - began < 3
        found = await session.read(names, chars=10)
        assert {one.text for one in found.values()} <= {"[[], [], []", "[[], [], [", HIDDEN}
        assert await works(session)


async def test_a_value_that_takes_too_long_to_show_is_told_of_by_its_type() -> None:
    """The clock runs while the host reads; what is small is there all the same."""
    async with opened(statement_seconds=0.001) as session:
        await session.bind({"v": [[0] * 100] * 400, "small": "s"})
        found = await session.read(["v", "small"], chars=100)
        assert found == {
            "v": Variable("v", "list", HIDDEN, len(HIDDEN), False, None),
            "small": Variable("small", "str", "'s'", 3, True, "s"),
        }
        outcome = await session.execute("pass", want=["v", "small"])
        assert (outcome.failure, outcome.variables) == (None, {"small": "s"})
        assert await only_two(session)


async def test_a_request_that_cannot_be_answered_is_told_so() -> None:
    """An error of the guest itself is a failed request and not the end."""
    async with opened() as session:
        answer = await session._exchange(frames.Done, "juggle")
        assert isinstance(answer, frames.Failed)
        assert (answer.kind, answer.message) == ("error", "the guest could not juggle: KeyError")
        assert await works(session)


@pytest.mark.parametrize("source", ["{[1]}", "{[1]: 2}", "{**1}", "1 + 'a'", "'\\ud800'", "b'é'"])
async def test_a_parameter_that_is_no_literal_fails_in_good_order(source: str) -> None:
    """Nothing is bound, no `leave` is due."""
    async with opened() as session:
        outcome = await session.enter({"fine": "1", "item": source})
        if not outcome.ok:
            assert (await session.read(["item", "fine"], chars=9)) == {}
            with pytest.raises(RuntimeError):
                await session.leave([])
        assert await works(session)


async def test_a_long_parameter_is_read_behind_a_checkpoint() -> None:
    """And stands when it is fine; one that is larger than a whole program is refused unsent."""
    async with opened() as session:
        assert (await session.enter({"item": str(["x" * 9_000])})).ok
        assert (await session.execute("pass", want=["item"])).variables == {"item": ["x" * 9_000]}
        failed = await session.enter({"item": "[" * 5_000})
        assert failed.failure is not None
        assert failed.failure.kind == "error"
        await session.leave([])
        refused = await session.enter({"item": repr("x" * 17_000)})
        assert refused.failure == Failure(
            "refused",
            "The source is 17002 bytes long; 16384 are allowed.",
            0,
            "The source is 17002 bytes long; 16384 are allowed.",
        )
        assert await works(session)


async def test_a_program_that_calls_on_after_a_stop_ends_at_the_second_call() -> None:
    """No clock has to end it, and what is told is the stop, with the calls undone."""
    acts = Acts()

    async def end() -> None:
        raise EpisodeEnded("you won")

    async with opened({"run": acts, "end": end}, statement_seconds=20.0) as session:
        began = time.perf_counter()
        for body in ("run()", "end()", "[run() for _ in 'ab']", "1 / 0"):
            program = f"n = 1\nwhile True:\n    try:\n        end()\n    finally:\n        {body}"
            failure = (await session.execute(program + "\n        continue")).failure
            assert failure is not None
            assert (failure.kind, failure.message, failure.line) == ("ended", "you won", 2)
        assert time.perf_counter() - began < 10
        assert await works(session)
    assert acts.calls == []
