"""The stock of sessions forked ahead: filled, bounded, replaced, and given back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from processes import children, descriptors_open, is_running, keepers, soon
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes.pool import FILL_SECONDS, POLICIES, Order, Pool, Started, pool
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession, _order
from recode_runtime.sandboxes.zygote import shared
from sessions import has_ended, strict

SOCKETS = 2  # of a session that nobody has opened yet


@pytest.fixture
async def own() -> AsyncIterator[Pool]:
    """An empty stock, with the zygote already there."""
    pool.clear()
    shared.get()
    empty = Pool()
    yield empty
    empty.clear()


def order(ready: int, seconds: float = 1.0) -> Order:
    """What sessions of a policy are asked for with; another policy for other seconds."""
    return _order(strict(isolation={"ready": ready}, statement_seconds=seconds))


async def filled() -> None:
    """Let what was put off happen."""
    await asyncio.sleep(2 * FILL_SECONDS)
    await asyncio.sleep(0)


async def test_as_many_sessions_are_ready_as_the_policy_says(own: Pool) -> None:
    """The first is forked when it is asked for; each that is taken is replaced."""
    before = descriptors_open()
    first = await own.take(order(3))
    assert not first.is_ahead
    await filled()
    assert descriptors_open() == before + 4 * SOCKETS
    taken = [await own.take(order(3)) for _ in range(3)]
    assert [one.is_ahead for one in taken] == [True] * 3
    assert len({one.channel for one in taken}) == 3
    await filled()
    assert descriptors_open() == before + 7 * SOCKETS
    assert await soon(lambda: len(children(shared.get().pid)) == 7)
    for one in (first, *taken):
        one.close()
    own.clear()
    assert descriptors_open() == before
    assert await soon(lambda: children(shared.get().pid) == [])


async def test_what_was_taken_before_a_clearance_is_not_replaced_after_it(own: Pool) -> None:
    """A stock that was given back stays empty until the next session is taken."""
    before = descriptors_open()
    (await own.take(order(2))).close()
    own.clear()
    await filled()
    assert descriptors_open() == before
    (await own.take(order(2))).close()
    await filled()
    assert descriptors_open() == before + 2 * SOCKETS


async def test_a_policy_may_want_none_ready(own: Pool) -> None:
    """Then each is forked when it is asked for."""
    before = descriptors_open()
    for _ in range(3):
        one = await own.take(order(0))
        await filled()
        assert not one.is_ahead
        one.close()
    assert descriptors_open() == before


async def test_a_fresh_session_is_none_of_the_stock(own: Pool) -> None:
    """For who has found one of the stock dead."""
    (await own.take(order(1))).close()
    await filled()
    fresh = await own.take(order(1), fresh=True)
    assert not fresh.is_ahead
    fresh.close()


async def test_every_policy_has_a_stock_and_those_used_last_keep_it(own: Pool) -> None:
    """So a host that makes policies as it goes has no more than a few sessions ready."""
    before = descriptors_open()

    async def is_ahead(number: int) -> bool:
        one = await own.take(order(2, 1.0 + number))
        await _is_ready(one)  # and so the zygote has room again
        await filled()
        one.close()
        return one.is_ahead

    assert [await is_ahead(number) for number in range(POLICIES + 2)] == [False] * (POLICIES + 2)
    assert descriptors_open() == before + 2 * SOCKETS * POLICIES
    assert [await is_ahead(number) for number in (2, POLICIES + 1, 0)] == [True, True, False]
    assert descriptors_open() == before + 2 * SOCKETS * POLICIES


async def test_a_session_that_died_in_the_stock_is_replaced_unseen(own: Pool) -> None:
    """Alone, or with the zygote and all the others."""
    sandbox = ProcessSandbox(strict(isolation={"ready": 2}), own.take)
    await (await sandbox.open({})).close()
    await filled()
    for kill_zygote in (False, True):
        zygote = shared.get().pid
        assert await soon(lambda parent=zygote: len(keepers(parent)) == 2)
        for victim in [zygote] if kill_zygote else keepers(zygote):
            os.kill(victim, signal.SIGKILL)
            assert await soon(lambda killed=victim: not is_running(killed))
        for _ in range(4):
            session = await sandbox.open({})
            assert (await session.execute("x = 1")).ok
            await session.close()


async def test_two_hundred_sessions_leave_no_descriptor_and_no_process(own: Pool) -> None:
    """One after the other and ten at a time."""
    sandbox = ProcessSandbox(strict(isolation={"ready": 2}), own.take)

    async def use() -> int:
        session = await sandbox.open({})
        assert (await session.execute("x = [1]")).bound == ("x",)
        await session.close()
        return session.pid

    await use()
    await filled()
    before = descriptors_open()
    for _ in range(10):
        await asyncio.gather(*(use() for _ in range(10)))
        keepers = [await use() for _ in range(10)]
    assert all([await has_ended(keeper) for keeper in keepers])
    await filled()
    assert descriptors_open() == before
    own.clear()
    assert await soon(lambda: children(shared.get().pid) == [])


async def test_a_request_that_finds_no_room_waits(own: Pool) -> None:
    """The zygote is behind: the loop goes on meanwhile, and all sessions come."""
    few = order(0)
    long = Order(few.request + b" " * 100_000, 0)
    zygote = shared.get().pid
    os.kill(zygote, signal.SIGSTOP)
    try:
        taking = [asyncio.create_task(own.take(long)) for _ in range(6)]
        await asyncio.sleep(0.1)
        assert not all(task.done() for task in taking)
    finally:
        os.kill(zygote, signal.SIGCONT)
    for one in await asyncio.gather(*taking):
        await _is_ready(one)
        one.close()


async def _is_ready(started: Started) -> None:
    started.channel.setblocking(False)
    assert b'"op":"ready"' in await asyncio.get_running_loop().sock_recv(started.channel, 65_536)


async def test_two_threads_share_the_stock(own: Pool) -> None:
    """Two event loops open sessions at once, while the zygote dies under them; none is shared."""
    policy = strict(isolation={"ready": 3})
    keepers: list[int] = []

    async def use() -> None:
        sandbox = ProcessSandbox(policy, own.take)
        for _ in range(15):
            sessions = [await _insistently(sandbox) for _ in range(2)]
            keepers.extend(session.pid for session in sessions)
            for session in sessions:
                await session.close()

    threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        await asyncio.sleep(0.1)
        os.kill(shared.get().pid, signal.SIGKILL)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len(keepers) == 60
    for keeper in keepers:
        assert await has_ended(keeper)


async def _insistently(sandbox: ProcessSandbox) -> ProcessSession:
    """A session that has run something; where its zygote was killed meanwhile, the next one."""
    while True:
        try:
            session = await sandbox.open({})
        except SandboxUnavailable:
            continue
        try:
            assert (await session.execute("x = [1]")).bound == ("x",)
        except SandboxUnavailable:
            await session.close()
            continue
        return session


@contextlib.contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """So many, and no more, can be opened."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(link.name) for link in Path("/proc/self/fd").iterdir()) + 1
    taken = [os.dup(0) for _ in range(most - descriptors_open() + 1)]  # it counts its own
    resource.setrlimit(resource.RLIMIT_NOFILE, (most + count, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)


@pytest.mark.parametrize("ready", [0, 1])
@pytest.mark.parametrize("left", range(4))
async def test_without_descriptors_a_session_says_so(own: Pool, left: int, ready: int) -> None:
    """Also where one is ready, which takes no more than the descriptor of its keeper."""
    sandbox = ProcessSandbox(strict(isolation={"ready": ready}), own.take)
    await (await sandbox.open({})).close()
    await filled()
    before = descriptors_open()
    with descriptors_left(left):
        if ready and left > 1:  # one more for a moment, to ask for the keeper's process id
            await (await sandbox.open({})).close()
        else:
            with pytest.raises(SandboxUnavailable, match="no descriptor is left; a session takes"):
                await sandbox.open({})
        await filled()
    # To fork one more takes two pairs of sockets for a moment; one pair is given back, if in time.
    less = {0} if not ready else {SOCKETS} if left < 2 else {0, SOCKETS}
    assert before - descriptors_open() in less
