"""Whatever comes on the control socket, and however a guest opens: nothing waits, nothing leaks."""

from __future__ import annotations

import asyncio

import pytest

from attackers import Attackers
from processes import descriptors_open
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import process
from sessions import Acts

pytestmark = pytest.mark.usefixtures("impatience")

PATIENT, IMPATIENT = 20.0, 0.3
HOST_SECONDS = 10.0

NO_NOTICE = "the guest broke the protocol: a notice that belongs to no request"
SILENT = "a statement went on after its time and the guest did not end it"
NOTICES = {
    "forged notice": NO_NOTICE,
    "a notice of an old request": NO_NOTICE,
    "an unknown notice": NO_NOTICE,
    "a keeper again": NO_NOTICE,
    "a notice too long": NO_NOTICE,
    "notices": NO_NOTICE,
    "over twice": NO_NOTICE,
    "over and silence": SILENT,
    "over and a call": "a Call frame that answers nothing",
    "over and a step": "a Step frame that answers nothing",
}


@pytest.mark.parametrize("case", NOTICES)
async def test_a_notice_at_the_wrong_moment_ends_the_session(
    case: str, attackers: Attackers
) -> None:
    """No primitive is called for a guest that has given its statement up."""
    acts = Acts()
    seconds = IMPATIENT if NOTICES[case] == SILENT else PATIENT
    before = descriptors_open()
    session = await attackers.sandbox(case, statement_seconds=seconds).open({"run": acts})
    async with asyncio.timeout(HOST_SECONDS):
        with pytest.raises(SandboxUnavailable, match=NOTICES[case]):
            await session.execute("obs = run('look')")
        await session.close()
    assert attackers.all_ended()
    assert descriptors_open() == before
    assert acts.calls == []


@pytest.mark.parametrize("case", ["over and an answer", "over with descriptors"])
async def test_a_statement_that_was_given_up_is_answered_for(
    case: str, attackers: Attackers
) -> None:
    """Descriptors that come with the notice are not kept, however many there are."""
    before = descriptors_open()
    session = await attackers.sandbox(case, statement_seconds=PATIENT).open({})
    failure = (await session.execute("x = 1")).failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("limit", "ended")
    await session.close()
    assert attackers.all_ended()
    assert descriptors_open() == before


@pytest.mark.parametrize("case", ["nothing but descriptors", "control closed"])
async def test_a_guest_without_notices_can_still_answer(case: str, attackers: Attackers) -> None:
    """Its end is seen by the descriptor of its keeper."""
    before = descriptors_open()
    session = await attackers.sandbox(case, statement_seconds=PATIENT).open({})
    assert (await session.execute("x = 1")).ok
    await session.close()
    assert attackers.all_ended()
    assert descriptors_open() == before


async def test_a_notice_after_the_answer_ends_the_session(attackers: Attackers) -> None:
    """So that the next request finds nobody."""
    session = await attackers.sandbox("over after the answer", statement_seconds=PATIENT).open({})
    assert (await session.execute("x = 1")).ok
    with pytest.raises(SandboxUnavailable, match=NO_NOTICE):
        await session.execute("x = 1")
    await session.close()
    assert attackers.all_ended()


async def test_as_many_statements_as_a_program_may_have_can_commit_at_once(
    attackers: Attackers,
) -> None:
    """Cheap statements are faster than the host reads of them."""
    session = await attackers.sandbox("all at once", statement_seconds=PATIENT).open({})
    assert (await session.execute("x = 1")).ok
    await session.close()


async def test_every_statement_has_all_its_time(attackers: Attackers) -> None:
    """Three of 0.6 s each under a limit of 1 s; the clock of the request has all of it."""
    session = await attackers.sandbox("slow steps", statement_seconds=1.0).open({})
    outcome = await session.execute("x = 1")
    assert outcome.ok
    assert outcome.seconds >= 1.8
    await session.close()


async def test_a_guest_that_answers_the_next_request_of_another_session(
    attackers: Attackers,
) -> None:
    """A socket belongs to one session: the other one hears nothing of it."""
    one = await attackers.sandbox("forged id", statement_seconds=PATIENT).open({})
    other = await attackers.sandbox("over and an answer", statement_seconds=PATIENT).open({})
    with pytest.raises(SandboxUnavailable, match="a frame that belongs to no request"):
        await one.execute("x = 1")
    assert not (await other.execute("x = 1")).ok
    await one.close()
    await other.close()


async def test_the_first_reason_is_the_one_that_is_told(attackers: Attackers) -> None:
    """To end a guest that does not go by itself takes longer than its statement had."""
    sandbox = attackers.sandbox("forged id", statement_seconds=IMPATIENT)
    session = await sandbox.open({})
    for _ in range(2):
        with pytest.raises(SandboxUnavailable, match="a frame that belongs to no request"):
            await session.execute("x = 1")
    await session.close()


OPENINGS = {
    "before any request": "it spoke out of turn|a frame that belongs to no request",
    "at open: silence": "the guest did not open: it was silent",
    "at open: exit": "the guest did not open: no such thing here",
    "at open: done": "the guest did not open: it did not begin with a ready frame",
    "at open: garbage": "the guest did not open: not a frame of the guest",
    "at open: twice": "the guest did not open: it spoke out of turn",
    "at open: another version": "the guest speaks version 3 of the wire, the host 2",
    "at open: a layer less": "the policy 'strict' requires .* not hold on this machine",
    "at open: refused": r"the guest cannot be opened: .{2000}$",
    "keeper: silence": "the guest did not open: it was silent",
    "keeper: another word": "the guest did not open: its keeper did not introduce itself",
    "keeper: no descriptor": "the guest did not open: its keeper did not introduce itself",
    "keeper: a file": "the guest did not open: its keeper did not introduce itself",
    "keeper: nothing at all": "the guest did not open: the guest is gone",
    "keeper: a descriptor alone": "the guest did not open: the guest is gone",
}


@pytest.mark.parametrize("case", OPENINGS)
async def test_a_guest_that_does_not_open_is_refused_with_the_reason(
    case: str, attackers: Attackers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote to standard error is told; no descriptor of it is left.

    One that has not introduced itself ends when its sockets are closed, as an attacker does not.
    """
    if "silence" in case:
        monkeypatch.setattr(process, "OPEN_SECONDS", 0.5)
    before = descriptors_open()
    async with asyncio.timeout(HOST_SECONDS):
        with pytest.raises(SandboxUnavailable, match=OPENINGS[case]):
            await attackers.sandbox(case).open({})
    assert descriptors_open() == before
    assert case.startswith("keeper") or "silence" in case or attackers.all_ended()


async def test_a_keeper_has_one_descriptor(attackers: Attackers) -> None:
    """What else comes with it is left to the kernel, which closes it."""
    before = descriptors_open()
    sandbox = attackers.sandbox("keeper: two descriptors", statement_seconds=IMPATIENT)
    session = await sandbox.open({})
    assert descriptors_open() == before + 3
    await session.close()
    assert attackers.all_ended()
    assert descriptors_open() == before
