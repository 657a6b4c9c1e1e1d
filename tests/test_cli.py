"""The command line as users meet it: real processes, exact texts and exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest

from command_line import RECODE, Answer, recode
from example_run import RUN, example_events, example_tree
from recode_runtime import __version__, bundle
from recode_runtime.events import AnyEvent, ModelReplied, NodeStarted
from recode_runtime.journal import Journal
from recode_runtime.policy import Policy
from recode_runtime.report import to_text
from recode_runtime.tree import Tree


def keep(runs: Path, name: str = RUN, events: list[AnyEvent] | None = None) -> Path:
    """A journal in the folder of runs; of the example run if nothing else is said."""
    journal = Journal.create(runs, name)
    for event in example_events() if events is None else events:
        journal.append(event)
    journal.close()
    return journal.path


def test_without_arguments_the_help_is_shown() -> None:
    """A first look costs nothing and is no error."""
    answer = recode()
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == recode("--help").out
    assert answer.out.startswith("Usage: recode [OPTIONS] COMMAND [ARGS]...\n")
    assert answer.out.endswith("Begin with: recode run --env crafting\n")


def test_the_version_is_shown() -> None:
    """`recode --version` says which release this is."""
    assert recode("--version") == Answer(0, f"recode {__version__}\n", "")


@pytest.mark.parametrize(
    ("command", "example"),
    [
        (["run"], "    recode run --env crafting --depth 4 --seed 1\n"),
        (["show"], "    recode show 20261120-1903 --prompts\n"),
        (["doctor"], "    recode doctor --policy hardened\n"),
    ],
)
def test_the_help_of_a_command_teaches_by_example(command: list[str], example: str) -> None:
    """Examples stand on lines of their own, ready to be copied."""
    answer = recode(*command, "--help")
    assert answer.code == 0
    assert example in answer.out


def test_the_help_does_not_load_what_only_a_run_needs() -> None:
    """Neither the parser nor the drawing nor the logs are imported for a help text."""
    heavy = {"libcst", "rich", "structlog", "openai", "recode_runtime.supervisor"}
    code = (
        "import sys, atexit; from recode_runtime.cli import main\n"
        f"atexit.register(lambda: print(sorted({heavy!r} & set(sys.modules))))\n"
        "sys.argv = ['recode', '--help']; main()"
    )
    python = str(Path(RECODE).parent / "python")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frob"], "No such command 'frob' (see recode --help)"),
        (["run", "--frob"], "No such option: --frob"),
        (["show"], "Missing argument 'run' (see recode show --help)"),
        (["runs", "--limit", "0"], "Invalid value for '--limit': "),
        (["run"], "there is nothing to do: give an instruction, or --env crafting"),
        (["run", "tea", "--seed", "1"], "--seed is an option of an environment; give --env too"),
        (
            ["run", "tea", "--env", "crafting"],
            "the environment crafting brings its own task; leave the instruction out",
        ),
        (
            ["run", "tea", "--model", "expert"],
            "there is no expert here: name an environment that has one, or a model",
        ),
        (["run", "--env", "crafting", "--depth", "99"], "depth must be from 1 to 12, not 99"),
        (["show", "last", "--json", "--prompts"], "--prompts is for reading; the JSON tree holds"),
    ],
)
def test_wrong_usage_is_told_in_a_line(arguments: list[str], message: str) -> None:
    """Exit code 2, nothing on standard output, one line that says what is wrong."""
    answer = recode(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {message}")
    assert answer.err.count("\n") == 1


def test_an_unknown_environment_lists_the_known(runs: Path) -> None:
    """The names of the environments are in the message, and no journal is left behind."""
    answer = recode("run", "--env", "nowhere")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("recode: ")
    assert {"crafting", "textworld-express"} <= set(answer.err.replace(",", " ").split())
    assert not runs.exists()


def test_an_unknown_model_lists_the_forms() -> None:
    """What a model may be called is in the message."""
    answer = recode("run", "--env", "crafting", "--model", "gpt")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("recode: no model is called 'gpt'; the forms are:\n")


def test_a_wrong_policy_names_the_file_and_the_key(tmp_path: Path) -> None:
    """The message of the policy is passed on as it is; nothing was started."""
    file = tmp_path / "mine.toml"
    file.write_text('extends = "strict"\n[supervisor]\ndeth = 3\n')
    answer = recode("run", "--env", "crafting", "--policy", file)
    assert answer == Answer(
        2, "", f"recode: {file}: unknown key [supervisor] deth; did you mean 'depth'?\n"
    )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A journal that cannot be made is a machine that cannot serve: exit code 3."""
    (tmp_path / "file").write_text("")
    answer = recode("run", "--env", "crafting", "--runs", tmp_path / "file")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("recode: [Errno 17] the journal cannot be made: File exists: '")
    assert answer.err.count("\n") == 1


