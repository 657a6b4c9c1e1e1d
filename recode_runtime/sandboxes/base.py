"""What a sandbox is: `open` gives a session, a session holds the namespace of one task.

A sandbox is whatever passes the conformance suite in `recode_runtime.testing`. Three outcomes are
kept apart: a program that fails is an `Outcome` with a `Failure`; our machinery failing is
`SandboxUnavailable`; an exception of the host's own that a primitive lets through (any
`RecodeError`, a cancellation) ends the session and leaves `execute` as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from recode_runtime.tree import Outcome, Variable

CallHandler = Callable[..., Awaitable[Any]]


class Session(Protocol):
    """One sandbox opened for one task; its namespace lives in the guest until `close`."""

    async def execute(
        self, source: str, *, line: int = 1, want: Sequence[str] | None = ()
    ) -> Outcome:
        """Run source statement by statement; each commits as a whole or not at all.

        Args:
            source: Python inside the policy's language.
            line: the number of its first line in the program it was cut from; failures speak of
                lines of that program.
            want: names whose plain-data values `Outcome.variables` shall hold afterwards; None
                for all that the source binds. What is unbound or not plain data is left out, and
                after a failure there are none.

        Raises:
            SandboxUnavailable: the guest is gone or broke the protocol.
        """
        ...

    async def read(self, names: Sequence[str], *, chars: int) -> dict[str, Variable]:
        """The variables of those names that are bound, each text cut to `chars` characters."""
        ...

    async def bind(self, values: Mapping[str, Any]) -> None:
        """Bind plain-data values in the namespace."""
        ...

    async def enter(self, parameters: Mapping[str, str]) -> Outcome:
        """Bind keyword parameters (name -> source of a name or literal) for an expansion.

        The older values, or their absence, are kept in the guest until the matching `leave`. A
        failure (a name that is not bound) changes nothing and needs no `leave`.
        """
        ...

    async def leave(self, outputs: Sequence[str]) -> None:
        """Undo the last `enter`: every parameter that is not an output has its older value back."""
        ...

    async def close(self) -> None:
        """End the guest and everything it started; safe to call again."""
        ...


class Sandbox(Protocol):
    """A way to isolate; opens sessions that know nothing of each other."""

    name: str

    async def open(self, primitives: Mapping[str, CallHandler]) -> Session:
        """A fresh session in which those names are callable.

        Raises:
            SandboxUnavailable: this machine cannot give what the policy requires; the message
                says what is missing and what to do.
        """
        ...
