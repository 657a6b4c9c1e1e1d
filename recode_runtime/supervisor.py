"""One run from its start to its recorded end: reset, open, solve, close, say what happened.

Everything that happens is an event, to the journal first; a run that ends in a limit, an error of
our machinery or a cancellation has its end recorded like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from recode_runtime.budget import Budget
from recode_runtime.calls import CallRecord, RecordFailed
from recode_runtime.environments import environment_from
from recode_runtime.environments.base import Environment, HasExpert, HasFewShots, Start
from recode_runtime.errors import LimitExceeded
from recode_runtime.events import (
    AnyEvent,
    ModelReplied,
    RunEnded,
    RunStarted,
    TreeBuilder,
)
from recode_runtime.grammar import rules_in_words
from recode_runtime.journal import Journal, new_run_id
from recode_runtime.models import model_from
from recode_runtime.models.base import Model
from recode_runtime.policy import Policy
from recode_runtime.primitive import Primitive, Primitives, primitives_of
from recode_runtime.prompt import Briefing
from recode_runtime.recursion import Recursion
from recode_runtime.sandboxes.base import Sandbox
from recode_runtime.sandboxes.frames import fitted
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.tree import (
    Failure,
    RunStatus,
    Tree,
    Usage,
)

SCORE_SECONDS = 10.0

_Result = TypeVar("_Result")
Listener = Callable[[AnyEvent], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    `success` is the environment's full score, or, without an environment, that the root was
    resolved. `usage` sums the tokens of all model calls as far as the server counted them.
    """

    tree: Tree
    success: bool
    score: float | None
    usage: Usage
    journal: Path | None


async def run(
    instruction: str = "",
    *,
    model: Model | str,
    primitives: Primitives = (),
    environment: Environment | str | None = None,
    observation: str = "",
    policy: Policy | str | Path = "strict",
    sandbox: Sandbox | None = None,
    journal: Journal | None = None,
    listeners: Sequence[Listener] = (),
) -> Result:
    """Do one task: expand `solve(instruction, observation)` until only primitives are left.

    Args:
        instruction: the task in words; an environment brings its own.
        model: a model, or its name: `"openai:gpt-4o-mini"`, `"expert"`.
        primitives: Python functions the programs may call, beside the environment's.
        environment: the world to act on, or its name: `"crafting"`. It is reset here, and closed
            by whoever made it.
        observation: what the first prompt shows beside the instruction.
        policy: a policy, the name of one that ships, or the path of a TOML file.
        sandbox: where programs run; the process sandbox under that policy if not given.
        journal: where every event is written, closed by whoever made it; its file name is the
            name of the run. Without one nothing is written to disk.
        listeners: called with every event, in order, on the event loop; what one of them raises
            ends the run.

    Raises:
        LimitExceeded: a budget is used up; `.tree` holds what was done.
        ModelUnavailable, SandboxUnavailable, EnvironmentUnavailable: our machinery failed. A
            program that is refused or fails is never an exception.
    """
    policy = Policy.of(policy)
    world = environment_from(environment) if isinstance(environment, str) else environment
    expand = world.expert if isinstance(world, HasExpert) else None
    chosen = model_from(model, expand=expand) if isinstance(model, str) else model
    offered = _offered(primitives, world)
    record = _Record(journal, listeners)
    try:
        work = _Work(chosen, policy, offered, world, record)
        await work.do(Start(instruction, observation), sandbox or ProcessSandbox(policy))
    finally:
        if chosen is not model:
            await chosen.close()
        if world is not None and world is not environment:
            await world.close()
    tree = record.builder.tree()
    return Result(tree, tree.success, tree.score, record.usage, journal.path if journal else None)


