"""What a statement with one primitive call costs through the wall, beside others' walls.

    python benchmarks/statement.py [ROUNDS]

Every round times each contender in turn, so that a busy machine is busy for all of them; printed
is the median over the rounds of the median within a round. Peers that are not installed are named
with what installs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from recode_runtime import open_sandbox

STATEMENT = "obs = run('look')"
RISKY = "n = [run('look') for _ in (1,)]"
REPEATS = 200
BASELINE = "pydantic-monty, sync"

Contender = Callable[[], Awaitable[None]]


def act(action: str) -> str:
    """The primitive that every contender calls."""
    return "ok " + action


async def act_async(action: str) -> str:
    """The same where an async function is wanted."""
    return "ok " + action


@contextlib.asynccontextmanager
async def recode(statement: str, primitive: Callable[[str], object]) -> AsyncIterator[Contender]:
    """A statement through our process sandbox, by its public entrance."""
    async with open_sandbox("strict", primitives={"run": primitive}) as box:

        async def once() -> None:
            outcome = await box.execute(statement)
            assert outcome.ok, outcome.failure

        yield once


@contextlib.asynccontextmanager
async def monty_sync() -> AsyncIterator[Contender]:
    """`feed_run` with one host call; a session a round, because one allows 1,000 calls."""
    import pydantic_monty

    with pydantic_monty.Monty() as monty, monty.checkout() as session:

        async def once() -> None:
            session.feed_run(STATEMENT, external_lookup={"run": act})

        yield once


@contextlib.asynccontextmanager
async def monty_async() -> AsyncIterator[Contender]:
    """The async twin of `feed_run` with one async host call."""
    import pydantic_monty

    async with pydantic_monty.AsyncMonty() as monty, monty.checkout() as session:

        async def once() -> None:
            await session.feed_run(STATEMENT, external_lookup={"run": act_async})

        yield once


@contextlib.asynccontextmanager
async def smolagents() -> AsyncIterator[Contender]:
    """LocalPythonExecutor, which runs in this process."""
    from smolagents.local_python_executor import LocalPythonExecutor

    executor = LocalPythonExecutor([])
    executor.send_tools({"run": act})

    async def once() -> None:
        executor(STATEMENT)

    yield once


CONTENDERS = {
    "recode-runtime, plain function": ("recode_runtime", lambda: recode(STATEMENT, act)),
    "recode-runtime, async function": ("recode_runtime", lambda: recode(STATEMENT, act_async)),
    "recode-runtime, with a checkpoint": ("recode_runtime", lambda: recode(RISKY, act_async)),
    BASELINE: ("pydantic_monty", monty_sync),
    "pydantic-monty, async": ("pydantic_monty", monty_async),
    "smolagents LocalPythonExecutor": ("smolagents", smolagents),
}


async def median_of_round(contender: Contender) -> float:
    """Milliseconds of one statement, the middle one of a round."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        await contender()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1_000


async def measure(rounds: int) -> dict[str, float]:
    """The figure of each contender that is installed."""
    installed = {
        name: make
        for name, (module, make) in CONTENDERS.items()
        if importlib.util.find_spec(module) is not None
    }
    figures: dict[str, list[float]] = {name: [] for name in installed}
    for _ in range(rounds):
        for name, make in installed.items():
            async with make() as contender:
                await contender()
                figures[name].append(await median_of_round(contender))
    return {name: statistics.median(values) for name, values in figures.items()}


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    figures = asyncio.run(measure(rounds))
    base = figures.get(BASELINE)
    print(f"one statement with one primitive call, {rounds} rounds of {REPEATS}")
    for name, (module, _) in CONTENDERS.items():
        if name not in figures:
            print(f"{name:36} not installed: pip install {module.replace('_', '-')}")
        else:
            ratio = f"{figures[name] / base:5.2f} x monty" if base else ""
            print(f"{name:36} {figures[name]:7.3f} ms  {ratio}")


if __name__ == "__main__":
    main()
