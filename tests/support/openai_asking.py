"""One question to an `OpenAIModel`, with everything round it closed and the key looked for."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from chat_server import ChatServer
from expansion_request import request_for
from recode_runtime.errors import ModelUnavailable
from recode_runtime.models.base import Completion
from recode_runtime.models.openai import OpenAIModel

KEY = "sk-test-4f9a81c2"


class Waits(list[float]):
    """A sleep that only writes down for how long it was asked."""

    async def __call__(self, seconds: float) -> None:
        """Return at once."""
        self.append(seconds)


async def ask(server: ChatServer, waits: Waits | None = None, **options: Any) -> Completion:
    """One completion from the server; the model is closed whatever happens."""
    options = {"base_url": server.base_url, "api_key": KEY} | options
    model = OpenAIModel("tiny", sleep=Waits() if waits is None else waits, **options)
    try:
        return await model.complete(request_for())
    finally:
        await model.close()


async def refused(server: ChatServer, waits: Waits | None = None, **options: Any) -> str:
    """The message with which the model gives up, without the address; the key is not in it."""
    with pytest.raises(ModelUnavailable) as caught:
        await ask(server, waits, **options)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    head = f"openai:tiny at {server.base_url} gave up after "
    assert str(caught.value).startswith(head)
    return str(caught.value).removeprefix(head)
