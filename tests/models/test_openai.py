"""What goes to an OpenAI-compatible server and what comes back, over real HTTP."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from chat_server import (
    Behaviour,
    ChatServer,
    chooses,
    fails,
    refuses,
    says,
    sends,
)
from expansion_request import request_for
from openai_asking import KEY, ask
from recode_runtime.errors import ExtraMissing, ModelUnavailable
from recode_runtime.models.base import Completion
from recode_runtime.models.openai import OpenAIModel
from recode_runtime.tree import Usage


async def test_a_reply_comes_with_its_usage() -> None:
    """Text and the three token counts are the server's own."""
    with ChatServer([says("run('look')", prompt=1200, completion=34, cached=1024)]) as server:
        completion = await ask(server)
    assert completion == Completion("run('look')", Usage(1200, 34, 1024), "")


async def test_the_request_is_what_the_prompt_says() -> None:
    """Model and messages go out as they are, with the key, and nothing that was not asked for."""
    with ChatServer(["yes"]) as server:
        await ask(server)
    (received,) = server.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.json == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "You write Python."},
            {"role": "user", "content": "Expand solve()"},
        ],
    }


async def test_options_are_sent_when_given() -> None:
    """A temperature of 0 is a value; both options reach the server under their own names."""
    with ChatServer(["yes"]) as server:
        await ask(server, temperature=0.0, max_completion_tokens=500)
    sent = server.requests[0].json
    assert (sent["temperature"], sent["max_completion_tokens"]) == (0.0, 500)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        ({"prompt_tokens": 5, "completion_tokens": 2}, Usage(5, 2)),
        ({"prompt_tokens": 5, "prompt_tokens_details": None}, Usage(5)),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}}, Usage(5, None, 0)),
    ],
)
async def test_what_the_server_did_not_count_is_none(usage: Any, expected: Usage) -> None:
    """A missing count is None and a counted zero is 0."""
    with ChatServer([chooses({"content": "yes"}, usage=usage)]) as server:
        assert (await ask(server)).usage == expected


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        (chooses({"content": None}), "the reply holds no text"),
        (chooses({"content": " \n"}), "the reply holds no text"),
        (chooses({}), "the reply holds no text"),
        (
            chooses({"content": None}, finish_reason="length"),
            "the reply reached the token limit before it held any text",
        ),
        (
            chooses({"content": ""}, finish_reason="content_filter"),
            "the server's content filter withheld the reply",
        ),
        (
            chooses({"content": None, "tool_calls": []}, finish_reason="tool_calls"),
            "the reply calls a tool and holds no text",
        ),
        (refuses("I will not."), "the model refused: I will not."),
        (refuses("No.\n\tNever."), "the model refused: No. Never."),
        (refuses("n" * 300), "the model refused: " + "n" * 281 + "..."),
        (sends({"choices": []}), "the server's answer holds no choices"),
        (sends({"choices": None}), "the server's answer holds no choices"),
        (
            sends({"error": {"message": "upstream is busy", "code": 502}}),
            "the server's answer holds no choices; it says: upstream is busy",
        ),
        (
            sends({"error": f"who is {KEY}"}),
            "the server's answer holds no choices; it says: who is [key]",
        ),
    ],
)
async def test_an_answer_without_text_is_a_problem_and_not_an_exception(
    behaviour: Behaviour, problem: str
) -> None:
    """Each way to say nothing has its own words, and the server is asked once."""
    with ChatServer([behaviour]) as server:
        assert await ask(server) == Completion("", Usage(), problem)
    assert len(server.requests) == 1


async def test_an_answer_without_text_keeps_its_usage() -> None:
    """The tokens of a refusal were spent too."""
    spent = {"prompt_tokens": 9, "completion_tokens": 4}
    with ChatServer([chooses({"content": None, "refusal": "No."}, usage=spent)]) as server:
        completion = await ask(server)
    assert completion == Completion("", Usage(9, 4), "the model refused: No.")


