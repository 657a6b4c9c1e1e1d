"""What a model does when its server fails: ask again, wait as told, give up in clear words."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from email.utils import formatdate
from typing import Any

import pytest

from chat_server import (
    Behaviour,
    ChatServer,
    chooses,
    cuts,
    fails,
    garbles,
    sends,
    slow,
)
from expansion_request import request_for
from openai_asking import KEY, Waits, ask, refused
from recode_runtime.errors import ModelUnavailable
from recode_runtime.models.openai import OpenAIModel


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("1.5", 1.5), ("3600", 60.0), ("-3", 0.0)],
)
async def test_retry_after_is_honoured_up_to_a_minute(header: str, seconds: float) -> None:
    """A 429 is followed by the wait the server asks for, then by the same request."""
    waits = Waits()
    with ChatServer([fails(429, retry_after=header), "yes"]) as server:
        assert (await ask(server, waits)).text == "yes"
    assert waits == [seconds]
    assert len(server.requests) == 2
    assert server.requests[0].json == server.requests[1].json


@pytest.mark.parametrize(
    ("ahead", "least", "most"), [(30, 25.0, 30.0), (7200, 60.0, 60.0), (-7200, 0.0, 0.0)]
)
async def test_retry_after_may_be_a_date(ahead: int, least: float, most: float) -> None:
    """An HTTP date counts from now; one that is past means at once."""
    waits = Waits()
    date = formatdate(time.time() + ahead, usegmt=True)
    with ChatServer([fails(503, retry_after=date), "yes"]) as server:
        await ask(server, waits)
    assert len(waits) == 1
    assert least <= waits[0] <= most


@pytest.mark.parametrize("header", ["soon", "", "nan", "inf", "Fri, 99 Nov 2026 00:00:00 GMT"])
async def test_a_retry_after_that_says_nothing_is_ignored(header: str) -> None:
    """A header that is no time leaves the wait to the backoff: 1 s and up to 1 s more."""
    waits = Waits()
    with ChatServer([fails(429, retry_after=header), "yes"]) as server:
        await ask(server, waits)
    assert len(waits) == 1
    assert 1.0 <= waits[0] <= 2.0


async def test_a_broken_server_is_given_up_after_all_attempts() -> None:
    """Five 500s: five requests, waits that double with a second of jitter, and the count."""
    waits = Waits()
    with ChatServer([fails(500, "out of memory")] * 5 + ["too late"]) as server:
        assert await refused(server, waits) == (
            "5 attempts: HTTP 500: out of memory. Check the server's log or status page."
        )
    assert len(server.requests) == 5
    assert len(waits) == 4
    for wait, least in zip(waits, (1, 2, 4, 8), strict=True):
        assert least <= wait <= least + 1


async def test_backoff_stops_growing() -> None:
    """However many attempts, no wait of our own is longer than half a minute."""
    waits = Waits()
    with ChatServer([fails(502)] * 8) as server:
        assert (await refused(server, waits, attempts=8)).startswith("8 attempts: HTTP 502")
    assert waits[-2:] == [30.0, 30.0]


@pytest.mark.parametrize("status", [408, 429, 500, 501, 502, 503, 504, 529])
async def test_what_may_pass_is_asked_again(status: int) -> None:
    """Timeouts, rate limits and the server's own faults are worth a second request."""
    with ChatServer([fails(status), "yes"]) as server:
        assert (await ask(server)).text == "yes"
    assert len(server.requests) == 2


REQUEST_ADVICE = "Check the model's name and the size of the prompt."


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, REQUEST_ADVICE),
        (401, "Check the API key (OPENAI_API_KEY)."),
        (403, "Check what the API key (OPENAI_API_KEY) is allowed to use."),
        (404, "Check the model's name, and base_url, which usually ends in /v1."),
        (409, REQUEST_ADVICE),
        (413, REQUEST_ADVICE),
        (422, REQUEST_ADVICE),
    ],
)
async def test_what_will_not_pass_is_asked_once(status: int, advice: str) -> None:
    """A refusal of the request itself ends at once, whatever Retry-After says, with advice."""
    waits = Waits()
    with ChatServer([fails(status, "no.", retry_after="1"), "too late"]) as server:
        assert await refused(server, waits) == f"1 attempt: HTTP {status}: no. {advice}"
    assert len(server.requests) == 1
    assert waits == []


async def test_a_quota_that_is_used_up_is_asked_once() -> None:
    """This 429 is about credit, which no waiting brings back."""
    with ChatServer([fails(429, "You have no credit", code="insufficient_quota")]) as server:
        assert await refused(server) == (
            "1 attempt: HTTP 429: You have no credit. "
            "Check the rate limit and the credit of this API key."
        )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": "model not found"}', "model not found."),
        (b'{"detail": "Not Found!"}', "Not Found!"),
        (b'{"why": 1}', "{'why': 1}."),
        (b"<html>\n  <h1>\x1b[31mGone</h1>", "<html> <h1> [31mGone</h1>."),
        (b"", "without a word."),
        (b"x" * 400, "x" * 290 + "..."),
    ],
)
async def test_error_bodies_of_any_form_are_quoted_on_one_line(body: bytes, words: str) -> None:
    """What a server or a proxy says is shown without control characters and is not endless."""
    with ChatServer([Behaviour(body, status=400)]) as server:
        message = await refused(server)
    assert message == f"1 attempt: HTTP 400: {words} {REQUEST_ADVICE}"


