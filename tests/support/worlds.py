"""Small worlds and scripts for the supervisor's tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recode_runtime.models.scripted import ScriptedModel
from recode_runtime.prompt import Request


def reply(program: str, thought: str = "so") -> str:
    """A reply in the form that the prompt asks for."""
    return f"<think>{thought}</think>\n<execute>\n{program}\n</execute>"


def by_name(programs: dict[str, str | Sequence[str]]) -> ScriptedModel:
    """A model that knows a program for each placeholder, by its name; a list is one per attempt."""

    def answer(request: Request) -> str:
        known = programs[request.placeholder.name]
        return reply(known if isinstance(known, str) else known[request.attempt - 1])

    return ScriptedModel(answer)


class Actions:
    """A primitive `run` that writes down what it was asked, in order."""

    def __init__(self, answer: Callable[[str], str] = lambda action: f"did {action}") -> None:
        self.taken: list[str] = []
        self._answer = answer

    async def run(self, action: str) -> str:
        """Do one action."""
        self.taken.append(action)
        return self._answer(action)
