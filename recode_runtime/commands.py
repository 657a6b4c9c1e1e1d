"""What the commands of the command line do once their arguments are read (`cli`).

Results go to standard output; the command line turns the errors raised here into exit codes.
"""

# What only one command needs is imported where it is used, so that each answers at once.
from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from recode_runtime import bundle
from recode_runtime.errors import EnvironmentUnavailable, ExtraMissing, PolicyError, RecodeError
from recode_runtime.events import AnyEvent, RunStarted, TreeBuilder
from recode_runtime.journal import Journal, new_run_id, read_events
from recode_runtime.policy import Policy
from recode_runtime.prompt import literal
from recode_runtime.tree import Tree
from recode_runtime.wording import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from recode_runtime.environments.base import Environment
    from recode_runtime.models.base import Model

SUCCESS, UNSUCCESSFUL, WRONG_USAGE, UNAVAILABLE, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


class WrongUsage(Exception):
    """What the user asked for cannot be; the message says what can."""


@contextmanager
def refusing() -> Iterator[None]:
    """Turns the `ValueError` of a name or an option that does not fit into `WrongUsage`."""
    try:
        yield
    except ValueError as problem:
        raise WrongUsage(str(problem)) from problem


def complain(message: str) -> None:
    """One message on standard error, under the program's name; it may quote a guest or a model."""
    sys.stderr.write(f"recode: {literal(message)}\n")


@dataclass(frozen=True)
class Job:
    """What `recode run` was asked to do; `options` are those of the environment.

    `runs` is the folder for the journal.
    """

    instruction: str
    environment: str | None
    options: dict[str, Any]
    model: str
    base_url: str | None
    policy: str
    runs: Path