async def test_no_answer_in_time_is_asked_again() -> None:
    """One slow answer is left behind for the next."""
    with ChatServer([slow(5), "yes"]) as server:
        assert (await ask(server, timeout_seconds=0.2)).text == "yes"
    assert len(server.requests) == 2


async def test_a_server_that_is_always_slow_is_given_up() -> None:
    """The message says how long was waited, and how often."""
    with ChatServer([slow(5)] * 2) as server:
        assert await refused(server, timeout_seconds=0.1, attempts=2) == (
            "2 attempts: no answer within 0.1 s. "
            "Check whether the server is overloaded or still loads the model."
        )
    assert len(server.requests) == 2


async def test_a_cut_connection_is_asked_again() -> None:
    """Half a body is no answer."""
    with ChatServer([cuts(), "whole"]) as server:
        assert (await ask(server)).text == "whole"
    assert len(server.requests) == 2


async def test_a_connection_that_is_always_cut_is_given_up() -> None:
    """The message carries what the transport saw."""
    with ChatServer([cuts()] * 2) as server:
        message = await refused(server, attempts=2)
    assert message.startswith("2 attempts: no connection, or it was cut (RemoteProtocolError: ")
    assert message.endswith(". Check that a server is running there and can be reached from here.")


async def test_no_server_is_asked_again_and_given_up() -> None:
    """A port that nobody listens on counts as a connection that may come."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        waits = Waits()
        model = OpenAIModel("tiny", base_url=url, attempts=3, sleep=waits)
        with pytest.raises(ModelUnavailable) as caught:
            await model.complete(request_for())
        await model.close()
    assert len(waits) == 2
    assert str(caught.value) == (
        f"openai:tiny at {url} gave up after 3 attempts: no connection, or it was cut "
        "(ConnectError: All connection attempts failed). "
        "Check that a server is running there and can be reached from here."
    )


NOT_UTF8 = chooses({"content": "caf?"}).body.replace(b"?", b"\xe9")


@pytest.mark.parametrize("body", [garbles().body, b"", b"<html>hello</html>", NOT_UTF8])
async def test_a_body_that_is_not_json_is_asked_again(body: bytes) -> None:
    """A 200 that was garbled on its way is a fault of the transport."""
    with ChatServer([Behaviour(body), "yes"]) as server:
        assert (await ask(server)).text == "yes"
    assert len(server.requests) == 2


async def test_a_body_that_is_never_json_is_given_up() -> None:
    """The likely reason is an address that belongs to something else."""
    with ChatServer([garbles()] * 2) as server:
        assert await refused(server, attempts=2) == (
            "2 attempts: the answer is not JSON (Input data was truncated). "
            "Check that base_url leads to an OpenAI-compatible server; it usually ends in /v1."
        )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["no"], "Expected `object`, got `array`"),
        (
            {"choices": [{"message": {"content": 7}}]},
            "Expected `str | null`, got `int` - at `$.choices[0].message.content`",
        ),
        (
            {"choices": [{"text": "old"}]},
            "Object missing required field `message` - at `$.choices[0]`",
        ),
    ],
)
async def test_json_of_another_protocol_is_given_up_at_once(value: Any, reason: str) -> None:
    """A whole answer in a foreign form will not change; the place in it is named."""
    with ChatServer([sends(value)]) as server:
        assert await refused(server) == (
            f"1 attempt: the answer is not a chat completion ({reason}). "
            "Check that base_url leads to an OpenAI-compatible server; it usually ends in /v1."
        )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [(f"{KEY} is wrong", "[key] is wrong."), ("x" * 280 + KEY, "x" * 280 + "[key].")],
)
async def test_a_key_that_the_server_quotes_is_not_shown(said: str, shown: str) -> None:
    """Neither whole nor, at the end of a long quotation, the first half of it."""
    with ChatServer([fails(401, said)]) as server:
        assert await refused(server) == (
            f"1 attempt: HTTP 401: {shown} Check the API key (OPENAI_API_KEY)."
        )


async def test_each_wait_is_logged_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """A run that waits for its model says why and for how long."""
    with ChatServer([fails(429, f"slow down, {KEY}", retry_after="9"), "yes"]) as server:
        await ask(server)
    records = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in records] == [
        "openai:tiny: attempt 1: HTTP 429: slow down, [key]; next in 9.0 s"
    ]


async def test_cancelling_a_request_ends_it_at_once() -> None:
    """No answer is waited for and nothing is asked again."""
    with ChatServer([slow(5), "too late"]) as server:
        waits = Waits()
        asking = asyncio.create_task(ask(server, waits))
        await asyncio.to_thread(server.wait_for_request)
        began = time.monotonic()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert time.monotonic() - began < 1.0
    assert len(server.requests) == 1
    assert waits == []


async def test_cancelling_a_wait_ends_it_at_once() -> None:
    """A model that waits for Retry-After gives way too."""
    waiting = asyncio.Event()

    async def wait_forever(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    with ChatServer([fails(429), "too late"]) as server:
        model = OpenAIModel("tiny", base_url=server.base_url, sleep=wait_forever)
        asking = asyncio.create_task(model.complete(request_for()))
        await asyncio.wait_for(waiting.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await model.close()
    assert len(server.requests) == 1


async def test_an_outer_deadline_is_the_callers() -> None:
    """Time running out outside is not taken for a slow server."""
    with ChatServer([slow(5)]) as server, pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(server), 0.3)
    assert len(server.requests) == 1
