"""An audit as a whole: what holds is said to hold, and whatever is planted is found."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

from command_line import RECODE, recode
from corpora import SAY, SLICE, row, written
from processes import children, is_running, soon_without_loop
from recode_runtime.audit import crew
from recode_runtime.audit.auditing import Audit, Options
from recode_runtime.audit.cases import shipped_corpus
from recode_runtime.errors import SandboxUnavailable


def planted(text: str) -> tuple[str, ...]:
    """What starts a host in which something is wrong on purpose."""
    return (sys.executable, "-c", f"{text}\nfrom recode_runtime.audit.host import main\nmain()")


# What takes how long is not for these tests to say: the machine that runs them is busy.
PATIENT = planted("from recode_runtime.audit import verdicts\nverdicts.SCHEDULING = 20.0")


def audited(
    folder: Path,
    *rows: dict[str, Any],
    command: tuple[str, ...] = PATIENT,
    **options: Any,
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The exit code, the JSON, and its results by the id of the case."""
    path = folder / "audit.json"
    usual = Options(
        policy="strict",
        corpus=written(folder, *rows),
        classes=(),
        cases=(),
        jobs=2,
        json=str(path),
        unfiltered=True,
        as_is=False,
        control=False,
    )
    code = Audit(dataclasses.replace(usual, **options), command).do()
    found = json.loads(path.read_text())
    return code, found, {one["id"]: one for one in found["results"]}


def test_a_slice_of_every_kind_holds(tmp_path: Path) -> None:
    """Each case with what became of it, under the policy and with the filter off."""
    before = children(os.getpid())
    code, found, results = audited(tmp_path, *SLICE)
    assert (code, found["schema"], found["policy"]) == (0, "recode.audit/1", "strict")
    assert found["statement_seconds"] == 1.0
    assert "seccomp" in found["layers"]
    assert found["runs"] == {
        "escaped": 0,
        "host-died": 0,
        "hung": 0,
        "wrong": 0,
        "held": 35,
        "not-applicable": 1,
    }
    ends = {name: [run["end"] for run in one["runs"]] for name, one in results.items()}
    # On a busy machine the host may end them before the guest has said that it did.
    for name in ("loops", "half-a-header"):
        assert set(ends.pop(name)) <= {"killed|timeout", "killed"}
    assert ends == {
        "reads-environment": ["error", "error"],
        "reads-file": ["error", "error"],
        "walks": ["error", "error"],
        "grows": ["killed|limited", "killed|limited"],
        "forges": ["error", "error"],
        "benign": ["ok", "ok"],
        "mended": ["ok", "ok"],
        "goes-on": ["error|placeholder", "error"],
        "twice": ["ok", "ok"],
        "long": ["error", "error"],
        "deep": ["ok", "ok"],
        "connects": ["error", "ok"],
        "lists": ["error", "ok"],
        "fills": ["error", "ok"],
        "garbage": ["killed"],
        "paints": ["ok"],
        "shouts": ["error"],
        "re-enters": ["ok"],
        "elsewhere": [""],
    }
    # The attacks were made, and not stopped by something that was missing.
    messages = {name: [run["message"] for run in one["runs"]] for name, one in results.items()}
    assert messages["reads-environment"][1] == "KeyError: 'RCR_CANARY'"
    assert messages["reads-file"][1].startswith("FileNotFoundError: ")
    told = {name: [run["printed"] for run in one["runs"]] for name, one in results.items()}
    assert all(told[name][1].startswith("DENIED") for name in ("connects", "lists", "fills"))
    assert results["mended"]["gate"]["said"] == "mended"
    assert results["long"]["gate"]["said"] == "reject"
    assert children(os.getpid()) == before  # nobody is left


