"""The positive control: what each case does on plain CPython, where nothing stands in its way.

A case that merely raises proves nothing about a sandbox. One that shows its effect here is an
attack; one that does not checks a rule.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recode_runtime.audit import plain
from recode_runtime.audit.canaries import ENVIRONMENT_VARIABLE, Secrets, Traps
from recode_runtime.audit.cases import Case

SCHEMA = "recode.audit-control/1"
_SECONDS = 3.0
_MEMORY_MIB = 512
_LATE_SECONDS = 20.0  # on a busy machine, for starting and ending
_GENERATE = "import sys; sys.stdout.buffer.write(eval(sys.argv[1]).encode(errors='surrogatepass'))"

What = Literal["attack", "rule check", "benign", "not run"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a case is, and by which effects that was seen."""

    case: Case
    what: What
    effects: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "id": self.case.id,
            "class": self.case.class_,
            "what": self.what,
            "effects": self.effects,
        }


async def shown(cases: Sequence[Case], jobs: int, told: Callable[[], None]) -> list[Shown]:
    """Run every case that may be run, and say what each is."""
    gate = asyncio.Semaphore(jobs)

    async def one(case: Case) -> Shown:
        async with gate:
            found = await _shown(case)
        told()
        return found

    return list(await asyncio.gather(*map(one, cases)))


async def _shown(case: Case) -> Shown:
    if case.destructive or case.kind == "session":
        return Shown(case, "not run")
    secrets = Secrets.fresh()
    with tempfile.TemporaryDirectory(prefix="recode-audit-", ignore_cleanup_errors=True) as folder:
        traps = Traps(secrets.file, Path(folder))
        try:
            seen = await _run(case, secrets, traps)
            effects = tuple(_effects(case, seen, secrets, traps))
        finally:
            traps.close()
    if case.is_benign:
        return Shown(case, "benign", effects)
    return Shown(case, "attack" if effects else "rule check", effects)


async def _run(case: Case, secrets: Secrets, traps: Traps) -> dict[str, Any]:
    code = case.code
    if case.gen:
        made = await _spoken(["-c", _GENERATE, case.gen], b"", {})
        code = made.decode(errors="surrogatepass")
    job = {
        "code": traps.filled(code),
        "host_secret": secrets.host,
        "file": str(traps.file),
        "content": secrets.file,
        "own_tmp": case.kind == "os",
        "hostile_value": case.hostile_value,
        "seconds": _SECONDS,
        "memory_mib": _MEMORY_MIB,
    }
    environment = {ENVIRONMENT_VARIABLE: secrets.environment}
    answer = await _spoken([plain.__file__], json.dumps(job).encode(), environment)
    seen: dict[str, Any] = json.loads(answer)
    return seen


async def _spoken(arguments: list[str], said: bytes, environment: dict[str, str]) -> bytes:
    """What an interpreter of its own answers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_SECONDS + _LATE_SECONDS):
            return (await process.communicate(said))[0]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _effects(case: Case, seen: dict[str, Any], secrets: Secrets, traps: Traps) -> Iterator[str]:
    text = seen["text"]
    yield from (f"{place} came out" for place in secrets.within(text))
    yield from (one for one in traps.sprung() if "file" not in one)
    if seen["touched"]:
        yield "the canary's file was read or changed"
    if seen["wire"]:
        yield f"{seen['wire']} bytes went into the channel"
    if traps.marker in text or "STEP:" in text:
        yield "a step was taken that must not be"
    if case.leak and re.search(case.leak, text):
        yield "an address came out"
    if case.kind == "os" and "REACHED" in text:
        yield "it says REACHED"
    if case.kind == "render" and text:
        yield "its text came out as it is"
    yield from _ends(case, seen["end"])


def _ends(case: Case, end: int | None) -> Iterator[str]:
    """What is told by how it ended."""
    if end is not None and end >= plain.CHANGED:
        yield "it changed what is the host's"
        end -= plain.CHANGED
    if end is None:
        yield f"it went on for {_SECONDS:g} s"
    elif end < 0:
        yield f"it brought the interpreter down (signal {-end})"
    elif end == 2:
        yield "it got past `except Exception`"
    elif end == 3:
        yield "it used up the memory or the stack"
    elif end == 1 and case.hostile_value:
        yield "what it leaves cannot be shown"
