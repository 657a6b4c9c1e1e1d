"""The recursion itself: resolve a goal by asking, judging and running programs, depth first.

ReCode's Algorithm 1 (arXiv 2510.23564, section 3). The supervisor opens and ends a run; here one
placeholder after another becomes a program, and each failure goes back to the model that wrote it,
or, when its attempts are used up, to the placeholder above.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from recode_runtime.budget import Budget
from recode_runtime.environments.base import Environment
from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.events import (
    AnyEvent,
    AttemptJudged,
    CallAnswered,
    CallSent,
    ModelAsked,
    ModelReplied,
    NodeClosed,
    NodeOpened,
    NodeStarted,
)
from recode_runtime.grammar import judge
from recode_runtime.models.base import Completion, Model
from recode_runtime.policy import Policy
from recode_runtime.primitive import Primitive
from recode_runtime.program import Placeholder, Program, Statement
from recode_runtime.prompt import Briefing, Setback, build_request
from recode_runtime.reply import read_reply
from recode_runtime.sandboxes.base import CallHandler, Session
from recode_runtime.tree import (
    Call,
    Failure,
    NodeStatus,
    Variable,
)

_ROOT_ARGUMENTS = ("instruction", "observation")
ROOT = Placeholder("solve", arguments=_ROOT_ARGUMENTS, names=_ROOT_ARGUMENTS)
_ENDED = Failure("ended", "the episode ended before the rest was reached")


@dataclass(slots=True)
class Goal:
    """A placeholder being expanded: where it stands, and what its programs have done so far.

    `arguments` holds the values of its arguments when it was reached, `calls_before` the number
    of primitive calls until then, `bound` the names its programs have bound, `ran` the statements
    that ran, `history` a line for each attempt that failed.
    """

    node: str
    placeholder: Placeholder
    depth: int = 0
    above: Goal | None = None
    arguments: Mapping[str, Variable] = field(default_factory=dict)
    calls_before: int = 0
    bound: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    children: int = 0

    @property
    def names(self) -> list[str]:
        """The variables its prompt shows: those among its arguments, and its parameters."""
        return list(dict.fromkeys([*self.placeholder.names, *self.placeholder.keywords]))

    def same_as(self, other: Goal) -> bool:
        """Whether both are the same call with the same values."""
        mine, others = self.placeholder, other.placeholder
        return (
            (mine.name, mine.arguments) == (others.name, others.arguments)
            and set(mine.keywords) == set(others.keywords)
            and self.arguments == other.arguments
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was made of one reply: a program, or the failure to get one."""

    source: str
    program: Program | None = None
    failure: Failure | None = None
    thought: str = ""
    repairs: tuple[str, ...] = ()


