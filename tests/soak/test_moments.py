"""A guest killed before every system call that it makes, one after the other.

What others can see of a process it does by system calls, so these are all the moments there are.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

import workload
from killer import Report
from leftovers import Leftovers, children, leftovers
from outcomes import Bind, Blows, Enter, Execute, Leave, Read, Request, World, judged, verification
from processes import soon
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.pool import pool
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession
from recode_runtime.sandboxes.zygote import shared
from sessions import opened, strict
from soaking import MOMENTS, chain, share
from tracer import Task, Trace, Tracing, tracing
from workload import ITEMS, Ledger

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may trace what is not dumpable"),
]

HANG_SECONDS = 60.0
STEP = share(1, 4)
OPENING_STEP = share(1, 12)
ROLES = ("worker", "running")
OPENINGS = {
    "keeper": (1, strict(isolation={"ready": 0, "control_groups": True})),
    "worker": (2, strict(isolation={"ready": 0, "control_groups": True})),
    **{
        role: (
            generation,
            strict(isolation={"ready": 0}, language={"mode": "python", "preload": ["os"]}),
        )
        for generation, role in enumerate(("opener", "keeper of an opener"), 1)
    },
}
ALONE = strict(isolation={"ready": 0})
PYTHON = strict(isolation={"ready": 0}, language={"mode": "python"})

REQUESTS: dict[str, Callable[[], Request]] = {
    "a call": lambda: Execute([workload.call("t0", 1)], want=None),
    "two statements": lambda: Execute([workload.call("t0", 1), workload.loop("t1", 2)], want=None),
    "a large call": lambda: Execute([workload.large_words("t0", 1)], want=()),
    "a large answer": lambda: Execute([workload.large_answer("t0", 1)], want=()),
    "a large value wanted": lambda: Execute([], want=["b"]),
    "reading": Read,
    "binding": lambda: Bind(b=[1]),
    "entering": lambda: Enter("p" * 5_000),
    "leaving": Leave,
}


@pytest.fixture
async def debugger() -> AsyncIterator[Tracing]:
    """A tracer at work."""
    async with tracing() as one:
        yield one


async def answered(request: Request, session: ProcessSession) -> Any:
    """The answer, or that the session was lost."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            return await request.made(session)
    except SandboxUnavailable as lost:
        return lost


async def struck(
    debugger: Tracing, request: Request, generation: int, number: int, policy: Policy = ALONE
) -> tuple[str, str, Trace]:
    """What came of a request, and of one after it, with a process killed before one system call.

    Args:
        debugger: what kills.
        request: the request.
        generation: 0 for the process that gets it, 1 for the running side of its checkpoint.
        number: of the system call.
        policy: of the session.
    """
    ledger, world = Ledger(random.Random(0)), World()
    async with opened(ledger.primitives, policy) as session:
        for before in (Bind(items=[], b=[7] * ITEMS), Enter("p")):
            judged(before, await before.made(session), [], world, Blows())
        await debugger.begin(Task(chain(session.pid)[1], generation, number))
        answer = await answered(request, session)
        calls = ledger.taken()
        later = await answered(verification(), session)
        assert ledger.taken() == []
    trace = await debugger.end()
    blows = blows_of(ROLES[generation], trace)
    word = judged(request, answer, calls, world, blows)
    MOMENTS[word] += trace.hit
    return word, judged(verification(), later, [], world, blows), trace


def blows_of(role: str, trace: Trace) -> Blows:
    """What the tracer did, as the outcomes are judged by it."""
    verdict = "decided" if "write" in trace.calls else "undecided" * (role == "running")
    return Blows([("kill", Report(0, True, role=role, verdict=verdict))] if trace.hit else [])


async def sweep(
    debugger: Tracing, make: Callable[[], Request], generation: int, policy: Policy = ALONE
) -> tuple[list[tuple[str, str]], list[str]]:
    """What came of each moment, and all system calls of the victim."""
    found: list[tuple[str, str]] = []
    while True:
        word, later, trace = await struck(debugger, make(), generation, len(found), policy)
        if not trace.hit:
            return found, trace.calls
        found.append((word, later))


