"""What `recode check` does: the files found, checked, mended, shown, and the exit code."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from recode_runtime.commands import SUCCESS, UNSUCCESSFUL, WRONG_USAGE, complain
from recode_runtime.linting import summary
from recode_runtime.linting.finding_files import KINDS, shown_path, split_rows, units
from recode_runtime.linting.formats import FOR_PEOPLE, FORMATS, WITH_EDITS, written
from recode_runtime.linting.running import run
from recode_runtime.linting.settings import EXCLUDE, Finder, Overrides
from recode_runtime.linting.units import (
    FileReport,
    Kind,
    Problem,
    Result,
    Unit,
    Work,
    WrongSettings,
)
from recode_runtime.policy import Mending
from recode_runtime.wording import did_you_mean

_KINDS: tuple[Kind, ...] = ("python", "markdown", "jsonl", "reply")
_PROGRESS_FROM = 200  # programs; fewer are done before anyone looks


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; None stands for what was not said."""

    paths: tuple[str, ...]
    primitives: tuple[str, ...] | None
    variables: tuple[str, ...] | None
    outputs: tuple[str, ...] | None
    policy: str | None
    select: tuple[str, ...] | None
    ignore: tuple[str, ...] | None
    field: str | None
    row_context: bool | None
    repair: Mending
    fix: bool
    diff: bool
    output_format: str
    output_file: Path | None
    statistics: bool
    max_warnings: int | None
    quiet: bool
    config: Path | None
    isolated: bool
    stdin_filename: Path | None
    stdin_as: str | None
    jobs: int

    @property
    def overrides(self) -> Overrides:
        """The options that stand for keys of a configuration."""
        return Overrides(**{name: getattr(self, name) for name in Overrides.__struct_fields__})

    @property
    def work(self) -> Work:
        """What is done besides finding."""
        if self.fix or self.diff:
            return Work(self.repair, diff=self.diff)
        listing = self.output_format in WITH_EDITS and not self.statistics
        return Work(self.repair if listing else "none", edits=listing)