CLIMB = """
import os, signal
pid = os.getpid()
while b'audit.host' not in open(f'/proc/{pid}/cmdline', 'rb').read():
    pid = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
os.kill(pid, signal.SIGUSR1)
"""
ORPHAN = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
"""


def test_what_escapes_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the wall is left out, attacks succeed with the filter off; each by its effect."""
    code, _, results = audited(
        tmp_path,
        row("reads", "print(open('@CANARY_FILE@').read())\n"),
        row("writes", "open('@CANARY_FILE@.new', 'w').write('x')\n"),
        row("marks", f"open('{gettempdir()}/@MARKER@', 'w').close()\n"),
        row("connects", "import socket\nsocket.create_connection(('127.0.0.1', @CANARY_PORT@))\n"),
        row("signals", CLIMB),
        row("stays", ORPHAN),
        row("probes", f"{SAY}import os\nsay(os.listdir('/'))\n", "error|killed", kind="os"),
        row("bomb", f"{SAY}say(True)\n", "error|killed", kind="os", destructive=True),
        policy="portable",
    )
    assert code == 1
    last = {name: one["runs"][-1] for name, one in results.items()}
    why = {name: (run["verdict"], run["why"]) for name, run in last.items()}
    marked = why.pop("marks")[1].split("'")
    assert (marked[0], marked[2]) == ("the file ", " was made outside")
    assert not (Path(gettempdir()) / marked[1]).exists()  # it is cleared away
    assert why.pop("reads")[1].startswith("the canary's file left the sandbox")
    assert why.pop("probes")[1].startswith("it says REACHED ")
    assert why == {
        "writes": ("escaped", "the file 'canary.new' was made outside"),
        "connects": ("escaped", "somebody connected to the canary's port"),
        "signals": ("escaped", "SIGUSR1 was sent to the host"),
        "stays": ("escaped", "1 processes outlived their session"),
        "bomb": ("not-applicable", "it would do harm where seccomp does not hold"),
    }
    assert {one["runs"][0]["verdict"] for one in results.values()} == {"held"}
    out = capsys.readouterr().out
    assert "escaped  signals, filter off: SIGUSR1 was sent to the host\n" in out
    assert out.endswith(" 7 escaped, 0 host-died, 0 hung, 0 wrong, 8 held, 1 not-applicable\n")


def test_what_differs_from_what_is_expected_is_wrong(tmp_path: Path) -> None:
    """A program that must run and does not, and one that must not and does."""
    code, _, results = audited(
        tmp_path,
        row("refused", "import os\n", "ok"),
        row("runs", "x = 1\n", "error"),
        row("no-text", "", "error", gen="1 / 0"),
    )
    assert code == 1
    runs = {name: [run["verdict"] for run in one["runs"]] for name, one in results.items()}
    assert runs == {
        "refused": ["wrong", "held"],
        "runs": ["wrong", "held"],
        "no-text": ["wrong", "wrong"],
    }


LAME = """
import os, signal, time
from recode_runtime.audit.host import Host
report = Host.report
async def lame(self, job):
    if job.case.id == 'dies': os.kill(os.getpid(), signal.SIGSEGV)
    if job.case.id == 'raises': raise LookupError('planted')
    if job.case.id == 'sleeps': time.sleep(600)
    return await report(self, job)
Host.report = lame
"""


def test_a_host_that_dies_is_told_and_replaced(tmp_path: Path) -> None:
    """The audit goes on with the next case; nothing is left of the dead."""
    names = ("well", "dies", "raises", "well-again")
    rows = [row(name, "x = 1\n", "ok") for name in names]
    code, _, results = audited(tmp_path, *rows, command=planted(LAME))
    assert code == 1
    runs = {name: results[name]["runs"][0] for name in names}
    assert [runs[name]["verdict"] for name in names] == ["held", "host-died", "host-died", "held"]
    assert runs["dies"]["why"] == "SIGSEGV"
    assert runs["raises"]["why"].startswith("exit code 1; it said: ")
    assert runs["raises"]["why"].endswith("LookupError: planted")


@pytest.mark.slow
def test_a_host_that_is_silent_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and the case is tried once more before it is said to hang."""
    monkeypatch.setattr(crew, "_PATIENCE_SECONDS", 3.0)
    monkeypatch.setattr(crew, "_PATIENCE_STATEMENTS", 0)
    sleeps = row("sleeps", "x = 1\n", kind="session")
    code, _, results = audited(tmp_path, sleeps, command=planted(LAME))
    assert code == 1
    (run,) = results["sleeps"]["runs"]
    assert (run["verdict"], run["why"]) == ("hung", "the host gave no answer within 3 s")
    assert run["again"]


LATE = "from recode_runtime.sandboxes.clock import Clock\nClock._set = lambda self: None"
DISARM = "import signal, time\nif True:\n    signal.setitimer(signal.ITIMER_REAL, 0)\n"


def test_a_statement_that_goes_on_hangs(tmp_path: Path) -> None:
    """Where the guest's alarm is off and the host's clock too, it is seen by its time."""
    goes_on = f"{DISARM}    time.sleep(1.5)\n"
    code, _, results = audited(tmp_path, row("goes-on", goes_on), command=planted(LATE))
    assert code == 1
    run = results["goes-on"]["runs"][1]
    assert (run["verdict"], run["again"]) == ("hung", True)
    assert run["why"].endswith(" s past its limit and the grace")
    assert run["seconds"] >= 1.5


LACKING = """
from recode_runtime.audit.host import Host, Layers
async def layers(self): return Layers(refusal='seccomp: there is none')
Host.layers = layers
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LACKING, "^seccomp: there is none$"),
        ("raise SystemExit('no')", "^the audit cannot start: exit code 1; it said: no$"),
    ],
)
def test_without_a_session_there_is_no_audit(text: str, message: str, tmp_path: Path) -> None:
    """It is the operator's to mend, and no verdict."""
    with pytest.raises(SandboxUnavailable, match=message):
        audited(tmp_path, row("one", "x = 1\n"), command=planted(text))


