"""What a session is asked, and which outcomes are right when some process of it was killed.

Exactly one of these comes of a request:

done     all of it took place; so the namespace has it
failed   a statement failed that always does; those before it stand, it left nothing
undone   its running side was killed before it had decided: the same, and the session goes on
lost     `SandboxUnavailable`; the calls that were made are the first of those that were due

`undone` is right only where a running side was hit, `lost` only where somebody else was, or a
running side that had already decided: it is the session from then on (`+`), or it alone knows how
much the host has heard (`-`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from killer import Report
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes.process import ProcessSession
from recode_runtime.tree import Failure, Outcome, Variable
from workload import FORMS, HUNGRY, Call, State, Statement

NAMES = ("items", "t0", "t1", "t2", "t3", "p", "b")
LONG_PARAMETER = 5_000
HIDDEN = "<not shown: it takes too long to show>"
# What is said of a statement whose running side was killed, by how it was.
UNDONE = {
    "kill": HUNGRY,
    "stop": HUNGRY,
    "segv": ("error", "the interpreter crashed (SIGSEGV)"),
}


class Wrong(Exception):
    """An outcome that is not right; the message says what came."""


@dataclass(slots=True)
class Blows:
    """What was done to a session since it was last looked at: how, and to whom."""

    reports: list[tuple[str, Report]] = field(default_factory=list)

    @property
    def undone(self) -> set[tuple[str, str]]:
        """What may be said of a statement whose running side was hit before it had decided."""
        return {
            UNDONE[how]
            for how, report in self.reports
            if report.role == "running" and report.verdict in ("", "undecided")
        }

    @property
    def may_end_the_session(self) -> bool:
        """Whether anybody else may have been hit."""
        return bool(self.fatal)

    @property
    def fatal(self) -> list[tuple[str, Report]]:
        """Those that may be the end of the session, if only at the next request."""
        return [(how, report) for how, report in self.reports if report.verdict != "undecided"]

    def __str__(self) -> str:
        told = [f"{how} {report.role} {report.verdict}".strip() for how, report in self.reports]
        return ", ".join(told) or "nobody"


class World:
    """What the namespace of a session must hold; `entered` are the older values of `p`."""

    def __init__(self) -> None:
        self.state: State = {}
        self.entered: list[Any] = []

    def shown(self, names: Sequence[str]) -> State:
        """The values of those names that are bound."""
        return {name: self.state[name] for name in names if name in self.state}

    def copy(self) -> World:
        """Another one of which the same holds."""
        other = World()
        other.state, other.entered = dict(self.state), list(self.entered)
        return other


class Request(Protocol):
    """One request.

    Attributes:
        calls: those that it makes if all goes well.
    """

    calls: tuple[Call, ...]

    async def made(self, session: ProcessSession) -> Any:
        """The answer of the session."""
        ...

    def judged(self, answer: Any, calls: Sequence[Call], world: World, blows: Blows) -> str:
        """What came of it, in one word; the world is from then on what the namespace must be.

        Raises:
            Wrong: it is not right.
        """
        ...


def judged(request: Request, answer: Any, calls: Sequence[Call], world: World, blows: Blows) -> str:
    """What came of a request, in one word.

    Raises:
        Wrong: it is not right.
    """
    if not isinstance(answer, SandboxUnavailable):
        return request.judged(answer, calls, world, blows)
    _expect(blows.may_end_the_session, f"lost, though no end of a process explains it: {answer}")
    _expect(_are_first(calls, request.calls), f"lost after the calls {calls}")
    return "lost"


class Execute:
    """A program of one statement or more."""

    def __init__(self, statements: Sequence[Statement], want: Sequence[str] | None) -> None:
        self._statements = statements
        self._source = "\n".join(statement.source for statement in statements)
        self._want = want
        self.calls = tuple(call for statement in statements for call in statement.calls)

    def __repr__(self) -> str:
        return f"execute({self._source!r}, want={self._want})"

    async def made(self, session: ProcessSession) -> Outcome:
        """Execute it."""
        return await session.execute(self._source, want=self._want)

    def judged(self, answer: Outcome, calls: Sequence[Call], world: World, blows: Blows) -> str:
        """Statements stand up to the one that failed; that one has made some of its calls."""
        bound = [statement.name in answer.bound for statement in self._statements]
        count = bound.index(False) if False in bound else len(bound)
        _expect(not any(bound[count:]), f"what was bound is {answer.bound}")
        for statement in self._statements[:count]:
            statement.apply(world.state)
        before = [call for statement in self._statements[:count] for call in statement.calls]
        _expect(list(calls[: len(before)]) == before, f"the calls were {calls}")
        if answer.failure is not None:
            _expect(answer.variables == {}, "variables after a failure")
            rest = calls[len(before) :]
            return self._failed(self._statements[count], answer.failure, rest, blows)
        _expect(len(calls) == len(before) and count == len(bound), "done, but not all of it")
        self._compare(answer.variables, world, blows)
        return "done"

    def _failed(
        self, statement: Statement, failure: Failure, calls: Sequence[Call], blows: Blows
    ) -> str:
        said = (failure.kind, failure.message)
        if said == statement.fails and tuple(calls) == statement.calls:
            return "failed"
        _expect(said in blows.undone, f"{statement.source!r} failed: {said}")
        _expect(_are_first(calls, statement.calls), f"undone after the calls {calls}")
        return "undone"

    def _compare(self, variables: State, world: World, blows: Blows) -> None:
        bound = [statement.name for statement in self._statements]
        wanted = world.shown(bound if self._want is None else self._want)
        if blows.undone:  # which may have been copying the large ones
            wanted = {name: wanted[name] for name in wanted if name in variables}
        wrong = {name: value for name, value in variables.items() if wanted.get(name) != value}
        _expect(not wrong, f"expected was {_shown(wanted)}, and there came {_shown(wrong)}")
        missing = set(wanted) - set(variables)
        _expect(not missing, f"{missing} are missing")


class Bind:
    """Values for some names."""

    calls = ()

    def __init__(self, **values: Any) -> None:
        self._values = values

    def __repr__(self) -> str:
        return f"bind({', '.join(self._values)})"

    async def made(self, session: ProcessSession) -> None:
        """Bind them."""
        await session.bind(self._values)

    def judged(self, _answer: None, _calls: Sequence[Call], world: World, _blows: Blows) -> str:
        """They are bound."""
        world.state.update(self._values)
        return "done"


class Enter:
    """A parameter `p`; a long one is read behind a checkpoint."""

    calls = ()

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"enter({len(self._value)} characters)"

    async def made(self, session: ProcessSession) -> Outcome:
        """Enter."""
        return await session.enter({"p": repr(self._value)})

    def judged(self, answer: Outcome, _calls: Sequence[Call], world: World, blows: Blows) -> str:
        """It is bound, or was never."""
        if answer.failure is not None:
            said = (answer.failure.kind, answer.failure.message)
            _expect(said in blows.undone, f"enter failed: {said}")
            return "undone"
        world.entered.append(world.state.get("p"))
        world.state["p"] = self._value
        return "done"


class Leave:
    """The end of the last `Enter`."""

    calls = ()

    def __repr__(self) -> str:
        return "leave()"

    async def made(self, session: ProcessSession) -> None:
        """Leave."""
        await session.leave([])

    def judged(self, _answer: None, _calls: Sequence[Call], world: World, _blows: Blows) -> str:
        """The older value is back."""
        world.state["p"] = world.entered.pop()
        if world.state["p"] is None:
            del world.state["p"]
        return "done"


class Read:
    """All variables, as a prompt shows them."""

    calls = ()

    def __repr__(self) -> str:
        return "read()"

    async def made(self, session: ProcessSession) -> dict[str, Variable]:
        """Read."""
        return await session.read(NAMES, chars=100)

    def judged(
        self, answer: dict[str, Variable], _calls: Sequence[Call], world: World, blows: Blows
    ) -> str:
        """They are what they must be; of large ones that could not be shown that is said."""
        expected = world.shown(NAMES)
        _expect(set(answer) == set(expected), f"the variables are {set(answer)}")
        for name, variable in answer.items():
            hidden = bool(blows.undone) and variable.text == HIDDEN
            _expect(hidden or variable.value == expected[name], f"{name} is {variable.text}")
        return "done"


def verification() -> Execute:
    """A request that brings the whole namespace and changes nothing."""
    return Execute([], want=NAMES)


def drawn(chance: random.Random, number: int, world: World) -> Request:
    """Some request; `number` is in what it does, so that no two do the same."""
    dice = chance.random()
    if dice < 0.7:
        return _program(chance, number)
    if dice < 0.8:
        return Read()
    if dice < 0.85:
        return Bind(b=[number] * chance.choice([1, 2_000]))
    if world.entered and dice < 0.93:
        return Leave()
    return Enter(str(number) * chance.choice([1, LONG_PARAMETER // len(str(number)) + 1]))


def _program(chance: random.Random, number: int) -> Execute:
    forms = chance.choices(list(FORMS), list(FORMS.values()), k=chance.choice([1, 1, 2, 3, 4]))
    statements = [form(f"t{place}", number + place) for place, form in enumerate(forms)]
    return Execute(statements, chance.choice([(), None, NAMES]))


def _shown(state: State) -> str:
    return ", ".join(f"{name}: {repr(value)[:100]}" for name, value in state.items())


def _are_first(calls: Sequence[Call], due: Sequence[Call]) -> bool:
    return list(calls) == list(due[: len(calls)])


def _expect(is_so: bool, message: str) -> None:
    if not is_so:
        raise Wrong(message)
