"""A stand-in for a language model: it knows nothing but the text of the prompt.

It plays the crafting world by reading the recipe book, the placeholder and the variables out of the
one message it gets, as a model would have to. Every third answer is as careless as models are.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

RECIPE = re.compile(r"^- (\w+): (\w+(?: \+ \w+)*)$", re.MULTILINE)
GOAL = re.compile(r"# Expand this placeholder\n(?:(\w+) = )?\w+\(")
WANTED = re.compile(r"^- (?:instruction|item): str = .*?(\w+)\.?['\"]$", re.MULTILINE)


def crafter() -> Callable[[Any], str]:
    """An answering function for `chat_server.ChatServer`."""
    numbers = itertools.count(1)

    def answer(request: Any) -> str:
        (message,) = request["messages"]
        program = _program(message["content"])
        if next(numbers) % 3 == 0:
            return f"Sure! Here is the program:\n```python\n{program}\n```"
        return f"<think>as the book says</think>\n<execute>\n{program}\n</execute>"

    return answer


def _program(prompt: str) -> str:
    recipes = {item: parts.split(" + ") for item, parts in RECIPE.findall(prompt)}
    goal, wanted = GOAL.search(prompt), WANTED.search(prompt)
    assert goal, prompt
    assert wanted, prompt
    steps = [
        f'{part} = obtain(item="{part}")' if part in recipes else f'obs = run("gather {part}")'
        for part in recipes[wanted[1]]
    ]
    return "\n".join([*steps, f'{goal[1] or "obs"} = run("craft {wanted[1]}")'])
