"""A process that plays the host: it holds secrets, and runs cases as it is asked on standard input.

It is started for that alone, so that a case which brings the host down ends this process and not
the audit. Each line in is a job, each line out a report; both are JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from recode_runtime.audit import rendering, stories, verdicts
from recode_runtime.audit.canaries import ENVIRONMENT_VARIABLE, Secrets, Traps
from recode_runtime.audit.cases import Case
from recode_runtime.audit.programs import (
    GENERATING,
    NotGenerated,
    Piece,
    as_attacker,
    as_probe,
    generated,
    modules_of,
    pieces,
)
from recode_runtime.audit.stories import Scene
from recode_runtime.audit.trials import PRIMITIVES, TELLER, NotApplicable, Sighting, Trial
from recode_runtime.audit.verdicts import Gate, Run, Said
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.grammar import Verdict, judge
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox

# What keeps a case that is marked as destructive from this machine.
_AGAINST_HARM = ("seccomp",)


class Setting(msgspec.Struct, frozen=True):
    """What a host is to be: the policy of its sessions, and a folder for what nobody may touch."""

    policy: Policy
    folder: str


class Job(msgspec.Struct, frozen=True):
    """One run to be made: of a case, under the policy or with the language's filter off."""

    case: Case
    unfiltered: bool


class Report(msgspec.Struct, frozen=True):
    """What came of a job; the grammar is asked where the policy is as it is."""

    run: Run
    gate: Gate | None = None


class Layers(msgspec.Struct, frozen=True):
    """What the wall is made of here; `refusal` is why there is no session at all."""

    holding: list[str] = []
    missing: dict[str, str] = {}
    refusal: str = ""


class Host:
    """Runs cases under one policy.

    Args:
        policy: the user's, with the limits of the audit.
        secrets: those of this process.
        traps: what nobody may touch.
    """

    def __init__(self, policy: Policy, secrets: Secrets, traps: Traps) -> None:
        # A stock of sessions would be for a policy that is used once.
        self._policy = policy.but(isolation={"ready": 0})
        self._secrets = secrets
        self._traps = traps

    async def layers(self) -> Layers:
        """What holds in a session of the policy."""
        try:
            session = await ProcessSandbox(self._policy).open({})
        except SandboxUnavailable as refusal:
            return Layers(refusal=str(refusal))
        await session.close()
        return Layers(list(session.layers), session.missing)

    async def report(self, job: Job) -> Report:
        """Do one job."""
        self._traps.arm()
        filtered = self._policy.language.mode == "restricted" and not job.unfiltered
        try:
            code = self._traps.filled(await self._code(job.case))
            return await self._reported(job, code, filtered)
        except NotApplicable as reason:
            return Report(Run("not-applicable", filtered, str(reason)))
        except NotGenerated as problem:
            return Report(Run("wrong", filtered, str(problem)))
        except SandboxUnavailable as problem:
            return Report(Run("wrong", filtered, f"there was no session: {problem}"))

    async def _code(self, case: Case) -> str:
        if not case.gen:
            return case.code
        policy = self._policy.but(**GENERATING)
        session = await ProcessSandbox(policy).open({})
        try:
            return await generated(case.gen, session)
        finally:
            await session.close()

    async def _reported(self, job: Job, code: str, filtered: bool) -> Report:
        case = job.case
        gate, source = (None, code) if job.unfiltered else self._judged(code)
        if "ok" not in case.expect.ends:
            source = code  # an attack is run as it was written, whatever was made of it
        policy = self._unfiltered(code) if job.unfiltered else self._policy
        trial = Trial(policy, self._secrets)
        async with trial.watching() as seen:
            if case.kind == "session":
                seen.faults += await stories.told(case, Scene(policy, self._secrets, trial))
            else:
                needs = _AGAINST_HARM if case.destructive and not filtered else ()
                await trial.run(self._pieces(job, source), needs)
        seen.effects += self._traps.sprung()
        if filtered:
            seen.effects += self._misread(case, code, seen)
        return Report(verdicts.judged(case, seen, gate, filtered=filtered), gate)

    def _judged(self, code: str) -> tuple[Gate, str]:
        """What the grammar says, and the text that a run would go on with."""
        began = time.monotonic()
        verdict: Verdict = judge(
            code,
            policy=self._policy,
            primitives=PRIMITIVES,
            variables=["data"],
            repair=self._policy.repair.apply,
        )
        seconds = round(time.monotonic() - began, 4)
        codes = [finding.code for finding in verdict.findings if finding.level == "error"]
        if verdict.program is None:
            return Gate("reject", codes, seconds), code
        said: Said = "mended" if verdict.repairs else "pass"
        placeholder = any(one.placeholder for one in verdict.program.statements)
        return Gate(said, codes, seconds, placeholder), verdict.source

    def _unfiltered(self, code: str) -> Policy:
        preload = dict.fromkeys([*self._policy.language.preload, *modules_of(code)])
        return self._policy.but(language={"mode": "python", "preload": list(preload)})

    def _pieces(self, job: Job, source: str) -> list[Piece]:
        limits = self._policy.limits
        if not job.unfiltered or job.case.kind == "guest":
            return pieces(source, limits.source_bytes)
        if job.case.kind == "os":
            piece = as_probe(source, TELLER)
        else:
            piece = as_attacker(source, limits.statement_seconds)
        if len(piece.source) > limits.source_bytes:
            raise NotApplicable("it is longer than the policy's source_bytes allow")
        return [piece]

    def _misread(self, case: Case, code: str, seen: Sighting) -> list[str]:
        """What the outcome does to those who read it, or what it says though it must not run."""
        ends, found = case.expect.ends, []
        if self._traps.marker in f"{seen.printed}{seen.calls}" and ends and "ok" not in ends:
            found.append("what must not run has run")
        for outcome in seen.outcomes[-1:]:
            exhibit = rendering.Exhibit(
                code, outcome, tuple(seen.calls), tuple(seen.variables.values())
            )
            found += rendering.faults(exhibit, self._policy)
        return found


# What programs that find their way into the host would look for.
HOST_SECRET = ""


def main() -> None:
    """Serve jobs from standard input until it ends; the first line is the setting."""
    global HOST_SECRET
    jobs, reports = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but reports may come out there
    setting = msgspec.json.decode(jobs.readline(), type=Setting)
    secrets = _secrets()
    HOST_SECRET = secrets.host
    traps = Traps(secrets.file, Path(setting.folder))
    try:
        asyncio.run(_serve(Host(setting.policy, secrets, traps), jobs, reports))
    finally:
        traps.close()


def _secrets() -> Secrets:
    fresh = Secrets.fresh()
    return Secrets(os.environ[ENVIRONMENT_VARIABLE], fresh.host, fresh.file)


async def _serve(host: Host, jobs: BinaryIO, reports: BinaryIO) -> None:
    _write(reports, await host.layers())
    while line := jobs.readline():
        _write(reports, await host.report(msgspec.json.decode(line, type=Job)))


def _write(reports: BinaryIO, value: Any) -> None:
    # Not by msgspec, which knows no half surrogates; a program may have some.
    reports.write(json.dumps(msgspec.to_builtins(value)).encode() + b"\n")
    reports.flush()
