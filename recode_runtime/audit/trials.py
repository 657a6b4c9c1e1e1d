"""One case run once, in a session of its own, with an eye on everything that comes out."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recode_runtime.audit.canaries import Secrets
from recode_runtime.audit.programs import Piece
from recode_runtime.audit.tapping import tapped
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.base import CallHandler
from recode_runtime.sandboxes.process import (
    GRACE,
    GRACE_SECONDS,
    ProcessSandbox,
    ProcessSession,
)
from recode_runtime.sandboxes.zygote import shared
from recode_runtime.tree import Call, Failure, Outcome, Variable

# The primitives of every program, and the one that probes report to.
PRIMITIVES = ("run", "add")
TELLER = "tell"
DATA = {"k": [1, 2, 3]}

_ORPHANED_SECONDS = 5.0
_SIGNALS = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGALRM),
)


@dataclass(slots=True)
class Sighting:
    """What was seen of one run.

    Attributes:
        outcomes: of each piece that was run, in order.
        lost: why the session was discarded, if it was.
        calls: every call of a primitive but the teller's.
        told: what a probe printed.
        variables: what was bound in the end.
        secrets: which places of the host the bytes give away that left the sandbox.
        effects: what was touched outside of it, or would harm a reader, in words.
        faults: what else did not hold of a story.
        seconds: the longest time of its own that one request took.
        over: by how much a request went past its limit and the grace; negative if none did.
        wall: seconds from before the session was opened until it was closed.
        kept: whether the session could still be used afterwards.
        layers: those of the wall that held.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    lost: str = ""
    calls: list[Call] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    effects: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    over: float = float("-inf")
    wall: float = 0.0
    kept: bool = False
    layers: tuple[str, ...] = ()

    @property
    def printed(self) -> str:
        """All that the program printed, and what a probe told."""
        return "".join([*(outcome.printed for outcome in self.outcomes), "\n".join(self.told)])

    @property
    def failure(self) -> Failure | None:
        """How the program failed, if it did."""
        return self.outcomes[-1].failure if self.outcomes else None

    @property
    def text(self) -> str:
        """All text that left the sandbox and that somebody may read."""
        values = [outcome.variables for outcome in self.outcomes]
        return f"{self.printed}{self.calls}{values}{self.variables}{self.failure}{self.lost}"


class Trial:
    """Runs programs under one policy.

    Args:
        policy: of the session.
        secrets: what is looked for in all that leaves it.
    """

    def __init__(self, policy: Policy, secrets: Secrets) -> None:
        self._policy = policy
        self._secrets = secrets
        self.seen = Sighting()

    async def run(self, pieces: Sequence[Piece], needs: Sequence[str] = ()) -> None:
        """Run a program up to its first failure, and look what is left of the session.

        Args:
            pieces: the program.
            needs: layers without which it is not run.

        Raises:
            NotApplicable: one of those does not hold.
            SandboxUnavailable: there is no session.
        """
        async with self.session() as session:
            _refuse_without(needs, session.layers)
            await session.bind({"data": DATA})
            await self._run_all(session, pieces)
            if not self.seen.lost:
                await self._look_back(session)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Sighting]:
        """Everything that this process can see of what its sessions do outside of them."""
        began = time.monotonic()
        before = _children(shared.get().pid)
        with _signals(self.seen.effects):
            try:
                yield self.seen
            finally:
                self.seen.effects += await _orphans(before)
                self.look(self.seen.text.encode(errors="replace"))
                self.seen.wall = time.monotonic() - began

    @asynccontextmanager
    async def session(self, **more: CallHandler) -> AsyncIterator[ProcessSession]:
        """A session of the policy with the usual primitives and more; closed in the end."""
        primitives: dict[str, CallHandler] = {
            "run": self._act,
            "add": self._add,
            TELLER: self._tell,
            **more,
        }
        session = await ProcessSandbox(self._policy, tapped(self.look)).open(primitives)
        self.seen.layers = session.layers
        try:
            yield session
        finally:
            await session.close()

    async def _run_all(self, session: ProcessSession, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            run = functools.partial(session.execute, piece.source, line=piece.line, want=None)
            outcome = await self._timed(run, piece.statements)
            if outcome is None:
                return
            self.seen.outcomes.append(outcome)
            if outcome.failure is not None:
                return

    async def _look_back(self, session: ProcessSession) -> None:
        """Read what is bound, as a prompt would, and see whether the session goes on."""
        names = dict.fromkeys(name for outcome in self.seen.outcomes for name in outcome.bound)
        chars = self._policy.prompt.value_chars
        read = await self._timed(functools.partial(session.read, list(names), chars=chars))
        self.seen.variables = read or {}
        if read is not None:
            after = await self._timed(functools.partial(session.execute, "still_here = 1"))
            self.seen.kept = after is not None and after.ok

    async def _timed(self, request: Callable[[], Awaitable[Any]], statements: int = 1) -> Any:
        """The answer to a request, None if the session is lost with it; its time is noted.

        `statements` is how many the request holds: each may take its time.
        """
        began = time.monotonic()
        answer = None
        try:
            answer = await request()
        except SandboxUnavailable as lost:
            self.seen.lost = str(lost)
        wall = time.monotonic() - began
        own = answer.seconds if isinstance(answer, Outcome) else wall
        most = self._policy.limits.statement_seconds
        limit = statements * most + max(GRACE * most, GRACE_SECONDS)
        self.seen.seconds = max(self.seen.seconds, own)
        self.seen.over = max(self.seen.over, own - limit)
        return answer

    def look(self, data: bytes) -> None:
        """Take in some bytes that have left the sandbox."""
        self.seen.secrets.update(self._secrets.within(data))

    async def _act(self, /, *args: Any, **kwargs: Any) -> str:
        answer = f"done: {args[0]}" if args else "done"
        self.seen.calls.append(Call("run", args, kwargs, answer, answered=True))
        return answer

    async def _add(self, /, *args: Any) -> Any:
        value = sum(args)
        self.seen.calls.append(Call("add", args, {}, value, answered=True))
        return value

    async def _tell(self, text: str) -> None:
        self.seen.told.append(text)


class NotApplicable(Exception):
    """A case cannot be run here; the message says why."""


def _refuse_without(needs: Sequence[str], holding: Sequence[str]) -> None:
    lacking = [layer for layer in needs if layer not in holding]
    if lacking:
        raise NotApplicable(f"it would do harm where {', '.join(lacking)} does not hold")


@contextmanager
def _signals(effects: list[str]) -> Iterator[None]:
    """Notes every signal that comes; nobody but an escaped program sends this process any."""

    def note(number: int, _frame: object) -> None:
        effects.append(f"{signal.Signals(number).name} was sent to the host")

    before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _orphans(before: set[int]) -> list[str]:
    """Processes that are there although their session has ended; they are ended here."""
    deadline = time.monotonic() + _ORPHANED_SECONDS
    while left := _children(shared.get().pid) - before:
        if time.monotonic() > deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return [f"{len(left)} processes outlived their session"]
        await asyncio.sleep(0.005)
    return []


def _children(pid: int) -> set[int]:
    """The processes that `pid` has started or adopted and that have not ended, as /proc shows."""
    found: set[int] = set()
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found |= {int(child) for child in file.read_text().split()}
    return {child for child in found if _is_running(child)}


def _is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False
