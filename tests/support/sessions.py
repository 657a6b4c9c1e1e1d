"""Opens process sessions for tests, with small limits and a primitive that counts its calls."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from processes import processes_of_session, soon
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


def strict(
    *,
    language: Mapping[str, Any] | None = None,
    isolation: Mapping[str, Any] | None = None,
    **limits: Any,
) -> Policy:
    """The default policy with those changes and limits; small limits where nothing is said."""
    return Policy.named("strict").but(
        limits={**LIMITS, **limits}, language=language or {}, isolation=isolation or {}
    )


@contextlib.asynccontextmanager
async def opened(
    primitives: Mapping[str, CallHandler] | None = None, policy: Policy | None = None, **limits: Any
) -> AsyncIterator[ProcessSession]:
    """A session with those primitives (`run` by default), closed in the end.

    Without a policy it is `strict` with those limits.
    """
    sandbox = ProcessSandbox(policy or strict(**limits))
    session = await sandbox.open({"run": Acts()} if primitives is None else primitives)
    try:
        yield session
    finally:
        await session.close()


async def has_ended(keeper: int) -> bool:
    """Whether none of the session's processes runs, and all are reaped.

    At once where they have a namespace, soon where a keeper that was slow to end them was killed.
    """
    return await soon(lambda: not processes_of_session(keeper))
