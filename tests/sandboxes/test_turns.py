"""Guests take turns at the processor, and none is charged for waiting."""

from __future__ import annotations

import asyncio

import pytest

from attackers import Attackers
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import turns
from sessions import Acts, opened

SPIN = "while True: pass"


@pytest.fixture(autouse=True)
def one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One guest runs at a time."""
    monkeypatch.setattr(turns, "TURNS", 1)


async def test_who_waits_for_a_turn_has_no_clock_running() -> None:
    """The second waits longer than its statement may take, and takes nothing itself."""
    async with opened({}, statement_seconds=2.0) as one, opened(statement_seconds=1.0) as two:
        spinning = asyncio.create_task(one.execute(SPIN))
        await asyncio.sleep(0)
        outcome = await two.execute("x = run('a')", want=["x"])
        assert spinning.done()
        assert outcome.variables == {"x": "ok a"}
        assert outcome.seconds < 1.0


async def test_who_waits_for_the_host_lets_others_run() -> None:
    """Also the sessions that a primitive opens for its answer."""

    async def ask() -> object:
        async with opened({"run": Acts()}) as inner:
            return (await inner.execute("x = run('inner')", want=["x"])).variables["x"]

    async with opened({"ask": ask}) as outer:
        outcome = await outer.execute("x = [ask() for _ in 'ab']", want=["x"])
        assert outcome.variables == {"x": ["ok inner"] * 2}


async def test_who_gives_up_waiting_takes_no_turn() -> None:
    """Its session goes on: nothing was sent."""
    async with opened({}, statement_seconds=1.0) as one, opened({}) as two:
        spinning = asyncio.create_task(one.execute(SPIN))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await two.execute("x = 1")
        await spinning
        assert (await two.execute("x", want=["x"])).failure is not None
        assert (await one.execute("x = 1")).ok


@pytest.mark.usefixtures("impatience")
async def test_a_guest_that_is_lost_gives_its_turn_back(attackers: Attackers) -> None:
    """Whether it was silent, broke the protocol, or never opened."""
    for case in ("silence", "garbage", "at open: exit", "exit"):
        with pytest.raises(SandboxUnavailable):
            await _used(attackers, case)
    async with opened({}) as session:
        assert (await session.execute("x = 1")).ok


async def _used(attackers: Attackers, case: str) -> None:
    session = await attackers.sandbox(case, statement_seconds=0.1).open({})
    try:
        await session.execute("x = 1")
    finally:
        await session.close()