def test_show_draws_a_run(runs: Path) -> None:
    """The tree and the summary with the journal's path, under the run's name or its beginning."""
    path = keep(runs)
    drawing = to_text(example_tree()).split("╭")[0]
    answer = recode("show", RUN)
    assert (answer.code, answer.err) == (0, "")
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines[: drawing.count("\n")] == drawing.splitlines()
    folded = [line.strip("│ ") for line in lines[-5:-1]]
    assert "".join(folded).endswith(f"journal  {path}")
    assert recode("show", "2026") == answer == recode("show", "last") == recode("show", path)


def test_show_prints_the_tree_as_json(runs: Path) -> None:
    """Standard output is the tree and nothing else."""
    keep(runs)
    answer = recode("show", "last", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert Tree.from_json(answer.out) == example_tree()


def test_show_prints_the_prompts_and_replies(runs: Path) -> None:
    """The exact texts of the exchanges stand between the tree and the summary."""
    keep(runs)
    answer = recode("show", "last", "--prompts")
    lines = [line.rstrip() for line in answer.out.splitlines()]
    first = lines.index("--- 0, attempt 1: user")
    assert lines[first : first + 5] == [
        "--- 0, attempt 1: user",
        "expand 0",
        "--- 0, attempt 1: reply",
        "for i in range(3):",
        "    dig()",
    ]


def test_show_draws_a_run_that_was_killed(runs: Path) -> None:
    """A torn last line and a missing end are no errors; what is known is shown."""
    path = keep(runs, events=example_events()[:-4])
    path.write_bytes(path.read_bytes()[:-9])
    answer = recode("show", "last")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("▸ solve(instruction, observation)  (running, depth 0)")
    assert "╭─ no end recorded ─" in answer.out


def test_show_survives_text_that_is_no_unicode(runs: Path) -> None:
    """A lone surrogate is printed as an escape, in the drawing and in JSON."""
    events = example_events()
    events[0] = msgspec.structs.replace(events[0], instruction="\ud800 \x1b[2J")
    events.insert(1, ModelReplied("0", 9, "\ud800"))
    keep(runs, events=events[:1])
    assert r"\ud800 \x1b[2J" in recode("show", "last").out
    assert json.loads(recode("show", "last", "--json").out)["instruction"] == "\ud800 \x1b[2J"


def test_show_names_the_nearest_run(runs: Path) -> None:
    """A run that is not there is wrong usage; the message helps."""
    keep(runs)
    answer = recode("show", "20261120-190301-3f9a71c3")
    assert answer == Answer(
        2,
        "",
        f"recode: no run in {runs} is called '20261120-190301-3f9a71c3'; the nearest are {RUN}\n",
    )


def test_show_names_the_place_of_a_damage(runs: Path) -> None:
    """The file and the line are told; so is a record that makes no tree."""
    path = keep(runs)
    path.write_text("{\n" + path.read_text())
    answer = recode("show", "last")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {path}, line 1: is not JSON: ")
    path.unlink()
    path = keep(runs, events=example_events()[1:])
    answer = recode("show", "last")
    assert answer == Answer(2, "", f"recode: {path}: the record has no start of a run\n")
    path.unlink()
    keep(runs, events=[*example_events()[:2], NodeStarted("7")])
    answer = recode("show", "last")
    assert answer == Answer(2, "", f"recode: {path}: the record speaks of '7' before it began\n")


def test_runs_are_listed_newest_first(runs: Path) -> None:
    """Name, environment, model, status, score and nodes; a broken journal is listed too."""
    keep(runs)
    keep(runs, "20261121-000000-00000000", example_events()[:3])
    (runs / "20261122-000000-00000000.jsonl").write_text("nonsense\n{}\n")
    answer = recode("runs")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split() for line in answer.out.splitlines()] == [
        ["id", "environment", "model", "status", "score", "nodes"],
        ["20261122-000000-00000000", "unreadable"],
        ["20261121-000000-00000000", "garden", "expert", "no", "end", "recorded", "1"],
        [RUN, "garden", "expert", "success", "1.00", "8"],
    ]


