"""How close many tasks at once come to what the machine could do at best.

    python benchmarks/many_tasks.py [TASKS]

Every task has a sandbox and a model of its own that takes 200 ms a reply, three replies one after
the other. No schedule can be faster than those replies, nor than the processor time that as many
tasks take one after the other, spread over all cores: the larger of the two is the ideal that the
elapsed time is compared with. Run it on a machine that does nothing else, because the processor
time, of this process and of every guest, is the machine's.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from pathlib import Path

from recode_runtime import ScriptedModel, run
from recode_runtime.models.base import Completion
from recode_runtime.prompt import Request

REPLY_SECONDS = 0.2
ALONE = 20
REPLIES = (
    "<execute>\nfound = find_tool(instruction)\nuse_tool(found)\n</execute>",
    "<execute>\nfound = look('shelf')\n</execute>",
    "<execute>\nfor turn in range(3):\n    look(found)\n</execute>",
)


class SlowModel(ScriptedModel):
    """Replies from a script, each after a while."""

    async def complete(self, request: Request) -> Completion:
        """The next reply, 200 ms later."""
        await asyncio.sleep(REPLY_SECONDS)
        return await super().complete(request)


def look(place: str) -> str:
    """Look somewhere."""
    return f"a hammer on the {place}"


async def task() -> bool:
    """One task from its reset to its end."""
    result = await run("hang the picture", model=SlowModel(REPLIES), primitives=[look])
    return result.success


def busy_seconds() -> float:
    """Processor seconds that the machine has spent since it was started."""
    numbers = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq = map(int, numbers[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    """Measure and print."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    await task()
    busy = busy_seconds()
    for _ in range(ALONE):
        await task()
    alone = (busy_seconds() - busy) / ALONE
    busy, own, began = busy_seconds(), time.process_time(), time.perf_counter()
    done = await asyncio.gather(*[task() for _ in range(tasks)], return_exceptions=True)
    elapsed = time.perf_counter() - began
    own, busy = time.process_time() - own, busy_seconds() - busy
    cores = os.cpu_count() or 1
    ideal = max(REPLY_SECONDS * len(REPLIES), tasks * alone / cores)
    print(f"{tasks} tasks at once, {done.count(True)} succeeded, {len(REPLIES)} replies each")
    print(f"  elapsed            {elapsed:7.2f} s   {1_000 * elapsed / tasks:6.2f} ms a task")
    print(f"  processor time     {busy:7.2f} s   {1_000 * busy / tasks:6.2f} ms a task")
    print(f"  of this process    {own:7.2f} s   {1_000 * own / tasks:6.2f} ms a task, on one core")
    print(f"  one task alone                {1_000 * alone:6.2f} ms of processor time")
    print(f"  ideal, {cores} cores     {ideal:7.2f} s   ratio {elapsed / ideal:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
