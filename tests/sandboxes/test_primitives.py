"""Calls through the wall: what goes out, what comes back, and what a program hears of errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from processes import descriptors_open
from recode_runtime.errors import LimitExceeded, SandboxUnavailable
from recode_runtime.primitive import Primitive
from recode_runtime.sandboxes.zygote import shared
from sessions import Acts, has_ended, opened, strict


async def test_arguments_and_results_are_plain_data_both_ways() -> None:
    """Tuples become lists; everything else arrives as it was sent."""
    acts = Acts()
    sent = "run(None, True, -1, 2**70, 1.5, 'é\\u2028', (1, [2]), {'k': {}}, key=[0])"
    async with opened({"run": acts}) as session:
        assert (await session.execute(sent)).failure is None
    args = (None, True, -1, 2**70, 1.5, "é\u2028", [1, [2]], {"k": {}})
    assert acts.calls == [(args, {"key": [0]})]


async def test_a_plain_function_serves_as_a_primitive() -> None:
    """`Primitive` makes a handler of a sync function, and its signature is checked."""

    def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    async with opened({"add": Primitive.of("add", add)}) as session:
        assert (await session.execute("x = add(1, b=2)['sum']", want=["x"])).variables == {"x": 3}
        failure = (await session.execute("add(1)")).failure
        assert failure is not None
        assert failure.kind == "primitive"
        assert failure.message.startswith("TypeError: add() missing a required argument: 'b'")


async def test_an_error_of_a_primitive_can_be_caught_and_is_told_apart_if_not() -> None:
    """Exceptions a program can name keep their type; others are RuntimeError with the name."""

    class Odd(Exception):
        pass

    async def run(which: str) -> str:
        raise {"value": ValueError("no such door"), "odd": Odd("strange " + "x" * 3_000)}[which]

    async with opened({"run": run}) as session:
        caught = "try:\n    run('value')\nexcept ValueError as e:\n    x = str(e)"
        assert (await session.execute(caught, want=["x"])).variables == {"x": "no such door"}
        failure = (await session.execute("y = run('value')", line=3)).failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("primitive", "ValueError: no such door")
        assert failure.line == 3
        odd = (await session.execute("run('odd')")).failure
        assert odd is not None
        assert odd.message.startswith("RuntimeError: Odd: strange xxx")
        assert len(odd.message) < 2_100
        own = (
            await session.execute("try:\n    run('value')\nexcept ValueError:\n    1 / 0")
        ).failure
        assert own is not None
        assert own.kind == "error"


async def test_what_cannot_cross_is_an_error_the_program_can_read() -> None:
    """Arguments that are no plain data never reach the host; results neither reach the guest."""
    acts = Acts()

    async def give(what: str) -> Any:
        return {"object": object(), "nan": float("nan"), "keys": {1: 2}, "deep": _deep(40)}[what]

    async with opened({"run": acts, "give": give}, value_bytes=1_000) as session:
        for argument, why in {
            "{1, 2}": "a set is not plain data",
            "{1: 2}": "a dict key is a int, not a str",
            "'x' * 2000": "it is larger than 1000 bytes",
            "float('nan')": "nan is not a finite number",
            "10**5000": "it is an int of about 5001 digits",
            "'\\ud800'": "it holds half of a surrogate pair, which is no text",
            "[run]": "a Primitive is not plain data",
            "[0] * 60_000": "it is larger than 1000 bytes",
        }.items():
            failure = (await session.execute(f"run({argument})")).failure
            assert failure is not None
            assert failure.message == f"ValueError: run() cannot be given this: {why}"
        assert acts.calls == []
        for what, why in {
            "object": "a object is not plain data",
            "nan": "the number nan is not plain data",
            "keys": "a dict with keys that are not str is not plain data",
            "deep": "a value nested more than 32 levels deep is not plain data",
        }.items():
            failure = (await session.execute(f"give({what!r})")).failure
            assert failure is not None
            assert (failure.kind, failure.message) == ("primitive", f"TypeError: {why}")


async def test_one_call_brings_so_many_values_and_no_more() -> None:
    """Each is an object of the host's, however short it is on the wire."""
    acts = Acts()
    async with opened({"run": acts}) as session:
        await session.bind({"items": [[]] * 60_000})
        for source in ("run(items)", "run(*items)", "run(key=[0 for _ in range(60_000)])"):
            failure = (await session.execute(source)).failure
            assert failure is not None
            why = "it holds more than 50000 values"
            assert failure.message == f"ValueError: run() cannot be given this: {why}"
        assert acts.calls == []
        assert (await session.execute("run(**{'self': 1, 'name': 2})")).ok
    assert acts.calls == [((), {"self": 1, "name": 2})]


