"""The session: one namespace, and the requests that the host makes of it."""

from __future__ import annotations

import ast
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from recode_guest import checkpoint, failure, restricted, risk, values, wire
from recode_guest.checkpoint import Lost, Runner
from recode_guest.failure import Text
from recode_guest.guards import (
    Primitive,
    Printed,
    Stop,
    builtins_of,
    facades_of,
    guards_of,
    importer_of,
)
from recode_guest.limits import Limits

# A longer source is parsed behind a checkpoint too; a shorter one CPython's parser answers in
# milliseconds, whatever it holds.
PARSE_BYTES = 4_096
OWN_FRAMES = 40


class Resumed(BaseException):
    """This process has waited for a statement that failed elsewhere, and has the session again."""


class Channel:
    """Frames to and from the host, one at a time."""

    def __init__(self, connection: socket.socket, limit: int) -> None:
        self._connection = connection
        self._limit = limit
        self._splitter = wire.Splitter(limit)

    def packed(self, frame: dict[str, Any]) -> bytes:
        """The bytes of a frame; nothing is sent yet."""
        return wire.pack(wire.encode(frame), self._limit)

    def send(self, data: bytes) -> None:
        """Send bytes made by `packed`."""
        self._connection.sendall(data)

    def receive(self) -> dict[str, Any]:
        """The next frame; ends the process if the host is gone."""
        bodies: list[bytes] = []
        while not bodies:
            data = self._connection.recv(wire.READ_BYTES)
            if not data:
                os._exit(0)
            bodies = self._splitter.feed(data)
        return wire.decode(bodies[0])

    def drain(self) -> None:
        """Drop what the host sent to a process that is gone."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        while poll.poll(0) and self._connection.recv(wire.READ_BYTES):
            pass
        self._splitter.reset()


class Session:
    """Holds the namespace and answers the host until the host is gone.

    Raises:
        guards.LanguageError: the `open` frame asks for what the guest cannot give.
    """

    def __init__(
        self, opening: dict[str, Any], limits: Limits, channel: Channel, control: socket.socket
    ) -> None:
        self.limits = limits
        self.channel = channel
        self.control = control
        self.printed = Printed(limits.printed_bytes)
        self.primitives = frozenset(opening["primitives"])
        facades = facades_of(opening["facades"])
        given = builtins_of(opening["builtins"], importer_of(facades))
        self.namespace = guards_of(self.printed, given)
        for name in self.primitives:
            self.namespace[name] = Primitive(name, self.call)
        # What a program raises must be something it could name: of any other exception of the
        # host it sees the text alone.
        self._raisable = {
            name: kind
            for name, kind in given.items()
            if isinstance(kind, type) and issubclass(kind, Exception)
        }
        self._reserved = frozenset(self.namespace)
        self._entered: list[risk.Undo] = []
        self._attic: list[Any] = []
        self._request = 0
        self._calls = 0
        self.stop: Stop | None = None
        self.host_error: BaseException | None = None

    def serve(self) -> NoReturn:
        """Answer requests; never returns."""
        sys.setrecursionlimit(self.limits.recursion + OWN_FRAMES)
        answers = {
            "execute": self._execute,
            "read": self._read,
            "bind": self._bind,
            "enter": self._enter,
            "leave": self._leave,
        }
        while True:
            frame = self.channel.receive()
            self._request = frame["id"]
            self._calls = 0
            self.stop = self.host_error = None
            try:
                answers[frame["op"]](frame)
            except Resumed:
                continue

    def reply(self, op: str, **fields: Any) -> bytes:
        """The bytes that answer the request under way."""
        return self.channel.packed({"op": op, "id": self._request, **fields})

    def wanted(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of those names that are bound and plain data, as far as they fit."""
        found: dict[str, Any] = {}
        left = self.limits.value_bytes
        for name in names:
            if self.has(name):
                try:
                    found[name] = values.plain(self.namespace[name], left)
                except values.NotPlain:
                    continue
                left -= len(wire.encode({"op": "", "v": found[name]}))
        return found

    def call(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Have the host call a primitive, and wait for what comes back."""
        if self.stop is not None:
            raise self.stop
        try:
            most = self.limits.value_bytes
            args, kwargs = values.plain(args, most), values.plain(kwargs, most)
        except values.NotPlain as problem:
            raise ValueError(f"{name}() cannot be given this: {problem}") from None
        self._calls += 1
        number = self._calls
        self.channel.send(self.reply("call", call=number, name=name, args=args, kwargs=kwargs))
        answer = self.channel.receive()
        if answer["op"] != "answer" or answer["call"] != number:
            os._exit(checkpoint.BROKEN)
        return self._taken(answer)

    def _taken(self, answer: dict[str, Any]) -> Any:
        if answer["stop"] is not None:
            self.stop = Stop(answer["stop"]["kind"], answer["stop"]["message"])
            raise self.stop
        if answer["error"] is not None:
            name, message = answer["error"]["type"], answer["error"]["message"]
            known = self._raisable.get(name)
            self.host_error = known(message) if known else RuntimeError(f"{name}: {message}")
            raise self.host_error
        return answer["value"]

    def checkpoint(self, text: Text, execution: Execution) -> Runner:
        """Fork; returns on the running side.

        Raises:
            Resumed: on the waiting side, when it has the session again.
        """
        taken = checkpoint.take(self.control, self._request)
        if isinstance(taken, Runner):
            return taken
        if taken is not None:
            self._take_over()
            message = self._loss(taken)
            kind = "error" if message.startswith("the interpreter") else "limit"
            lost = failure.without_traceback(kind, message, text, execution.line)
            self.channel.send(self.reply("failed", **lost, **execution.summary()))
        raise Resumed

    def _take_over(self) -> None:
        """Tell the host, and wait until nothing of the lost side is under way any more."""
        self.control.send(b"over %d" % self._request)
        while self.control.recv(wire.CONTROL_BYTES) != b"go %d" % self._request:
            pass
        self.channel.drain()

    def _loss(self, lost: Lost) -> str:
        if lost.stopped:
            return f"stopped after {self.limits.statement_seconds:g} s of its own time"
        if lost.status in (checkpoint.OUT_OF_MEMORY, -signal.SIGKILL):
            return self.out_of_memory
        if lost.status == -signal.SIGXCPU:
            return "stopped after too much processor time"
        cause = signal.Signals(-lost.status).name if lost.status < 0 else f"exit {lost.status}"
        return f"the interpreter crashed ({cause})"

    @property
    def out_of_memory(self) -> str:
        """What is said of a statement that ran out of memory."""
        return f"needed more than {self.limits.memory_mib} MiB"

    def has(self, name: str) -> bool:
        """Whether the program has bound that name."""
        return name in self.namespace and name not in self._reserved and not name.startswith("_")

    def _execute(self, frame: dict[str, Any]) -> None:
        Execution(self, frame).run()

    def _read(self, frame: dict[str, Any]) -> None:
        left = self.limits.value_bytes
        found = []
        for name in frame["names"]:
            if self.has(name):
                value = self.namespace[name]
                found.append(values.described(name, value, frame["chars"], left))
                left -= len(wire.encode({"op": "", "v": found[-1]["value"]}))
        self.channel.send(self.reply("variables", variables=found))

    def _bind(self, frame: dict[str, Any]) -> None:
        self._rebind(frame["values"])
        self.channel.send(self.reply("done"))

    def _rebind(self, new: dict[str, Any]) -> None:
        for name in new:
            self._keep(name)
        self.namespace.update(new)

    def _keep(self, name: str) -> None:
        # No checkpoint stands behind these requests, so nothing is freed that might crash.
        old = self.namespace.get(name)
        if not risk.is_freeable(old):
            self._attic.append(old)

    def _enter(self, frame: dict[str, Any]) -> None:
        try:
            new = {name: self._parameter(text) for name, text in frame["parameters"].items()}
        except (NameError, ValueError, SyntaxError, RecursionError, MemoryError) as problem:
            text = Text("", 1, "")
            lost = failure.of_exception(problem, text, "error")
            self.channel.send(self.reply("failed", **lost, printed="", bound=[]))
            return
        self._entered.append(risk.Undo(self.namespace, new))
        self._rebind(new)
        self.channel.send(self.reply("done"))

    def _parameter(self, source: str) -> Any:
        if not source.isidentifier() or source in ("None", "True", "False"):
            return ast.literal_eval(source)
        if source in self.namespace and not source.startswith("_"):
            return self.namespace[source]
        raise NameError(f"name {source!r} is not defined")

    def _leave(self, frame: dict[str, Any]) -> None:
        undo = self._entered.pop()
        outputs = set(frame["outputs"])
        for name in undo.names - outputs:
            self._keep(name)
        undo.undo(keeping=outputs)
        self.channel.send(self.reply("done"))


class Execution:
    """One `execute` request: its statements run in order, each commits as a whole or not at all."""

    def __init__(self, session: Session, frame: dict[str, Any]) -> None:
        self._session = session
        self._source: str = frame["source"]
        self._want: list[str] | None = frame["want"]
        # Lambdas of earlier requests must not lend their line numbers to this one.
        self._filename = f"<program {frame['id']}>"
        self._text = Text(self._source, frame["line"], self._filename)
        self._bound: dict[str, None] = {}
        self._runner: Runner | None = None
        self._undo: risk.Undo | None = None
        self.line = 1

    def summary(self) -> dict[str, Any]:
        """What the request has come to so far; also said when it failed."""
        return {"printed": self._session.printed.take(), "bound": list(self._bound)}

    def run(self) -> None:
        """Run to the end or to the first failure, and answer the host."""
        self._session.printed.take()  # what a lost side reported is still in this one's memory
        try:
            reply = self._run_all()
        except Resumed:
            raise
        except BaseException as problem:  # noqa: BLE001  (whatever a program raises, it is its failure)
            self._fail(problem)
            return
        self._commit()
        self._session.channel.send(reply)

    def _run_all(self) -> bytes:
        if len(self._source) > PARSE_BYTES:
            self._protect()
        statements = restricted.parsed(self._source, self._filename)
        if len(statements) > self._session.limits.statements:
            most = self._session.limits.statements
            raise restricted.NotAllowed(f"The program has more than {most} statements.", 1)
        for number, statement in enumerate(statements, 1):
            self._run_one(statement)
            if number < len(statements):
                self._commit()
                self._session.channel.send(self._session.reply("step"))
        wanted = self._session.wanted(self._bound if self._want is None else self._want)
        return self._session.reply("done", **self.summary(), variables=wanted)

    def _run_one(self, statement: ast.stmt) -> None:
        session = self._session
        self.line = statement.lineno
        session.host_error = None
        names = restricted.names_bound(statement)
        if self._runner is None:
            if risk.Judge(session.namespace, session.primitives).is_cheap(statement):
                self._undo = risk.Undo(session.namespace, names)
            else:
                self._protect()
        code = restricted.compiled(statement, self._filename, session.primitives)
        exec(code, session.namespace)  # noqa: S102  (this is what the guest is for)
        if session.stop is not None:  # a `finally` may have swallowed it
            raise session.stop
        self._bound.update((name, None) for name in names if session.has(name))

    def _protect(self) -> None:
        self._runner = self._session.checkpoint(self._text, self)

    def _commit(self) -> None:
        self._undo = None
        if self._runner is not None:
            self._runner.commit()
            self._runner = None

    def _fail(self, problem: BaseException) -> None:
        runner = self._runner
        if self._undo is not None:
            self._undo.undo()
        try:
            reply = self._session.reply("failed", **self._told(problem), **self.summary())
        except MemoryError:
            if runner is None:
                raise
            runner.leave(checkpoint.OUT_OF_MEMORY)
        if runner is not None:
            runner.fail()
        self._session.channel.send(reply)
        if runner is not None:
            runner.leave(checkpoint.REPORTED)

    def _told(self, problem: BaseException) -> dict[str, Any]:
        text = self._text
        if isinstance(problem, restricted.NotAllowed):
            line = problem.line
            return failure.without_traceback("refused", failure.clean(str(problem)), text, line)
        if isinstance(problem, Stop):
            message = failure.clean(str(problem))
            return failure.without_traceback(problem.kind, message, text, self.line)
        if isinstance(problem, MemoryError):
            message = self._session.out_of_memory
            return failure.without_traceback("limit", message, text, self.line)
        if isinstance(problem, SyntaxError):
            return failure.of_exception(problem, text, "refused")
        kind = "primitive" if problem is self._session.host_error else "error"
        return failure.of_exception(problem, text, kind)
