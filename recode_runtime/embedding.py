"""Two of the three entrances: `check` to enforce the format, `open_sandbox` to embed the wall.

The third, the whole job, is `supervisor.run`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.grammar import Verdict, judge
from recode_runtime.policy import Policy
from recode_runtime.primitive import Declared, Primitives, declared_primitives, primitives_of
from recode_runtime.program import Program
from recode_runtime.reply import read_reply
from recode_runtime.sandboxes.base import Session
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.tree import Outcome, Repair


@dataclass(frozen=True, slots=True)
class Report:
    """What the grammar says of one text.

    `source` is the program that was judged, after the `repairs`; `program` is None if a finding
    of level error was made.
    """

    source: str
    program: Program | None
    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the program is inside the grammar."""
        return self.program is not None


def check(
    source: str,
    *,
    primitives: Declared = ("run",),
    variables: Collection[str] | None = None,
    outputs: Sequence[str] = (),
    policy: Policy | str | Path = "strict",
) -> Report:
    """Judge a program, or a model's whole reply, as a run would, without running anything.

    What the policy's `[repair]` table lets a run mend is mended here too, and listed in the report;
    a policy with `apply = "none"` finds fault with it instead.

    Args:
        source: a program, or a reply with `<execute>` tags, Markdown fences, or a wrapping `def`.
        primitives: what a program may call: names, texts like `go(place: str) -> str`, functions,
            or a mapping from names to functions.
        variables: the names that are bound before it runs; None if that is not known.
        outputs: the names it has promised to bind.
        policy: as for `run`.

    Raises:
        PolicyError: the policy is wrong. A bad program is never an exception.
        ValueError, TypeError: a primitive is not written as one.
    """
    policy = Policy.of(policy)
    judged = partial(
        judge,
        policy=policy,
        primitives=declared_primitives(primitives),
        variables=variables,
        outputs=outputs,
        repair=policy.repair.apply,
    )
    verdict = judged(source)
    if verdict.program:
        return _report(verdict)
    try:
        read = read_reply(source, outputs, repair=policy.repair.apply, variables=variables)
    except ReplyUnreadable as unreadable:
        whole = _is_reply(source)
        return Report(source, None, unreadable.findings if whole else verdict.findings)
    again = judged(read.source)
    if again.program or _is_reply(source):
        return _report(again, read.repairs)
    return _report(verdict)


def _report(verdict: Verdict, repairs: tuple[Repair, ...] = ()) -> Report:
    return Report(verdict.source, verdict.program, verdict.findings, repairs + verdict.repairs)


def _is_reply(text: str) -> bool:
    """Whether it is marked as a model's reply; else what is wrong is said of it as a program."""
    return "<execute" in text.lower() or "```" in text or "~~~" in text


class Box:
    """One session behind the wall, for callers who bring their own code and their own loop."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def execute(self, source: str) -> Outcome:
        """Run source, statement by statement; each commits as a whole or not at all.

        `Outcome.variables` holds the plain-data values of the names that the source binds.

        Raises:
            SandboxUnavailable: the guest is gone.
        """
        outcome = await self._session.execute(source, want=None)
        if outcome.ok:
            return outcome
        read = await self._session.read(outcome.bound, chars=1)
        kept = {name: variable.value for name, variable in read.items() if variable.plain}
        return dataclasses.replace(outcome, variables=kept)

    async def bind(self, **values: object) -> None:
        """Bind plain data in the namespace."""
        await self._session.bind(values)


@asynccontextmanager
async def open_sandbox(
    policy: Policy | str | Path = "strict", *, primitives: Primitives = ()
) -> AsyncIterator[Box]:
    """A fresh sandbox in which the primitives are callable; closed when the block ends.

    The grammar is not applied here: any program of the policy's language runs.

    Raises:
        PolicyError, SandboxUnavailable: nothing was started.
    """
    session = await ProcessSandbox(Policy.of(policy)).open(dict(primitives_of(primitives)))
    try:
        yield Box(session)
    finally:
        await session.close()
