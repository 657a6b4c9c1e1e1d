"""A task may be cancelled, and a loop closed, at any moment: nothing is left and nothing hangs."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hosts import result_of
from processes import children, descriptors_open, soon
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes.pool import pool
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession
from recode_runtime.sandboxes.zygote import shared
from sessions import Acts, has_ended, opened, strict

ALONE = strict(isolation={"ready": 0})
MOMENTS = [step * 0.0007 for step in range(20)]


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """No process, no descriptor, and no future or task whose failure nobody has looked at."""
    pool.clear()
    shared.get()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    assert await soon(lambda: children(shared.get().pid) == [])
    before = descriptors_open()
    yield
    assert await soon(lambda: children(shared.get().pid) == [])
    assert await soon(lambda: descriptors_open() == before)
    assert len(asyncio.all_tasks()) == 1
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


@pytest.mark.parametrize("after", MOMENTS)
async def test_opening_can_be_cancelled(after: float) -> None:
    """Before the guest is there, while it confines itself, and while it is told its primitives."""
    opening = asyncio.create_task(ProcessSandbox(ALONE).open({"run": Acts()}))
    await asyncio.sleep(after)
    opening.cancel()
    session = (await asyncio.gather(opening, return_exceptions=True))[0]
    assert isinstance(session, asyncio.CancelledError | ProcessSession)
    if isinstance(session, ProcessSession):  # it was open before
        await session.close()


@pytest.mark.parametrize("after", MOMENTS)
async def test_a_statement_can_be_cancelled(after: float) -> None:
    """In a loop, in a checkpoint, between statements and in a call; the session has ended."""
    waits = asyncio.Event()
    async with opened({"run": Acts(), "wait": waits.wait}, ALONE) as session:
        source = "x = [run(i) for i in range(9)]\ny = run(x)\nwhile True: run(len('y'))\nwait()"
        statement = asyncio.create_task(session.execute(source))
        await asyncio.sleep(after)
        statement.cancel()
        with pytest.raises(asyncio.CancelledError):
            await statement
        with pytest.raises(SandboxUnavailable, match="it was ended by CancelledError"):
            await session.execute("x = 1")
        await session.close()
        assert await has_ended(session.pid)


async def test_a_primitive_that_waits_can_be_cancelled() -> None:
    """It hears of it as well."""
    heard = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    async with opened({"wait": wait}, ALONE) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.execute("wait()")
    assert heard == ["cancelled"]


@pytest.mark.parametrize("turns", range(6))
async def test_closing_can_be_cancelled(turns: int) -> None:
    """The guest ends all the same, also if it has to be killed; closing again waits for that."""
    async with opened({}, ALONE) as session:
        await session.execute("x = [1]")
        closing = asyncio.create_task(session.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
    assert await has_ended(session.pid)


async def test_a_session_can_be_closed_while_it_works() -> None:
    """The statement under way says that it was closed."""
    async with opened({}, ALONE) as session:
        statement = asyncio.create_task(session.execute("while True: pass"))
        await asyncio.sleep(0.05)
        await asyncio.gather(session.close(), session.close())
        with pytest.raises(SandboxUnavailable, match="the session is closed"):
            await statement


async def test_many_can_be_cancelled_at_once() -> None:
    """Those that wait for their turn too."""

    async def use() -> None:
        async with opened({}, ALONE) as session:
            await session.execute("while True: pass")

    using = [asyncio.create_task(use()) for _ in range(12)]
    await asyncio.sleep(0.1)
    for task in using:
        task.cancel()
    results = await asyncio.gather(*using, return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
    async with opened({}, ALONE) as session:
        assert (await session.execute("x = 1")).ok


def test_a_loop_can_be_closed_with_a_session_open() -> None:
    """The guest ends with the session's last reference; what is used of it after says so."""
    told = result_of("""
        import warnings
        warnings.simplefilter("ignore", ResourceWarning)

        async def begin():
            session = await ProcessSandbox(strict(isolation={"ready": 0})).open({})
            await session.execute("x = 1")
            return session

        async def whole():
            await (await begin()).close()

        def soon(condition):
            end = time.monotonic() + 20
            while not condition() and time.monotonic() < end:
                time.sleep(0.01)
            return condition()

        asyncio.run(whole())
        before = descriptors_open()

        forgotten = asyncio.run(begin())
        keeper = forgotten.pid
        del forgotten
        gc.collect()
        tell_of = {"forgotten": soon(lambda: not is_there(keeper))}

        used = asyncio.run(begin())
        try:
            asyncio.run(used.execute("x = 2"))
        except Exception as problem:
            tell_of["used"] = type(problem).__name__
        asyncio.run(used.close())
        tell_of["closed"] = soon(lambda: not is_there(used.pid))
        tell_of["left"] = descriptors_open() - before
        tell(**tell_of)
    """)
    assert told == {"forgotten": True, "used": "RuntimeError", "closed": True, "left": 0}
