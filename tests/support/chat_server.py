"""A chat-completions server on 127.0.0.1 that can be told to fail: real HTTP, no model.

    with ChatServer(["first reply", fails(429, retry_after="2"), "second reply"]) as server:
        OpenAIModel("any", base_url=server.base_url)

Each request takes the next behaviour; when none is left the answer is a 400 that says so. A text
stands for `says(text)`, and instead of a list a function may choose from the request's JSON.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

IDLE_SECONDS = 5.0


@dataclass(frozen=True)
class Behaviour:
    """One answer on the wire; `cut` breaks the connection after half of the body."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    cut: bool = False


@dataclass(frozen=True)
class Received:
    """One request as it came; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    json: Any


Plan = Iterable[Behaviour | str] | Callable[[Any], Behaviour | str]


def sends(value: Any, **changes: Any) -> Behaviour:
    """Any JSON value as the body; `changes` are other fields of `Behaviour`."""
    return Behaviour(json.dumps(value).encode(), **changes)


def chooses(message: Mapping[str, Any], finish_reason: str = "stop", **answer: Any) -> Behaviour:
    """A chat completion with one choice; `answer` adds fields beside it."""
    choice = {"index": 0, "message": {"role": "assistant", **message}}
    choices = [{**choice, "finish_reason": finish_reason}]
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "any"}
    return sends({**head, "choices": choices, **answer})


def says(text: str, prompt: int = 11, completion: int = 7, cached: int = 3) -> Behaviour:
    """A normal reply with its usage."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return chooses({"content": text}, usage=usage)


def fails(status: int, message: str = "told to fail", **parts: str) -> Behaviour:
    """An error answer; `code` is the error's code, `retry_after` becomes the header."""
    headers = {"Retry-After": parts["retry_after"]} if "retry_after" in parts else {}
    error = {"message": message, "type": "error", "code": parts.get("code")}
    return sends({"error": error}, status=status, headers=headers)


def slow(seconds: float, text: str = "late") -> Behaviour:
    """A normal reply that comes after `seconds`, or at once when the server closes."""
    return replace(says(text), delay_seconds=seconds)


def cuts() -> Behaviour:
    """A reply whose connection breaks in the middle of the body."""
    return replace(says("this will never be whole"), cut=True)


def garbles() -> Behaviour:
    """A 200 whose body is not JSON."""
    return Behaviour(b'{"choices": [{"mess')


def refuses(why: str) -> Behaviour:
    """A refusal in the form of the protocol."""
    return chooses({"content": None, "refusal": why})


class ChatServer:
    """Serves POST /v1/chat/completions while it is open; `requests` holds what came."""

    def __init__(self, plan: Plan = ()) -> None:
        self._choose = plan if callable(plan) else _in_turn(plan)
        self._lock = threading.Lock()
        self._came = threading.Semaphore(0)
        self._closing = threading.Event()
        self.requests: list[Received] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._http.daemon_threads = False  # so that closing waits for every connection
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    @property
    def base_url(self) -> str:
        """The address to give to a client."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def wait_for_request(self, seconds: float = 5.0) -> None:
        """Return once a request has come that no earlier call waited for."""
        if not self._came.acquire(timeout=seconds):
            raise AssertionError(f"no request came within {seconds} s")

    def behave(self, received: Received) -> Behaviour:
        """Record a request and choose its answer; a delay is waited for here."""
        with self._lock:
            self.requests.append(received)
            chosen = self._choose(received.json)
        self._came.release()
        behaviour = says(chosen) if isinstance(chosen, str) else chosen
        self._closing.wait(behaviour.delay_seconds)
        return behaviour


def _in_turn(plan: Iterable[Behaviour | str]) -> Callable[[Any], Behaviour | str]:
    remaining = iter(plan)
    return lambda request: next(remaining, fails(400, "no behaviour is left"))


def _handler_for(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers one request and closes its connection, so that nothing is left open."""

        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/v1/chat/completions":
                return self._send(fails(404, f"there is no {self.path}"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            return self._send(server.behave(Received(self.path, headers, json.loads(body))))

        def _send(self, behaviour: Behaviour) -> None:
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(behaviour.body)),
                "Connection": "close",
                **behaviour.headers,
            }
            try:
                self.send_response(behaviour.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self._write(behaviour)
            except ConnectionError:
                self.close_connection = True  # the client gave up waiting, as some tests want

        def _write(self, behaviour: Behaviour) -> None:
            half = len(behaviour.body) // 2
            self.wfile.write(behaviour.body[:half] if behaviour.cut else behaviour.body)
            if behaviour.cut:
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test's output is the test's."""

    return Handler
