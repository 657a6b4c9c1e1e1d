"""What `recode audit` does: the cases chosen, run, judged, shown, and the exit code."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from recode_runtime.audit import control, tables
from recode_runtime.audit.cases import Case, WrongCorpus, read_corpora, shipped_corpus
from recode_runtime.audit.crew import COMMAND, Crew, Died
from recode_runtime.audit.host import Job, Layers, Report
from recode_runtime.audit.verdicts import FAILURES, VERDICTS, Gate, Run, Verdict
from recode_runtime.commands import SUCCESS, TERMINATED, UNSUCCESSFUL, console, print_json
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.linting.running import cores
from recode_runtime.policy import Policy
from recode_runtime.wording import did_you_mean

SCHEMA = "recode.audit/1"
# A limit of time is as good as another; with this one the cases that run into it take little.
STATEMENT_SECONDS = 1.0
_PROGRESS_FROM = 20

# The ways in which a case of each kind is run: under the policy, and with the filter off.
_UNFILTERED = {
    "guest": (False, True),
    "os": (False, True),
    "protocol": (True,),
    "render": (False,),
    "session": (False,),
}


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; an empty tuple stands for all."""

    policy: str
    corpus: Path | None
    classes: tuple[str, ...]
    cases: tuple[str, ...]
    jobs: int
    json: str | None
    unfiltered: bool
    as_is: bool
    control: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What was seen of one case."""

    case: Case
    runs: tuple[Run, ...]
    gate: Gate | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its runs."""
        return min((run.verdict for run in self.runs), key=VERDICTS.index)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        case = self.case
        gate = self.gate and {
            **msgspec.to_builtins(self.gate),
            "expected": self.gate.is_expected(case),
        }
        return {
            "id": case.id,
            "class": case.class_,
            "kind": case.kind,
            "why": case.why,
            "expect": msgspec.to_builtins(case.expect),
            "verdict": self.verdict,
            "gate": gate,
            "runs": [_full(run) for run in self.runs],
        }


def _full(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__struct_fields__}


