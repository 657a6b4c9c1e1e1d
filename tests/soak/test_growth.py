"""One session for as long as it likes: its checkpoints leave nothing behind."""

from __future__ import annotations

import pytest

from processes import soon
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSession
from sessions import opened
from soaking import chain, reserved_kib, resident_kib, share

pytestmark = pytest.mark.soak

# Each is one statement, and so one checkpoint: it commits, fails, is lost; after the last the
# variables are copied behind one more.
COMMITTED = "items = sorted(items)"
FAILING = "for i in items:\n    items.clear(); 1 / 0"
LOST = "for i in items:\n    items.clear(); import os; os._exit(7)"
ITEMS = list(range(5_000))
ROUNDS = share(2_500, 60)
MOST_GROWTH_KIB = 1_024


async def one_round(session: ProcessSession) -> None:
    """Four checkpoints."""
    assert (await session.execute(COMMITTED)).ok
    assert not (await session.execute(FAILING)).ok
    assert not (await session.execute(LOST)).ok
    assert (await session.execute("", want=["items"])).variables == {"items": ITEMS}


async def sizes(session: ProcessSession) -> list[int]:
    """Of the two processes of a session, what they have and what they have reserved."""
    # The side of a checkpoint that waited leaves after it has been answered for.
    assert await soon(lambda: len(chain(session.pid)) == 2)
    keeper, worker = chain(session.pid)
    return [size(pid) for pid in (keeper, worker) for size in (resident_kib, reserved_kib)]


@pytest.mark.parametrize("name", ["strict", "portable"])
async def test_ten_thousand_checkpoints_leave_two_processes_of_the_same_size(name: str) -> None:
    """With a namespace of processes and without."""
    policy = Policy.named(name).but(language={"mode": "python"})
    async with opened(policy=policy) as session:
        await session.bind({"items": ITEMS})
        for _ in range(ROUNDS // 10):
            await one_round(session)
        before = await sizes(session)
        for _ in range(ROUNDS - ROUNDS // 10):
            await one_round(session)
        after = await sizes(session)
        growth = [late - early for early, late in zip(before, after, strict=True)]
        assert max(growth) <= MOST_GROWTH_KIB
