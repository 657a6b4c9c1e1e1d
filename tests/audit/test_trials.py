"""A run is watched from all sides: what it sent, touched, called, took, and what is left of it."""

from __future__ import annotations

import os
import signal

import pytest

from recode_runtime.audit.canaries import Secrets
from recode_runtime.audit.programs import Piece, as_attacker, pieces
from recode_runtime.audit.trials import NotApplicable, Sighting, Trial
from recode_runtime.policy import Policy
from recode_runtime.tree import Call

POLICY = Policy.named("strict").but(isolation={"ready": 0})
PYTHON = POLICY.but(language={"mode": "python", "preload": ["os", "time", "json", "struct"]})
SECRETS = Secrets.fresh()


async def seen(source: str, policy: Policy = POLICY, **more: object) -> Sighting:
    """What is seen of a program."""
    return await watched(pieces(source, 16_384), policy, **more)


async def watched(found: list[Piece], policy: Policy, needs: tuple[str, ...] = ()) -> Sighting:
    """What is seen of some pieces."""
    trial = Trial(policy, SECRETS)
    async with trial.watching() as sighting:
        await trial.run(found, needs)
    return sighting


async def test_what_a_program_did_is_there() -> None:
    """Statement by statement, up to the first failure."""
    sighting = await seen("x = run('a')\nprint(x, add(1, 2))\n1 / 0\ny = 2\n")
    assert [outcome.ok for outcome in sighting.outcomes] == [True, True, False]
    assert sighting.printed == "done: a 3\n"
    assert sighting.calls == [
        Call("run", ("a",), {}, "done: a", answered=True),
        Call("add", (1, 2), {}, 3, answered=True),
    ]
    assert sighting.failure is not None
    assert sighting.failure.message == "ZeroDivisionError: division by zero"
    assert sighting.variables["x"].value == "done: a"
    assert (sighting.kept, sighting.lost, sighting.effects) == (True, "", [])
    assert "seccomp" in sighting.layers


WAYS_OUT = {
    "printed": f"print({SECRETS.host!r})",
    "said to a primitive": f"run({SECRETS.host!r})",
    "in an argument's list": f"run(a=[{SECRETS.host!r}])",
    "in a variable": f"x = {SECRETS.host!r}",
    "raised": f"raise ValueError({SECRETS.host!r})",
    "as a key": f"x = {{{SECRETS.host!r}: 1}}",
    "in two pieces": f"print({SECRETS.host[:9]!r}, end='')\nprint({SECRETS.host[9:]!r})",
}


@pytest.mark.parametrize("source", WAYS_OUT.values(), ids=WAYS_OUT)
async def test_a_secret_is_seen_wherever_it_comes_out(source: str) -> None:
    """Printed, passed, bound, raised, as a key, and in parts."""
    assert (await seen(source)).secrets == {"a global of the host"}


async def test_a_secret_is_seen_in_bytes_that_are_no_frame() -> None:
    """The host discards them; they have left the sandbox all the same."""
    source = f"import os\nos.write(FD, b'\\0\\0\\0\\x40' + {SECRETS.file.encode()!r})\n"
    sighting = await watched([as_attacker(source, 0.5)], PYTHON)
    assert sighting.secrets == {"the canary's file"}


async def test_a_secret_is_seen_in_the_messages_beside_the_frames() -> None:
    """The guest's other descriptor is no way out either."""
    source = f"import os\nos.write(4, {SECRETS.file.encode()!r})\n"
    assert (await seen(source, PYTHON)).secrets == {"the canary's file"}


async def test_the_time_of_the_longest_statement_counts() -> None:
    """Not that of the program; past the limit it says by how much."""
    quick = "x = [i for i in range(1000)]\n" * 5
    assert (await seen(quick)).over < 0
    late = await seen("x = 1\nwhile True: pass\n", POLICY.but(limits={"statement_seconds": 0.5}))
    assert late.seconds >= 0.5
    assert late.over == pytest.approx(late.seconds - 0.6)


async def test_a_session_that_is_lost_says_why() -> None:
    """And nothing is read from it any more."""
    sighting = await watched([as_attacker("import os\nos.write(FD, b'\\0\\0\\0\\0')", 0.5)], PYTHON)
    assert sighting.lost.startswith("the guest broke the protocol: ")
    assert (sighting.kept, sighting.outcomes) == (False, [])


async def test_a_signal_is_an_effect() -> None:
    """Whoever sends one to the host is not inside."""
    trial = Trial(POLICY, SECRETS)
    async with trial.watching() as sighting:
        os.kill(os.getpid(), signal.SIGUSR2)
        await trial.run([Piece("x = 1", 1, 1)])
    assert sighting.effects == ["SIGUSR2 was sent to the host"]


async def test_a_case_that_needs_a_layer_is_not_run_without_it() -> None:
    """It would do harm; with the layer it runs."""
    assert (await watched([Piece("run('a')", 1, 1)], POLICY, ("seccomp",))).calls
    portable = POLICY.but(isolation={"level": "portable", "require": []})
    with pytest.raises(NotApplicable, match=r"^it would do harm where seccomp does not hold$"):
        await watched([Piece("run('a')", 1, 1)], portable, ("seccomp",))
