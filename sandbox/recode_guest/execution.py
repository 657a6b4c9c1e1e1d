"""One `execute` request: its statements run in order, each commits as a whole or not at all."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from recode_guest import checkpoint, failure, memory, restricted, risk, values
from recode_guest.checkpoint import Resumed
from recode_guest.failure import Text
from recode_guest.guards import Stop

if TYPE_CHECKING:
    from recode_guest.session import Session

# A longer source is parsed behind a checkpoint too; a shorter one CPython's parser answers in
# milliseconds, whatever it holds.
PARSE_BYTES = 4_096


class Execution:
    """Runs the source of one request and answers the host."""

    def __init__(self, session: Session, frame: dict[str, Any]) -> None:
        self._session = session
        self._source: str = frame["source"]
        self._want: list[str] | None = frame["want"]
        # Lambdas of earlier requests must not lend their line numbers to this one.
        self._filename = f"<program {frame['id']}>"
        self._text = Text(self._source, frame["line"], self._filename)
        self._bound: dict[str, None] = {}
        self._undo: risk.Undo | None = None
        self._growth = 0
        self._line = 1

    def run(self) -> None:
        """Run to the end or to the first failure, and answer the host."""
        self._session.printed.take()  # what a lost side reported is still in this one's memory
        try:
            self._run_all()
        except Resumed:
            raise
        except BaseException as problem:  # noqa: BLE001  (whatever a program raises, it is its failure)
            self.fail(problem)
            return
        names = list(self._bound) if self._want is None else self._want
        self._session.tell(names, values.Copier(self._session.limits.value_bytes), self._done)

    def fail(self, problem: BaseException) -> None:
        """Answer the host that the statement under way failed; a running side does not return."""
        session = self._session
        if self._undo is not None:
            self._undo.undo()
            self._undo = None
        try:
            # A `finally` may have replaced the stop by something of its own.
            told = self._told(session.stop or problem)
            reply = session.reply("failed", **told, **self._summary())
        except MemoryError:
            if session.runner is None:
                raise
            session.runner.leave(checkpoint.OUT_OF_MEMORY)
        session.conclude(reply)

    def _done(self, variables: dict[str, Any]) -> bytes:
        return self._session.reply("done", **self._summary(), variables=variables)

    def _summary(self) -> dict[str, Any]:
        """What the request has come to so far; also said when it failed."""
        return {"printed": self._session.printed.take(), "bound": list(self._bound)}

    def _run_all(self) -> None:
        if len(self._source) > PARSE_BYTES:
            self._protect()
        statements = restricted.parsed(self._source, self._filename)
        most = self._session.limits.statements
        if len(statements) > most:
            raise restricted.NotAllowed(f"The program has more than {most} statements.", 1)
        for number, statement in enumerate(statements):
            if number:
                self._session.step()
            self._run_one(statement)
        if not statements:
            self._commit()

    def _run_one(self, statement: ast.stmt) -> None:
        session = self._session
        self._line = statement.lineno
        names = restricted.names_bound(statement)
        if session.runner is None:
            judge = risk.Judge(session.namespace, session.primitives)
            if session.language.is_filtered and judge.is_cheap(statement):
                self._undo = risk.Undo(session.namespace, names)
                self._growth = judge.growth
            else:
                self._protect()
        code = session.language.compiled(statement, self._filename, session.primitives)
        exec(code, session.namespace)  # noqa: S102  (this is what the guest is for)
        if session.stop is not None:  # a `finally` may have swallowed it
            raise session.stop
        self._commit()
        self._bound.update((name, None) for name in names if session.has(name))

    def _protect(self) -> None:
        self._session.protect(self._lost)
        memory.watch()

    def _lost(self, kind: str, message: str) -> bytes:
        lost = failure.without_traceback(kind, message, self._text, self._line)
        return self._session.reply("failed", **lost, **self._summary())

    def _commit(self) -> None:
        self._session.commit(self._growth)
        self._undo = None

    def _told(self, problem: BaseException) -> dict[str, Any]:
        text = self._text
        if failure.is_a(problem, restricted.NotAllowed):
            line = problem.line
            return failure.without_traceback("refused", failure.clean(str(problem)), text, line)
        if failure.is_a(problem, Stop):
            message = failure.clean(str(problem))
            return failure.without_traceback(problem.kind, message, text, self._line)
        if failure.is_a(problem, MemoryError):
            message = self._session.shortage(problem)
            return failure.without_traceback("limit", message, text, self._line)
        kind = "primitive" if problem is self._session.host_error else "error"
        return failure.of_exception(problem, text, kind)
