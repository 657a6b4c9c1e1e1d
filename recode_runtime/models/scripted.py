"""A model that answers from a list or from a function, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from recode_runtime.errors import ModelUnavailable
from recode_runtime.models.base import Completion
from recode_runtime.prompt import Request

Answer = Callable[[Request], str | Awaitable[str]]


class ScriptedModel:
    """Gives the replies of `replies` one after the other, or what the function `replies` returns.

    `requests` holds every request so far, the unanswered one too.

    Raises:
        TypeError: `replies` is one text, which would be given letter by letter.
    """

    def __init__(self, replies: Iterable[str] | Answer, name: str = "scripted") -> None:
        if isinstance(replies, str):
            raise TypeError("replies must be a list of texts or a function, not one text")
        self.name = name
        self.requests: list[Request] = []
        self._answer = replies if callable(replies) else _in_turn(tuple(replies))

    async def complete(self, request: Request) -> Completion:
        """The next reply, or the function's; what the function raises passes through.

        Raises:
            ModelUnavailable: every reply of the list was given.
        """
        self.requests.append(request)
        reply = self._answer(request)
        return Completion(reply if isinstance(reply, str) else await reply)

    async def close(self) -> None:
        """Nothing is held open."""


def _in_turn(replies: tuple[str, ...]) -> Answer:
    remaining = iter(replies)

    def answer(request: Request) -> str:
        for reply in remaining:
            return reply
        raise ModelUnavailable(
            f"the script is used up: it held {len(replies)} replies, and "
            f"{request.placeholder.name} asks for one more"
        )

    return answer
