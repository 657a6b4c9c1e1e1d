"""Whatever a guest sends, the host neither crashes nor waits: the session ends, all of it."""

from __future__ import annotations

import asyncio

import pytest

from attackers import Attackers
from processes import begin_peak, descriptors_open, peak_bytes
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes.process import ProcessSession
from sessions import Acts

pytestmark = pytest.mark.usefixtures("impatience")

# Long enough for any machine; only where the guest is silent the host waits for all of it.
PATIENT, IMPATIENT = 20.0, 0.2
HOST_SECONDS = 10.0
MEMORY_BYTES = 64 * 1024 * 1024

NO_FRAME = "not a frame of the guest"
NO_REQUEST = "a frame that belongs to no request"
OUT_OF_TURN = "it spoke out of turn"
SILENT = "a statement went on after its time and the guest did not end it"
TOO_MANY = "more than 250000 values in a frame"
CASES = {
    "half a header": SILENT,
    "half a frame": SILENT,
    "silence": SILENT,
    "oversize header": "a frame of 4294967295 bytes; 1 to 4194304 are allowed",
    "a byte too many": "a frame of 4194305 bytes; 1 to 4194304 are allowed",
    "empty frame": "a frame of 0 bytes; 1 to 4194304 are allowed",
    "garbage": NO_FRAME,
    "pickle": NO_FRAME,
    "no UTF-8": NO_FRAME,
    "a gibibyte without an end": "a frame of 2021161080 bytes; 1 to 4194304 are allowed",
    "a gibibyte of one frame": f"{TOO_MANY}|a frame of 1532713819 bytes",  # which is "[[[["
    "a gibibyte of frames": "more statements than a program may have|faster than they could be due",
    "deep nesting": TOO_MANY,
    "deep value": "a value nested more than 64 levels deep",
    "deep argument": "a value nested more than 64 levels deep",
    "many lists": TOO_MANY,
    "many objects": TOO_MANY,
    "many texts": TOO_MANY,
    "many numbers": TOO_MANY,
    "many keys": TOO_MANY,
    "many texts of brackets": TOO_MANY,
    "many lists and no end": TOO_MANY,
    "not an object": NO_FRAME,
    "no op": NO_FRAME + ": Object missing required field `op`",
    "unknown op": NO_FRAME + ": Invalid value 'usage'",
    "missing field": NO_FRAME + ": Object missing required field `call`",
    "extra field": NO_FRAME + ": Object contains unknown field `usage`",
    "wrong types": NO_FRAME + ": Expected `int`, got `array`",
    "a fraction as id": NO_FRAME + ": Expected `int`, got `float`",
    "truth as id": NO_FRAME + ": Expected `int`, got `bool`",
    "not a number": NO_FRAME,
    "infinity": NO_FRAME,
    "too many digits": NO_FRAME,
    "half a surrogate pair": NO_FRAME,
    "forged id": NO_REQUEST,
    "an old id": NO_REQUEST,
    "huge id": NO_REQUEST,
    "larger than any id": NO_REQUEST,
    "forged call number": "call 5 where 1 was due",
    "unknown primitive": "a call of '__class__', which is no primitive",
    "unknown failure": NO_FRAME + ": Invalid enum value 'contract'",
    "answer of another kind": "a Variables frame that answers nothing",
    "ready again": NO_REQUEST,
    "refused late": NO_REQUEST,
    "more at once": "faster than they could be due|more statements than a program may have",
    "call among steps": OUT_OF_TURN,
    "call within a call": OUT_OF_TURN,
    "the same call again": "call 1 where 2 was due",
    "answer within a call": OUT_OF_TURN,
    "twice": OUT_OF_TURN,
    "close": "the guest is gone",
    "exit": "the guest is gone",
}


@pytest.mark.parametrize("case", CASES)
async def test_a_deviation_from_the_protocol_ends_the_session(
    case: str, attackers: Attackers
) -> None:
    """`SandboxUnavailable` says what was wrong; nothing is left, and the host stays small."""
    acts = Acts()
    seconds = IMPATIENT if CASES[case] == SILENT else PATIENT
    before = descriptors_open()
    session = await attackers.sandbox(case, statement_seconds=seconds).open({"run": acts})
    begin_peak()
    start = peak_bytes()
    async with asyncio.timeout(HOST_SECONDS):
        with pytest.raises(SandboxUnavailable, match=CASES[case]):
            await session.execute("obs = run('look')")
        with pytest.raises(SandboxUnavailable, match=f"the session has ended: .*({CASES[case]})"):
            await session.execute("obs = run('look')")
        await session.close()
    assert peak_bytes() - start < MEMORY_BYTES
    assert attackers.all_ended()
    assert descriptors_open() == before
    assert len(acts.calls) <= 1


@pytest.mark.parametrize("case", ["twice, a little later", "a part of a second answer"])
async def test_frames_nobody_asked_for_end_the_session_at_the_next_request(
    case: str, attackers: Attackers
) -> None:
    """A guest that answers twice has no second request."""
    before = descriptors_open()
    session = await attackers.sandbox(case, statement_seconds=PATIENT).open({})
    with pytest.raises(SandboxUnavailable, match=OUT_OF_TURN):
        await _execute_twice(session)
    await session.close()
    assert attackers.all_ended()
    assert descriptors_open() == before


async def _execute_twice(session: ProcessSession) -> None:
    await session.execute("x = 1")
    await asyncio.sleep(0.1)
    await session.execute("x = 1")
