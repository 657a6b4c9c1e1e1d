"""The session: one namespace, and the requests that the host makes of it."""

from __future__ import annotations

import ast
import contextlib
import random
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, Protocol

from recode_guest import alarm, checkpoint, failure, memory, restricted, risk, values, wire
from recode_guest.alarm import Alarm
from recode_guest.channel import Channel
from recode_guest.checkpoint import Resumed, Runner
from recode_guest.descriptions import Describer
from recode_guest.execution import PARSE_BYTES, Execution
from recode_guest.guards import Primitive, Stop
from recode_guest.opening import Opening

OWN_FRAMES = 40
# A host that waits for this session speaks within that; a session that is kept ready hears nothing.
AT_ONCE_MS = 5
REHEARSAL = "seen = look('around')\n"


# A fork seeds Python's own generator anew, and whoever has seeded it is to find it as it was. (The
# restricted language has one that no fork touches.)
_random_state, _set_random_state = random.getstate, random.setstate


class Teller(Protocol):
    """How variables are told; each of the two may leave one out by raising `values.NotPlain`."""

    def shown(self, name: str, value: Any) -> Any:
        """What is told of a variable."""
        ...

    def hidden(self, name: str, value: Any) -> Any:
        """What is told of it where finding out more took too long or too much."""
        ...


