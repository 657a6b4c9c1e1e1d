"""The recursion itself: resolve a goal by asking, judging and running programs, depth first.

ReCode's Algorithm 1 (arXiv 2510.23564, section 3). The supervisor opens and ends a run; here one
placeholder after another becomes a program, and each failure goes back to the model that wrote it,
or, when its attempts are used up, to the placeholder above.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from recode_runtime.budget import Budget
from recode_runtime.calls import CallRecord
from recode_runtime.environments.base import Environment
from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.events import (
    AnyEvent,
    AttemptFailed,
    AttemptJudged,
    ModelAsked,
    ModelReplied,
    NodeClosed,
    NodeOpened,
    NodeStarted,
)
from recode_runtime.grammar import judge
from recode_runtime.models.base import Completion, Model
from recode_runtime.policy import Policy
from recode_runtime.program import Placeholder, Program, Statement
from recode_runtime.prompt import Briefing, Setback, build_request
from recode_runtime.reply import read_reply
from recode_runtime.sandboxes.base import Session
from recode_runtime.tree import (
    Call,
    Failure,
    NodeStatus,
    Repair,
    Variable,
)

_ROOT_ARGUMENTS = ("instruction", "observation")
ROOT = Placeholder("solve", arguments=_ROOT_ARGUMENTS, names=_ROOT_ARGUMENTS)
_DELETES = re.compile(r"\bdel\b")
_ENDED = Failure("ended", "the episode ended before the rest was reached")


@dataclass(slots=True)
class Goal:
    """A placeholder being expanded: where it stands, and what its programs have done so far.

    `arguments` holds the variables among its arguments when it was reached, `calls_before` the
    number of primitive calls until then, `bound` the names its programs have bound, `ran` the
    statements that ran, `last_step` the number of calls before the statement that ran last,
    `history` a line for each attempt that failed.
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
    last_step: int = 0

    @property
    def names(self) -> list[str]:
        """The variables its prompt shows: those among its arguments, and its parameters."""
        return list(dict.fromkeys([*self.placeholder.names, *self.placeholder.keywords]))

    @property
    def owed(self) -> list[str]:
        """The promised outputs that no program of its own has bound yet."""
        return [name for name in self.placeholder.outputs if name not in self.bound]

    def same_as(self, other: Goal) -> bool:
        """Whether both are the same call with the same values."""
        if self.placeholder.name != other.placeholder.name:
            return False
        mine, others = self._values(), other._values()
        return None not in mine.values() and mine == others

    def _values(self) -> dict[str, str | None]:
        """Every argument's value as source, by its place or keyword; None if it is not known."""
        call = self.placeholder
        values = {str(place): self._value(one, one) for place, one in enumerate(call.arguments)}
        return values | {name: self._value(name, one) for name, one in call.keywords.items()}

    def _value(self, name: str, source: str) -> str | None:
        variable = self.arguments.get(name)
        if variable is None:
            return repr(ast.literal_eval(source))
        return repr(variable.value) if variable.plain else None


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was made of one reply: a program, or the failure to get one."""

    source: str
    program: Program | None = None
    failure: Failure | None = None
    thought: str = ""
    repairs: tuple[Repair, ...] = ()


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
        self._primitives = {one.name: one for one in briefing.primitives}
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
            if self._is_over:
                return _ENDED
            setback = await self._set_back(goal, number, failure, reading)
        given_up = f"`{goal.placeholder.source}` was given up after {most} attempts"
        return Failure("exhausted", f"{given_up}; {goal.history[-1]}")

    @property
    def _is_over(self) -> bool:
        """Whether nothing can act any more."""
        return self._environment is not None and self._environment.ended

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
            owed=goal.owed,
            setback=setback,
        )
        self._emit(ModelAsked(goal.node, number, [dict(one) for one in request.messages]))
        started = time.monotonic()
        answer = await self._model.complete(request)
        seconds = time.monotonic() - started
        node, text, problem = goal.node, answer.text, answer.problem
        self._emit(ModelReplied(node, number, text, problem, answer.usage, seconds))
        reading = self._judge(goal, answer)
        source, thought, repairs = reading.source, reading.thought, reading.repairs
        self._emit(AttemptJudged(node, number, source, thought, repairs, reading.failure))
        return reading

    def _judge(self, goal: Goal, answer: Completion) -> _Reading:
        if answer.problem:
            return _Reading("", failure=Failure("unreadable", answer.problem))
        try:
            read = read_reply(
                answer.text,
                goal.placeholder.outputs,
                repair=self._policy.repair.apply,
                variables=self._bound,
            )
        except ReplyUnreadable as unreadable:
            return _Reading("", failure=_of_findings("unreadable", unreadable.findings))
        verdict = judge(
            read.source,
            policy=self._policy,
            primitives=self._primitives,
            variables=self._bound,
            outputs=goal.owed,
            returned=goal.placeholder.outputs,
            depth_left=self._policy.supervisor.depth - goal.depth,
            parent=goal.placeholder if self._calls.count == goal.calls_before else None,
            repair=self._policy.repair.apply,
        )
        wrong = tuple(one for one in verdict.findings if one.level == "error")
        failure = None if verdict.program else _of_findings("refused", wrong)
        repairs = read.repairs + verdict.repairs
        return _Reading(verdict.source, verdict.program, failure, read.thought, repairs)

    async def _set_back(
        self, goal: Goal, number: int, failure: Failure, reading: _Reading
    ) -> Setback:
        """What the next request says of this attempt."""
        calls: tuple[Call, ...] = ()
        if reading.program is not None:
            self._emit(AttemptFailed(goal.node, number, failure))
            calls = tuple(self._calls.made[goal.last_step :])
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
            over = self._is_over
            failure = _ENDED if over else await self._step(goal, node, statement)
            if failure:
                self._leave_out([one for one, _ in nodes[index + (not over) :]], failure)
                return failure
            goal.ran.append(statement.source)
        goal.last_step = self._calls.count
        return await self._unkept(goal)

    def _leave_out(self, nodes: list[str], failure: Failure) -> None:
        """Close the nodes that are not reached: nothing follows, or a new program replaces them."""
        last = failure.kind == "ended" or self._is_over
        for node in nodes:
            self._emit(NodeClosed(node, "skipped" if last else "replaced"))

    async def _unkept(self, goal: Goal) -> Failure | None:
        """The broken return contract, if a promised output is not bound."""
        outputs = goal.placeholder.outputs
        there = await self._read(list(outputs)) if outputs else {}
        missing = [name for name in outputs if name in goal.owed or name not in there]
        goal.bound -= set(missing)
        if not missing:
            return None
        return Failure("contract", f"the program ended without assigning {', '.join(missing)}")

    async def _step(self, goal: Goal, node: str, statement: Statement) -> Failure | None:
        self._budget.check_time(node)
        self._emit(NodeStarted(node))
        self._calls.node = node
        goal.last_step = self._calls.count
        if statement.placeholder:
            return await self._descend(goal, node, statement.placeholder)
        outcome = await self._session.execute(statement.source, line=statement.line)
        self._bound |= set(outcome.bound)
        goal.bound |= set(outcome.bound)
        if outcome.ok and _DELETES.search(statement.source):
            self._bound &= set(await self._read(sorted(self._bound)))
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
        """Whether a goal above is the same, and no primitive acted since."""
        above = goal.above
        while above is not None and above.calls_before == self._calls.count:
            if goal.same_as(above):
                return True
            above = above.above
        return False


def _of_findings(kind: Any, findings: tuple[Finding, ...]) -> Failure:
    return Failure(kind, "; ".join(str(one) for one in findings), findings=findings)


def _endless(goal: Goal) -> Finding:
    return Finding(
        "RC122",
        f"`{goal.placeholder.source}` is a placeholder that is being expanded already, with the "
        "same values and no primitive call in between",
        advice="Do something first, or split the goal into smaller ones.",
    )