WINDOWS = {
    "that commits": (workload.loop, "done"),
    "that fails": (workload.fails, "failed"),
}


@pytest.mark.parametrize("name", WINDOWS)
async def test_the_one_window_in_which_a_running_side_costs_the_session(
    debugger: Tracing, name: str
) -> None:
    """Two system calls long: from the byte by which it decides to the end of its answer.

    Before, the statement is undone and the session goes on, as if it had not been run. After, the
    host has the answer; a running side that has committed is the session from then on, and one that
    has failed must leave by itself, or nobody knows how much of its answer has arrived.
    """
    form, answer = WINDOWS[name]
    found, calls = await sweep(debugger, lambda: Execute([form("t0", 1)], want=()), 1)
    decided = calls.index("write") + 1
    assert calls[decided : decided + 2] == ["close", "sendto"]
    assert found[:decided] == [("undone", "done")] * decided
    assert found[decided : decided + 2] == [("lost", "lost")] * 2
    assert found[decided + 2] == (answer, "lost")
    assert {word for word, _ in found[decided + 2 :]} == {answer}


@pytest.mark.parametrize("generation", [0, 1], ids=ROLES)
@pytest.mark.parametrize("name", REQUESTS)
async def test_every_request_ends_right_whoever_is_killed_and_when(
    debugger: Tracing, name: str, generation: int
) -> None:
    """Done, undone or lost, never anything else; requests that fork nobody have one victim."""
    for number in itertools.count(0, STEP):
        word, later, trace = await struck(debugger, REQUESTS[name](), generation, number)
        if not trace.hit:
            break
    assert (word, later) == ("done", "done")
    assert number > 0 or generation == 1  # there is always a worker


async def test_a_waiting_side_that_takes_over_may_be_killed_at_any_moment(
    debugger: Tracing,
) -> None:
    """Then the session is lost, and nothing that its running side did is reported as done."""
    found, calls = await sweep(
        debugger, lambda: Execute([workload.crash("t0", 1)], want=()), 0, PYTHON
    )
    took_over = calls[calls.index("wait4") :]
    assert took_over[:4] == ["wait4", "close", "sendto", "recvfrom"]
    assert found[0] == ("lost", "lost")
    assert ("failed", "lost") in found


async def tried(policy: Policy) -> bool:
    """Whether a session opens; it is closed again."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            session = await ProcessSandbox(policy).open({})
    except SandboxUnavailable:
        return False
    await session.close()
    return True


def left(zygote: int) -> Leftovers:
    """What there is but for what any process on the machine may change."""
    return replace(leftovers([zygote]), mounts=[], files=[])


@pytest.mark.parametrize(("generation", "policy"), OPENINGS.values(), ids=OPENINGS)
async def test_a_session_that_is_killed_while_it_opens_leaves_nothing(
    debugger: Tracing, generation: int, policy: Policy
) -> None:
    """No process, descriptor or control group; the next one opens."""
    assert await tried(policy)
    pool.clear()
    zygote = shared.get().pid
    assert await soon(lambda: not children(zygote))
    before = left(zygote)
    for number in itertools.count(0, OPENING_STEP):
        await debugger.begin(Task(zygote, generation, number, leave=True))
        is_open = await tried(policy)
        trace = await debugger.end()
        MOMENTS["opened" if is_open else "did not open"] += trace.hit
        assert await soon(lambda: left(zygote) == before), (trace, left(zygote))
        if not trace.hit:
            assert is_open
            assert number > 0, "there is no such process"
            break
    assert await tried(policy)


async def test_a_zygote_that_is_killed_at_any_moment_is_replaced(debugger: Tracing) -> None:
    """While it forks, reaps or leaves; the session it was asked for opens, or cannot."""
    for number in itertools.count(0, STEP):
        assert await tried(ALONE)
        await debugger.begin(Task(shared.get().pid, 0, number))
        is_open = await tried(ALONE)
        shared.close()
        if not (await debugger.end()).hit:
            break
        MOMENTS["opened" if is_open else "did not open"] += 1
    assert await tried(ALONE)