class Following:
    """Does one job and shows it on standard output: while it goes on, and what it came to.

    Args:
        as_json: print the tree as JSON at the end, and nothing else.
        quiet: do not print the tree while it grows.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._live = not (as_json or quiet)
        self._builder = TreeBuilder()
        self._console = console()
        self._journal: Path | None = None
        self._started = False
        self._terminated = False

    def follow(self, job: Job) -> int:
        """Do the job, and give the exit code.

        Raises:
            WrongUsage, PolicyError: the job cannot be; nothing was started.
            RecodeError, OSError: the run came to a stop; what it had done until then is shown.
        """
        try:
            with asyncio.Runner() as runner:
                runner.run(self._work(job))
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._show()
            complain(f"interrupted; the journal is at {self._journal}")
            return TERMINATED if self._terminated else INTERRUPTED
        except (RecodeError, OSError):
            self._show()
            raise
        self._show()
        return SUCCESS if self._builder.tree().success else UNSUCCESSFUL

    async def _work(self, job: Job) -> None:
        self._end_on_sigterm()
        policy = Policy.of(job.policy)
        async with AsyncExitStack() as stack:
            with _naming_the_fallback(job.environment):
                environment, model = _parts(job, stack)
                # After the parts: a wrong name is told before the grammar is loaded.
                from recode_runtime import supervisor

                journal = Journal.create(job.runs, new_run_id())
                self._journal = journal.path
                stack.callback(self._close, journal)
                await supervisor.run(
                    job.instruction,
                    model=model,
                    environment=environment,
                    policy=policy,
                    journal=journal,
                    listeners=self._listeners(),
                )

    def _end_on_sigterm(self) -> None:
        task = asyncio.current_task()

        def end() -> None:
            self._terminated = True
            if task:
                task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)

    def _listeners(self) -> list[Any]:
        from recode_runtime.report import LiveTree

        return [self._take, _logged, *([LiveTree(self._console)] if self._live else [])]

    def _take(self, event: AnyEvent) -> None:
        self._started = True
        self._builder.apply(event)

    def _close(self, journal: Journal) -> None:
        """Close the journal; that of a run that never started holds nothing and goes away."""
        journal.close()
        if not self._started:
            journal.path.unlink()

    def _show(self) -> None:
        """The summary, or the whole tree as JSON; nothing if the run never started."""
        from recode_runtime.report import summary

        if not self._started:
            return
        tree = self._builder.tree()
        if self._as_json:
            print_json(tree.to_dict())
        else:
            self._console.print(summary(tree, self._journal))


def _parts(job: Job, stack: AsyncExitStack) -> tuple[Environment | None, Model]:
    """The environment and the model of a job, both closed by the stack."""
    from recode_runtime.environments import environment_from
    from recode_runtime.environments.base import HasExpert
    from recode_runtime.models import model_from

    environment = None
    with refusing():
        if job.environment is not None:
            environment = environment_from(job.environment, **job.options)
            stack.push_async_callback(environment.close)
        expand = environment.expert if isinstance(environment, HasExpert) else None
        model = model_from(job.model, base_url=job.base_url, expand=expand)
    stack.push_async_callback(model.close)
    return environment, model


@contextmanager
def _naming_the_fallback(environment: str | None) -> Iterator[None]:
    """Says which environment works everywhere, where this one is not there."""
    try:
        yield
    except (ExtraMissing, EnvironmentUnavailable) as problem:
        about_the_world = isinstance(problem, EnvironmentUnavailable) or (
            isinstance(problem, ExtraMissing) and problem.extra == environment
        )
        if about_the_world and "--env crafting" not in str(problem):
            problem.args = (f"{problem}\nThe built-in world needs nothing: --env crafting",)
        raise


def _logged(event: AnyEvent) -> None:
    """Log an event without its texts, which are in the journal."""
    import structlog

    told = {"node", "attempt", "status", "key", "seconds", "depth", "score", "success", "run"}
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name in told}
    structlog.get_logger("recode").debug(event.__struct_config__.tag, **fields)


def console() -> Console:
    """Standard output for rich: the terminal's width, or a fixed one where there is no terminal."""
    from rich.console import Console

    from recode_runtime.report import WIDTH

    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def print_json(value: Any) -> None:
    """A value as JSON on standard output; ASCII, so that lone surrogates come out as escapes."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def folded(path: Path, events: Sequence[AnyEvent]) -> Tree:
    """The tree of the events of one journal.

    Raises:
        ValueError: they do not belong together; the message names the file.
    """
    if not events or not isinstance(events[0], RunStarted):
        raise ValueError(f"{path}: the record has no start of a run")
    try:
        return TreeBuilder(events).tree()
    except KeyError as unknown:
        raise ValueError(f"{path}: the record speaks of {unknown} before it began") from None


def draw(tree: Tree, path: Path, events: Iterable[AnyEvent]) -> None:
    """Print a tree, the exchanges with the model among these events, and the summary."""
    from recode_runtime import report

    parts: list[RenderableType] = [report.drawn(tree), *report.exchanges(events)]
    console().print(*parts, report.summary(tree, path), sep="\n")


def row(path: Path) -> dict[str, Any]:
    """One run in the list of runs; a journal that cannot be read is listed as such."""
    from recode_runtime.report import outcome

    known = dict.fromkeys(("when", "environment", "model", "status", "score", "nodes"))
    line: dict[str, Any] = {"id": path.stem, **known}
    try:
        events = read_events(path)
        tree = folded(path, events)
    except (ValueError, OSError):
        return line | {"status": "unreadable"}
    when = next(event.created for event in events if isinstance(event, RunStarted))
    return line | {
        "when": when,
        "environment": tree.environment,
        "model": tree.model,
        "status": outcome(tree)[0],
        "score": tree.score,
        "nodes": sum(1 for _ in tree.nodes()),
    }


# It forks a checkpoint, and needs no builtin and no module.
_TRIAL = "squares = [number * number for number in (1, 2, 3)]"


def try_policy(name: str) -> None:
    """Read a policy, and use it: what the rules and the guest accept only they can tell.

    Raises:
        PolicyError: the policy is wrong, or no statement can run under it.
        SandboxUnavailable: the guest refuses the policy, or this machine cannot give what it asks.
    """
    from recode_runtime.grammar import rules_in_words

    policy = Policy.of(name)
    rules_in_words(policy)
    asyncio.run(_run_trial(policy))


async def _run_trial(policy: Policy) -> None:
    from recode_runtime.sandboxes.process import ProcessSandbox

    session = await ProcessSandbox(policy).open({})
    try:
        outcome = await session.execute(_TRIAL)
    finally:
        await session.close()
    if outcome.failure is not None:
        raise PolicyError(f"a small statement fails under it: {outcome.failure.message}")


# A key of a policy file with its value, a list over several lines or one line with its comment.
_STATEMENT = re.compile(r"^([\w-]+) = (?:\[(?:\n .*)+\n\]|.*?(?P<note> +# .*)?)\n", re.MULTILINE)


def toml(policy: Policy) -> str:
    """A policy as one complete TOML file, with the comments of the default policy.

    What is as in that file is written as there; other values are written as in JSON.
    """
    tables: dict[str, dict[str, Any]] = msgspec.to_builtins(policy)
    tables["language.facades"] = tables["language"].pop("facades")
    text = (bundle.folder("policies") / "strict.toml").read_text(encoding="utf-8")
    head, *rest = re.split(r"^\[(.+)\]\n", text, flags=re.MULTILINE)
    units = head.partition("\n")[2]
    parts = [f"# The policy {visible(policy.name)}, in full.\n{units}"]
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"[{name}]\n{_restated(body, tables[name])}")
    return "".join(parts).rstrip("\n")


def _restated(body: str, values: dict[str, Any]) -> str:
    """The body of a table of the default policy with other values."""
    default = tomllib.loads(body)

    def statement(found: re.Match[str]) -> str:
        key = found[1]
        if key not in values:
            return ""
        as_it_was = _line(key, default[key]) == _line(key, values[key])
        return found[0] if as_it_was else _line(key, values[key], found["note"])

    more = "".join(_line(key, value) for key, value in values.items() if key not in default)
    return f"{_STATEMENT.sub(statement, body).rstrip()}\n{more}\n"


def _line(key: str, value: Any, note: str | None = None) -> str:
    key = key if key.isidentifier() else json.dumps(key, ensure_ascii=False)
    return f"{key} = {json.dumps(value, ensure_ascii=False)}{note or ''}\n"
