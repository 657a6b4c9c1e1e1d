"""Guests that are killed or stopped in a state that lasts, and those that cut their own lines."""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import termios
import time
from collections.abc import Callable

import pytest

from processes import soon
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import pool, process
from recode_runtime.sandboxes.channel import Channel
from recode_runtime.sandboxes.frames import Gone, Violation
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession
from recode_runtime.sandboxes.zygote import Zygote, shared
from sessions import Acts, has_ended, opened, strict
from soaking import chain

pytestmark = pytest.mark.soak

LOOP = "for i in [0]:\n    items.append(i)\n    "
SOON_SECONDS = 20.0
PART = 65_536
KILLED = "needed more than 256 MiB"


async def goes_on(session: ProcessSession) -> bool:
    """Whether the namespace is as it was at first, and statements run."""
    outcome = await session.execute("items.append(1)", want=["items"])
    return outcome.variables == {"items": [1]}


def running_side(session: ProcessSession) -> int:
    """The process that runs the statement under way."""
    return chain(session.pid)[2]


def wait_without_loop(condition: Callable[[], bool]) -> None:
    """Wait while the host hears nothing."""
    deadline = time.monotonic() + SOON_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def bytes_come(session: ProcessSession) -> int:
    """How much has come from the guest that the host has not taken."""
    count = array.array("i", [0])
    fcntl.ioctl(session._channel._connection, termios.FIONREAD, count)
    return count[0]


async def test_a_running_side_killed_within_a_frame_is_undone() -> None:
    """The part that has come is dropped, the primitive is not called, the session goes on."""
    acts = Acts()
    async with opened({"run": acts}) as session:
        await session.bind({"items": []})
        execution = asyncio.create_task(session.execute(LOOP + "run('w' * 900_000)"))
        await soon(lambda: len(chain(session.pid)) == 3)
        wait_without_loop(lambda: bytes_come(session) > PART)
        os.kill(running_side(session), signal.SIGKILL)
        failure = (await execution).failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("limit", KILLED)
        assert await goes_on(session)
    assert acts.calls == []


async def test_a_running_side_killed_within_its_answer_is_lost() -> None:
    """It had decided, and nobody knows how much has arrived: no value is made of a part."""
    async with opened() as session:
        await session.bind({"items": ["w" * 9_000] * 100})
        execution = asyncio.create_task(session.execute("pass", want=["items"]))
        await soon(lambda: len(chain(session.pid)) == 3)
        wait_without_loop(lambda: bytes_come(session) > PART)
        os.kill(running_side(session), signal.SIGKILL)
        with pytest.raises(SandboxUnavailable, match="the guest is gone"):
            await execution


async def test_a_running_side_killed_while_a_part_of_an_answer_is_on_the_way_to_it() -> None:
    """The host forgets the rest, the guest what has arrived, and they understand each other."""

    async def run() -> str:
        os.kill(running_side(session), signal.SIGSTOP)
        asyncio.get_running_loop().call_soon(kill_when_sent)
        return "." * 260_000

    def kill_when_sent() -> None:
        assert session._channel._outbox
        os.kill(running_side(session), signal.SIGKILL)

    async with opened({"run": run}) as session:
        await session.bind({"items": []})
        failure = (await session.execute(LOOP + "run()")).failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("limit", KILLED)
        assert await goes_on(session)


async def test_a_running_side_killed_while_a_primitive_is_answered_is_undone_after_it() -> None:
    """The primitive is seen through, its result goes nowhere, and it is not called again."""
    calls = []

    async def run() -> str:
        calls.append("begun")
        os.kill(running_side(session), signal.SIGKILL)
        await soon(lambda: len(chain(session.pid)) == 2)
        calls.append("done")
        return "unheard"

    async with opened({"run": run}) as session:
        await session.bind({"items": []})
        failure = (await session.execute(LOOP + "items.append(run())")).failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("limit", KILLED)
        assert await goes_on(session)
    assert calls == ["begun", "done"]


async def test_a_guest_that_is_gone_costs_the_host_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though it has not taken all that was sent to it; the loop is not woken again and again."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours, 10**6, queued=1)
    channel.send(b" " * 10**6)
    theirs.close()
    with pytest.raises(Gone):
        await channel.receive()
    woken: list[Violation] = []
    with monkeypatch.context() as patch:
        patch.setattr(channel, "_break", woken.append)
        for _ in range(10):
            await asyncio.sleep(0.001)
    channel.close()
    assert woken == []


@pytest.mark.parametrize("place", [0, 1, 2], ids=["keeper", "waiting", "running"])
async def test_a_process_that_is_stopped_for_good_holds_nobody_up(place: int) -> None:
    """The host ends a session without one of its workers; closing it ends any who is stopped."""
    async with opened(statement_seconds=0.3) as session:
        execution = asyncio.create_task(session.execute("while True: pass"))
        assert await soon(lambda: len(chain(session.pid)) == 3)
        os.kill(chain(session.pid)[place], signal.SIGSTOP)
        if place == 0:
            failure = (await execution).failure
            assert failure is not None
            assert failure.message == "stopped after 0.3 s of its own time"
        else:
            with pytest.raises(SandboxUnavailable, match="went on after its time and the guest"):
                await execution
        keeper = session.pid
    assert await has_ended(keeper)


async def test_a_zygote_that_is_stopped_for_good_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever asks for a session is told, also when no more requests fit before it."""
    monkeypatch.setattr(process, "OPEN_SECONDS", 0.02)
    monkeypatch.setattr(pool, "STUCK_SECONDS", 0.1)
    pool.pool.clear()
    with contextlib.closing(Zygote()) as zygote:
        monkeypatch.setattr(shared, "_zygote", zygote)
        os.kill(zygote.pid, signal.SIGSTOP)
        sandbox = ProcessSandbox(strict(isolation={"ready": 0}))
        told = set()
        while "the guest cannot be started: its zygote takes no request" not in told:
            with pytest.raises(SandboxUnavailable) as lost:
                await sandbox.open({})
            told.add(str(lost.value))
        assert len(told) == 2
        assert "the guest did not open: it was silent" in told


@pytest.mark.parametrize("descriptor", range(10))
async def test_a_program_that_closes_descriptors_harms_its_own_session_only(
    descriptor: int,
) -> None:
    """Without the filter it can: its statement stands, or is undone, or the session is lost."""
    policy = strict(language={"mode": "python"})
    async with opened(policy=policy) as session:
        await session.bind({"items": []})
        cut = f"import os\n{LOOP}os.close({descriptor})"
        try:
            before = [0] * (await session.execute(cut)).ok
            outcome = await session.execute("items.append(1)", want=["items"])
            assert outcome.variables == {"items": [*before, 1]}
        except SandboxUnavailable as lost:
            assert str(lost).startswith("the guest is gone")  # noqa: PT017  (it may go on as well)
        keeper = session.pid
    assert await has_ended(keeper)
    async with opened(policy=policy) as another:
        assert (await another.execute("x = 1")).ok