def run_sync(instruction: str = "", **options: Any) -> Result:
    """`run` for scripts and notebooks, with the same arguments: blocks until the task is done."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run(instruction, **options))
    return _aside(run(instruction, **options))


def _aside(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of work on a loop in another thread, for callers whose thread has a loop already.

    Ctrl-C ends the work in good order before it is passed on.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="recode-run", daemon=True)
    thread.start()
    try:
        return asyncio.run_coroutine_threadsafe(work, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_the_rest(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_the_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _offered(primitives: Primitives, environment: Environment | None) -> dict[str, Primitive]:
    """All primitives by name.

    Raises:
        ValueError: one of the caller's has the name of one of the environment's.
    """
    worlds = primitives_of(environment.primitives) if environment else {}
    own = primitives_of(primitives)
    if taken := sorted(worlds.keys() & own.keys()):
        raise ValueError(f"the environment has a primitive {taken[0]!r} of its own")
    return {**worlds, **own}


class _Record:
    """One stream of events: to the journal first, then to the tree and whoever listens."""

    def __init__(self, journal: Journal | None, listeners: Sequence[Listener]) -> None:
        self.run = journal.path.stem if journal else new_run_id()
        self.builder = TreeBuilder()
        self.has_begun = False
        self.usage = Usage()
        self._sinks: list[Listener] = [journal.append] if journal else []
        self._sinks += [self.builder.apply, *listeners]

    def emit(self, event: AnyEvent) -> None:
        """Record one event."""
        self.has_begun = True
        for sink in self._sinks:
            sink(event)
        if isinstance(event, ModelReplied):
            self.usage = self.usage + event.usage


class _Work:
    """What is made once for a run, and how it ends."""

    def __init__(
        self,
        model: Model,
        policy: Policy,
        offered: dict[str, Primitive],
        environment: Environment | None,
        record: _Record,
    ) -> None:
        self._model = model
        self._policy = policy
        self._offered = offered
        self._environment = environment
        self._record = record
        names = ("nodes", "model_calls", "primitive_calls", "seconds")
        self._budget = Budget({name: getattr(policy.supervisor, name) for name in names})

    async def _begin(self, given: Start) -> Start:
        """Reset the environment, if there is one, and record the start of the run."""
        reset = self._environment.reset() if self._environment else None
        start = await self._in_time(reset) if reset else given
        most = self._policy.limits.observation_bytes
        start = Start(fitted(start.instruction, most), fitted(start.observation, most))
        self._record.emit(
            RunStarted(
                run=self._record.run,
                instruction=start.instruction,
                environment=self._environment.name if self._environment else "",
                model=self._model.name,
                policy=self._policy.name,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                observation=start.observation,
                settings=msgspec.to_builtins(self._policy),
            )
        )
        return start

    async def do(self, given: Start, sandbox: Sandbox) -> None:
        """Run the task to its end and record the end, whatever it is.

        Nothing is recorded of a run whose environment could not be reset.
        """
        try:
            start = await self._begin(given)
            failure = await self._in_time(self._in_session(start, sandbox))
        except BaseException as problem:  # noqa: BLE001  # raised again, its record's failure apart
            cause = problem.__cause__ if isinstance(problem, RecordFailed) else None
            await self._stop(cause or problem)
            raise cause or problem from None
        over = failure is None or failure.kind == "ended"
        await self._end("done" if over else "failed", failure)

    async def _stop(self, problem: BaseException) -> None:
        """Record an end that is not the task's own; what fails on the way is not said."""
        status = _status_of(problem)
        said = "interrupted" if status == "interrupted" else type(problem).__name__
        reason = Failure("error", str(problem) or said)
        if not self._record.has_begun:
            return
        with contextlib.suppress(Exception):  # the record itself may be what failed
            await self._end(status, reason)
        if isinstance(problem, LimitExceeded):
            problem.tree = self._record.builder.tree()

    async def _in_time(self, work: Awaitable[_Result]) -> _Result:
        try:
            async with asyncio.timeout(self._budget.seconds_left) as clock:
                return await work
        except TimeoutError:
            if not clock.expired():
                raise
            raise LimitExceeded("seconds", self._policy.supervisor.seconds) from None

    async def _in_session(self, start: Start, sandbox: Sandbox) -> Failure | None:
        most = self._policy.limits.observation_bytes
        calls = CallRecord(self._budget, self._record.run, most, self._record.emit)
        handlers = {name: calls.handler(one) for name, one in self._offered.items()}
        session = await sandbox.open(handlers)
        try:
            recursion = Recursion(
                session=session,
                model=self._model,
                policy=self._policy,
                briefing=self._briefing(),
                budget=self._budget,
                environment=self._environment,
                calls=calls,
                emit=self._record.emit,
            )
            return await recursion.solve(start.instruction, start.observation)
        finally:
            await session.close()

    def _briefing(self) -> Briefing:
        prompt = self._policy.prompt
        environment = self._environment
        shots = environment.few_shots if isinstance(environment, HasFewShots) else ()
        return Briefing(
            primitives=tuple(self._offered.values()),
            rules=rules_in_words(self._policy),
            hint=prompt.primitives_hint,
            value_chars=prompt.value_chars,
            modules=tuple(self._policy.language.facades),
            guide=environment.guide if environment else "",
            few_shots=shots if prompt.few_shots else (),
        )

    async def _end(self, status: RunStatus, failure: Failure | None) -> None:
        said = [failure.message] if failure else []
        score = None
        if self._environment and status != "interrupted":
            try:
                async with asyncio.timeout(SCORE_SECONDS):
                    score = await self._environment.score()
            except Exception as problem:  # noqa: BLE001  # the end is recorded all the same
                said.append(f"there is no score: {problem or type(problem).__name__}")
        resolved = failure is None and self._environment is None
        success = score >= 1.0 if score is not None else resolved
        spent = self._budget.spent
        self._record.emit(
            RunEnded(status, success, score, "; ".join(said), spent["seconds"], spent)
        )


def _status_of(problem: BaseException) -> RunStatus:
    cancelled = isinstance(problem, asyncio.CancelledError | KeyboardInterrupt)
    return "interrupted" if cancelled else "stopped"