class Session:
    """Holds the namespace and answers the host until the host is gone.

    `runner` is set while this process is the running side of a checkpoint.

    Raises:
        guards.LanguageError: the opening asks for what the guest cannot give.
    """

    def __init__(self, opening: Opening, channel: Channel, control: socket.socket) -> None:
        self.limits = limits = opening.limits
        self.channel = channel
        self.control = control
        self.printed = opening.printed
        self.primitives: frozenset[str] = frozenset()
        self.language = opening.language()
        self.namespace = self.language.namespace
        # What a program raises must be something it could name: of any other exception of the
        # host it sees the text alone.
        self._raisable = {
            name: kind
            for name, kind in self.language.given.items()
            if isinstance(kind, type) and issubclass(kind, Exception)
        }
        self._reserved: frozenset[str] = frozenset()
        self._not_for_parameters: frozenset[str] = frozenset()
        self._alarm = Alarm(limits.statement_seconds, limits.statement_cpu_seconds)
        self._entered: list[risk.Undo] = []
        self._attic: list[Any] = []
        self._request = 0
        self._calls = 0
        self._steps = 0
        self._heard = 0
        self._room = memory.Room()
        self._execution: Execution | None = None
        self.runner: Runner | None = None
        self.stop: Stop | None = None
        self.host_error: BaseException | None = None

    def serve(self) -> NoReturn:
        """Answer requests; never returns."""
        sys.setrecursionlimit(self.limits.recursion + OWN_FRAMES)
        memory.begin()
        answers: dict[str, Callable[[dict[str, Any]], None]] = {
            "begin": self._begin,
            "execute": self._execute,
            "read": self._read,
            "bind": self._bind,
            "enter": self._enter,
            "leave": self._leave,
        }
        if not self.channel.is_due(AT_ONCE_MS):
            self._rehearse()
        while True:
            frame = self.channel.receive()
            self._request = frame["id"]
            self._calls = self._steps = 0
            self.stop = self.host_error = None
            try:
                answers[frame["op"]](frame)
            except Resumed:
                continue
            except Exception as problem:  # noqa: BLE001  (a request that cannot be answered is told so)
                self._apologize(frame["op"], problem)

    def _rehearse(self) -> None:
        """While nobody waits, do what the first statement will need, and keep nothing of it.

        A fresh fork shares all memory with the zygote; what it writes to, if only to count a
        reference, is copied first. That is a third of what a first statement costs.
        """
        for statement in restricted.parsed(REHEARSAL, "<rehearsal>"):
            risk.Judge({}, ()).is_cheap(statement)
            self.language.compiled(statement, "<rehearsal>", ())
        wire.decode(self.reply("rehearsal")[wire.HEADER_BYTES :])

    def _apologize(self, op: str, problem: Exception) -> None:
        if self.runner is not None:
            self.runner.leave(checkpoint.BROKEN)
        message = f"the guest could not {op}: {type(problem).__name__}"
        told = {"kind": "error", "message": message, "line": 0, "traceback": message}
        self.channel.send(self.reply("failed", **told, printed="", bound=[]))

    def reply(self, op: str, **fields: Any) -> bytes:
        """The bytes that answer the request under way."""
        return self.channel.packed({"op": op, "id": self._request, **fields})

    def step(self) -> None:
        """Tell the host that the next statement begins."""
        self.channel.send(self.reply("step"))
        self._steps += 1

    def call(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Have the host call a primitive, and wait for what comes back."""
        if self.stop is not None:
            # A `finally` went on after the stop; so there is a checkpoint, and `fail` is the end.
            if self.runner is not None and self._execution is not None:
                self._execution.fail(self.stop)
            raise self.stop
        try:
            most = self.limits.value_bytes
            args, kwargs = values.plain(args, most), values.plain(kwargs, most)
        except values.NotPlain as problem:
            raise ValueError(f"{name}() cannot be given this: {problem}") from None
        self._calls += 1
        number = self._calls
        self._alarm.hold()
        self.channel.send(self.reply("call", call=number, name=name, args=args, kwargs=kwargs))
        answer = self.channel.receive()
        self._alarm.resume()
        if answer["op"] != "answer" or answer["call"] != number:
            Runner.leave(checkpoint.BROKEN)
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

    def protect(self, lost: Callable[[str, str], bytes]) -> None:
        """Fork; returns on the running side.

        Args:
            lost: the answer to the host if the running side is lost, of the kind of that failure
                and the message.

        Raises:
            Resumed: on the waiting side, when it has the session again.
            MemoryError: there is no room for a second process.
        """
        seeded = None if self.language.is_filtered else _random_state()
        taken = checkpoint.take(self.control, self._alarm)
        if isinstance(taken, Runner):
            if seeded is not None:
                with contextlib.suppress(Exception):  # of a program that has spoilt its generator
                    _set_random_state(seeded)
            self.runner = taken
            return
        if taken is not None:
            self._take_over()
            self.channel.send(lost(*self._loss(taken)))
        raise Resumed

    def commit(self, growth: int = 0) -> None:
        """What was done stays done; without a checkpoint it keeps at most `growth` bytes more.

        Raises:
            MemoryError: it leaves too little for the guest itself.
        """
        # It keeps frames of the program alive, and what they hold must be freed on this side.
        self.host_error = None
        if self.runner is None:
            heard = self.channel.received - self._heard
            self._heard += heard
            self._room.take(growth + heard * memory.OBJECT_BYTES_PER_WIRE_BYTE)
        else:
            self._room.settle()
            self.runner.commit()
            self.runner = None

    def conclude(self, reply: bytes) -> None:
        """Answer the host; a running side does not return, and whatever it did is undone."""
        if self.runner is not None:
            self.runner.fail()
        self.channel.send(reply)
        if self.runner is not None:
            self.runner.leave(checkpoint.REPORTED)

    def tell(
        self, names: Iterable[str], teller: Teller, answer: Callable[[dict[str, Any]], bytes]
    ) -> None:
        """Answer with variables: small ones at once, others from a process of its own.

        So no value can cost the session: at worst it is told of as `teller.hidden`.
        """
        found = {name: self.namespace[name] for name in names if self.has(name)}
        small = values.small_ones(found)
        large = {name: value for name, value in found.items() if name not in small}
        told = _told(small, teller.shown)
        if not large:
            self.channel.send(answer(told))
            return
        try:
            self.protect(lambda _kind, _message: answer(told | _told(large, teller.hidden)))
        except MemoryError:
            self.channel.send(answer(told | _told(large, teller.hidden)))
        else:
            self.conclude(answer(told | _told(large, teller.shown)))

    def _take_over(self) -> None:
        """Tell the host, and wait until nothing of the lost side is under way any more."""
        self.control.send(b"over %d" % self._request)
        while self.control.recv(wire.CONTROL_BYTES) != b"go %d" % self._request:
            pass
        self.channel.drain()

    def _loss(self, status: int) -> tuple[str, str]:
        if status in (checkpoint.OUT_OF_MEMORY, -signal.SIGKILL):
            return "limit", self.out_of_memory
        if status == -alarm.OWN_TIME:
            return "limit", f"stopped after {self.limits.statement_seconds:g} s of its own time"
        if status in (-alarm.PROCESSOR_TIME, -signal.SIGXCPU):
            most = self.limits.statement_cpu_seconds
            return "limit", f"stopped after {most:g} s of processor time"
        if status == -signal.SIGSYS:
            return "error", "stopped at a system call that the sandbox does not allow"
        cause = signal.Signals(-status).name if status < 0 else f"exit {status}"
        return "error", f"the interpreter crashed ({cause})"

    @property
    def out_of_memory(self) -> str:
        """What is said of a statement that ran out of memory."""
        return f"needed more than {self.limits.memory_mib} MiB"

    def shortage(self, problem: MemoryError) -> str:
        """What is said of a statement for which there was no room."""
        if isinstance(problem, checkpoint.NoProcess):
            return f"needed more than the {self.limits.processes} processes that are allowed"
        return self.out_of_memory

    def has(self, name: str) -> bool:
        """Whether the program has bound that name."""
        return name in self.namespace and name not in self._reserved and not name.startswith("_")

    def _begin(self, frame: dict[str, Any]) -> None:
        self.primitives = frozenset(frame["primitives"])
        for name in self.primitives:
            self.namespace[name] = Primitive(name, self.call)
        self._reserved = frozenset(self.namespace)
        self._not_for_parameters = self._reserved.union(self.language.given)
        self.channel.send(self.reply("done"))

    def _execute(self, frame: dict[str, Any]) -> None:
        self._execution = Execution(self, frame)
        self._execution.run()

    def _read(self, frame: dict[str, Any]) -> None:
        self.tell(
            frame["names"],
            Describer(frame["chars"], self.limits.value_bytes),
            lambda told: self.reply("variables", variables=list(told.values())),
        )

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
        parameters = frame["parameters"]
        if sum(map(len, parameters.values())) > PARSE_BYTES:
            self.protect(self._not_entered)
        try:
            new = {self._parameter(name): self._argument(text) for name, text in parameters.items()}
        except Exception as problem:  # noqa: BLE001  (literals fail in many ways, `{[1]}` as a TypeError)
            self.conclude(self._not_entered("error", failure.message_of(problem)))
            return
        self._entered.append(risk.Undo(self.namespace, new))
        self._rebind(new)
        if self.runner is not None:
            self.commit()
        self.channel.send(self.reply("done"))

    def _not_entered(self, kind: str, message: str) -> bytes:
        told = {"kind": kind, "message": message, "line": 0, "traceback": message}
        return self.reply("failed", **told, printed="", bound=[])

    def _parameter(self, name: str) -> str:
        if name in self._not_for_parameters:
            raise ValueError(f"{name!r} is no name for a parameter")
        return name

    def _argument(self, source: str) -> Any:
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


def _told(found: dict[str, Any], tell: Callable[[str, Any], Any]) -> dict[str, Any]:
    told = {}
    for name, value in found.items():
        try:
            told[name] = tell(name, value)
        except values.NotPlain:
            continue
    return told
