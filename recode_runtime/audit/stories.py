"""Cases of several steps: what must hold from one statement to the next, and around a session.

A corpus tells such a story in words, so it is found by them: the first whose pattern is in the
case's text. Each gives what did not hold, in words; nothing if all did.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from recode_runtime.audit.canaries import Secrets
from recode_runtime.audit.cases import Case
from recode_runtime.audit.trials import NotApplicable, Trial
from recode_runtime.errors import PolicyError, SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.tree import Outcome

_STORM_SESSIONS = 40
_STORM_AT_ONCE = 8
_STORM_STATEMENTS = 10
_STORM_SECONDS = 60.0
_ERROR_CHARS = 2_200  # of a primitive's own words; they are cut at 2,000
_CHECKPOINTED = "squares = [number * number for number in (1, 2, 3)]"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a story plays with."""

    policy: Policy
    secrets: Secrets
    trial: Trial


Story = Callable[[Scene], Awaitable[list[str]]]


async def told(case: Case, scene: Scene) -> list[str]:
    """Play the story of a case.

    Raises:
        NotApplicable: none of that kind is known, or what it needs is not there.
    """
    text = f"{case.why}\n{case.code}".lower()
    for pattern, story in _STORIES.items():
        if re.search(pattern, text):
            return await story(scene)
    raise NotApplicable("no story of that kind is known to this version")


async def _primitive_raises(scene: Scene) -> list[str]:
    """Of an exception of the host's a program hears the type and the text, cut, and no more."""

    async def act(_action: str) -> None:
        try:
            raise KeyError(scene.secrets.host)
        except KeyError as cause:
            raise RuntimeError("no connection" + "!" * 10_000) from cause

    async with scene.trial.session(run=act) as session:
        outcome = await session.execute("run('a')")
        caught = await session.execute(
            "try:\n    run('a')\nexcept Exception as problem:\n    text = str(problem)",
            want=["text"],
        )
    scene.trial.seen.outcomes += [outcome, caught]
    faults = _unless(outcome.failure is not None, "the program did not hear of the exception")
    shown = f"{outcome}{caught}"
    faults += _unless(__file__ not in shown, "a path of the host's came with an exception")
    faults += _unless("KeyError" not in shown, "the cause of an exception came with it")
    message = outcome.failure.message if outcome.failure else ""
    longest = max(len(message), len(str(caught.variables.get("text", ""))))
    return faults + _unless(longest <= _ERROR_CHARS, "the text of an exception was not cut")


async def _primitive_executes(scene: Scene) -> list[str]:
    """While a statement runs, the session takes no other; and it goes on as before."""
    refused: list[str] = []

    async def act(_action: str) -> None:
        try:
            await session.execute("inner = 1")
        except RuntimeError as problem:
            refused.append(str(problem))
            raise

    async with scene.trial.session(run=act) as session:
        outcome = await session.execute("run('a')")
        after = await session.execute("x = 1", want=["x", "inner"])
    return [
        *_unless(bool(refused), "a primitive could run code in the session that called it"),
        *_unless(outcome.failure is not None, "the program did not hear of the refusal"),
        *_unless(after.variables == {"x": 1}, "the session was not as before"),
    ]


