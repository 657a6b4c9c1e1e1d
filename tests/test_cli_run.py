"""`recode run` as users meet it: whole runs, their ends, and what is printed where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import tree_schema
from chat_server import ChatServer, slow
from command_line import RECODE, recode
from prompt_reader import crafter
from recode_runtime.events import RunEnded, TreeBuilder
from recode_runtime.journal import find_run, list_runs, read_events
from recode_runtime.report import to_text
from recode_runtime.tree import Tree

CRAFTING = ("run", "--env", "crafting", "--seed", "1", "--depth", "2")


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, address or proxy of the machine reaches these runs."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def recorded(runs: Path) -> Tree:
    """The tree in the journal of the last run."""
    return TreeBuilder(read_events(find_run(runs, "last"))).tree()


def test_a_run_prints_the_growing_tree_and_a_summary(runs: Path) -> None:
    """Each statement with what was observed, then score, depth, nodes and the journal's path."""
    answer = recode(*CRAFTING, "--model", "expert")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[:3] == [
        "crafting, model expert, policy strict",
        recorded(runs).instruction,
        "▸ solve(instruction, observation)",
    ]
    nodes = [line for line in lines if line.lstrip("│ ").startswith(("▸", "✓"))]
    assert len(nodes) == sum(1 for _ in recorded(runs).nodes())
    assert lines[len(nodes) + 2].startswith("╭─ success ─")
    assert "│ result   score 1.00, depth 2, nodes " in answer.out


def test_a_run_leaves_one_journal_that_show_draws(runs: Path) -> None:
    """What was run can be looked at afterwards, by the name in the summary."""
    answer = recode(*CRAFTING, "--quiet")
    (path,) = list_runs(runs)
    assert f" {path.stem} " in answer.out
    shown = recode("show", path.stem).out.splitlines()
    drawing = to_text(recorded(runs)).split("╭")[0].splitlines()
    assert [line.rstrip() for line in shown[: len(drawing)]] == drawing


def test_quiet_prints_the_summary_alone() -> None:
    """`--quiet` leaves the growing tree out."""
    answer = recode(*CRAFTING, "-q")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("╭─ success ─")


def test_json_is_the_tree_and_nothing_else(runs: Path) -> None:
    """Standard output is one tree, valid by the shipped schema and equal to the journal's."""
    answer = recode(*CRAFTING, "--json")
    assert (answer.code, answer.err) == (0, "")
    schema = json.loads(tree_schema.SHIPPED.read_text())
    assert list(Draft202012Validator(schema).iter_errors(json.loads(answer.out))) == []
    assert Tree.from_json(answer.out) == recorded(runs)


def test_the_folder_of_runs_can_be_chosen(tmp_path: Path, runs: Path) -> None:
    """`--runs` is stronger than the environment variable."""
    recode(*CRAFTING, "--quiet", "--runs", tmp_path / "mine")
    assert len(list_runs(tmp_path / "mine")) == 1
    assert not runs.exists()


def test_verbose_logs_json_lines_to_standard_error() -> None:
    """Every event is one JSON object a line, without its texts; standard output stays clean."""
    answer = recode(*CRAFTING, "--json", "--verbose")
    assert answer.code == 0
    Tree.from_json(answer.out)
    records = [json.loads(line) for line in answer.err.splitlines()]
    ours = [record for record in records if record["logger"] == "recode"]
    assert [record["event"] for record in ours][:3] == ["run.start", "node.open", "node.start"]
    assert ours[-1]["event"] == "run.end"
    assert (ours[-1]["status"], ours[-1]["success"], ours[-1]["level"]) == ("done", True, "debug")
    assert "messages" not in answer.err


def test_a_run_without_success_has_exit_code_1(tmp_path: Path) -> None:
    """A budget that is used up ends the run; what was done is shown, and which budget it was."""
    policy = tmp_path / "small.toml"
    policy.write_text('extends = "strict"\n[supervisor]\nnodes = 3\n')
    answer = recode(*CRAFTING, "--policy", policy)
    assert answer.code == 1
    assert "╭─ stopped ─" in answer.out
    assert answer.err.startswith("recode: the run's budget of 3 nodes is used up (at node 0.")
    assert answer.err.count("\n") == 1


def test_a_model_that_cannot_be_used_has_exit_code_3(runs: Path) -> None:
    """Without a key there is no run, and so no journal."""
    answer = recode(*CRAFTING, "--model", "openai:gpt-4o-mini")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("recode: ")
    assert "OPENAI_API_KEY" in answer.err
    assert list_runs(runs) == []


def test_a_world_that_is_not_there_names_the_built_in_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runs: Path
) -> None:
    """Without Java the reason is told, and what works without it; no journal stays behind."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    answer = recode("run", "--env", "textworld-express", "--game", "cookingworld")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("recode: ")
    assert "--env crafting" in answer.err
    assert "Traceback" not in answer.err
    assert list_runs(runs) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_a_run_in_good_order(number: int, code: int, runs: Path) -> None:
    """Within 2 s: the partial summary, the journal's path, a whole journal, no process left."""
    with ChatServer([slow(30)]) as server:
        process = subprocess.Popen(
            [RECODE, *CRAFTING, "--model", "any", "--base-url", server.base_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        server.wait_for_request(20)
        sent = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - sent < 2
    (path,) = list_runs(runs)
    assert process.returncode == code
    assert err == f"recode: interrupted; the journal is at {path}\n"
    assert "▸ solve(instruction, observation)\n" in out
    assert "╭─ interrupted ─" in out
    (end,) = [event for event in read_events(path) if isinstance(event, RunEnded)]
    assert (end.status, end.success) == ("interrupted", False)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_model_behind_a_server_solves_the_task_from_the_prompt_alone(runs: Path) -> None:
    """Over real HTTP: the one message of a request holds all that is needed to go on."""
    with ChatServer(crafter()) as server:
        model = ("--model", "tiny", "--base-url", server.base_url)
        answer = recode("run", "--env", "crafting", "--seed", "1", "--depth", "4", *model)
    assert (answer.code, answer.err) == (0, "")
    tree = recorded(runs)
    assert (tree.model, tree.success, tree.score) == ("openai:tiny", True, 1.0)
    attempts = [attempt for node in tree.nodes() for attempt in node.attempts]
    assert len(attempts) == len(server.requests) > 3
    assert any(attempt.repairs for attempt in attempts)
    assert all(
        [one["role"] for one in sent.json["messages"]] == ["user"] for sent in server.requests
    )
