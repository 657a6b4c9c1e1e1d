"""A language model behind an OpenAI-compatible server: OpenAI itself, vLLM, Ollama, llama.cpp.

The `openai` package speaks the protocol and tenacity repeats what a transport can lose. Both are
imported when a model is made, so that this module costs nothing to those who use another model.

What is asked again, up to `attempts` times: no connection, a connection that was cut, no answer in
time, HTTP 408, 429 and 5xx, and a 200 whose body is not JSON (a proxy's page, a text that was cut
on its way). Everything else would only be answered the same way again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import logging
import math
import os
import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from recode_runtime.errors import ExtraMissing, ModelUnavailable
from recode_runtime.models.base import Completion
from recode_runtime.prompt import Request
from recode_runtime.tree import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from tenacity import AsyncRetrying, RetryCallState

OPENAI_URL = "https://api.openai.com/v1"
LONGEST_WAIT_SECONDS = 60.0
LONGEST_BACKOFF_SECONDS = 30.0
QUOTED_CHARACTERS = 300

_log = logging.getLogger(__name__)


class OpenAIModel:
    """Answers from a chat-completions server, one request a completion.

    `base_url` falls back to OPENAI_BASE_URL and then to OpenAI's own address, `api_key` to
    OPENAI_API_KEY; a server named by either form of base URL may go without a key.
    `timeout_seconds` bounds one attempt as a whole, `attempts` counts the first one too.
    `temperature` and `max_completion_tokens` are sent only if given, since some models refuse any
    value but their own. `sleep` waits between two attempts.

    Raises:
        ExtraMissing: the extra `openai` is not installed.
        ModelUnavailable: there is no key, or the key or the base URL cannot be one.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        temperature: float | None = None,
        max_completion_tokens: int | None = None,
        timeout_seconds: float = 120.0,
        attempts: int = 5,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        _require_packages()
        self.name = f"openai:{name}"
        given_url = (base_url or os.environ.get("OPENAI_BASE_URL", "")).strip()
        self._url = given_url or OPENAI_URL
        self._place = _without_credentials(self._url)
        self._key = (api_key or os.environ.get("OPENAI_API_KEY", "")).strip()
        _check_key(self._key, required=not given_url)
        options = {"temperature": temperature, "max_completion_tokens": max_completion_tokens}
        self._options: dict[str, Any] = {"model": name} | {
            option: value for option, value in options.items() if value is not None
        }
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._sleep = sleep
        self._client: AsyncOpenAI | None = None

    async def complete(self, request: Request) -> Completion:
        """The answer to one request, with the tokens as the server counted them.

        Raises:
            ModelUnavailable: the server cannot be reached, or refuses for good.
        """
        import openai

        retrying = self._retrying()
        try:
            return await retrying(self._ask, request)
        except (openai.OpenAIError, TimeoutError, msgspec.DecodeError) as caught:
            problem = caught
        # Outside the handler: the chained exceptions quote the server, which may quote the key.
        raise ModelUnavailable(self._giving_up(problem, retrying.statistics["attempt_number"]))

    async def close(self) -> None:
        """Release the connections; safe to call again, and a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _ask(self, request: Request) -> Completion:
        client = self._client = self._client or self._connect()
        body = self._options | {"messages": [dict(message) for message in request.messages]}
        async with asyncio.timeout(self._timeout_seconds):
            response = await client.chat.completions.with_raw_response.create(**body)
        completion = _completion(_read(response.content))
        return dataclasses.replace(completion, problem=self._quotable(completion.problem))

    def _connect(self) -> AsyncOpenAI:
        import openai

        # The package insists on a key; servers that need none ignore it. The one clock is ours:
        # the package's own would start anew with every byte that a slow server sends.
        key = self._key or "no-key-needed"
        return openai.AsyncOpenAI(api_key=key, base_url=self._url, max_retries=0, timeout=None)

    def _retrying(self) -> AsyncRetrying:
        import tenacity

        backoff = tenacity.wait_exponential_jitter(max=LONGEST_BACKOFF_SECONDS)

        def wait(state: RetryCallState) -> float:
            asked = _retry_after(_problem_of(state))
            return backoff(state) if asked is None else asked

        return tenacity.AsyncRetrying(
            sleep=self._sleep,
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=wait,
            retry=tenacity.retry_if_exception(_may_pass),
            before_sleep=self._log_wait,
            reraise=True,
        )

    def _log_wait(self, state: RetryCallState) -> None:
        what = self._quotable(_what_happened(_problem_of(state), self._timeout_seconds))
        number, seconds = state.attempt_number, state.upcoming_sleep
        _log.warning("%s: attempt %d: %s; next in %.1f s", self.name, number, what, seconds)

    def _giving_up(self, problem: BaseException, attempts: int) -> str:
        what = self._quotable(_what_happened(problem, self._timeout_seconds))
        stop = "" if what.endswith((".", "!", "?")) else "."
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        advice = _advice(problem)
        return f"{self.name} at {self._place} gave up after {times}: {what}{stop} Check {advice}."

    def _quotable(self, text: str) -> str:
        """One printable line of bounded length, in which the key cannot be read."""
        if self._key:
            text = text.replace(self._key, "[key]")  # before the cut, which could halve the key
        line = "".join(letter if letter.isprintable() else " " for letter in text)
        line = " ".join(line.split())
        too_long = len(line) > QUOTED_CHARACTERS
        return line[:QUOTED_CHARACTERS] + "..." if too_long else line


def _require_packages() -> None:
    try:
        for package in ("openai", "tenacity"):
            importlib.import_module(package)
    except ImportError as problem:
        raise ExtraMissing(problem.name or "openai", "openai") from None


def _without_credentials(url: str) -> str:
    """The URL as messages may show it: no user, password or query."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ModelUnavailable(
            "base_url must be a whole http:// or https:// address, like http://localhost:8000/v1"
        )
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _check_key(key: str, *, required: bool) -> None:
    if required and not key:
        raise ModelUnavailable(
            "there is no API key: set OPENAI_API_KEY, or give the base_url of a server that "
            "needs none, like http://localhost:8000/v1"
        )
    if not key.isascii() or any(not letter.isprintable() or letter == " " for letter in key):
        raise ModelUnavailable(
            "the API key holds spaces or characters that no key has: check OPENAI_API_KEY"
        )


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Tokens(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Answer(msgspec.Struct, frozen=True):
    """What is read of a chat completion; `error` is how some gateways fail with a 200."""

    choices: list[_Choice] | None = None
    usage: _Tokens | None = None
    error: Any = None


def _read(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except UnicodeDecodeError as problem:
        raise msgspec.DecodeError(str(problem)) from None


_WITHOUT_TEXT = {
    "length": "the reply reached the token limit before it held any text",
    "content_filter": "the server's content filter withheld the reply",
    "tool_calls": "the reply calls a tool and holds no text",
}


def _completion(answer: _Answer) -> Completion:
    """The text of the first choice, or why there is none.

    A text that was cut at the token limit stays: whether a program can be read from it is for
    `reply` to say.
    """
    usage = _usage(answer.usage)
    if not answer.choices:
        said = f"; it says: {_server_words(answer.error)}" if answer.error else ""
        return Completion("", usage, f"the server's answer holds no choices{said}")
    choice = answer.choices[0]
    if choice.message.refusal:
        return Completion("", usage, f"the model refused: {choice.message.refusal}")
    if not (choice.message.content or "").strip():
        reason = choice.finish_reason or ""
        return Completion("", usage, _WITHOUT_TEXT.get(reason, "the reply holds no text"))
    return Completion(choice.message.content or "", usage)


def _usage(tokens: _Tokens | None) -> Usage:
    if tokens is None:
        return Usage()
    details = tokens.prompt_tokens_details
    cached = details.cached_tokens if details else None
    return Usage(tokens.prompt_tokens, tokens.completion_tokens, cached)


def _problem_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _may_pass(problem: BaseException) -> bool:
    """Whether the same request may be answered if it is sent again."""
    import openai

    match problem:
        case openai.APIStatusError(status_code=status, code=code):
            # A quota that is used up comes as a 429 too, and no waiting brings it back.
            return (status in (408, 429) or status >= 500) and code != "insufficient_quota"
        case msgspec.ValidationError():
            return False
        case _:
            transport = (openai.APIConnectionError, TimeoutError, msgspec.DecodeError)
            return isinstance(problem, transport)


def _retry_after(problem: BaseException | None) -> float | None:
    """Seconds the server asked to wait, at most `LONGEST_WAIT_SECONDS`; None if it did not ask.

    Source: RFC 9110, section 10.2.3: a number of seconds, or a date.
    """
    response = getattr(problem, "response", None)
    header = "" if response is None else response.headers.get("retry-after", "")
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return math.nan


def _what_happened(problem: BaseException | None, timeout_seconds: float) -> str:
    import openai

    match problem:
        case openai.APIStatusError(status_code=status, body=body):
            return f"HTTP {status}: {_server_words(body)}"
        case TimeoutError():
            return f"no answer within {timeout_seconds:g} s"
        case openai.APIConnectionError(__cause__=cause):
            return f"no connection, or it was cut ({type(cause).__name__}: {cause})"
        case msgspec.ValidationError():
            return f"the answer is not a chat completion ({problem})"
        case msgspec.DecodeError():
            return f"the answer is not JSON ({problem})"
        case _:
            return str(problem)


def _server_words(body: object) -> str:
    """What an error body says, in the forms that servers use."""
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or body)
    return str(body or "without a word")


_ADVICE = {
    401: "the API key (OPENAI_API_KEY)",
    403: "what the API key (OPENAI_API_KEY) is allowed to use",
    404: "the model's name, and base_url, which usually ends in /v1",
    429: "the rate limit and the credit of this API key",
}


def _advice(problem: BaseException) -> str:
    """What the operator should look at, to follow the word "Check"."""
    import openai

    match problem:
        case openai.APIStatusError(status_code=status) if status >= 500:
            return "the server's log or status page"
        case openai.APIStatusError(status_code=status):
            return _ADVICE.get(status, "the model's name and the size of the prompt")
        case TimeoutError():
            return "whether the server is overloaded or still loads the model"
        case openai.APIConnectionError():
            return "that a server is running there and can be reached from here"
        case _:
            return "that base_url leads to an OpenAI-compatible server; it usually ends in /v1"
