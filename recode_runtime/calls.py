"""The calls of primitives on their way from the sandbox to the world, each one on the record."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from recode_runtime.budget import Budget
from recode_runtime.errors import RecodeError
from recode_runtime.events import AnyEvent, CallAnswered, CallSent
from recode_runtime.primitive import Primitive
from recode_runtime.sandboxes.base import CallHandler
from recode_runtime.sandboxes.frames import fitted
from recode_runtime.tree import Call


class RecordFailed(RecodeError):
    """A call could not be recorded; `__cause__` says why."""


class CallRecord:
    """Counts and records the calls of primitives, each before it acts and after it answered.

    `node` is the node whose statement is running, `made` all calls so far. Results are recorded
    as the program gets them: cut to `most` bytes.
    """

    def __init__(
        self, budget: Budget, run: str, most: int, emit: Callable[[AnyEvent], None]
    ) -> None:
        self.node = ""
        self.made: list[Call] = []
        self._budget = budget
        self._run = run
        self._most = most
        self._emit = emit

    @property
    def count(self) -> int:
        """How many calls were made so far."""
        return len(self.made)

    def handler(self, primitive: Primitive) -> CallHandler:
        """The primitive as the sandbox calls it.

        Raises:
            LimitExceeded: the run's primitive calls are used up; nothing acted.
            RecordFailed: a call could not be written down; it is the run's end.
        """

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._budget.spend("primitive_calls", self.node)
            place = self._sent(Call(primitive.name, args, kwargs))
            started = time.monotonic()
            try:
                value = fitted(await primitive(*args, **kwargs), self._most)
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
                self._answered(place, None, error, time.monotonic() - started)
                raise
            # A call that is cut off has no answer: nobody knows whether it acted.
            self._answered(place, value, None, time.monotonic() - started)
            return value

        return call

    def _sent(self, call: Call) -> int:
        self.made.append(call)
        key = f"{self._run}/{self.node}/{self.count}"
        self._record(CallSent(self.node, key, call.name, call.args, dict(call.kwargs)))
        return self.count

    def _answered(self, place: int, value: Any, error: str | None, seconds: float) -> None:
        self.made[place - 1] = dataclasses.replace(
            self.made[place - 1], value=value, error=error, answered=True, seconds=seconds
        )
        key = f"{self._run}/{self.node}/{place}"
        self._record(CallAnswered(self.node, key, value, error, seconds))

    def _record(self, event: AnyEvent) -> None:
        try:
            self._emit(event)
        except Exception as problem:  # it would reach the program as the primitive's own failure
            raise RecordFailed from problem
