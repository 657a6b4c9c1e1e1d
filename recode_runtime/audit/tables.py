"""What people read of an audit: a matrix, the cases that did not hold, and one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from recode_runtime.audit.cases import Case
from recode_runtime.audit.verdicts import FAILURES, VERDICTS, Run
from recode_runtime.report import shortened

if TYPE_CHECKING:
    from recode_runtime.audit.auditing import Result, Summary
    from recode_runtime.audit.control import Shown

_COLOURS = {"held": "green", "not-applicable": "dim"}
_DETAIL = 300  # characters of a text
_NAMES = 4_000


def show(summary: Summary, console: Console) -> None:
    """Print the matrix, what did not hold, and the summary."""
    console.print(_matrix(summary.results))
    for result in summary.results:
        for run in result.runs:
            if run.verdict in FAILURES:
                _show_failure(result.case, run, console)
    for head, names in {**_not_run(summary.results), **_of_gate(summary.results)}.items():
        console.print(Text(f"\n{head}: {shortened(', '.join(names), _NAMES)}"), soft_wrap=True)
    console.print()
    for line in _closing(summary):
        console.print(Text(line), soft_wrap=True)


def _matrix(results: Sequence[Result]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), collapse_padding=True)
    table.add_column("class", no_wrap=True)
    for name in ("cases", *VERDICTS, "gate"):
        table.add_column(name, justify="right", no_wrap=True)
    classes = dict.fromkeys(result.case.class_ for result in results)
    for name in sorted(classes):
        table.add_row(
            *_row(shortened(name, 40), [one for one in results if one.case.class_ == name])
        )
    table.add_section()
    table.add_row(*_row("all", results), style="bold")
    return table


def _row(name: str, results: Sequence[Result]) -> list[Text]:
    runs = [run for result in results for run in result.runs]
    cells = [Text(name), Text(str(len(results)))]
    for verdict in VERDICTS:
        count = sum(run.verdict == verdict for run in runs)
        cells.append(Text(str(count or "-"), _colour(verdict) if count else "dim"))
    judged = [(one.gate, one.case) for one in results if one.gate is not None]
    agreed = sum(gate.is_expected(case) for gate, case in judged)
    return [*cells, Text(f"{agreed}/{len(judged)}")]


def _colour(verdict: str) -> str:
    return _COLOURS.get(verdict, "red")


def _show_failure(case: Case, run: Run, console: Console) -> None:
    way = "" if run.filtered else ", filter off"
    head = Text.assemble((run.verdict, _colour(run.verdict)), f"  {shortened(case.id)}{way}: ")
    console.print()
    console.print(head, Text(shortened(run.why, _DETAIL)), sep="", soft_wrap=True)
    details = {
        "what it is": case.why,
        "ended with": f"{run.end} {run.message}",
        "printed": run.printed,
        "own time": f"{run.seconds:.3f} s of {run.wall:.3f} s in all",
    }
    for name, text in details.items():
        if text.strip():
            console.print(Text(f"  {name}: {shortened(text, _DETAIL)}"), soft_wrap=True)


def _not_run(results: Sequence[Result]) -> dict[str, list[str]]:
    """The cases that were not run, by the reason."""
    found: dict[str, list[str]] = {}
    for result in results:
        for run in result.runs:
            if run.verdict == "not-applicable":
                found.setdefault(f"not-applicable, {run.why}", []).append(result.case.id)
    return found


def _of_gate(results: Sequence[Result]) -> dict[str, list[str]]:
    """The cases that the grammar alone stops, and those of which it says something else."""
    judged = [(one, one.gate) for one in results if one.gate is not None]
    alone = [one.case.id for one, _ in judged if any(run.by_gate for run in one.runs)]
    other = [
        f"{one.case.id} ({gate.said})" for one, gate in judged if not gate.is_expected(one.case)
    ]
    named = {
        "stopped by the grammar alone, and harmless in the sandbox": alone,
        "gate, the grammar says otherwise than expected": other,
    }
    return {head: names for head, names in named.items() if names}


def _closing(summary: Summary) -> list[str]:
    policy, layers = summary.policy, summary.layers
    counts = ", ".join(f"{summary.count(verdict)} {verdict}" for verdict in VERDICTS)
    missing = f"; without {', '.join(layers.missing)}" if layers.missing else ""
    seconds = policy.limits.statement_seconds
    level, language = policy.isolation.level, policy.language.mode
    cases, runs = len(summary.results), len(summary.runs)
    return [
        f"policy {policy.name}, level {level}, language {language}; a statement had {seconds:g} s",
        f"{len(layers.holding)} layers hold{missing}",
        f"{cases} cases in {runs} runs took {summary.seconds:.0f} s: {counts}",
    ]


def show_control(shown: Sequence[Shown], console: Console) -> None:
    """Print which cases are attacks on plain CPython, and which only check a rule."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), collapse_padding=True)
    table.add_column("class", no_wrap=True)
    kinds = ("attack", "rule check", "benign", "not run")
    for name in ("cases", *kinds):
        table.add_column(name, justify="right")
    for name in [*sorted({one.case.class_ for one in shown}), "all"]:
        of_class = [one for one in shown if name in ("all", one.case.class_)]
        counts = [sum(one.what == kind for one in of_class) for kind in kinds]
        table.add_row(*(Text(str(cell or "-")) for cell in (name, len(of_class), *counts)))
    console.print(table)
    for kind in kinds[1:]:
        named = [one.case.id for one in shown if one.what == kind]
        if named:
            console.print(Text(f"\n{kind}: {', '.join(map(shortened, named))}"), soft_wrap=True)
