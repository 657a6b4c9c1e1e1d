"""One session of a campaign, from its opening to its end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from outcomes import Bind, Blows, Request, World, Wrong, drawn, judged, verification
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession
from soaking import is_gone
from striking import Strikes, Tally
from workload import LIMITS, Ledger

REQUESTS = 12
HANG_SECONDS = 30.0
# How likely strikes are: at what opens, at a request, before a request, and while it closes.
AT_OPENING, AT_REQUEST, AT_REST, AT_CLOSING = 0.2, 0.8, 0.1, 0.2

STRICT = Policy.named("strict").but(limits=LIMITS)
# With how many of the sessions they have.
POLICIES = [
    (STRICT, 6),
    (STRICT.but(language={"mode": "python"}), 2),
    (STRICT.but(isolation={"control_groups": True}), 1),
    (Policy.named("portable").but(limits=LIMITS), 2),
]

Result = TypeVar("Result")


class Visit:
    """Opens a session, makes requests that are struck at, judges the outcomes, closes it.

    Args:
        chance: decides all.
        strikes: what strikes.
        tally: where it is counted.
    """

    def __init__(self, chance: random.Random, strikes: Strikes, tally: Tally) -> None:
        self._chance = chance
        self._strikes = strikes
        self._tally = tally
        self._ledger = Ledger(random.Random(chance.random()))
        self._world = World()
        self._before = Blows()
        self._session: ProcessSession

    async def run(self, zygote: int) -> None:
        """The whole visit.

        Raises:
            Wrong: an outcome is not right.
        """
        if self._chance.random() < AT_OPENING:
            self._strikes.at_opening(self._chance, zygote)
        zygotes = self._strikes.zygotes
        policies, weights = zip(*POLICIES, strict=True)
        (policy,) = self._chance.choices(policies, weights)
        try:
            self._session = await _in_time(
                ProcessSandbox(policy).open(self._ledger.primitives), "open"
            )
        except SandboxUnavailable:
            self._tally.sessions["did not open"] += 1
            return
        self._strikes.begin(self._session.pid, zygotes)
        try:
            await self._use()
        finally:
            await self._close()

    async def _use(self) -> None:
        self._tally.sessions["opened"] += 1
        is_alive = await self._asked(Bind(items=[]))
        for number in range(self._chance.randint(1, REQUESTS)):
            if not is_alive:
                self._tally.sessions["lost"] += 1
                return
            if self._chance.random() < AT_REST:
                await self._strikes.at_session(self._chance, self._session.pid)
            request = drawn(self._chance, 10 * number, self._world)
            is_struck = self._chance.random() < AT_REQUEST
            is_alive = await self._asked(request, is_struck=is_struck)
            is_alive = is_alive and await self._asked(verification())
        self._tally.sessions["lived"] += 1

    async def _asked(self, request: Request, *, is_struck: bool = False) -> bool:
        """Whether the session lives on, after a request with the right outcome."""
        if late := self._ledger.taken():
            raise Wrong(f"calls after the answer: {late}")
        strike = self._strikes.at_session(self._chance, self._session.pid) if is_struck else None
        answer, _ = await asyncio.gather(self._answer(request), strike or asyncio.sleep(0))
        return await self._judged(request, answer) != "lost"

    async def _answer(self, request: Request) -> Any:
        began = time.monotonic()
        try:
            return await _in_time(request.made(self._session), str(request))
        except SandboxUnavailable as lost:
            return lost
        finally:
            self._tally.slowest = max(self._tally.slowest, time.monotonic() - began)

    async def _judged(self, request: Request, answer: Any) -> str:
        calls = self._ledger.taken()
        blows = self._strikes.taken(self._session.pid)
        every = Blows([*self._before.fatal, *blows.reports])
        try:
            judged(request, answer, calls, self._world.copy(), every)
        except Wrong:
            await self._strikes.settled()
            blows.reports += self._strikes.taken(self._session.pid).reports
            every = Blows([*self._before.fatal, *blows.reports])
        try:
            word = judged(request, answer, calls, self._world, every)
        except Wrong as wrong:
            raise Wrong(f"{request}, struck: {every}: {wrong}") from None
        self._tally.outcomes[f"{blows}: {word}"] += 1
        # It may be long on a busy machine before a keeper is gone, and with it its session.
        slow = [blow for blow in every.reports if blow[1].role in ("keeper", "zygote")]
        self._before = Blows([*blows.reports, *slow])
        return word

    async def _close(self) -> None:
        keeper = self._session.pid
        is_struck = self._chance.random() < AT_CLOSING
        strike = self._strikes.at_session(self._chance, keeper) if is_struck else asyncio.sleep(0)
        await asyncio.gather(_in_time(self._session.close(), "close"), strike)
        self._strikes.end(keeper)
        if not is_gone(keeper):
            raise Wrong("closed, and its keeper lives")


async def _in_time(result: Awaitable[Result], what: str) -> Result:
    """The result, or the failure that it has.

    Raises:
        Wrong: it takes too long, or fails as nothing may.
        SandboxUnavailable: it fails so.
    """
    try:
        async with asyncio.timeout(HANG_SECONDS):
            return await result
    except SandboxUnavailable:
        raise
    except TimeoutError:
        raise Wrong(f"{what} hangs") from None
    except Exception as problem:
        raise Wrong(f"{what}: {problem!r}") from problem