@dataclass(frozen=True)
class Summary:
    """All that an audit came to."""

    policy: Policy
    layers: Layers
    results: list[Result]
    seconds: float
    jobs: int
    runs: list[Run] = field(init=False)

    def __post_init__(self) -> None:
        runs = [run for result in self.results for run in result.runs]
        object.__setattr__(self, "runs", runs)

    def count(self, verdict: Verdict) -> int:
        """How many runs came to it."""
        return sum(run.verdict == verdict for run in self.runs)

    @property
    def is_well(self) -> bool:
        """Whether nothing escaped, hung, died or went wrong, and anything was run at all."""
        return not any(map(self.count, FAILURES)) and self.count("held") > 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, `recode.audit/1`."""
        return {
            "schema": SCHEMA,
            "policy": self.policy.name,
            "language": self.policy.language.mode,
            "level": self.policy.isolation.level,
            "statement_seconds": self.policy.limits.statement_seconds,
            "layers": self.layers.holding,
            "missing": self.layers.missing,
            "jobs": self.jobs,
            "seconds": round(self.seconds, 1),
            "cases": len(self.results),
            "runs": {verdict: self.count(verdict) for verdict in VERDICTS},
            "results": [result.to_dict() for result in self.results],
        }


class Audit:
    """One run of `recode audit`.

    Args:
        options: what was asked for.
        command: what starts a process that plays the host.

    Raises:
        PolicyError, WrongCorpus: the policy, the corpus or a name in the options is wrong.
    """

    def __init__(self, options: Options, command: Sequence[str] = COMMAND) -> None:
        self._options = options
        self._command = command
        self._policy = _policy(options)
        corpus = shipped_corpus() if options.corpus is None else read_corpora([options.corpus])
        self._cases = _chosen(corpus, options)
        self._jobs = options.jobs or cores()

    def do(self) -> int:
        """Run everything, show it, and give the exit code.

        Raises:
            SandboxUnavailable: there is no session of the policy here.
        """
        if self._options.json not in (None, "-"):
            Path(str(self._options.json)).open("a").close()  # now, not when all is done
        try:
            return asyncio.run(self._controlled() if self._options.control else self._audited())
        except asyncio.CancelledError:
            return TERMINATED

    async def _controlled(self) -> int:
        _end_on_sigterm()
        with _progress(len(self._cases), "showing attacks on plain CPython") as told:
            shown = await control.shown(self._cases, self._jobs, told)
        as_json = {"schema": control.SCHEMA, "results": [one.to_dict() for one in shown]}
        self._show(as_json, lambda: tables.show_control(shown, console()))
        return SUCCESS

    async def _audited(self) -> int:
        _end_on_sigterm()
        began = time.monotonic()
        layers, results = await self._found()
        seconds = time.monotonic() - began
        summary = Summary(self._policy, layers, results, seconds, self._jobs)
        self._show(summary.to_dict(), lambda: tables.show(summary, console()))
        return SUCCESS if summary.is_well else UNSUCCESSFUL

    def _show(self, as_json: dict[str, Any], show: Callable[[], None]) -> None:
        if self._options.json == "-":
            print_json(as_json)
            return
        if self._options.json is not None:
            text = json.dumps(as_json, indent=2) + "\n"
            Path(self._options.json).write_text(text, encoding="utf-8")
        show()

    async def _found(self) -> tuple[Layers, list[Result]]:
        crew = Crew(self._policy, self._jobs, self._command)
        try:
            layers = await crew.layers()
        except Died as problem:
            raise SandboxUnavailable(f"the audit cannot start: {problem}") from None
        if layers.refusal:
            raise SandboxUnavailable(layers.refusal)
        jobs = [Job(case, unfiltered) for case in self._cases for unfiltered in self._ways(case)]
        with _progress(len(jobs), "auditing") as told:
            reports = await crew.reports(jobs, told)
        reports = await self._again(jobs, reports)
        return layers, self._results(jobs, reports)

    def _ways(self, case: Case) -> tuple[bool, ...]:
        ways = _UNFILTERED[case.kind]
        return ways if self._options.unfiltered else tuple(way for way in ways if not way)

    async def _again(self, jobs: list[Job], reports: list[Report]) -> list[Report]:
        """The same reports, those that hung made anew with nothing else going on.

        A machine that has too much to do lets a program go on for longer, too; only what is late
        both times hangs.
        """
        late = [number for number, one in enumerate(reports) if one.run.verdict == "hung"]
        alone = Crew(self._policy, 1, self._command)
        anew = await alone.reports([jobs[number] for number in late], lambda: None)
        for number, report in zip(late, anew, strict=True):
            run = msgspec.structs.replace(report.run, again=True)
            reports[number] = Report(run, report.gate)
        return reports

    def _results(self, jobs: list[Job], reports: list[Report]) -> list[Result]:
        found: dict[str, list[Report]] = {case.id: [] for case in self._cases}
        for job, report in zip(jobs, reports, strict=True):
            found[job.case.id].append(report)
        return [_result(case, found[case.id]) for case in self._cases]


def _result(case: Case, reports: list[Report]) -> Result:
    if not reports:
        why = "it needs the language's filter off"
        return Result(case, (Run("not-applicable", filtered=False, why=why),))
    gate = next((report.gate for report in reports if report.gate is not None), None)
    return Result(case, tuple(report.run for report in reports), gate)


def _policy(options: Options) -> Policy:
    policy = Policy.of(options.policy)
    if options.as_is or policy.limits.statement_seconds <= STATEMENT_SECONDS:
        return policy
    return policy.but(limits={"statement_seconds": STATEMENT_SECONDS})


def _chosen(corpus: list[Case], options: Options) -> list[Case]:
    """The cases of those classes and ids.

    Raises:
        WrongCorpus: there are none.
    """
    if not corpus:
        raise WrongCorpus("the corpus has no case")
    for what, asked, known in (
        ("class", options.classes, {case.class_ for case in corpus}),
        ("case", options.cases, {case.id for case in corpus}),
    ):
        for name in asked:
            if name not in known:
                listed = f"; known are {', '.join(sorted(known))}" if what == "class" else ""
                hint = did_you_mean(name, sorted(known), other=listed)
                raise WrongCorpus(f"the corpus has no {what} {name!r}{hint}")
    return [
        case
        for case in corpus
        if (not options.classes or case.class_ in options.classes)
        and (not options.cases or case.id in options.cases)
    ]


def _end_on_sigterm() -> None:
    """So that every process that was begun is ended, and no file is left."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextmanager
def _progress(total: int, what: str) -> Iterator[Callable[[], None]]:
    """A bar on standard error, if that is a terminal and there is something to wait for."""
    if total < _PROGRESS_FROM or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.update(task, advance=1)
