"""What a model is: something that answers a request with text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from recode_runtime.prompt import Request
from recode_runtime.tree import Usage


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer. `problem` says why there is no text (no content, no choice, a refusal).

    An answer without text is a value, not an exception: it counts as an unreadable reply and the
    model is asked again.
    """

    text: str
    usage: Usage = Usage()
    problem: str = ""


class Model(Protocol):
    """Answers prompts: an OpenAI-compatible server, a script, an expert."""

    name: str

    async def complete(self, request: Request) -> Completion:
        """The answer to one request.

        Raises:
            ModelUnavailable: the transport gave up; the message says after what.
        """
        ...

    async def close(self) -> None:
        """Release connections; safe to call again."""
        ...
