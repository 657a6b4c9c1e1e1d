"""Opens process sessions for tests, with small limits and a primitive that counts its calls."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from recode_runtime.policy import Policy
from recode_runtime.sandboxes.base import CallHandler
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession

LIMITS = {"statement_seconds": 0.5, "memory_mib": 256}


class Acts:
    """A primitive that answers `ok ACTION` and remembers every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Note the call and answer."""
        self.calls.append((args, kwargs))
        return f"ok {args[0]}" if args else "ok"


@contextlib.asynccontextmanager
async def opened(
    primitives: Mapping[str, CallHandler] | None = None, **limits: Any
) -> AsyncIterator[ProcessSession]:
    """A session with those primitives (`run` by default), closed in the end."""
    policy = Policy.named("strict").but(limits={**LIMITS, **limits})
    session = await ProcessSandbox(policy).open(
        {"run": Acts()} if primitives is None else primitives
    )
    try:
        yield session
    finally:
        await session.close()


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def processes_of_session(keeper: int) -> list[int]:
    """The living processes, zombies included, of the session that `keeper` leads."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == keeper:
                    found.append(int(entry.name))
    return found


def is_alive(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
