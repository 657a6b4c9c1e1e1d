"""The command line, `recode`: run a task, look at runs, check programs, read policies.

Results go to standard output, logs and errors to standard error. Exit codes: 0 success, 1 the run
ended without success, 2 wrong usage, policy or name, 3 something the run needs is not available,
130 and 143 stopped by Ctrl-C and SIGTERM.
"""

# What draws, logs or runs is imported by the command that needs it, so that --help is quick.
from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from recode_runtime import __version__, bundle, commands
from recode_runtime.audit import door as auditing
from recode_runtime.commands import (
    SUCCESS,
    UNAVAILABLE,
    UNSUCCESSFUL,
    WRONG_USAGE,
    WrongUsage,
    complain,
)
from recode_runtime.errors import LimitExceeded, PolicyError, RecodeError, SandboxUnavailable
from recode_runtime.journal import find_run, list_runs, read_events, runs_folder
from recode_runtime.linting import door as linting
from recode_runtime.policy import Policy

app = typer.Typer(
    name="recode",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Begin with: recode run --env crafting",
)
policies = typer.Typer(rich_markup_mode=None)
app.add_typer(policies, name="policy")
app.command("check")(linting.check)
app.command("rules")(linting.rules)
app.command("audit")(auditing.audit)

RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs",
        metavar="DIR",
        help="Where the journals are. Default: $RECODE_RUNS, or recode/runs in $XDG_STATE_HOME.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]


def main() -> None:
    """The entry point: does what the arguments say and exits with its code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with the stream closed
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as problem:
        # Of typer's errors this is the public one; those about usage also know their command.
        context = getattr(problem, "ctx", None)
        where = context.command_path if context else "recode"
        complain(f"{problem.format_message().rstrip('.')} (see {where} --help)")
        code = WRONG_USAGE
    except BrokenPipeError:
        # Whoever read it has gone; without this the interpreter would try to flush once more.
        sys.stdout = None
        code = UNSUCCESSFUL
    except OSError as problem:
        complain(f"the output cannot be written: {problem}")
        sys.stdout = None
        code = UNAVAILABLE
    sys.exit(code)


@contextmanager
def _told(*, verbose: bool = False) -> Iterator[None]:
    """Tells errors that the user or the operator can mend in a line or two, and exits."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (WrongUsage, RecodeError, OSError) as problem:
        if verbose:
            traceback.print_exception(problem)
        complain(str(problem))
        raise typer.Exit(_code_of(problem)) from None