class Checks:
    """One run of `recode check`.

    Raises:
        WrongSettings, PolicyError: the options or a configuration are wrong.
    """

    def __init__(self, options: Options, *, show_settings: bool = False) -> None:
        _refuse_wrong_usage(options)
        self._options = options
        self._show_settings = show_settings
        self._finder = Finder(options.overrides, options.config, isolated=options.isolated)

    def do(self) -> int:
        """Check everything, print it, and give the exit code."""
        found, problems = self._found()
        if self._show_settings:
            for one in problems:
                complain(f"{one.path}: {one.message}")
            return WRONG_USAGE if problems and not found else self._settings(found)
        if not found and not problems:
            complain("no files were found; recode check --show-settings says what is looked for")
            if self._options.output_format in FOR_PEOPLE:
                return SUCCESS
        work = self._options.work
        with self._progress(sum(one.weight for one in found)) as told:
            reports = list(run(found, work, self._options.jobs, told))
        reports += [FileReport(one.path, problems=(one,)) for one in problems]
        code = self._show(Result(reports))
        if self._guessed and any(one.finding.code == "RC003" for one in Result(reports).located):
            complain("it was read as Python; for a model's reply, say --stdin-as reply")
        return code

    @property
    def _guessed(self) -> bool:
        """Whether nobody has said what standard input is."""
        told = self._options.stdin_as or self._options.stdin_filename or self._options.quiet
        return "-" in self._options.paths and not told

    def _found(self) -> tuple[list[Unit], list[Problem]]:
        found: list[Unit] = []
        problems: list[Problem] = []
        paths = [Path(path) for path in self._options.paths if path != "-"]
        if "-" in self._options.paths:
            found += self._from_stdin()
        for one in units(paths, self._finder):
            (problems if isinstance(one, Problem) else found).append(one)  # type: ignore[arg-type]
        return found, problems

    def _from_stdin(self) -> Iterator[Unit]:
        name = self._options.stdin_filename
        path = Path(os.path.abspath(name or "stdin"))  # noqa: PTH100 - it need not exist
        kind = self._options.stdin_as or (name and KINDS.get(name.suffix.lower())) or "python"
        context = self._finder.of(path.parent).context(path)
        shown = shown_path(path) if name else "<stdin>"
        stream = sys.stdin.buffer if sys.stdin else io.BytesIO()  # it may have been closed
        if kind == "jsonl":
            yield from split_rows(shown, stream, context)
        else:
            chosen = next(one for one in _KINDS if one == kind)
            yield Unit(shown, chosen, context, stream.read())

    def _settings(self, found: list[Unit]) -> int:
        path = Path(os.path.abspath(found[0].path if found else "."))  # noqa: PTH100 - as above
        settings = self._finder.of(path.parent if found else path)
        keys = msgspec.to_builtins(settings.merged(path))
        patterns = settings.configuration
        keys |= {"include": patterns.include, "exclude": (*EXCLUDE, *patterns.exclude)}
        head = [
            f"# for {shown_path(path)}" if found else "# no files were found",
            f"# from {settings.file or 'no configuration file'}",
        ]
        lines = [
            f"# {key} is not set" if value is None else f"{key} = {json.dumps(value)}"
            for key, value in keys.items()
        ]
        sys.stdout.write("\n".join([*head, *lines]) + "\n")
        return SUCCESS

    @contextmanager
    def _progress(self, total: int) -> Iterator[Callable[[int], None]]:
        """A bar on standard error, if that is a terminal and there is something to wait for."""
        if self._options.quiet or total < _PROGRESS_FROM or not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich.console import Console
        from rich.progress import Progress

        # Without a thread of its own: processes are forked while it shows.
        with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
            task = progress.add_task("checking", total=total)
            yield lambda done: progress.update(task, advance=done, refresh=True)

    def _show(self, result: Result) -> int:
        options = self._options
        for problem in result.problems:
            where = f"{problem.path}:{problem.line}" if problem.line else problem.path
            complain(f"{where}: {problem.message}")
        if options.diff:
            return self._show_diff(result)
        mended = [one.text for one in result.reports if one.text is not None]
        to_stdout = "-" not in options.paths or not options.fix
        if not to_stdout:
            sys.stdout.flush()
            sys.stdout.buffer.write(b"".join(mended))
        self._print(self._text(result, to_stdout=to_stdout), to_stdout=to_stdout)
        return self._code(result)

    def _text(self, result: Result, *, to_stdout: bool) -> str:
        options = self._options
        stream = sys.stdout if to_stdout else sys.stderr
        colour = options.output_file is None and summary.coloured(stream)
        if options.statistics:
            return summary.statistics(result, as_json=options.output_format == "json")
        text = written(result, options.output_format, colour=colour)
        plain = options.output_format in FOR_PEOPLE
        if plain and not options.quiet:
            text += summary.closing(result, options.repair)
        return text

    def _print(self, text: str, *, to_stdout: bool) -> None:
        file = self._options.output_file
        if file is None:
            (sys.stdout if to_stdout else sys.stderr).write(text)
            return
        try:
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as problem:
            raise WrongSettings(f"{file}: cannot be written: {problem.strerror}") from None

    def _show_diff(self, result: Result) -> int:
        diff = "".join(report.diff for report in result.reports)
        if self._options.output_file is not None:
            self._print(diff, to_stdout=True)
        elif sys.stdout.isatty():
            sys.stdout.write(summary.harmless(diff))
        else:
            # As the files are, whatever the locale: `patch` is to find the same bytes.
            sys.stdout.flush()
            sys.stdout.buffer.write(diff.encode())
        if not self._options.quiet:
            sys.stderr.write(summary.would_fix(result))
        changes = any(report.diff for report in result.reports)
        return WRONG_USAGE if result.problems else UNSUCCESSFUL if changes else SUCCESS

    def _code(self, result: Result) -> int:
        most = self._options.max_warnings
        if result.problems:
            return WRONG_USAGE
        too_many = most is not None and result.count("warning") > most
        return UNSUCCESSFUL if result.count("error") or too_many else SUCCESS


def _refuse_wrong_usage(options: Options) -> None:
    wanted = options.output_format
    if wanted not in FORMATS:
        raise WrongSettings(f"there is no format {wanted!r}{did_you_mean(wanted, FORMATS)}")
    if options.stdin_as is not None and options.stdin_as not in _KINDS:
        raise WrongSettings(
            f"--stdin-as knows no {options.stdin_as!r}{did_you_mean(options.stdin_as, _KINDS)}"
        )
    if options.diff and (options.statistics or wanted != "full"):
        raise WrongSettings("--diff shows a diff alone: no --statistics, no --output-format")
    if options.statistics and wanted not in (*FOR_PEOPLE, "json"):
        raise WrongSettings("--statistics are text, or --output-format json")
    try:
        Path.cwd()
    except FileNotFoundError:
        raise WrongSettings("the working directory is gone; change to one that is there") from None
    if options.config and options.isolated:
        raise WrongSettings("--config and --isolated exclude each other")
    if options.repair == "unsafe" and not (options.fix or options.diff or wanted in WITH_EDITS):
        raise WrongSettings("--unsafe-fixes needs --fix or --diff")
    if options.paths.count("-") > 1 or ("-" in options.paths and len(options.paths) > 1):
        raise WrongSettings("standard input is checked alone: give - and nothing else")
    if "-" not in options.paths and (options.stdin_as or options.stdin_filename):
        raise WrongSettings("--stdin-as and --stdin-filename are about standard input: give - too")
