"""Whatever a guest sends, the host neither crashes nor waits: the session ends, all of it."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes import process
from recode_runtime.sandboxes.process import ProcessSandbox
from sessions import LIMITS, Acts, descriptors, is_alive

ATTACKER = Path(__file__).parents[1] / "support" / "attacker.py"
# Long enough for any machine; only where the guest is silent the host waits for all of it.
PATIENT, IMPATIENT = 20.0, 0.2
HOST_SECONDS = 10.0

CASES = {
    "half a header": "did not answer",
    "silence": "did not answer",
    "oversize header": "a frame of 4294967295 bytes",
    "empty frame": "a frame of 0 bytes",
    "garbage": "not a frame of the guest",
    "pickle": "not a frame of the guest",
    "deep nesting": "not a frame of the guest",
    "deep value": "nested more than 64 levels deep",
    "not an object": "not a frame of the guest",
    "unknown op": "not a frame of the guest: Invalid value 'usage'",
    "missing field": "missing required field",
    "extra field": "unknown field",
    "wrong types": "not a frame of the guest: Expected `int`",
    "forged id": "a frame that belongs to no request",
    "huge id": "a frame that belongs to no request",
    "forged call number": "call 5 where 1 was due",
    "unknown primitive": "a call of '__class__', which is no primitive",
    "unknown failure": "not a frame of the guest: Invalid enum value 'contract'",
    "not a number": "not a frame of the guest",
    "infinity": "not a frame of the guest",
    "too many digits": "not a frame of the guest",
    "half a surrogate pair": "not a frame of the guest",
    "answer of another kind": "a Variables frame that answers nothing",
    "ready again": "a frame that belongs to no request",
    "call within a call": "spoke out of turn",
    "call among steps": "spoke out of turn",
    "more at once": "faster than they could be due|more statements than a program may have",
    "flood": "more statements than a program may have|faster than they could be due",
    "forged notice": "did not answer|a notice that belongs to no request",
    "close": "the guest is gone",
    "exit": "the guest is gone",
}


def sandbox(case: str, seconds: float = PATIENT) -> ProcessSandbox:
    """A sandbox whose guest is the attacker."""
    policy = Policy.named("strict").but(limits={**LIMITS, "statement_seconds": seconds})
    return ProcessSandbox(policy, ("-I", str(ATTACKER), case))


@pytest.mark.parametrize("case", CASES)
async def test_a_deviation_from_the_protocol_ends_the_session(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SandboxUnavailable` says what was wrong; no process and no descriptor is left."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    before = descriptors()
    acts = Acts()
    seconds = IMPATIENT if "did not answer" in CASES[case] else PATIENT
    session = await sandbox(case, seconds).open({"run": acts})
    async with asyncio.timeout(HOST_SECONDS):
        with pytest.raises(SandboxUnavailable, match=CASES[case]):
            await session.execute("obs = run('look')")
        with pytest.raises(SandboxUnavailable, match="the session has ended"):
            await session.execute("obs = run('look')")
        await session.close()
    assert not is_alive(session.pid)
    assert descriptors() == before
    assert len(acts.calls) <= 1


async def test_as_many_statements_as_a_program_may_have_can_commit_at_once() -> None:
    """Cheap statements are faster than the host reads of them."""
    session = await sandbox("all at once").open({})
    assert (await session.execute("x = 1")).ok
    await session.close()


async def test_a_stop_names_the_statement_and_the_next_has_all_its_time_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a stop that comes too late ends nothing else, and nobody waits for its answer."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 3 * IMPATIENT)
    session = await sandbox("late", IMPATIENT).open({})
    outcome = await session.execute("x = 1")
    assert outcome.printed == "stop 1 0, stop 1 1"
    assert outcome.seconds >= 2 * IMPATIENT
    await asyncio.sleep(3 * IMPATIENT)
    with pytest.raises(SandboxUnavailable, match="a statement was told to stop"):
        await session.execute("x = 1")
    await session.close()


async def test_frames_nobody_asked_for_end_the_session_at_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A guest that answers twice, or before it was asked, has no second request."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    before = descriptors()
    for case in ("twice", "before any request"):
        with pytest.raises(SandboxUnavailable, match=r"out of turn|no request|did not answer"):
            await _two_requests(case)
    assert descriptors() == before


async def _two_requests(case: str) -> None:
    session = await sandbox(case, IMPATIENT).open({"run": Acts()})
    try:
        await session.execute("x = 1")
        await asyncio.sleep(0.05)
        await session.execute("x = 1")
    finally:
        await session.close()
        assert not is_alive(session.pid)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("at open: silence", "the guest did not open: it was silent"),
        ("at open: exit", "the guest did not open: no such thing here"),
        ("at open: done", "the guest did not open: it did not begin with a ready frame"),
        ("at open: another version", "the guest speaks version 2 of the wire, the host 1"),
        ("at open: a layer less", "requires rlimits, which does not hold on this machine"),
    ],
)
async def test_a_guest_that_does_not_open_is_refused_with_the_reason(
    case: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote to standard error is told; nothing of it is left."""
    if case == "at open: silence":
        monkeypatch.setattr(process, "OPEN_SECONDS", 0.5)
    before = descriptors()
    with pytest.raises(SandboxUnavailable, match=message):
        await sandbox(case).open({})
    gc.collect()
    assert descriptors() == before
