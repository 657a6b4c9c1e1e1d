"""What the process wall costs beside others' walls: to open, to run, to hold, and many at once.

    python benchmarks/sandbox.py [ROUNDS]

Every round times each contender in turn, so that a busy machine is busy for all of them; printed
is the median over the rounds of the median within a round. Peers that are not installed are named
with what installs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.sandboxes.zygote import shared

STATEMENT = "obs = run('look')"
RISKY = "n = [i for i in (1,)]"
LOOP = "total = 0\nfor i in range(100000):\n    total = total + i"
LIVE = "live = [0.5 * i for i in range(600000)]"  # 20 MB
PAUSE = 0.02
SESSIONS = 200

# What is timed; what it returns, if anything, is called after it and is not timed.
Contender = Callable[[], Awaitable[Callable[[], Any] | None]]
Made = contextlib.AbstractAsyncContextManager[Contender]

# A child that says it is there; what everybody pays who starts an interpreter for each task.
ECHO = "import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"


async def act(action: str) -> str:
    """The primitive that every contender calls."""
    return "ok " + action


def act_plainly(action: str) -> str:
    """The same where a plain function is wanted."""
    return "ok " + action


def sandbox(ready: int = 2) -> ProcessSandbox:
    """Ours, by the default policy, with that many sessions forked ahead."""
    return ProcessSandbox(Policy.named("strict").but(isolation={"ready": ready}))


@contextlib.asynccontextmanager
async def opening(ready: int) -> AsyncIterator[Contender]:
    """A session that has answered."""
    box = sandbox(ready)

    async def once() -> Callable[[], Any]:
        session = await box.open({"run": act})
        return session.close

    yield once


@contextlib.asynccontextmanager
async def interpreter() -> AsyncIterator[Contender]:
    """A bare interpreter that has answered, without any wall."""

    async def once() -> Callable[[], Any]:
        child = subprocess.Popen(  # noqa: ASYNC220  (what is timed is the child)
            [sys.executable, "-I", "-S", "-c", ECHO],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        child.stdout.read(1)
        return child.communicate

    yield once


@contextlib.asynccontextmanager
async def monty_checkout() -> AsyncIterator[Contender]:
    """A session of pydantic-monty's pool of processes."""
    import pydantic_monty

    with pydantic_monty.Monty() as monty:

        async def once() -> Callable[[], Any]:
            stack = contextlib.ExitStack()
            session = stack.enter_context(monty.checkout())
            session.feed_run("pass")
            return stack.close

        yield once


@contextlib.asynccontextmanager
async def recode(source: str, before: str = "pass") -> AsyncIterator[Contender]:
    """A statement through our wall."""
    session = await sandbox().open({"run": act})
    try:
        assert (await session.execute(before)).ok

        async def once() -> None:
            outcome = await session.execute(source)
            assert outcome.ok, outcome.failure

        yield once
    finally:
        await session.close()


@contextlib.asynccontextmanager
async def monty(source: str) -> AsyncIterator[Contender]:
    """The same through pydantic-monty."""
    import pydantic_monty

    with pydantic_monty.Monty() as pool, pool.checkout() as session:

        async def once() -> None:
            session.feed_run(source, external_lookup={"run": act_plainly})

        yield once


@contextlib.asynccontextmanager
async def smolagents(source: str) -> AsyncIterator[Contender]:
    """smolagents' LocalPythonExecutor, which runs in this process."""
    from smolagents.local_python_executor import LocalPythonExecutor

    executor = LocalPythonExecutor([])
    executor.send_tools({"run": act_plainly})

    async def once() -> None:
        executor(source)

    yield once


@contextlib.asynccontextmanager
async def in_process(source: str) -> AsyncIterator[Contender]:
    """`exec` in this process with its output caught, as ReCode's reference executor does it."""
    names: dict[str, Any] = {"run": act_plainly}

    async def once() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(source, names)  # the peer

    yield once


