"""`recode audit`: the options, and what becomes of them."""

# Annotations are read by typer at run time.
from pathlib import Path
from typing import Annotated

import typer

from recode_runtime.commands import INTERRUPTED, UNAVAILABLE, WRONG_USAGE, complain
from recode_runtime.errors import RecodeError, SandboxUnavailable

PolicyOption = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="What is audited. See: recode policy list.")
]
CorpusOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE.jsonl", help="Cases of your own, in place of those shipped."),
]
ClassOption = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="CLASS", help="Only this class of cases, or several."),
]
CaseOption = Annotated[
    list[str] | None, typer.Option("--case", metavar="ID", help="Only this case, or several.")
]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=0, help="Runs at once; 0 stands for all cores.")
]
JsonOption = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Every run as JSON; - prints that alone."),
]
NoUnfilteredOption = Annotated[
    bool, typer.Option("--no-unfiltered", help="Leave out the runs with the language's filter off.")
]
AsIsOption = Annotated[
    bool, typer.Option("--as-is", help="Give statements the policy's time, not at most 1 s.")
]
ControlOption = Annotated[
    bool,
    typer.Option(
        "--control", help="Instead, show on plain CPython which cases are attacks. Not isolated!"
    ),
]


def audit(
    policy: PolicyOption = "strict",
    corpus: CorpusOption = None,
    of_class: ClassOption = None,
    case: CaseOption = None,
    jobs: JobsOption = 0,
    json: JsonOption = None,
    no_unfiltered: NoUnfilteredOption = False,
    as_is: AsIsOption = False,
    control: ControlOption = False,
) -> None:
    """Attack a policy and the sandbox on this machine, and print what held.

    Each case of the corpus runs in a session of its own, and once more with the language's filter
    off, so that the kernel's wall alone must hold. An escape is seen by canaries: secrets in the
    host's environment, memory and files, and sockets that nobody else touches. The column gate
    counts the cases of which the grammar says what they expect.

    Exit codes: 0 everything held, 1 a case escaped, hung, brought a host down or went wrong, 2
    wrong usage, policy or corpus, 3 the policy's sandbox is not to be had on this machine.

    \b
    Examples:
      recode audit
      recode audit --policy mine.toml --json audit.json
      recode audit --class import --class os-network --jobs 4
      recode audit --corpus cases.jsonl --case attr-001
      recode audit --control
    """  # noqa: D301 - click reads the backspace
    # Loaded here, so that --help does not load the parsers.
    from recode_runtime.audit.auditing import Audit, Options

    options = Options(
        policy=policy,
        corpus=corpus,
        classes=tuple(of_class or ()),
        cases=tuple(case or ()),
        jobs=jobs,
        json=json,
        unfiltered=not no_unfiltered,
        as_is=as_is,
        control=control,
    )
    try:
        code = Audit(options).do()
    except (RecodeError, OSError) as problem:
        complain(str(problem))
        unavailable = isinstance(problem, SandboxUnavailable | OSError)
        code = UNAVAILABLE if unavailable else WRONG_USAGE
    except KeyboardInterrupt:
        complain("interrupted")
        code = INTERRUPTED
    raise typer.Exit(code)
