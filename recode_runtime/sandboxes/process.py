"""The process wall: RestrictedPython in a confined process tree of its own, one a session.

The guest confines itself and reports which layers hold; which of them a policy requires is compared
here, and a machine that cannot give one is refused.

It is a long file because a session is one state machine: request, calls, clock and end share all of
its state.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from recode_guest import wire
from recode_runtime.errors import RecodeError, SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.primitive import EpisodeEnded
from recode_runtime.sandboxes import frames
from recode_runtime.sandboxes.base import CallHandler
from recode_runtime.sandboxes.clock import Clock
from recode_runtime.sandboxes.frames import Gone, Violation
from recode_runtime.sandboxes.guest import Guest
from recode_runtime.sandboxes.layers import refuse_missing, warn_of_weakness
from recode_runtime.sandboxes.pool import Order, Start, Started, pool
from recode_runtime.sandboxes.turns import Turn
from recode_runtime.tree import Failure, Outcome, Variable

OPEN_SECONDS = 20.0
# How much later than its limit a statement may be answered for, as a share of the limit and in
# seconds: the guest ends it on time, and what is left is for its waiting side to say so.
GRACE = 0.1
GRACE_SECONDS = 0.1

_Kind = TypeVar("_Kind", frames.Done, frames.Variables)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class ProcessSandbox:
    """Opens sessions in processes of their own.

    Args:
        policy: what programs may use, and which layers must hold.
        start: how a session is started; a stock of the process's own unless a test says otherwise.
    """

    name = "process"

    def __init__(self, policy: Policy, start: Start = pool.take) -> None:
        self._policy = policy
        self._start = start

    async def open(self, primitives: Mapping[str, CallHandler]) -> ProcessSession:
        """A fresh session in which those names are callable.

        Raises:
            SandboxUnavailable: the machine lacks a layer that the policy requires, or the guest
                does not start; the message says what and why.
            ValueError: a primitive's name is not a plain public ASCII identifier.
        """
        _refuse_names(primitives)
        order = self._order
        turn = Turn()
        await turn.take()
        try:
            started = await self._start(order)
            try:
                return await self._opened(started, primitives, turn)
            except SandboxUnavailable:
                if not started.is_ahead:
                    raise
            # One that was forked ahead may have died with its zygote since.
            return await self._opened(await self._start(order, fresh=True), primitives, turn)
        finally:
            turn.give()

    @cached_property
    def _order(self) -> Order:
        return _order(self._policy)

    async def _opened(
        self, started: Started, primitives: Mapping[str, CallHandler], turn: Turn
    ) -> ProcessSession:
        session = ProcessSession(self._policy, primitives, started, turn)
        await session.open()
        warn_of_weakness(self._policy, session.layers)
        return session


def _order(policy: Policy) -> Order:
    language = policy.language
    request = wire.encode(
        {
            "op": "open",
            "limits": msgspec.to_builtins(policy.limits),
            "language": language.mode,
            "builtins": list(language.builtins),
            "facades": {name: list(parts) for name, parts in language.facades.items()},
            "preload": list(language.preload),
            "groups": policy.isolation.control_groups,
            "portable": policy.isolation.level == "portable",
        }
    )
    if len(request) > wire.REQUEST_BYTES:
        raise SandboxUnavailable(
            f"[language] of the policy {policy.name!r} is too long: {len(request)} bytes with the "
            f"limits, and a guest is opened with at most {wire.REQUEST_BYTES}"
        )
    return Order(request, policy.isolation.ready)


class ProcessSession:
    """One guest and its namespace. See `base.Session` for what each method promises."""

    def __init__(
        self,
        policy: Policy,
        primitives: Mapping[str, CallHandler],
        started: Started,
        turn: Turn,
    ) -> None:
        self._policy = policy
        self._turn = turn
        self._limits = policy.limits
        self._primitives = dict(primitives)
        self._guest = Guest(started, policy.limits, self._heard)
        self._channel = self._guest.channel
        most = policy.limits.statement_seconds
        self._clock = Clock(most, max(GRACE * most, GRACE_SECONDS), self._overdue)
        self._request = 0
        self._busy = False
        self._calls = 0
        self._calls_of_statement = 0
        self._steps = 0
        self._call_is_lost = False
        self._gone = ""
        self._entered = 0
        self.layers: tuple[str, ...] = ()
        self.missing: dict[str, str] = {}

    @property
    def pid(self) -> int:
        """The process id of the guest's keeper."""
        return self._guest.pid

    async def open(self) -> None:
        """Wait until the guest is confined, and tell it the primitives.

        Raises:
            SandboxUnavailable: see `ProcessSandbox.open`.
        """
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                self._channel.listen()
                frame = frames.decoded(await self._channel.receive())
                self._channel.hush()
                self._accept(frame)
                await self._guest.introduced()
            await self._ask(frames.Done, "begin", primitives=list(self._primitives))
        except (Violation, TimeoutError) as problem:
            await self._guest.end()
            said = str(problem) or "it was silent"
            if isinstance(problem, Gone):
                said = self._guest.complaint() or said
            raise self._lost(f"the guest did not open: {said}") from None
        except BaseException as problem:
            await self._guest.end()
            self._gone = str(problem)
            raise

    def _accept(self, frame: frames.AnyFrame) -> None:
        if isinstance(frame, frames.Unable):
            raise SandboxUnavailable(f"the guest cannot be opened: {frame.message[:2_000]}")
        if not isinstance(frame, frames.Ready):
            raise Violation("it did not begin with a ready frame")
        if frame.version != wire.VERSION:
            raise SandboxUnavailable(
                f"the guest speaks version {frame.version} of the wire, the host {wire.VERSION}: "
                "they are not of one installation"
            )
        self.layers, self.missing = tuple(frame.layers), dict(frame.missing)
        refuse_missing(self._policy, frame.layers, frame.missing)

    async def execute(
        self, source: str, *, line: int = 1, want: Sequence[str] | None = ()
    ) -> Outcome:
        """Run source statement by statement; each commits as a whole or not at all.

        The policy's `statement_calls` and `statement_seconds` count anew for every statement.
        `Outcome.variables` is empty after a failure. Source of more than `source_bytes`, which is
        more than a whole program may have, is refused unsent.
        """
        text = frames.plain(source)
        if (size := len(text.encode())) > self._limits.source_bytes:
            return Outcome(_too_long(size, self._limits.source_bytes, line))
        asked = None if want is None else list(want)
        answer = await self._exchange(frames.Done, "execute", source=text, line=line, want=asked)
        if isinstance(answer, frames.Failed):
            bound, seconds = tuple(answer.bound), self._clock.seconds
            return Outcome(_failure(answer), answer.printed, bound, seconds=seconds)
        asked = answer.bound if asked is None else asked
        variables = {name: answer.variables[name] for name in asked if name in answer.variables}
        return Outcome(None, answer.printed, tuple(answer.bound), variables, self._clock.seconds)

    async def read(self, names: Sequence[str], *, chars: int) -> dict[str, Variable]:
        """The variables of those names that are bound, each text cut to `chars` characters."""
        places = {name: place for place, name in enumerate(names)}
        answer = await self._ask(frames.Variables, "read", names=list(places), chars=chars)
        return {
            one.name: Variable(one.name, one.type, one.text[:chars], one.size, one.plain, one.value)
            for one in sorted(answer.variables, key=lambda one: places.get(one.name, 0))
            if one.name in places
        }

    async def bind(self, values: Mapping[str, Any]) -> None:
        """Bind plain-data values in the namespace.

        Raises:
            ValueError: a name is not a plain public one, or is that of a primitive or a builtin.
            TypeError: a value is not plain data.
        """
        self._refuse_taken(values)
        await self._ask(frames.Done, "bind", values=frames.plain(values))

    async def enter(self, parameters: Mapping[str, str]) -> Outcome:
        """Bind keyword parameters for an expansion; see `base.Session.enter`.

        Raises:
            ValueError: a name is not a plain public one, or is that of a primitive or a builtin.
        """
        self._refuse_taken(parameters)
        size = len("".join(parameters.values()).encode(errors="replace"))
        if size > self._limits.source_bytes:
            return Outcome(_too_long(size, self._limits.source_bytes, 0))
        answer = await self._exchange(frames.Done, "enter", parameters=dict(parameters))
        if isinstance(answer, frames.Failed):
            return Outcome(_failure(answer))
        self._entered += 1
        return Outcome(bound=tuple(parameters))

    async def leave(self, outputs: Sequence[str]) -> None:
        """Undo the last `enter`, outputs apart.

        Raises:
            RuntimeError: there is none.
        """
        if self._entered == 0:
            raise RuntimeError("leave() without enter()")
        self._entered -= 1
        await self._ask(frames.Done, "leave", outputs=list(outputs))

    async def close(self) -> None:
        """End the guest and everything it started; safe to call again."""
        self._gone = self._gone or "the session is closed"
        await self._guest.end()

    def _refuse_taken(self, names: Mapping[str, Any]) -> None:
        _refuse_names(names)
        builtins = self._policy.language.builtins
        for kind, reserved in (("primitive", self._primitives), ("builtin", builtins)):
            taken = [name for name in names if name in reserved]
            if taken:
                raise ValueError(f"{', '.join(taken)}: a {kind} has that name")

    async def _ask(self, kind: type[_Kind], op: str, **fields: Any) -> _Kind:
        """As `_exchange`, of requests that a guest in order cannot fail."""
        answer = await self._exchange(kind, op, **fields)
        if isinstance(answer, kind):
            return answer
        await self._guest.end()
        raise self._lost(f"the guest failed to {op}: {answer}")

    async def _exchange(self, kind: type[_Kind], op: str, **fields: Any) -> _Kind | frames.Failed:
        """Send one request and see it through to its answer, primitives included.

        Whatever goes wrong on the way, the host's own exceptions and a cancellation included, ends
        the guest: nobody could say what it has run.
        """
        self._begin()
        try:
            await self._turn.take()
            self._channel.send(wire.encode({"op": op, "id": self._request, **fields}))
        except BaseException as problem:  # nothing was sent
            self._finish()
            if isinstance(problem, wire.WireError):
                raise ValueError(f"this cannot be sent to the guest: {problem}") from None
            raise
        self._clock.start()
        try:
            return await self._answered(kind)
        except (Violation, wire.WireError) as problem:
            broke = "" if isinstance(problem, Gone) else "the guest broke the protocol: "
            lost = self._lost(f"{broke}{problem}")  # before the clock can name another reason
            await self._guest.end()
            raise lost from None
        except BaseException as problem:
            self._lost(f"it was ended by {type(problem).__name__}")
            self._guest.end_soon()
            raise
        finally:
            self._finish()

    def _begin(self) -> None:
        if self._gone:
            raise SandboxUnavailable(f"the session has ended: {self._gone}")
        if self._busy:
            raise RuntimeError("the session is busy: one request at a time")
        self._busy = True
        self._request += 1
        self._calls = self._calls_of_statement = self._steps = 0
        self._call_is_lost = False

    def _finish(self) -> None:
        self._clock.stop()
        self._turn.give()
        self._busy = False

    def _lost(self, why: str) -> SandboxUnavailable:
        self._gone = self._gone or why
        return SandboxUnavailable(self._gone)

    async def _answered(self, kind: type[_Kind]) -> _Kind | frames.Failed:
        while True:
            frame = frames.decoded(await self._channel.receive())
            if isinstance(frame, frames.Ready | frames.Unable) or frame.id != self._request:
                raise Violation("a frame that belongs to no request under way")
            may_go_on = kind is frames.Done and not self._call_is_lost
            if isinstance(frame, frames.Call) and may_go_on:
                await self._call(frame)
            elif isinstance(frame, frames.Step) and may_go_on:
                self._step()
            elif isinstance(frame, kind | frames.Failed):
                self._channel.hush()
                return frame
            else:
                raise Violation(f"a {type(frame).__name__} frame that answers nothing")

    def _step(self) -> None:
        self._steps += 1
        if self._steps > self._limits.statements:
            raise Violation("more statements than a program may have")
        self._calls_of_statement = 0
        self._clock.step()

    async def _call(self, call: frames.Call) -> None:
        self._channel.hush()
        self._calls += 1
        self._calls_of_statement += 1
        if call.call != self._calls:
            raise Violation(f"call {call.call} where {self._calls} was due")
        if call.name not in self._primitives:
            raise Violation(f"a call of {call.name[:100]!r}, which is no primitive")
        self._clock.pause()
        self._turn.give()
        body = await self._reply_to(call)
        await self._turn.take()
        self._clock.resume()
        if not self._call_is_lost:
            self._channel.send(body)

    async def _reply_to(self, call: frames.Call) -> bytes:
        """Act, unless a limit is reached, and put what came of it into a frame."""
        if self._clock.is_over:
            seconds = self._limits.statement_seconds
            return frames.answer(
                call, stop=("limit", f"stopped after {seconds:g} s of its own time")
            )
        if self._calls_of_statement > self._limits.statement_calls:
            most = self._limits.statement_calls
            text = f"stopped at primitive call {most + 1}; a statement may make {most}"
            return frames.answer(call, stop=("limit", text))
        try:
            value = await self._primitives[call.name](*call.args, **call.kwargs)
            return frames.answer(call, value=frames.fitted(value, self._limits.observation_bytes))
        except EpisodeEnded as ended:
            text = str(ended) or "the episode is over"
            return frames.answer(call, stop=("ended", frames.plain(text)))
        except RecodeError:
            raise
        except Exception as problem:  # noqa: BLE001  (it is the program's to read and to catch)
            return frames.answer(call, error=frames.error_text(problem))

    def _overdue(self) -> None:
        """The guest should have ended the statement by now, and has not."""
        self._lost("a statement went on after its time and the guest did not end it")
        self._guest.end_soon()

    def _heard(self, message: bytes) -> None:
        """The guest's waiting side has the session again; what the other side had sent is void."""
        if not self._busy or self._call_is_lost or message != b"over %d" % self._request:
            self._lost("the guest broke the protocol: a notice that belongs to no request")
            self._guest.end_soon()
            return
        self._call_is_lost = True
        self._clock.extend()
        self._channel.drop()
        self._guest.control.send(b"go %d" % self._request)


def _failure(frame: frames.Failed) -> Failure:
    return Failure(frame.kind, frame.message, frame.line, frame.traceback)


def _too_long(size: int, most: int, line: int) -> Failure:
    message = f"The source is {size} bytes long; {most} are allowed."
    return Failure("refused", message, line, message)


def _refuse_names(names: Mapping[str, Any]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a plain public name")
