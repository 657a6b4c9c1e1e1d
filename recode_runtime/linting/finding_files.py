"""Which files are checked, and as what: the arguments of the command line as units of work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from recode_runtime.linting.settings import Finder
from recode_runtime.linting.units import Context, Kind, Problem, Unit

KINDS: dict[str, Kind] = {
    ".py": "python",
    ".md": "markdown",
    ".markdown": "markdown",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "reply",
}
_ROWS = 200  # of a JSONL file in one unit


def units(arguments: Iterable[Path], finder: Finder) -> Iterator[Unit | Problem]:
    """The files named, and those found in the folders named, each once.

    A file that is named is checked whatever the patterns say. Large JSONL files come in parts.
    """
    met: set[Path] = set()
    for argument in arguments:
        for path in _files(argument, finder):
            if isinstance(path, Problem):
                yield path
                continue
            absolute = Path(os.path.abspath(path))  # noqa: PTH100 - a link is its own file
            if absolute not in met:
                met.add(absolute)
                yield from _units(path, absolute, finder)


def _files(argument: Path, finder: Finder) -> Iterator[Path | Problem]:
    try:
        if argument.is_dir():
            yield from _searched(argument, finder)
        elif argument.exists():
            yield argument
        else:
            yield Problem(shown_path(argument), "there is no such file or folder")
    except OSError as problem:
        where = shown_path(Path(problem.filename or argument))
        yield Problem(where, f"cannot be read: {problem.strerror}")


def _searched(folder: Path, finder: Finder) -> Iterator[Path | Problem]:
    """The files in a folder that the patterns want, sorted by name, folders in between."""
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError as problem:  # the folders beside it are searched all the same
        yield Problem(shown_path(folder), f"cannot be read: {problem.strerror}")
        return
    settings = finder.of(Path(os.path.abspath(folder)))  # noqa: PTH100 - as above
    for entry in entries:
        path = Path(entry.path)
        if settings.excluded(Path(os.path.abspath(path))):  # noqa: PTH100 - as above
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _searched(path, finder)
        elif entry.is_file() and settings.included(Path(os.path.abspath(path))):  # noqa: PTH100
            yield path


def _units(path: Path, absolute: Path, finder: Finder) -> Iterator[Unit | Problem]:
    name = shown_path(absolute)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        yield Problem(
            name,
            f"is no kind of file that is checked ({', '.join(KINDS)}); "
            "give it to standard input and say what it is: recode check - --stdin-as reply < FILE",
        )
        return
    context = finder.of(absolute.parent).context(absolute)
    if kind == "jsonl":
        yield from _rows(path, name, context)
    else:
        yield Unit(name, kind, context)


def _rows(path: Path, name: str, context: Context) -> Iterator[Unit | Problem]:
    try:
        with path.open("rb") as file:
            yield from split_rows(name, file, context)
    except OSError as problem:
        yield Problem(name, f"cannot be read: {problem.strerror}")


def split_rows(name: str, lines: Iterable[bytes], context: Context) -> Iterator[Unit]:
    """The rows of a JSONL file in parts of some hundred; one part at least."""
    rows: list[bytes] = []
    first = 1
    for row in lines:
        rows.append(row)
        if len(rows) == _ROWS:
            yield Unit(name, "jsonl", context, b"".join(rows), first, len(rows))
            first, rows = first + len(rows), []
    if rows or first == 1:
        yield Unit(name, "jsonl", context, b"".join(rows), first, max(1, len(rows)))


def shown_path(path: Path) -> str:
    """A path as it is shown: from the working directory on where it is in there."""
    here = os.getcwd()  # noqa: PTH109 - compared as text
    absolute = os.path.abspath(path)  # noqa: PTH100 - links stay as they are
    inside = absolute.startswith(here.rstrip("/") + "/")
    return Path(os.path.relpath(absolute, here) if inside else absolute).as_posix()
