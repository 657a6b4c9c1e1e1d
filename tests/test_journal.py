"""The journal: what it promises to keep, and how it is found again."""

from __future__ import annotations

import errno
import json
import math
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from example_run import RUN, example_events
from fuzzing import examples
from recode_runtime.events import (
    AnyEvent,
    CallAnswered,
    CallSent,
    ModelReplied,
    NodeStarted,
)
from recode_runtime.journal import (
    Journal,
    find_run,
    list_runs,
    new_run_id,
    read_events,
    runs_folder,
)


def written(folder: Path, events: list[AnyEvent], run: str = RUN) -> Path:
    """The path of a closed journal that holds these events."""
    journal = Journal.create(folder, run)
    for event in events:
        journal.append(event)
    journal.close()
    return journal.path


def test_every_event_comes_back_as_it_was(tmp_path: Path) -> None:
    """Reading a journal gives the events that were written, in order."""
    assert read_events(written(tmp_path, example_events())) == example_events()


def test_a_line_is_a_json_object_with_version_number_time_and_event(tmp_path: Path) -> None:
    """The form of a record, exactly; only the time differs from run to run."""
    path = written(tmp_path / "new" / "folder", [NodeStarted("0"), NodeStarted("0.1")])
    assert path == tmp_path / "new" / "folder" / f"{RUN}.jsonl"
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first.pop("time") < second.pop("time")
    assert first == {"v": 1, "seq": 1, "event": "node.start", "node": "0"}
    assert second == {"v": 1, "seq": 2, "event": "node.start", "node": "0.1"}


def test_the_time_is_utc_in_iso_form(tmp_path: Path) -> None:
    """Microseconds and the offset are always there, so that times sort as text."""
    (line,) = written(tmp_path, [NodeStarted("0")]).read_text().splitlines()
    time = json.loads(line)["time"]
    assert len(time) == len("2026-11-20T19:03:01.000000+00:00")
    assert time.endswith("+00:00")


def test_an_event_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    """Another reader sees it before anything else happens; no close is needed."""
    journal = Journal.create(tmp_path, RUN)
    journal.append(NodeStarted("0"))
    assert read_events(journal.path) == [NodeStarted("0")]
    journal.close()


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    """A second journal of that name is refused, and the first is as it was."""
    path = written(tmp_path, example_events())
    before = path.read_bytes()
    with pytest.raises(FileExistsError) as caught:
        Journal.create(tmp_path, RUN)
    assert str(caught.value) == (
        f"[Errno {errno.EEXIST}] a journal is never overwritten: File exists: '{path}'"
    )
    assert path.read_bytes() == before