async def _storm(scene: Scene) -> list[str]:
    """Sessions and checkpoints are forked by the hundred while threads of the host hold locks."""
    over = threading.Event()
    threads = [threading.Thread(target=_churn, args=(over,), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate = asyncio.Semaphore(_STORM_AT_ONCE)
    sandbox = ProcessSandbox(scene.policy)
    try:
        async with asyncio.timeout(_STORM_SECONDS):
            runs = [_storm_session(sandbox, gate) for _ in range(_STORM_SESSIONS)]
            outcomes = [one for run in await asyncio.gather(*runs) for one in run]
    except TimeoutError:
        return [f"{_STORM_SESSIONS} sessions were not done after {_STORM_SECONDS:g} s"]
    finally:
        over.set()
    failed = [outcome for outcome in outcomes if not outcome.ok]
    return _unless(not failed, f"{len(failed)} of {len(outcomes)} statements failed")


async def _storm_session(sandbox: ProcessSandbox, gate: asyncio.Semaphore) -> list[Outcome]:
    async with gate:
        bystander = await asyncio.create_subprocess_exec("true")  # ends with a SIGCHLD of its own
        session = await sandbox.open({})
        try:
            return [await session.execute(_CHECKPOINTED) for _ in range(_STORM_STATEMENTS)]
        finally:
            await session.close()
            await bystander.wait()


def _churn(over: threading.Event) -> None:
    """Take and give locks of the interpreter and of the C library."""
    lock = threading.Lock()
    while not over.wait(0.001):
        for _ in range(100):
            with lock:
                bytearray(200_000)


async def _mechanism_missing(scene: Scene) -> list[str]:
    """A layer that a policy requires and that does not hold is a refusal which names it.

    Asked of every layer that is not there in a session of the policy, and of every one that the
    level `portable` leaves out.
    """
    async with scene.trial.session() as session:
        lacking = dict.fromkeys(session.missing, scene.policy)
        holding = session.layers
    portable = scene.policy.but(isolation={"level": "portable", "require": []})
    weak = await ProcessSandbox(portable).open({})
    await weak.close()
    lacking |= {layer: portable for layer in holding if layer not in weak.layers}
    silent = [layer for layer, policy in lacking.items() if not await _refuses(policy, layer)]
    return _unless(not silent, f"a session was opened without {', '.join(silent)}")


async def _refuses(policy: Policy, layer: str) -> bool:
    """Whether the policy, if it requires the layer, comes to a refusal that names it."""
    try:
        demanding = policy.but(isolation={"require": [layer]})
        await (await ProcessSandbox(demanding).open({})).close()
    except (PolicyError, SandboxUnavailable) as refusal:
        return layer in str(refusal)
    return False


async def _statement_fails(scene: Scene) -> list[str]:
    """A statement that fails, hangs or needs too much memory leaves everything as it was."""
    faults = []
    async with scene.trial.session() as session:
        await session.execute("items = [1]\nmapping = {'a': [1]}")
        for name, ending in _BAD_ENDS.items():
            bad = f"for _ in [1]:\n    items.append(2)\n    mapping['a'].append(2)\n    {ending}"
            outcome = await session.execute(bad)
            after = await session.execute("n = 1", want=["items", "mapping"])
            faults += _unless(outcome.failure is not None, f"a statement with {name} did not fail")
            unchanged = after.variables == {"items": [1], "mapping": {"a": [1]}}
            faults += _unless(unchanged, f"a statement with {name} left something behind")
    return faults


_BAD_ENDS = {
    "an exception": "1 / 0",
    "no end": "sum(range(10 ** 12))",
    "too much memory": "x = 'a' * 10 ** 12",
}


async def _sessions_apart(scene: Scene) -> list[str]:
    """Nothing of one session is in the next, and it does not outlive its own."""
    async with scene.trial.session() as first:
        await first.execute("kept = 1")
    async with scene.trial.session() as second:
        outcome = await second.execute("x = kept")
    faults = _unless(outcome.failure is not None, "a session saw what another had bound")
    try:
        await first.execute("x = 1")
    except SandboxUnavailable:
        return faults
    return [*faults, "a closed session ran a statement"]


async def _no_container(_scene: Scene) -> list[str]:
    raise NotApplicable("there is no container wall yet")


_STORIES: Mapping[str, Story] = {
    r"docker|gvisor|container": _no_container,
    r"re-?entran": _primitive_executes,
    r"primitive raises|exceptions? of (a )?host primitive": _primitive_raises,
    r"deadlock|sigchld|zygote forks|fork(s|ing)? while": _storm,
    r"missing mechanism|without landlock|fail closed|kernel without": _mechanism_missing,
    r"as it was|undone|rolled? back|in-place|atomic": _statement_fails,
    r"another session|earlier session|second session|closed session": _sessions_apart,
}


def _unless(holds: bool, fault: str) -> list[str]:
    return [] if holds else [fault]