class Recursion:
    """Resolves goals in one session; everything of one run that its goals share."""

    def __init__(
        self,
        *,
        session: Session,
        model: Model,
        policy: Policy,
        briefing: Briefing,
        budget: Budget,
        environment: Environment | None,
        calls: CallRecord,
        emit: Callable[[AnyEvent], None],
    ) -> None:
        self._session = session
        self._model = model
        self._policy = policy
        self._briefing = briefing
        self._primitives = [primitive.name for primitive in briefing.primitives]
        self._budget = budget
        self._environment = environment
        self._calls = calls
        self._emit = emit
        self._bound: set[str] = set()

    async def solve(self, instruction: str, observation: str) -> Failure | None:
        """Resolve the root; None when it is done."""
        values = {"instruction": instruction, "observation": observation}
        await self._session.bind(values)
        self._bound |= set(values)
        arguments = await self._read(list(values))
        root = Goal("0", ROOT, arguments=arguments)
        self._open(Statement(ROOT.source, 1, ROOT), root.node, None, 0, 1)
        self._emit(NodeStarted(root.node))
        return await self._resolve(root)

    async def _read(self, names: list[str]) -> dict[str, Variable]:
        return await self._session.read(names, chars=self._policy.prompt.value_chars)

    def _open(
        self, statement: Statement, node: str, parent: str | None, depth: int, attempt: int
    ) -> None:
        self._budget.spend("nodes", node)
        source, kind, line = statement.source, statement.kind, statement.line
        self._emit(NodeOpened(node, source, kind, depth, parent, attempt, line))

    async def _resolve(self, goal: Goal) -> Failure | None:
        """Ask until a program of the goal's own runs to its end, or its attempts are used up."""
        started = time.monotonic()
        failure = await self._attempt(goal)
        over = failure is None or failure.kind == "ended"
        status: NodeStatus = "done" if over else "failed"
        self._emit(NodeClosed(goal.node, status, "", failure, time.monotonic() - started))
        return failure

    async def _attempt(self, goal: Goal) -> Failure | None:
        most = self._policy.supervisor.attempts
        setback: Setback | None = None
        for number in range(1, most + 1):
            reading = await self._ask(goal, number, setback)
            failure = reading.failure
            if reading.program is not None:
                failure = await self._run(goal, number, reading.program)
            if failure is None or failure.kind == "ended":
                return failure
            setback = await self._set_back(goal, number, failure, reading)
        given_up = f"`{goal.placeholder.source}` was given up after {most} attempts"
        return Failure("exhausted", f"{given_up}; {goal.history[-1]}")

    async def _ask(self, goal: Goal, number: int, setback: Setback | None) -> _Reading:
        """One request and what was read from its reply, both recorded."""
        self._budget.spend("model_calls", goal.node)
        request = build_request(
            self._briefing,
            goal.placeholder,
            await self._read(goal.names),
            depth_left=self._policy.supervisor.depth - goal.depth,
            attempt=number,
            node=goal.node,
            setback=setback,
        )
        self._emit(ModelAsked(goal.node, number, [dict(one) for one in request.messages]))
        started = time.monotonic()
        answer = await self._model.complete(request)
        seconds = time.monotonic() - started
        node, text, problem = goal.node, answer.text, answer.problem
        self._emit(ModelReplied(node, number, text, problem, answer.usage, seconds))
        reading = self._judge(goal, answer)
        self._record(goal, number, reading, reading.failure)
        return reading

    def _record(self, goal: Goal, number: int, reading: _Reading, failure: Failure | None) -> None:
        source, thought, repairs = reading.source, reading.thought, reading.repairs
        self._emit(AttemptJudged(goal.node, number, source, thought, repairs, failure))

    def _judge(self, goal: Goal, answer: Completion) -> _Reading:
        if answer.problem:
            return _Reading("", failure=Failure("unreadable", answer.problem))
        try:
            read = read_reply(answer.text, goal.placeholder.outputs)
        except ReplyUnreadable as unreadable:
            return _Reading("", failure=_of_findings("unreadable", unreadable.findings))
        if read.repairs and not self._policy.repair.enabled:
            problem = f"the policy allows no repairs, but: {'; '.join(read.repairs)}"
            return _Reading(read.source, failure=Failure("unreadable", problem))
        verdict = judge(
            read.source,
            policy=self._policy,
            primitives=self._primitives,
            variables=self._bound,
            outputs=goal.placeholder.outputs,
            depth_left=self._policy.supervisor.depth - goal.depth,
            parent=goal.placeholder if self._calls.count == goal.calls_before else None,
        )
        failure = None if verdict.program else _of_findings("refused", verdict.findings)
        return _Reading(read.source, verdict.program, failure, read.thought, read.repairs)

    async def _set_back(
        self, goal: Goal, number: int, failure: Failure, reading: _Reading
    ) -> Setback:
        """What the next request says of this attempt."""
        calls: tuple[Call, ...] = ()
        if reading.program is not None:
            self._record(goal, number, reading, failure)
            calls = tuple(self._calls.of_last_statement)
        left = await self._read(sorted(goal.bound - set(goal.names)))
        earlier = tuple(goal.history)
        goal.history.append(f"attempt {number}: {failure.message}")
        variables = tuple(left.values())
        return Setback(failure, reading.source, tuple(goal.ran), calls, variables, earlier)

    async def _run(self, goal: Goal, number: int, program: Program) -> Failure | None:
        """Run a program statement by statement; each is a node below the goal."""
        nodes = []
        for statement in program.statements:
            goal.children += 1
            node = f"{goal.node}.{goal.children}"
            self._open(statement, node, goal.node, goal.depth + 1, number)
            nodes.append((node, statement))
        for index, (node, statement) in enumerate(nodes):
            over = self._environment is not None and self._environment.ended
            failure = _ENDED if over else await self._step(goal, node, statement)
            if failure:
                last = over or failure.kind == "ended"
                self._leave_out([one for one, _ in nodes[index + (not over) :]], last)
                return failure
            goal.ran.append(statement.source)
        return _unkept(goal)

    def _leave_out(self, nodes: list[str], last: bool) -> None:
        """Close the nodes that are not reached: nothing follows, or a new program replaces them."""
        for node in nodes:
            self._emit(NodeClosed(node, "skipped" if last else "replaced"))

    async def _step(self, goal: Goal, node: str, statement: Statement) -> Failure | None:
        self._budget.check_time(node)
        self._emit(NodeStarted(node))
        self._calls.begin(node)
        if statement.placeholder:
            return await self._descend(goal, node, statement.placeholder)
        outcome = await self._session.execute(statement.source, line=statement.line)
        self._bound |= set(outcome.bound)
        goal.bound |= set(outcome.bound)
        failure, seconds = outcome.failure, outcome.seconds
        status: NodeStatus = "done" if failure is None else "failed"
        if failure and failure.kind == "ended":
            status = "skipped"
        self._emit(NodeClosed(node, status, outcome.printed, failure, seconds))
        return failure

    async def _descend(self, above: Goal, node: str, placeholder: Placeholder) -> Failure | None:
        """Resolve a placeholder one level down; its parameters hold for that long only."""
        entered = await self._session.enter(placeholder.keywords)
        if entered.failure:
            self._emit(NodeClosed(node, "failed", "", entered.failure))
            return entered.failure
        known = set(self._bound)
        self._bound |= set(placeholder.keywords)
        goal = Goal(node, placeholder, above.depth + 1, above, calls_before=self._calls.count)
        goal.arguments = await self._read(goal.names)
        failure = self._unreachable(goal) or await self._resolve(goal)
        outputs = () if failure else placeholder.outputs
        await self._session.leave(outputs)
        parameters = set(placeholder.keywords) - set(outputs)
        self._bound -= parameters - known
        above.bound |= goal.bound - parameters
        return failure

    def _unreachable(self, goal: Goal) -> Failure | None:
        """The failure of a placeholder that must not be opened at all: unbound, or endless."""
        missing = [name for name in goal.names if name not in goal.arguments]
        failure = None
        if missing:
            failure = Failure("error", f"NameError: name {missing[0]!r} is not defined")
        elif self._is_endless(goal):
            failure = _of_findings("refused", (_endless(goal),))
        if failure:
            self._emit(NodeClosed(goal.node, "failed", "", failure))
        return failure

    def _is_endless(self, goal: Goal) -> bool:
        """Whether a goal above is the same, and no primitive acted since (DESIGN: step 11)."""
        above = goal.above
        while above is not None and above.calls_before == self._calls.count:
            if goal.same_as(above):
                return True
            above = above.above
        return False