def test_a_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Prompts and observations are nobody else's to read."""
    path = written(tmp_path, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error says what was to be done, and where."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as caught:
        Journal.create(tmp_path / "file" / "runs", RUN)
    assert str(caught.value) == (
        f"[Errno {errno.ENOTDIR}] the journal cannot be made: Not a directory: "
        f"'{tmp_path}/file/runs/{RUN}.jsonl'"
    )


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    """Closing twice is harmless; writing afterwards is a mistake that is told."""
    journal = Journal.create(tmp_path, RUN)
    journal.close()
    journal.close()
    with pytest.raises(ValueError, match=r"\.jsonl is closed$"):
        journal.append(NodeStarted("0"))


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_leaves_whole_records(tmp_path: Path) -> None:
    """The error names the file, half a line is taken back, and later records follow on."""
    journal = Journal.create(tmp_path, RUN)
    journal.append(NodeStarted("0"))
    caught = None
    with largest_file(200):
        try:
            journal.append(NodeStarted("x" * 400))
        except OSError as problem:
            caught = problem
    journal.append(NodeStarted("0.1"))
    journal.close()
    assert str(caught) == (
        f"[Errno {errno.EFBIG}] the journal cannot be written: File too large: '{journal.path}'"
    )
    assert read_events(journal.path) == [NodeStarted("0"), NodeStarted("0.1")]


def test_text_that_is_no_unicode_is_kept(tmp_path: Path) -> None:
    """Lone surrogates, NUL, newlines and line separators come back as they were, on one line."""
    text = "\ud800 \x00 \n \u2028 \u202e \U0001f600"
    path = written(tmp_path, [ModelReplied("0", 1, text)])
    assert read_events(path) == [ModelReplied("0", 1, text)]
    assert path.read_bytes().isascii()
    assert path.read_bytes().count(b"\n") == 1


def test_numbers_that_json_does_not_know_are_kept(tmp_path: Path) -> None:
    """Integers beyond 64 bits, infinities and not-a-number are not rounded and not dropped."""
    value = {"large": 2**200, "infinite": -math.inf, "none": math.nan}
    (event,) = read_events(written(tmp_path, [CallAnswered("0", "k", value)]))
    assert isinstance(event, CallAnswered)
    assert (event.value["large"], event.value["infinite"]) == (2**200, -math.inf)
    assert math.isnan(event.value["none"])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


@pytest.mark.fuzz
@settings(max_examples=examples(100), deadline=1_000)
@given(value=anything, text=st.text(st.characters()))
def test_any_value_and_any_text_come_back(
    tmp_path_factory: pytest.TempPathFactory, value: object, text: str
) -> None:
    """Whatever JSON can say, and any text, survives the journal unchanged."""
    events = [CallSent("0", "k", "run", (value,), {"a": text}), CallAnswered("0", "k", value, text)]
    assert read_events(written(tmp_path_factory.mktemp("runs"), events)) == events


@pytest.mark.parametrize("cut", [1, 2, 20, 60])
def test_a_torn_last_line_is_left_out(tmp_path: Path, cut: int) -> None:
    """A run that was killed while it wrote keeps the rest; a missing newline costs nothing."""
    events: list[AnyEvent] = [NodeStarted("0"), NodeStarted("0.1"), NodeStarted("0.1.1")]
    path = written(tmp_path, events)
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_events(path) == (events if cut == 1 else events[:2])


def test_a_journal_without_a_whole_line_has_no_events(tmp_path: Path) -> None:
    """Killed at once, or while writing the first line: nothing to read, and no error."""
    path = tmp_path / "a.jsonl"
    for content in (b"", b'{"v":1,"se'):
        path.write_bytes(content)
        assert read_events(path) == []


GOOD = '{"v":1,"seq":1,"time":"t","event":"node.start","node":"0"}\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"v":1,"se', "is not JSON: Unterminated string starting at: line 1 column 8 (char 7)"),
        ("[" * 100_000, "is not JSON: maximum recursion depth exceeded"),
        ("[]", "is no record of a journal"),
        ('{"v":1,"seq":2}', "is no record of a journal"),
        (GOOD.replace('"v":1', '"v":2').strip(), "is of version 2, not 1"),
        (GOOD.strip(), "is record 1, not 2: one is missing or moved"),
        (
            GOOD.replace('"seq":1', '"seq":2').replace("node.start", "node.sleep").strip(),
            "Invalid value 'node.sleep' - at `$.event`",
        ),
        (
            GOOD.replace('"seq":1', '"seq":2').replace('"0"', "0").strip(),
            "Expected `str`, got `int` - at `$.node`",
        ),
    ],
    ids=["torn", "deep", "list", "no time", "version", "order", "event", "field"],
)
def test_a_bad_line_before_the_last_is_refused_by_number(
    tmp_path: Path, line: str, message: str
) -> None:
    """Damage inside a record is never passed over; the message names the file and the line."""
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}{line}\n{GOOD}")
    with pytest.raises(ValueError) as caught:
        read_events(path)
    assert str(caught.value).startswith(f"{path}, line 2: {message}")