def _code_of(problem: Exception) -> int:
    match problem:
        case WrongUsage() | PolicyError():
            return WRONG_USAGE
        case LimitExceeded():
            return UNSUCCESSFUL
    return UNAVAILABLE


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recode {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def recode(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Run code that language models write: ReCode's recursive expansion, safely, on the record."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@policies.callback(invoke_without_command=True)
def policy_group(context: typer.Context) -> None:
    """List, show and check policies."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def run(
    instruction: Annotated[
        str, typer.Argument(help="The task in words. An environment brings its own.")
    ] = "",
    env: Annotated[
        str | None, typer.Option(help="The world to act on: crafting, textworld-express.")
    ] = None,
    game: Annotated[
        str | None, typer.Option(help="textworld-express: which game, such as cookingworld.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same world.")] = None,
    depth: Annotated[int | None, typer.Option(help="crafting: levels of recipes, 1 to 12.")] = None,
    width: Annotated[int | None, typer.Option(help="crafting: ingredients of a recipe.")] = None,
    fold: Annotated[str | None, typer.Option(help="textworld-express: train, dev or test.")] = None,
    model: Annotated[
        str, typer.Option(help="expert, openai:NAME, or NAME together with --base-url.")
    ] = "expert",
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="An OpenAI-compatible server, such as vLLM or Ollama."),
    ] = None,
    policy: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="See: recode policy list.")
    ] = "strict",
    runs: RunsOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only the summary, not the growing tree.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every event to standard error.")
    ] = False,
) -> None:
    """Do one task, and print the tree as it grows and a summary.

    The expert, which is the default model, needs no network. Ctrl-C ends a run in good order; its
    journal stays, and `recode show last` draws it.

    \b
    Examples:
      recode run --env crafting --depth 4 --seed 1
      recode run --env textworld-express --game cookingworld --seed 3
      OPENAI_API_KEY=... recode run --env crafting --model openai:gpt-4o-mini
      recode run --env crafting --model qwen3 --base-url http://localhost:11434/v1
      recode run --env crafting --json | jq .score
    """  # noqa: D301 - click reads the backspace
    from recode_runtime import logs

    logs.set_up(verbose=verbose)
    given = {"game": game, "seed": seed, "depth": depth, "width": width, "fold": fold}
    options = {name: value for name, value in given.items() if value is not None}
    with _told(verbose=verbose):
        _check_usage(instruction, env, options)
        job = commands.Job(
            instruction, env, options, model, base_url, policy, runs or runs_folder()
        )
        raise typer.Exit(commands.Following(as_json=as_json, quiet=quiet).follow(job))


def _check_usage(instruction: str, env: str | None, options: dict[str, Any]) -> None:
    if env is None and not instruction:
        raise WrongUsage("there is nothing to do: give an instruction, or --env crafting")
    if env is None and options:
        raise WrongUsage(f"--{next(iter(options))} is an option of an environment; give --env too")
    if env is not None and instruction:
        raise WrongUsage(f"the environment {env} brings its own task; leave the instruction out")


@app.command()
def show(
    run: Annotated[str, typer.Argument(help='The name of a run, its beginning, "last", a file.')],
    runs: RunsOption = None,
    as_json: JsonOption = False,
    prompts: Annotated[
        bool, typer.Option("--prompts", help="Also every request to the model, and its reply.")
    ] = False,
) -> None:
    """Draw the tree of a run, also of one that was interrupted or killed.

    \b
    Examples:
      recode show last
      recode show 20261120-1903 --prompts
      recode show last --json > tree.json
    """  # noqa: D301 - click reads the backspace
    with _told():
        if as_json and prompts:
            raise WrongUsage("--prompts is for reading; the JSON tree holds no prompts")
        with commands.refusing():
            path = find_run(runs or runs_folder(), run)
            events = read_events(path)
            tree = commands.folded(path, events)
    if as_json:
        commands.print_json(tree.to_dict())
    else:
        commands.draw(tree, path, events if prompts else [])


@app.command("runs")
def list_of_runs(
    runs: RunsOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, at the most.")] = 20,
) -> None:
    """List runs, the newest first."""
    from recode_runtime.report import runs_table

    folder = runs or runs_folder()
    rows = [commands.row(path) for path in list_runs(folder)[:limit]]
    if as_json:
        commands.print_json(rows)
    elif rows:
        commands.console().print(runs_table(rows))
    else:
        typer.echo(f"no runs in {folder}; begin with: recode run --env crafting")


@app.command()
def doctor(
    policy: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Whose requirements must be met.")
    ] = "strict",
    as_json: JsonOption = False,
) -> None:
    """Say what this machine gives the sandbox, layer by layer, measured by trying.

    It opens sessions with every layer of the wall, and has a program try to get out of them. What
    does not hold comes with the kernel's reason and the remedy. The exit code is 1 if the policy
    requires what this machine does not give.

    \b
    Examples:
      recode doctor
      recode doctor --policy hardened
      recode doctor --json | jq '.layers[] | select(.holds | not)'
    """  # noqa: D301 - click reads the backspace
    from recode_runtime.doctor import drawn, examined

    with _told():
        found = asyncio.run(examined(Policy.of(policy)))
    if as_json:
        commands.print_json(found.to_dict())
    else:
        commands.console().print(drawn(found))
    raise typer.Exit(SUCCESS if found.is_met else UNSUCCESSFUL)


@policies.command("list")
def list_policies() -> None:
    """The names of the policies that ship with the package."""
    with _told():
        for path in sorted(bundle.folder("policies").glob("*.toml")):
            typer.echo(path.stem)


@policies.command("check")
def check_policies(
    files: Annotated[list[str], typer.Argument(help="Policy files, or names of policies.")],
) -> None:
    """Say whether policies are right and this machine can give what they ask for.

    Each is tried on a sandbox of its own. The exit code is 2 if one is not right.
    """
    with _told():
        right = [_is_right(file) for file in files]
    raise typer.Exit(SUCCESS if all(right) else WRONG_USAGE)


def _is_right(file: str) -> bool:
    """Whether a policy is right; says so, or what is not."""
    try:
        commands.try_policy(file)
    except (PolicyError, SandboxUnavailable) as problem:
        first, *more = str(problem).splitlines()
        if "Traceback" in first:  # of a guest that did not open; its last line tells why
            first, more = f"{first.partition('Traceback')[0]}{more[-1]}", []
        complain(first if first.startswith(f"{file}: ") else f"{file}: {first}")
        for line in more:
            typer.echo(line, err=True)
        return False
    typer.echo(f"{file}: ok")
    return True


@policies.command("show")
def show_policy(
    policy: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A name or a TOML file.")],
) -> None:
    """Print a policy in full, as TOML, with all that it extends."""
    with _told():
        typer.echo(commands.toml(Policy.of(policy)))
