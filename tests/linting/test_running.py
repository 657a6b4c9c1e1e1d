"""Many files: all processes, one order, one that dies, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checked import checked, written
from command_line import RECODE
from recode_runtime.linting import running
from recode_runtime.linting.settings import DEFAULTS, Settings
from recode_runtime.linting.units import FileReport, Unit, Work

BAD = "x = lookUp(1)\n"


def many(folder: Path, number: int) -> Path:
    """A folder with as many files, in several folders, every tenth of them wrong."""
    names = (f"d{count % 7}/p{count}.py" for count in range(number))
    return written(
        folder,
        {name: "x = run('a')\n" if count % 10 else BAD for count, name in enumerate(names)},
    )


def units(number: int) -> list[Unit]:
    """Units that hold their program themselves."""
    context = Settings(DEFAULTS).context(Path("a.py"))
    return [Unit(f"p{count}.py", "python", context, BAD.encode()) for count in range(number)]


def test_the_output_is_the_same_with_any_number_of_processes(tmp_path: Path) -> None:
    """In the order of the files, in every format."""
    many(tmp_path, 500)
    command = [RECODE, "check", ".", "--output-format", "concise", "--jobs"]
    outputs = [
        subprocess.run([*command, jobs], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        for jobs in ("1", "4")
    ]
    assert [one.returncode for one in outputs] == [1, 1]
    assert [one.stderr for one in outputs] == ["", ""]
    assert outputs[0].stdout == outputs[1].stdout
    assert outputs[0].stdout.endswith(
        "Found 50 errors; 500 programs in 500 files checked.\n[*] 50 can be mended by --fix\n"
    )


def test_files_are_mended_in_all_processes(tmp_path: Path) -> None:
    """Each of them once."""
    many(tmp_path, 500)
    command = [RECODE, "check", ".", "--fix", "-q", "--jobs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {path.read_text() for path in tmp_path.glob("*/*.py")} == {
        "x = run('a')\n",
        BAD.replace("lookUp", "look_up"),
    }


def test_a_process_that_dies_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the file that killed it is without an answer."""

    def check(unit: Unit, work: Work) -> FileReport:
        if unit.path == "p120.py":
            os.kill(os.getpid(), signal.SIGKILL)
        return FileReport(unit.path, programs=1)

    monkeypatch.setattr(running, "check", check)
    done: list[int] = []
    reports = list(running.run(units(450), Work(), 2, done.append))
    assert [report.path for report in reports] == [f"p{count}.py" for count in range(450)]
    assert sum(done) == 450
    problems = [one for report in reports for one in report.problems]
    assert [(one.path, one.message) for one in problems] == [
        ("p120.py", "could not be checked: the process that did so died; please report this")
    ]


def test_a_fault_of_ours_costs_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, with what to do; the other files are checked."""

    def check(unit: Unit, work: Work) -> FileReport:
        if unit.path == "p1.py":
            raise TypeError("a slip")
        return FileReport(unit.path)

    monkeypatch.setattr(running, "check", check)
    reports = list(running.run(units(3), Work(), 1, lambda _: None))
    assert [len(report.problems) for report in reports] == [0, 1, 0]
    assert reports[1].problems[0].message == (
        "could not be checked: TypeError('a slip'); please report this"
    )


@pytest.mark.parametrize(
    ("number", "jobs", "code", "said"),
    [
        (signal.SIGINT, "1", 130, "recode: interrupted\n"),
        (signal.SIGINT, "2", 130, "recode: interrupted\n"),
        (signal.SIGTERM, "2", 143, ""),
    ],
)
def test_a_signal_ends_it_at_once(
    tmp_path: Path, number: int, jobs: str, code: int, said: str
) -> None:
    """Ctrl-C reaches all processes, SIGTERM the first alone; none is left behind."""
    many(tmp_path, 4_000)
    with subprocess.Popen(
        [RECODE, "check", ".", "--jobs", jobs],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_until_at_work(process.pid)
        send = os.killpg if number == signal.SIGINT else os.kill
        send(process.pid, number)
        begun = time.monotonic()
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - begun
    assert (process.returncode, out, err) == (code, "", said)
    assert took < 2
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def at_work(process: int) -> bool:
    """Whether a process has begun to check: it has loaded the parser, or has processes to do so."""
    proc = Path(f"/proc/{process}")
    children = (proc / "task" / str(process) / "children").read_text()
    return bool(children) or "libcst" in (proc / "maps").read_text()


def wait_until_at_work(process: int) -> None:
    """Return when it has begun."""
    deadline = time.monotonic() + 20
    while not at_work(process):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_there_is_a_bar_on_a_terminal_only(tmp_path: Path) -> None:
    """On standard error, gone when it is done; in pipes there is never one."""
    many(tmp_path, 450)
    code = (
        "import pty, sys\n"
        "sys.exit(0 if pty.spawn(sys.argv[1:], lambda fd: __import__('os').read(fd, 4096)) else 1)"
    )
    command = [sys.executable, "-c", code, RECODE, "check", ".", "--statistics"]
    shown = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert "checking" in shown.stdout
    quiet = subprocess.run(
        [*command, "-q"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "checking" not in quiet.stdout
    assert "RC114" in quiet.stdout


HOSTILE = [
    "(" * 10_000,
    "x = " + "-" * 100_000 + "1",
    "x" * 2_000_000,
    "\n" * 100_000,
    "if 1:\n  x\n" * 20_000,
    "# recode: " * 50_000,
    "# recode: ignore[" + "RC110," * 20_000 + "]",
    "'''" + "\n# recode: ignore" * 1_000,
    "x = 1 # recode: ignore\n" * 400,
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "```python\n" * 2_000,
    "> " * 5_000 + "```python\nx\n",
    "- " * 3_000 + "```python\nx\n",
    "<execute>" * 5_000,
    "<execute>\n" + "x\n" * 100_000 + "y = 1\n</execute>",
    "<execute>\n" + "x\n" * 14_000 + "</execute>",
]


@pytest.mark.parametrize("kind", ["python", "markdown", "jsonl", "reply"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_gets_an_answer(tmp_path: Path, kind: str, text: str) -> None:
    """In seconds, with one of the exit codes, and never a traceback."""
    begun = time.monotonic()
    answer = checked(tmp_path, "-", "--stdin-as", kind, stdin=text)
    assert answer.code in (0, 1, 2)
    assert "please report" not in answer.err
    assert time.monotonic() - begun < 5
