"""A `Request` for tests that care about the answer and not about the prompt."""

from __future__ import annotations

from recode_runtime.program import Placeholder
from recode_runtime.prompt import Request


def request_for(name: str = "solve", *arguments: str) -> Request:
    """The first request for the placeholder `name(*arguments)`, with two messages."""
    placeholder = Placeholder(name, arguments=arguments)
    messages = (
        {"role": "system", "content": "You write Python."},
        {"role": "user", "content": f"Expand {placeholder.source}"},
    )
    return Request(messages, placeholder, {}, depth_left=3, attempt=1, node="0")