def test_as_json_alone(tmp_path: Path) -> None:
    """`--json -` is for programs: nothing else is on standard output."""
    corpus = written(tmp_path, row("one", "x = 1\n", "ok"), row("two", "x = 1\n", "ok"))
    answer = recode("audit", "--corpus", corpus, "--case", "two", "--as-is", "--json", "-")
    found = json.loads(answer.out)
    assert (answer.code, found["statement_seconds"]) == (0, 5.0)
    assert [one["id"] for one in found["results"]] == ["two"]


def test_without_the_runs_that_have_the_filter_off(tmp_path: Path) -> None:
    """Protocol cases cannot be run then, which is said once for all of them."""
    rows = (row("a", "", kind="protocol", gen="''"), row("b", "x\n", "", kind="protocol"))
    corpus = written(tmp_path, row("one", "x = 1\n", "ok"), *rows)
    answer = recode("audit", "--corpus", corpus, "--no-unfiltered")
    assert answer.code == 0
    assert "\nnot-applicable, it needs the language's filter off: a, b\n" in answer.out
    assert "3 cases in 3 runs" in answer.out.splitlines()[-1]
    assert "0 wrong, 1 held, 2 not-applicable" in answer.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--class", "a-clas"], "the corpus has no class 'a-clas'; did you mean 'a-class'?"),
        (["--class", "x"], "the corpus has no class 'x'; known are a-class"),
        (["--case", "oen"], "the corpus has no case 'oen'; did you mean 'one'?"),
        (["--case", "x"], "the corpus has no case 'x'"),
        (["--policy", "strickt"], "there is no policy called 'strickt'; shipped are "),
        (["--corpus", "none.jsonl"], "none.jsonl: cannot be read: No such file or directory"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], message: str, tmp_path: Path) -> None:
    """In a line, with what is known; nothing was run."""
    corpus = written(tmp_path, row("one", "x = 1\n"))
    answer = recode("audit", "--corpus", corpus, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {message}")


def test_a_bad_corpus_is_told(tmp_path: Path) -> None:
    """With file and line, what is wrong and what is meant."""
    corpus = written(tmp_path, row("one", "x = 1\n"), row("two", "x = 1\n", knd="os"))
    answer = recode("audit", "--corpus", corpus)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"recode: {corpus}:2: unknown field 'knd'; did you mean 'kind'?\n"


def test_a_file_that_cannot_be_written_is_told_before_anything_runs(tmp_path: Path) -> None:
    """An audit takes minutes; its result must have a place."""
    corpus = written(tmp_path, row("one", "while True: pass\n"))
    answer = recode("audit", "--corpus", corpus, "--json", tmp_path / "none" / "audit.json")
    assert (answer.code, answer.out) == (3, "")
    assert "No such file or directory" in answer.err


def test_the_shipped_corpus_holds_in_part(tmp_path: Path) -> None:
    """The first case of every class, on every machine that runs the tests."""
    first = {case.class_: case.id for case in reversed(shipped_corpus())}
    assert len(first) >= 20
    code, _, results = audited(tmp_path, corpus=None, cases=tuple(first.values()))
    failed = {name: one["runs"] for name, one in results.items() if one["verdict"] != "held"}
    assert (code, failed) == (0, {})


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "recode: interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_an_audit_that_is_stopped_leaves_nobody(
    number: signal.Signals, code: int, said: str, tmp_path: Path
) -> None:
    """Neither processes nor files."""
    corpus = written(tmp_path, *(row(f"{n}", "while True: pass\n") for n in range(20)))
    (tmp_path / "tmp").mkdir()
    audit = subprocess.Popen(
        [RECODE, "audit", "--corpus", corpus, "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )
    assert soon_without_loop(lambda: bool(_busy(audit.pid)))
    hosts = _busy(audit.pid)
    audit.send_signal(number)
    assert audit.communicate(timeout=60) == ("", said)
    assert audit.returncode == code
    assert soon_without_loop(lambda: not any(map(is_running, hosts)))
    assert not list((tmp_path / "tmp").iterdir())


def _busy(audit: int) -> list[int]:
    """The hosts of an audit that have begun to work."""
    return [host for host in children(audit) if children(host)]