class CallRecord:
    """Counts and records the calls of primitives, each before it acts and after it answered."""

    def __init__(self, budget: Budget, run: str, emit: Callable[[AnyEvent], None]) -> None:
        self.count = 0
        self.of_last_statement: list[Call] = []
        self._budget = budget
        self._run = run
        self._emit = emit
        self._node = ""

    def begin(self, node: str) -> None:
        """From now on calls belong to the statement at that node."""
        self._node = node
        self.of_last_statement = []

    def handler(self, primitive: Primitive) -> CallHandler:
        """The primitive as the sandbox calls it.

        Raises:
            LimitExceeded: the run's primitive calls are used up; nothing acted.
        """

        async def call(*args: Any, **kwargs: Any) -> Any:
            node = self._node
            self._budget.spend("primitive_calls", node)
            self.count += 1
            key = f"{self._run}/{node}/{self.count}"
            self._emit(CallSent(node, key, primitive.name, args, kwargs))
            started = time.monotonic()
            value, error = None, None
            try:
                value = await primitive(*args, **kwargs)
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
                raise
            finally:
                seconds = time.monotonic() - started
                self._emit(CallAnswered(node, key, value, error, seconds))
                self.of_last_statement.append(
                    Call(primitive.name, args, kwargs, value, error, True, seconds)
                )
            return value

        return call


def _of_findings(kind: Any, findings: tuple[Finding, ...]) -> Failure:
    return Failure(kind, "; ".join(str(one) for one in findings), findings=findings)


def _endless(goal: Goal) -> Finding:
    return Finding(
        "RC122",
        f"`{goal.placeholder.source}` is a placeholder that is being expanded already, with the "
        "same values and no primitive call in between",
        advice="Do something first, or split the goal into smaller ones.",
    )


def _unkept(goal: Goal) -> Failure | None:
    """The broken return contract, if a promised output was not bound."""
    missing = [name for name in goal.placeholder.outputs if name not in goal.bound]
    if not missing:
        return None
    return Failure("contract", f"the program ended without assigning {', '.join(missing)}")
