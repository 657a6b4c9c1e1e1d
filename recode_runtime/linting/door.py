"""`recode check` and `recode rules`: the options, and what becomes of them."""

# Annotations are read by typer at run time.
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from recode_runtime.commands import INTERRUPTED, TERMINATED, WRONG_USAGE, complain
from recode_runtime.errors import RecodeError
from recode_runtime.linting.formats import FORMATS

PathsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILES|FOLDERS|-]",
        help="What to check; - is standard input. Default: this folder.",
    ),
]
PrimitiveOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="What programs may call: run, the default, or 'go(place: str)'."
    ),
]
VariableOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Bound before a program runs. Untold: all that it reads."),
]
OutputOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="What a program promised to bind (a report: -o)."),
]
PolicyOption = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE", help="Limits, language and levels. Default: strict."),
]
SelectOption = Annotated[
    list[str] | None,
    typer.Option(metavar="CODES", help="Only these codes or prefixes, such as RC1,RC310."),
]
IgnoreOption = Annotated[
    list[str] | None, typer.Option(metavar="CODES", help="All but these codes or prefixes.")
]
FieldOption = Annotated[
    str | None, typer.Option(help="JSONL: where the reply is, such as messages.-1.content.")
]
NoRowContextOption = Annotated[
    bool,
    typer.Option(
        "--no-row-context", help="JSONL: leave a row's primitives, variables, outputs unread."
    ),
]
FixOption = Annotated[bool, typer.Option("--fix", help="Make the safe repairs.")]
UnsafeFixesOption = Annotated[
    bool, typer.Option("--unsafe-fixes", help="With --fix or --diff: the unsafe ones too.")
]
DiffOption = Annotated[
    bool, typer.Option("--diff", help="Show what --fix would change, and change nothing.")
]
OutputFormatOption = Annotated[
    str, typer.Option(metavar="FORMAT", help=f"One of: {', '.join(FORMATS)}.")
]
OutputFileOption = Annotated[
    Path | None,
    typer.Option("--output-file", "-o", metavar="FILE", help="Write the findings there."),
]
StatisticsOption = Annotated[
    bool, typer.Option("--statistics", help="Only how often each code was found.")
]
MaxWarningsOption = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="More warnings than this are a failure.")
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Findings only: no summary, no progress.")
]
ConfigOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="This configuration for all files.")
]
IsolatedOption = Annotated[
    bool, typer.Option("--isolated", help="Leave all configuration files unread.")
]
ShowSettingsOption = Annotated[
    bool, typer.Option("--show-settings", help="Show what the first file is judged by.")
]
StdinFilenameOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="With -: the name of standard input.")
]
StdinAsOption = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="With -: python, markdown, jsonl or reply. Default: by its name, else python.",
    ),
]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=0, help="Processes; 0 stands for all cores.")
]


def check(
    paths: PathsArgument = None,
    primitive: PrimitiveOption = None,
    variable: VariableOption = None,
    output: OutputOption = None,
    policy: PolicyOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    field: FieldOption = None,
    no_row_context: NoRowContextOption = False,
    fix: FixOption = False,
    unsafe_fixes: UnsafeFixesOption = False,
    diff: DiffOption = False,
    output_format: OutputFormatOption = "full",
    output_file: OutputFileOption = None,
    statistics: StatisticsOption = False,
    max_warnings: MaxWarningsOption = None,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    show_settings: ShowSettingsOption = False,
    stdin_filename: StdinFilenameOption = None,
    stdin_as: StdinAsOption = None,
    jobs: JobsOption = 0,
) -> None:
    """Check programs in Python files, Markdown fences and JSONL of model replies; run nothing.

    Exit codes: 0 no errors (warnings may be there), 1 errors were found, 2 wrong usage,
    configuration, or a file that cannot be read. The settings are read from recode.toml or
    [tool.recode] in pyproject.toml, the nearest above each file.

    \b
    Examples:
      recode check plans --primitive 'go(place: str)' --variable obs
      recode check replies.jsonl --field choices.0.message.content --statistics
      recode check plans --fix
      recode check - --stdin-as reply < reply.txt
    """  # noqa: D301 - click reads the backspace
    # Loaded here, so that --help does not load the parsers.
    from recode_runtime.linting.checks import Checks, Options

    options = Options(
        paths=tuple(paths or (".",)),
        primitives=_listed(primitive),
        variables=_split(variable),
        outputs=_split(output),
        policy=policy,
        select=_split(select),
        ignore=_split(ignore),
        field=field,
        row_context=False if no_row_context else None,
        repair="unsafe" if unsafe_fixes else "safe",
        fix=fix,
        diff=diff,
        output_format=output_format,
        output_file=output_file,
        statistics=statistics,
        max_warnings=max_warnings,
        quiet=quiet,
        config=config,
        isolated=isolated,
        stdin_filename=stdin_filename,
        stdin_as=stdin_as,
        jobs=jobs,
    )
    raise typer.Exit(_told(lambda: Checks(options, show_settings=show_settings).do()))


def rules(
    code: Annotated[
        str | None, typer.Argument(help="Such as RC110, or RC1 for all that begin so.")
    ] = None,
    output_format: Annotated[str, typer.Option(metavar="FORMAT", help="text or json.")] = "text",
) -> None:
    """List the rules, or print the page of one: what it refuses, why, and what to use instead.

    \b
    Examples:
      recode rules
      recode rules RC110
      recode rules RC2
      recode rules --output-format json
    """  # noqa: D301 - click reads the backspace
    from recode_runtime.linting.listing import listed

    raise typer.Exit(_told(lambda: listed(code, output_format)))


def _told(action: Callable[[], int]) -> int:
    """The exit code of an action; what the user can mend is told in a line."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        return action()
    except RecodeError as problem:
        complain(str(problem))
        return WRONG_USAGE
    except _Terminated:
        return TERMINATED
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came; the processes that were begun end with this one."""


def _terminate(*_: object) -> None:
    raise _Terminated


def _listed(texts: list[str] | None) -> tuple[str, ...] | None:
    return tuple(texts) if texts else None


def _split(texts: list[str] | None) -> tuple[str, ...] | None:
    """An option that may be given several times, and with commas."""
    if not texts:
        return None
    return tuple(one.strip() for text in texts for one in text.split(",") if one.strip())