async def test_a_text_that_was_cut_at_the_token_limit_stays() -> None:
    """Whether a program can be read from half a reply is not for the transport to say."""
    with ChatServer([chooses({"content": "<execute>\nru"}, finish_reason="length")]) as server:
        assert await ask(server) == Completion("<execute>\nru", Usage(), "")


async def test_close_may_be_called_again_and_the_model_used_again() -> None:
    """Closing before, after and between requests is harmless."""
    with ChatServer(["one", "two"]) as server:
        model = OpenAIModel("tiny", base_url=server.base_url)
        await model.close()
        assert (await model.complete(request_for())).text == "one"
        await model.close()
        await model.close()
        assert (await model.complete(request_for())).text == "two"
        await model.close()


async def test_requests_at_once_share_the_model() -> None:
    """Parallel completions each get their own answer."""
    with ChatServer(lambda body: body["messages"][1]["content"].lower()) as server:
        model = OpenAIModel("tiny", base_url=server.base_url)
        names = [f"goal_{number}" for number in range(8)]
        answers = await asyncio.gather(*(model.complete(request_for(name)) for name in names))
        await model.close()
    assert [answer.text for answer in answers] == [f"expand {name}()" for name in names]


def test_no_key_and_no_address_is_told_at_once() -> None:
    """The message says what to set, before anything is asked."""
    with pytest.raises(ModelUnavailable) as caught:
        OpenAIModel("gpt-4o-mini")
    assert str(caught.value) == (
        "there is no API key: set OPENAI_API_KEY, or give the base_url of a server that needs "
        "none, like http://localhost:8000/v1"
    )


async def test_a_server_of_ones_own_needs_no_key() -> None:
    """With a base URL and no key a request still goes out, with a key that says so."""
    with ChatServer(["yes"]) as server:
        assert (await ask(server, api_key=None)).text == "yes"
    assert server.requests[0].headers["authorization"] == "Bearer no-key-needed"


async def test_key_and_address_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OPENAI_API_KEY and OPENAI_BASE_URL serve where nothing is given; spaces round them do not."""
    with ChatServer(["yes"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f" {server.base_url} ")
        monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
        model = OpenAIModel("tiny")
        assert (await model.complete(request_for())).text == "yes"
        await model.close()
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["sk-\u201cquoted\u201d", "two words", "line\nbreak"])
def test_a_key_that_cannot_be_one_is_told_without_showing_it(key: str) -> None:
    """A key that was pasted wrong is found before it becomes a header."""
    with pytest.raises(ModelUnavailable) as caught:
        OpenAIModel("tiny", api_key=key)
    assert str(caught.value) == (
        "the API key holds spaces or characters that no key has: check OPENAI_API_KEY"
    )


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://[1/v1", "http://host:x/v1"]
)
def test_an_address_that_cannot_be_one_is_told_at_once(url: str) -> None:
    """The commonest slip, a missing http://, is answered with an example."""
    with pytest.raises(ModelUnavailable) as caught:
        OpenAIModel("tiny", base_url=url)
    assert str(caught.value) == (
        "base_url must be a whole http:// or https:// address, like http://localhost:8000/v1"
    )


async def test_credentials_in_the_address_are_not_shown() -> None:
    """User, password and query of the base URL stay out of messages."""
    with ChatServer([fails(403)]) as server:
        url = server.base_url.replace("//", "//joe:hunter2@") + "?token=abc"
        with pytest.raises(ModelUnavailable) as caught:
            await ask(server, base_url=url)
    assert str(caught.value).startswith(f"openai:tiny at {server.base_url} gave up after 1")


@pytest.mark.parametrize("package", ["openai", "tenacity"])
def test_a_missing_package_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says how to install it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing) as caught:
        OpenAIModel("tiny", api_key=KEY)
    assert str(caught.value) == (
        f"{package} is not installed: pip install 'recode-runtime[openai]'"
    )


def test_the_name_says_who_answers() -> None:
    """`openai:` and the model's own name, which is what the tree records."""
    assert OpenAIModel("gpt-4o-mini", api_key=KEY).name == "openai:gpt-4o-mini"