# What is timed: how often in a round, seconds between, and who, with the module that must be there.
TABLES: dict[str, tuple[int, float, dict[str, tuple[str, Callable[[], Made]]]]] = {
    "a session that has answered": (
        15,
        PAUSE,
        {
            "recode-runtime, forked ahead": ("recode_runtime", lambda: opening(2)),
            "recode-runtime, on demand": ("recode_runtime", lambda: opening(0)),
            "python -I -S, no wall": ("sys", interpreter),
            "pydantic-monty": ("pydantic_monty", monty_checkout),
        },
    ),
    "a statement with one primitive call": (
        200,
        0.0,
        {
            "recode-runtime": ("recode_runtime", lambda: recode(STATEMENT)),
            "pydantic-monty": ("pydantic_monty", lambda: monty(STATEMENT)),
            "smolagents, in process": ("smolagents", lambda: smolagents(STATEMENT)),
            "exec, in process": ("sys", lambda: in_process(STATEMENT)),
        },
    ),
    "a statement behind a checkpoint": (
        50,
        0.0,
        {
            "recode-runtime": ("recode_runtime", lambda: recode(RISKY)),
            "recode-runtime, 20 MB live": ("recode_runtime", lambda: recode(RISKY, LIVE)),
        },
    ),
    "a loop of 100,000 steps": (
        5,
        0.0,
        {
            "recode-runtime": ("recode_runtime", lambda: recode(LOOP)),
            "pydantic-monty": ("pydantic_monty", lambda: monty(LOOP)),
            "smolagents, in process": ("smolagents", lambda: smolagents(LOOP)),
            "exec, in process": ("sys", lambda: in_process(LOOP)),
        },
    ),
}


async def median_of_round(contender: Contender, repeats: int, pause: float) -> float:
    """Milliseconds of one, the middle one of a round."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        finish = await contender()
        times.append(time.perf_counter() - began)
        await _finished(finish)
        if pause:
            await asyncio.sleep(pause)
    return statistics.median(times) * 1_000


async def _finished(finish: Callable[[], Any] | None) -> None:
    """Close what one timing has opened."""
    closing = finish() if finish is not None else None
    if asyncio.iscoroutine(closing):
        await closing


async def measured(title: str, rounds: int) -> dict[str, float]:
    """The figure of each contender that is installed."""
    repeats, pause, contenders = TABLES[title]
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, (module, make) in contenders.items():
            if importlib.util.find_spec(module) is not None:
                async with make() as contender:
                    await _finished(await contender())
                    await asyncio.sleep(pause)
                    figure = await median_of_round(contender, repeats, pause)
                    figures.setdefault(name, []).append(figure)
    return {name: statistics.median(values) for name, values in figures.items()}


def show(title: str, figures: dict[str, float]) -> None:
    """Print one table, with ratios to the first line."""
    print(f"\n{title}")
    base = next(iter(figures.values()))
    for name, (module, _) in TABLES[title][2].items():
        if name in figures:
            print(f"  {name:32} {figures[name]:9.3f} ms  {figures[name] / base:8.2f}")
        else:
            print(f"  {name:32} not installed: pip install {module.replace('_', '-')}")


async def held() -> tuple[float, float]:
    """Milliseconds to open `SESSIONS` sessions, and MB of memory that each shares with nobody."""
    box = sandbox(0)
    began = time.perf_counter()
    sessions = [await box.open({"run": act}) for _ in range(SESSIONS)]
    for session in sessions:
        await session.execute(STATEMENT)
    seconds = time.perf_counter() - began
    unshared = sum(map(_unshared_kb, _descendants(shared.get().pid)))
    for session in sessions:
        await session.close()
    return seconds * 1_000 / SESSIONS, unshared / SESSIONS / 1_000


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _unshared_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"Private_\w+: +(\d+) kB", text)))


async def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(
        f"{rounds} rounds, {os.cpu_count()} cores; the last column is the ratio to the first line"
    )
    for title in TABLES:
        show(title, await measured(title, rounds))
    each, megabytes = await held()
    print(f"\n{SESSIONS} sessions at once: {each:.2f} ms each to open and use one after the other,")
    print(f"  {megabytes:.2f} MB each that is shared with nobody")


if __name__ == "__main__":
    asyncio.run(main())