def test_a_last_line_that_is_json_but_no_record_is_refused(tmp_path: Path) -> None:
    """Only a torn line is forgiven: one that is whole and wrong is not."""
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD + GOOD)
    with pytest.raises(ValueError, match=r"line 2: is record 1, not 2"):
        read_events(path)


def test_the_folder_of_runs_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """RECODE_RUNS before XDG_STATE_HOME before ~/.local/state; an empty value counts as none."""
    monkeypatch.setenv("RECODE_RUNS", "/a")
    monkeypatch.setenv("XDG_STATE_HOME", "/b")
    monkeypatch.setenv("HOME", "/home/c")
    assert runs_folder() == Path("/a")
    monkeypatch.setenv("RECODE_RUNS", "")
    assert runs_folder() == Path("/b/recode/runs")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert runs_folder() == Path("/home/c/.local/state/recode/runs")


def test_names_of_runs_are_dates_and_sort_by_time() -> None:
    """The form is YYYYMMDD-HHMMSS-xxxxxxxxxx; a later run has a later name, and never the same."""
    names = [new_run_id() for _ in range(20)]
    assert len(set(names)) == 20
    stems = [name[:-6] for name in names]
    assert stems == sorted(stems)
    date, time, rest = names[0].split("-")
    assert (len(date), len(time), len(rest)) == (8, 6, 10)
    assert (date + time).isdigit()
    assert int(rest, 16) >= 0


RUNS = ("20261119-080000-aa000000", "20261120-090000-ab000000", "20261120-100000-ac000000")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three runs, and a file that is none."""
    for name in RUNS:
        written(tmp_path, [NodeStarted("0")], name)
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


def test_runs_are_listed_newest_first(folder: Path) -> None:
    """Only journals are listed; a folder that does not exist holds none."""
    assert [path.stem for path in list_runs(folder)] == list(reversed(RUNS))
    assert list_runs(folder / "missing") == []


@pytest.mark.parametrize(
    ("name", "found"),
    [(RUNS[0], RUNS[0]), ("20261119", RUNS[0]), ("20261120-1", RUNS[2]), ("last", RUNS[2])],
)
def test_a_run_is_found_by_name_prefix_or_last(folder: Path, name: str, found: str) -> None:
    """A whole name, a prefix that only one run has, and the word last."""
    assert find_run(folder, name) == folder / f"{found}.jsonl"


def test_a_run_is_found_by_the_path_of_its_journal(folder: Path, tmp_path: Path) -> None:
    """A journal need not lie in the folder of runs."""
    path = folder / f"{RUNS[0]}.jsonl"
    assert find_run(tmp_path / "elsewhere", str(path)) == path


def test_the_whole_name_wins_over_longer_names(tmp_path: Path) -> None:
    """A run whose name begins that of another can still be named."""
    for name in ("tea", "teapot"):
        written(tmp_path, [], name)
    assert find_run(tmp_path, "tea") == tmp_path / "tea.jsonl"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("20261120", f"'20261120' begins the names of 2 runs: {RUNS[2]}, {RUNS[1]}"),
        (
            "20261119-080000-bb000000",
            "no run in {folder} is called '20261119-080000-bb000000'; the nearest are " + RUNS[0],
        ),
        ("tea", "no run in {folder} is called 'tea'; the newest are " + ", ".join(RUNS[::-1])),
        ("", "no run in {folder} is called ''; the newest are " + ", ".join(RUNS[::-1])),
    ],
)
def test_a_name_that_is_not_clear_lists_the_nearest(folder: Path, name: str, message: str) -> None:
    """The message helps to name the run that was meant."""
    with pytest.raises(ValueError) as caught:
        find_run(folder, name)
    assert str(caught.value).startswith(message.format(folder=folder))


def test_an_empty_folder_is_told_as_such(tmp_path: Path) -> None:
    """Before the first run there is nothing to be near to."""
    with pytest.raises(ValueError) as caught:
        find_run(tmp_path, "last")
    assert str(caught.value) == f"there are no runs in {tmp_path}"