def _deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


async def test_a_large_observation_is_cut_visibly() -> None:
    """Text keeps its first bytes and a mark; other data has no part that could be kept."""

    async def give(what: str) -> Any:
        return "é" * 1_000 if what == "text" else [0] * 1_000

    async with opened({"give": give}, observation_bytes=1_000) as session:
        text = (await session.execute("x = give('text')", want=["x"])).variables["x"]
        assert text == "é" * 460 + "\n[cut: 1000 characters, of which the first 460 are here]"
        failure = (await session.execute("give('list')")).failure
        assert failure is not None
        assert failure.message == "TypeError: the result is 2001 bytes large; 1000 are allowed"


async def test_a_statement_may_make_so_many_calls_and_no_more() -> None:
    """The limit counts anew for every statement, and nothing acts beyond it."""
    acts = Acts()
    async with opened({"run": acts}, statement_calls=3) as session:
        assert (await session.execute("for i in range(3): run(i)\nfor i in range(3): run(i)")).ok
        outcome = await session.execute("while True:\n    try: run('x')\n    except: pass")
        assert outcome.failure is not None
        assert outcome.failure.kind == "limit"
        assert outcome.failure.message == "stopped at primitive call 4; a statement may make 3"
    assert len(acts.calls) == 9


@pytest.mark.parametrize("problem", [LimitExceeded("seconds", 3), KeyboardInterrupt("^C")])
async def test_an_exception_of_the_hosts_own_ends_the_session_and_passes(
    problem: BaseException,
) -> None:
    """What is no error of the primitive is not shown to the program, and leaves nothing running."""

    async def run() -> None:
        raise problem

    async with opened({"run": run}) as session:
        with pytest.raises(type(problem)):
            await session.execute("for i in 'a':\n    try: run()\n    except: pass")
        with pytest.raises(SandboxUnavailable, match="the session has ended"):
            await session.execute("x = 1")
        await session.close()
        assert await has_ended(session.pid)


async def test_a_cancelled_statement_ends_the_guest_at_once() -> None:
    """Neither an endless program nor a hanging primitive holds a cancellation up."""
    policy = strict(isolation={"ready": 0}, statement_seconds=60.0)
    shared.get()
    before = descriptors_open()
    async with opened({"wait": asyncio.Event().wait}, policy) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.execute("while True: pass")
        async with asyncio.timeout(30):
            await session.close()
        assert await has_ended(session.pid)
    async with opened({"wait": asyncio.Event().wait}, policy) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.execute("wait()")
        await session.close()
        assert await has_ended(session.pid)
    assert descriptors_open() == before


async def test_one_request_at_a_time() -> None:
    """A primitive that turns round and uses its own session is told so."""
    sessions = []

    async def run() -> None:
        await sessions[0].execute("x = 1")

    async with opened({"run": run}) as session:
        sessions.append(session)
        failure = (await session.execute("run()")).failure
        assert failure is not None
        assert failure.message == "RuntimeError: the session is busy: one request at a time"
        assert (await session.execute("x = 2", want=["x"])).variables == {"x": 2}
