"""What an environment is: the world that a task acts on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from recode_runtime.prompt import FewShot, Request


@dataclass(frozen=True, slots=True)
class Start:
    """What `reset` gives: the instruction, and the first observation."""

    instruction: str
    observation: str


class Environment(Protocol):
    """A world with text observations, used by one run at a time.

    `name` is what the tree and `--env` call it, `guide` its text for the prompt: what the
    primitives do here, which actions there are, what an observation looks like. `primitives` are
    the functions a program may call, by name; most environments offer `{"run": self.act}`.
    `ended` says that the episode is over and nothing can act any more.
    """

    name: str
    guide: str
    ended: bool

    @property
    def primitives(self) -> Mapping[str, Callable[..., Any]]:
        """The functions a program may call, by name."""
        ...

    async def reset(self) -> Start:
        """Begin the episode anew; the same seed gives the same episode.

        Raises:
            EnvironmentUnavailable: the world cannot be started; the message says what is missing.
        """
        ...

    async def act(self, action: str) -> str:
        """Take one action and return what is observed.

        Raises:
            EpisodeEnded: the episode is over.
        """
        ...

    async def score(self) -> float:
        """How much of the task is done, from 0 to 1; 1 is success."""
        ...

    async def close(self) -> None:
        """End every process the environment started; safe to call again."""
        ...


@runtime_checkable
class HasExpert(Protocol):
    """An environment that can answer as a model would, from what it publishes about itself."""

    def expert(self, request: Request) -> str:
        """The program (bare Python, no tags) that expands the request's placeholder."""
        ...


@runtime_checkable
class HasFewShots(Protocol):
    """An environment that brings worked examples for the prompt."""

    few_shots: tuple[FewShot, ...]
