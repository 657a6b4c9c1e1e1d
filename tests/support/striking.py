"""Orders to kill, as a campaign gives them, and the book of what they met."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any

import killer
from killer import Order, Report
from outcomes import Blows

VICTIMS = {"running": 10, "any": 4, "worker": 3, "waiting": 3, "keeper": 1}
WAYS = {"kill": 5, "stop": 3, "segv": 2}
# Seconds between finding a victim and striking: as soon as can be, or up to so many later.
DELAYS = (0.0, 0.0, 0.0005, 0.002, 0.01)
GAPS = (0.0, 0.001, 0.02)


@dataclass(slots=True)
class Tally:
    """What a campaign comes to.

    Args:
        kills: how many, by the way and the victim.
        moments: how many, by the victim, what it had decided and the system call it was in.
        outcomes: of requests, by what was hit meanwhile.
        sessions: how they began and ended.
        resident_kib: of the host and of its zygote, after so many kills.
        slowest: seconds of the request that took longest.
        wrong: whatever should not have been.
    """

    kills: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    sessions: Counter[str] = field(default_factory=Counter)
    resident_kib: dict[int, list[int]] = field(default_factory=dict)
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Strikes:
    """Gives orders while the program that executes them is at work."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._reports: dict[int, asyncio.Future[Report]] = {}
        self._numbers = itertools.count(1)
        self._in_use: dict[int, list[tuple[str, Report]]] = {}
        self._on_zygotes: list[tuple[str, Report]] = []
        self._early: dict[int, list[tuple[str, Report]]] = {}
        self._aimed: set[asyncio.Task[None]] = set()
        self._process: asyncio.subprocess.Process

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """While orders can be given."""
        program = killer.__file__
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, program, stdin=pipe, stdout=pipe
        )
        reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self._process.stdin.close()
            await reader
            await self._process.wait()

    @property
    def pid(self) -> int:
        """The process id of the program."""
        return self._process.pid

    async def at_session(self, chance: random.Random, keeper: int) -> None:
        """Strike some process of that session."""
        victim = chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        await self._strike(chance, victim, keeper)

    def at_opening(self, chance: random.Random, zygote: int) -> None:
        """Strike, soon, the process that was started last, whosever it is."""
        self._aim(self._strike(chance, "opening", zygote))

    async def at_zygote(self, chance: random.Random, zygote: int) -> None:
        """Strike the zygote, and so every session that it has forked."""
        await self._aim(self._strike(chance, "zygote", zygote))

    async def settled(self) -> None:
        """Wait for strikes of which nobody can tell yet whom they meet."""
        if self._aimed:
            await asyncio.wait(set(self._aimed))

    def begin(self, keeper: int, zygotes: int) -> None:
        """From now on note what meets that session.

        What has met it while it opened is noted already, or follows from how many `zygotes` had
        been struck before that; it may be of the last of them, and not have gone yet.
        """
        may_be_its = self._on_zygotes[max(0, zygotes - 1) :]
        self._in_use[keeper] = [*self._early.pop(keeper, []), *may_be_its]

    @property
    def zygotes(self) -> int:
        """How many strikes have met a zygote."""
        return len(self._on_zygotes)

    def taken(self, keeper: int) -> Blows:
        """What has met it since the last time."""
        taken, self._in_use[keeper] = self._in_use[keeper], []
        return Blows(taken)

    def end(self, keeper: int) -> None:
        """Its session is closed."""
        del self._in_use[keeper]

    def _aim(self, strike: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(strike)
        self._aimed.add(task)
        task.add_done_callback(self._aimed.discard)
        return task

    async def _strike(self, chance: random.Random, victim: str, below: int) -> None:
        how = chance.choices(list(WAYS), list(WAYS.values()))[0]
        delay = chance.uniform(0.0, chance.choice(DELAYS))
        order = Order(
            next(self._numbers),
            victim,
            below,
            how,
            delay,
            gap=chance.choice(GAPS),
            pick=chance.random(),
            known=tuple(self._in_use),
        )
        self._reports[order.number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        report = await self._reports[order.number]
        if report.hit:
            self._book(how, report)

    def _book(self, how: str, report: Report) -> None:
        tally = self._tally
        tally.kills[f"{how} {report.role}"] += 1
        tally.moments[f"{report.role} {report.verdict}: {report.doing or 'computing'}"] += 1
        if report.role == "zygote":
            self._on_zygotes.append((how, report))
            for noted in self._in_use.values():
                noted.append((how, report))
        elif report.keeper in self._in_use:
            self._in_use[report.keeper].append((how, report))
        else:
            tally.sessions["struck before they were in use"] += 1
            self._early.setdefault(report.keeper, []).append((how, report))

    async def _read(self) -> None:
        while line := await self._process.stdout.readline():
            report = Report(**json.loads(line))
            self._reports.pop(report.number).set_result(report)
        for future in self._reports.values():
            future.set_exception(RuntimeError("the killer is gone"))
