"""A host whose guests are killed while it uses them: `campaign.py SEED KILLS guests|zygotes`.

It prints one JSON object: what was killed in which moment, what came of it, what was wrong, what is
left over. The same seed makes the same requests and the same orders to kill; which moment an order
meets is the machine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import random
import sys
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from leftovers import children, leftovers
from outcomes import Wrong
from processes import soon
from recode_guest import kernel
from recode_runtime.sandboxes.pool import pool
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.sandboxes.zygote import shared
from soaking import is_gone, resident_kib
from striking import Strikes, Tally
from visit import POLICIES, Visit

LANES = 8
SAMPLE = 1_000
BETWEEN_ZYGOTES = 0.4
_MS_REC, _MS_PRIVATE, _MS_SHARED = 1 << 14, 1 << 18, 1 << 20


class Campaign:
    """Some sessions at a time, one after the other, until enough processes have been killed.

    Args:
        seed: decides all.
        kills: how many are enough.
        of_zygotes: whether zygotes are among the victims.
    """

    def __init__(self, seed: str, kills: int, *, of_zygotes: bool) -> None:
        self._seed = seed
        self._goal = kills
        self._of_zygotes = of_zygotes
        self._tally = Tally()
        self._strikes = Strikes(self._tally)
        self._zygotes: list[int] = []

    async def run(self) -> dict[str, Any]:
        """All that there is to tell."""
        kernel.process_control(kernel.PR_SET_CHILD_SUBREAPER, 1)  # so that no orphan can hide
        if os.geteuid() == 0:
            _part_with_mounts()
        logging.getLogger("recode").setLevel(logging.ERROR)  # of portable ones it says so each time
        logging.getLogger("asyncio").addHandler(_Complaints(self._tally.wrong))
        await self._warm_up()
        before = asdict(leftovers(self._zygotes))
        began = time.monotonic()
        async with self._strikes.at_work():
            lanes = [self._lane(lane) for lane in range(LANES)]
            zygotes = [self._kill_zygotes()] if self._of_zygotes else []
            await asyncio.gather(*lanes, *zygotes)
        seconds = time.monotonic() - began
        left = await self._left_over(before)
        counted = {one.name: getattr(self._tally, one.name) for one in fields(self._tally)}
        return {"seed": self._seed, "seconds": seconds, "left": left, **counted}

    @property
    def _is_over(self) -> bool:
        return self._tally.kills.total() >= self._goal or bool(self._tally.wrong)

    async def _warm_up(self) -> None:
        """What is made once is there before anything is counted."""
        for policy, _ in POLICIES:
            session = await ProcessSandbox(policy).open({})
            await session.execute("x = [i for i in range(3)]")
            await session.close()
        pool.clear()
        await soon(lambda: not children(self._zygote()))

    def _zygote(self) -> int:
        pid = shared.get().pid
        if pid not in self._zygotes:
            self._zygotes.append(pid)
        return pid

    async def _lane(self, lane: int) -> None:
        for number in itertools.count():
            if self._is_over:
                return
            name = f"{self._seed}/{lane}/{number}"
            visit = Visit(random.Random(name), self._strikes, self._tally)
            try:
                await visit.run(self._zygote())
            except Wrong as wrong:
                self._tally.wrong.append(f"{name}: {wrong}")
            self._sample()

    async def _kill_zygotes(self) -> None:
        chance = random.Random(f"{self._seed}/zygotes")
        while not self._is_over:
            await asyncio.sleep(chance.uniform(0.0, BETWEEN_ZYGOTES))
            await self._strikes.at_zygote(chance, self._zygote())
            self._reap()

    def _reap(self) -> None:
        """Whoever comes to this process because his own parent was killed is reaped."""
        for orphan in set(children(os.getpid())) - {self._zygotes[-1], self._strikes.pid}:
            if is_gone(orphan):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan, os.WNOHANG)

    def _sample(self) -> None:
        count = self._tally.kills.total() // SAMPLE * SAMPLE
        if count not in self._tally.resident_kib:
            both = os.getpid(), self._zygote()
            self._tally.resident_kib[count] = [resident_kib(pid) for pid in both]

    async def _left_over(self, before: dict[str, Any]) -> dict[str, Any]:
        """What there is in the end and was not before, once all has had time to go."""

        def changed() -> dict[str, Any]:
            self._reap()
            now = asdict(leftovers(self._zygotes))
            return {key: [before[key], now[key]] for key in now if now[key] != before[key]}

        await self._warm_up()
        await soon(lambda: not changed())
        return changed()


class _Complaints(logging.Handler):
    """Whatever the event loop warns of is wrong."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self._wrong.append(self.format(record))


def _part_with_mounts() -> None:
    """See what guests mount, if they do, and not what others do on this machine."""
    kernel.unshare(kernel.CLONE_NEWNS)
    for propagation in (_MS_PRIVATE, _MS_SHARED):
        kernel.mount("none", "/", "", _MS_REC | propagation)


def main() -> None:
    """Run a campaign."""
    seed, kills, victims = sys.argv[1:]
    campaign = Campaign(seed, int(kills), of_zygotes=victims == "zygotes")
    print(json.dumps(asyncio.run(campaign.run()), indent=1))


if __name__ == "__main__":
    main()