def test_runs_are_listed_as_json(runs: Path) -> None:
    """The same facts for programs; `--limit` keeps the newest."""
    keep(runs)
    keep(runs, "20261119-000000-00000000")
    row = {
        "id": RUN,
        "when": "2026-11-20T19:03:01+00:00",
        "environment": "garden",
        "model": "expert",
        "status": "success",
        "score": 1.0,
        "nodes": 8,
    }
    assert json.loads(recode("runs", "--json", "--limit", "1").out) == [row]
    other = row | {"id": "20261119-000000-00000000"}
    assert json.loads(recode("runs", "--json").out) == [row, other]


def test_a_folder_without_runs_says_how_to_begin(runs: Path, tmp_path: Path) -> None:
    """No runs is no error; in JSON it is an empty list."""
    assert recode("runs") == Answer(
        0, f"no runs in {runs}; begin with: recode run --env crafting\n", ""
    )
    assert recode("runs", "--json", "--runs", tmp_path / "none") == Answer(0, "[]\n", "")


def test_a_reader_that_leaves_is_no_error(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recode show | head` ends quietly."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # it loses the error of a torn write
    big = [*example_events()[:3], *(ModelReplied("0", 1, "x" * 9000) for _ in range(100))]
    keep(runs, events=big)
    with subprocess.Popen(
        [RECODE, "show", "last", "--prompts"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert (process.stderr.read(), process.wait(20)) == (b"", 1)


def test_the_shipped_policies_are_listed_and_right() -> None:
    """Every name that `policy list` prints passes `policy check`, if the machine has its layers.

    `hardened` asks for more than every machine gives, and `portable` says each time what it lacks.
    """
    names = recode("policy", "list").out.split()
    assert names == ["hardened", "paper", "portable", "strict"]
    assert recode("policy", "check", "paper", "strict") == Answer(0, "paper: ok\nstrict: ok\n", "")
    portable = recode("policy", "check", "portable")
    assert (portable.code, portable.out) == (0, "portable: ok\n")
    assert portable.err.startswith("the policy 'portable' runs code without ")
    assert portable.err.endswith(": only for code that you trust\n")
    assert portable.err.count("\n") == 1


def test_a_policy_file_is_checked(tmp_path: Path) -> None:
    """A wrong file is told on standard error and by exit code 2; the others are still checked."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('extends = "strict"\n')
    bad.write_text('extends = "strict"\n[limits]\nrecursion = 0\n')
    answer = recode("policy", "check", bad, good)
    assert (answer.code, answer.out) == (2, f"{good}: ok\n")
    assert answer.err == f"recode: {bad}: Expected `int` >= 1 - at `$.limits.recursion`\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[grammar]\nRC999 = "off"',
            "policy mine: [grammar] knows no rule RC999; known are RC101, ",
        ),
        (
            '[language]\nbuiltins = ["open"]',
            "[language] builtins: the guest does not give 'open'\n",
        ),
        ('[isolation]\nrequire = ["landlok"]', "require knows no layer 'landlok'; did you mean"),
        ('[language.facades]\nnone = ["x"]', "[language.facades] none: No module named 'none'\n"),
        ('[language.facades]\njson = ["d"]', "module 'json' has no attribute 'd'\n"),
        ('[language.facades]\njson = ["codecs"]', "json: 'codecs' cannot be handed out\n"),
        (
            "[limits]\nstatement_seconds = 1e-6",
            "a small statement fails under it: stopped after 1e-06 s of its own time\n",
        ),
    ],
)
def test_a_policy_is_checked_by_those_who_obey_it(tmp_path: Path, text: str, message: str) -> None:
    """What only the rules, the guest or the machine can tell is told too, in one line."""
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "strict"\n{text}\n')
    answer = recode("policy", "check", file)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {file}: ")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_a_policy_is_shown_whole(tmp_path: Path) -> None:
    """What is shown is complete TOML: saved to a file, it is the same policy."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'extends = "hardened"\n[grammar]\nRC101 = "off"\n[supervisor]\ndepth = 3\n'
        '[language]\nbuiltins = ["len"]\n[language.facades]\nzlib = ["crc32"]\n'
    )
    answer = recode("policy", "show", mine)
    assert (answer.code, answer.err) == (0, "")
    assert "extends" not in tomllib.loads(answer.out)
    copy = tmp_path / "copy" / "mine.toml"
    copy.parent.mkdir()
    copy.write_text(answer.out)
    assert Policy.load(copy) == Policy.load(mine)


def test_a_policy_is_shown_with_the_reasons_for_its_keys() -> None:
    """The default policy as its file has it; of others the values, with the same comments."""
    file = bundle.folder("policies") / "strict.toml"
    first, _, rest = file.read_text().partition("\n")
    assert first.startswith("# The default policy.")
    assert recode("policy", "show", "strict").out == f"# The policy strict, in full.\n{rest}"
    shown = recode("policy", "show", "portable").out.splitlines()
    own = Policy.named("portable").isolation
    changed = {'level = "portable"', f"require = {json.dumps(own.require)}"}
    assert set(shown[1:]) - set(rest.splitlines()) == changed
    comments = [line for line in rest.splitlines() if line.startswith("#")]
    assert [line for line in shown[1:] if line.startswith("#")] == comments


def test_a_facade_that_a_policy_does_not_have_is_not_shown(tmp_path: Path) -> None:
    """A policy that extends no other may have fewer than the default one."""
    whole = recode("policy", "show", "strict").out
    mine = tmp_path / "mine.toml"
    mine.write_text(re.sub(r"^math = \[\n(?: .*\n)+\]\n", "", whole, flags=re.MULTILINE))
    assert "math" not in Policy.load(mine).language.facades
    shown = tomllib.loads(recode("policy", "show", mine).out)
    assert shown == tomllib.loads(mine.read_text())


def test_an_unknown_policy_is_wrong_usage() -> None:
    """The message lists the policies there are."""
    answer = recode("policy", "show", "nonesuch")
    assert (answer.code, answer.out) == (2, "")
    assert "strict" in answer.err
    assert "nonesuch" in answer.err


def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One line on standard error, never a traceback; a closed standard output is no problem."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [RECODE, "policy", "show", "strict"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 3
    assert done.stderr == "recode: [Errno 28] No space left on device\n"
    closed = subprocess.run(
        ["sh", "-c", f"{RECODE} policy list >&-"], capture_output=True, text=True, timeout=60
    )
    assert (closed.returncode, closed.stderr) == (0, "")


def test_policy_alone_shows_its_help() -> None:
    """As `recode` alone does."""
    answer = recode("policy")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Usage: recode policy")
