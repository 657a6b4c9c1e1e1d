"""A model that knows the answer: an environment's own expert, in the words of a language model."""

from __future__ import annotations

from collections.abc import Callable

from recode_runtime.models.base import Completion
from recode_runtime.prompt import Request


class ExpertModel:
    """Wraps `expand`, which gives the program for a request, into the form of a model's reply.

    The program goes through every stage that a language model's would. `expand` runs on the event
    loop: an expert looks up what its environment publishes and waits for nothing.
    """

    name = "expert"

    def __init__(self, expand: Callable[[Request], str]) -> None:
        self._expand = expand

    async def complete(self, request: Request) -> Completion:
        """A thought and a program; no text and a problem if the expert does not know the answer.

        `LookupError` and `ValueError` are how an expert says so; anything else passes through.
        """
        # Only the name is quoted: an argument may hold text that looks like a tag.
        name = request.placeholder.name
        try:
            program = self._expand(request)
        except (LookupError, ValueError) as problem:
            reason = f"{type(problem).__name__}: {problem}"
            return Completion("", problem=f"the expert has no program for {name} ({reason})")
        thought = f"The expert expands {name}."
        body = program.strip("\n")
        return Completion(f"<think>{thought}</think>\n<execute>\n{body}\n</execute>")

    async def close(self) -> None:
        """Nothing is held open."""
