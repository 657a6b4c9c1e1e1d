"""A namespace, and statements that change it in every way before they fail without a trace."""

from __future__ import annotations

from typing import Any

from recode_runtime.sandboxes.process import ProcessSession

SETUP = "items = [1, 2]\nnested = {'a': [1]}\nn = 5\nobs = 'text'\n"
AS_IT_WAS: dict[str, Any] = {"items": [1, 2], "nested": {"a": [1]}, "n": 5, "obs": "text"}

SPOIL = "items.append(9)\n    nested['a'].append(9)\n    n += 1\n    obs = 'new'\n    fresh = 1\n"


def spoiling(then: str) -> str:
    """One statement that changes the namespace in place and by name, and goes on with `then`."""
    return f"if n:\n    {SPOIL}    {then}"


async def fails_without_a_trace(
    session: ProcessSession, source: str, kind: str, message: str
) -> None:
    """The statement fails in that way, the namespace is as it was, and the session goes on."""
    assert (await session.execute(SETUP)).failure is None
    outcome = await session.execute(source)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == (kind, message)
    assert outcome.bound == ()
    after = await session.execute("items.append(3)", want=[*AS_IT_WAS, "fresh"])
    assert after.failure is None
    assert after.variables == {**AS_IT_WAS, "items": [1, 2, 3]}
