"""Several processes that play the host; one that dies or goes silent is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence

import msgspec

from recode_runtime.audit.canaries import ENVIRONMENT_VARIABLE, Secrets
from recode_runtime.audit.host import Job, Layers, Report, Setting
from recode_runtime.audit.verdicts import Run
from recode_runtime.policy import Policy

_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from recode_runtime.audit.host import main; main()"
COMMAND = (sys.executable, "-P", "-c", _BOOT, *sys.path)
_LINE_BYTES = 64 * 1024 * 1024
_COMPLAINT_BYTES = 600
# How long a host may take for one run, whatever its limits: a program of a few statements, each of
# which takes its time, and what opening and closing take on a busy machine.
_PATIENCE_SECONDS = 90.0
_PATIENCE_STATEMENTS = 10

Told = Callable[[], None]


class Died(Exception):
    """The host ended in the midst of a job; the message says how."""


class Crew:
    """Hosts that do jobs at the same time.

    Args:
        policy: what they run cases under.
        size: how many.
        command: what starts a host.
    """

    def __init__(self, policy: Policy, size: int, command: Sequence[str] = COMMAND) -> None:
        self._policy = policy
        self._size = size
        self._command = command
        self._patience = _PATIENCE_SECONDS + _PATIENCE_STATEMENTS * policy.limits.statement_seconds

    async def layers(self) -> Layers:
        """What the wall is made of here.

        Raises:
            Died: the host did not come so far.
        """
        async with contextlib.aclosing(self._host()) as host:
            return await host.begin()

    async def reports(self, jobs: Sequence[Job], told: Told) -> list[Report]:
        """The report on each job, in their order; `told` is called whenever one is done."""
        waiting = iter(range(len(jobs)))
        done: dict[int, Report] = {}

        async def work() -> None:
            host = self._host()
            try:
                for number in waiting:
                    done[number] = await self._report(host, jobs[number])
                    told()
                    if not host.is_alive:
                        await host.aclose()
                        host = self._host()
            finally:
                await host.aclose()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._size, len(jobs))):
                group.create_task(work())
        return [done[number] for number in range(len(jobs))]

    async def _report(self, host: _Host, job: Job) -> Report:
        filtered = self._policy.language.mode == "restricted" and not job.unfiltered
        try:
            async with asyncio.timeout(self._patience):
                return await host.ask(job)
        except TimeoutError:
            await host.aclose()
            why = f"the host gave no answer within {self._patience:g} s"
            return Report(Run("hung", filtered, why))
        except Died as problem:
            return Report(Run("host-died", filtered, str(problem)))

    def _host(self) -> _Host:
        return _Host(self._policy, self._command)


class _Host:
    """One process, started when it is first asked for something."""

    def __init__(self, policy: Policy, command: Sequence[str]) -> None:
        self._policy = policy
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (as long-lived as this object)
        # Of this process, so that it goes away however the other ends.
        self._folder = tempfile.TemporaryDirectory(
            prefix="recode-audit-", ignore_cleanup_errors=True
        )
        self.is_alive = True

    async def begin(self) -> Layers:
        """Start it.

        Raises:
            Died: it ended at once.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._complaints,
            # An environment as programs may find it with its host, and a secret in it.
            env=os.environ | {ENVIRONMENT_VARIABLE: Secrets.fresh().environment},
            start_new_session=True,  # Ctrl-C is for the audit, which then ends this process
            limit=_LINE_BYTES,
        )
        setting = Setting(self._policy, self._folder.name)
        return msgspec.json.decode(await self._answer(setting), type=Layers)

    async def ask(self, job: Job) -> Report:
        """Have a job done.

        Raises:
            Died: it ended without a report.
        """
        if self._process is None:
            await self.begin()
        return msgspec.json.decode(await self._answer(job), type=Report)

    async def _answer(self, question: object) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise Died("it was never started")
        with contextlib.suppress(ConnectionError):  # of which the answer tells
            process.stdin.write(msgspec.json.encode(question) + b"\n")
            await process.stdin.drain()
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            self.is_alive = False
            raise Died(self._end(await process.wait()))
        return line

    def _end(self, status: int) -> str:
        how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - _COMPLAINT_BYTES))
        said = self._complaints.read().decode(errors="replace").strip()
        return f"{how}; it said: {said}" if said else how

    async def aclose(self) -> None:
        """End it, and its guests with it."""
        self.is_alive = False
        if self._process is not None and self._process.returncode is None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.kill()
            await self._process.wait()
        self._complaints.close()
        self._folder.cleanup()
