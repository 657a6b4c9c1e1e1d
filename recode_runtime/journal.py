"""The append-only record of a run: one JSON object a line, flushed before anything else happens.

A line is `{"v":1,"seq":n,"time":...,"event":...,...}`, where the rest are the fields of one event
(`events.AnyEvent`). Lines are ASCII and written by Python's own `json`: lone surrogates and
integers of any size come back as they were, and what JSON has no word for (`NaN`, `Infinity`) is
written as that module writes it. With msgspec alone the first are refused and the last are null.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from recode_runtime.events import AnyEvent

VERSION = 1
_HEAD = {"v", "seq", "time"}


class Journal:
    """One run's record, open for writing; made by `Journal.create`.

    The name of the file without its ending is the name of the run.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        self._written = 0
        self._size = 0

    @classmethod
    def create(cls, folder: str | Path, run_id: str) -> Journal:
        """A new journal `folder/run_id.jsonl`; the folder is made if need be.

        Raises:
            FileExistsError: there is a record of that run already; it is left as it is.
            OSError: the file cannot be made; the message names it.
        """
        path = Path(folder) / f"{run_id}.jsonl"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Prompts and observations are nobody else's to read.
            descriptor = os.open(path, flags, 0o600)
        except OSError as problem:
            taken = "a journal is never overwritten"
            what = taken if path.is_file() else "the journal cannot be made"
            raise _named(problem, what, path) from None
        return cls(path, descriptor)

    def append(self, event: AnyEvent) -> None:
        """Write one event; when this returns, the operating system has it.

        Raises:
            OSError: it cannot be written (a full disk, ...); the message names the file, which
                still ends with the last whole record.
            ValueError: the journal is closed.
        """
        if self._descriptor is None:
            raise ValueError(f"the journal {self.path} is closed")
        line = _line(self._written + 1, event)
        try:
            _write(self._descriptor, line)
        except OSError as problem:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise _named(problem, "the journal cannot be written", self.path) from None
        self._written += 1
        self._size += len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more will be written; safe to call again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _named(problem: OSError, what: str, path: Path) -> OSError:
    """The same kind of error, saying what was to be done and to which file."""
    return OSError(problem.errno, f"{what}: {problem.strerror}", str(path))


def _line(number: int, event: AnyEvent) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    record = {"v": VERSION, "seq": number, "time": now, **msgspec.to_builtins(event)}
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def _write(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_events(path: str | Path) -> list[AnyEvent]:
    """Every event of a journal, in order.

    A last line that was torn by a crash is left out; nothing else is forgiven.

    Raises:
        ValueError: a line is no record of this version, or one is missing; the message names the
            file and the line.
        OSError: the file cannot be read.
    """
    path = Path(path)
    lines = path.read_bytes().split(b"\n")
    if not lines[-1]:
        lines.pop()
    events: list[AnyEvent] = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as problem:
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number}: is not JSON: {problem}") from None
        try:
            events.append(_event(number, record))
        except ValueError as problem:
            raise ValueError(f"{path}, line {number}: {problem}") from None
    return events


def _event(number: int, record: object) -> AnyEvent:
    if not isinstance(record, dict) or not record.keys() >= _HEAD:
        raise ValueError("is no record of a journal")
    if record["v"] != VERSION:
        raise ValueError(f"is of version {record['v']!r}, not {VERSION}")
    if record["seq"] != number:
        raise ValueError(f"is record {record['seq']!r}, not {number}: one is missing or moved")
    fields = {name: value for name, value in record.items() if name not in _HEAD}
    event: AnyEvent = msgspec.convert(fields, AnyEvent)
    return event


def runs_folder() -> Path:
    """Where runs are kept: `$RECODE_RUNS`, else `$XDG_STATE_HOME/recode/runs`.

    Without either it is `~/.local/state/recode/runs`. The folder need not exist.
    """
    if chosen := os.environ.get("RECODE_RUNS"):
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "recode" / "runs"


def new_run_id() -> str:
    """A fresh name for a run, such as `20261120-190301-3f9a71c2d4`.

    UTC date, time, four hex digits of the fraction of the second and six of chance: names sort by
    time, also within one second.
    """
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{rest * 65_536 // 1_000_000_000:04x}{secrets.token_hex(3)}"


def list_runs(folder: str | Path) -> list[Path]:
    """The journals in a folder, newest first; none if there is no such folder."""
    return sorted(Path(folder).glob("*.jsonl"), reverse=True)


def find_run(folder: str | Path, name: str) -> Path:
    """The journal of a run: its whole name, a prefix that only it has, "last", or a file's path.

    Raises:
        ValueError: there is none, or more than one; the message lists the nearest.
    """
    if name.endswith(".jsonl") and Path(name).is_file():
        return Path(name)
    runs = {path.stem: path for path in list_runs(folder)}
    if not runs:
        raise ValueError(f"there are no runs in {folder}")
    if name == "last":
        return next(iter(runs.values()))
    if name in runs:
        return runs[name]
    found = [run for run in runs if name and run.startswith(name)]
    if len(found) == 1:
        return runs[found[0]]
    if found:
        raise ValueError(f"{name!r} begins the names of {len(found)} runs: {_some(found)}")
    near = difflib.get_close_matches(name, runs, n=3, cutoff=0.5)
    hint = f"the nearest are {_some(near)}" if near else f"the newest are {_some(list(runs))}"
    raise ValueError(f"no run in {folder} is called {name!r}; {hint}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
