"""Coverage-guided fuzzing: libFuzzer looks for texts that reach new lines of the grammar."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fuzzing import LEDGER, examples
from programs import GRAMMAR
from recode_runtime.grammar import ALL_RULES, Case

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(
        sys.version_info >= (3, 12) or sys.platform != "linux",
        reason="atheris has wheels for CPython 3.11 on Linux",
    ),
]

HARNESS = Path(__file__).parent / "harness.py"
RUNS = examples(1_000)


def fuzzed(
    folder: Path, *options: str, harness: Path = HARNESS
) -> subprocess.CompletedProcess[str]:
    """A finished run of the harness; whatever it finds is left in `folder`."""
    command = [sys.executable, str(harness), str(folder / "corpus"), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3_600)


def write_corpus(folder: Path) -> None:
    """The programs of every rule's page, and tokens that libFuzzer puts together."""
    (folder / "corpus").mkdir()
    pages = [case for rule in ALL_RULES for case in (*rule.VALID.values(), *rule.INVALID.values())]
    for number, page in enumerate(pages):
        source = page.source if isinstance(page, Case) else page
        (folder / "corpus" / f"{number}").write_bytes(source.encode("utf-8", "surrogatepass"))
    reply = b"\0<think>look</think><execute>run('a')</execute>"
    (folder / "corpus" / "reply").write_bytes(reply)
    words = {
        word for texts in GRAMMAR.values() for text in texts for word in re.split(r"[<>]", text)
    }
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words if word)
    (folder / "tokens").write_text("".join(f'"{word}"\n' for word in escaped))


def test_no_text_that_reaches_new_lines_breaks_a_promise(tmp_path: Path) -> None:
    """One process answers them all; the limit of libFuzzer is for what never comes back."""
    assert importlib.util.find_spec("atheris"), "atheris is in the group dev"
    write_corpus(tmp_path)
    options = (f"-runs={RUNS}", "-timeout=5", "-max_len=2000", "-dict=tokens", "-seed=1")
    run = fuzzed(tmp_path, *options, "-print_final_stats=1")
    assert run.returncode == 0, run.stderr[-3_000:] + run.stdout[-2_000:]
    executed = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    assert executed
    assert int(executed[1]) >= RUNS
    LEDGER.elsewhere.append(f"guided by coverage, {run.stdout.splitlines()[-1]}")


def test_a_text_that_breaks_a_promise_ends_the_run_and_is_kept(tmp_path: Path) -> None:
    """The harness can fail: with a grammar that raises on one text, that text is in a file."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "seed").write_bytes(b"boom")
    broken = tmp_path / "harness.py"
    promise = "    if data == b'boom':\n        raise AssertionError('broken promise')\n"
    text = HARNESS.read_text().replace("    if data.startswith", promise + "    if data.startswith")
    support = HARNESS.parent.parent / "support"
    broken.write_text(
        text.replace('str(Path(__file__).parent.parent / "support")', repr(str(support)))
    )
    run = fuzzed(tmp_path, "-runs=10", harness=broken)
    assert run.returncode != 0
    assert "broken promise" in run.stderr + run.stdout
    (crash,) = tmp_path.glob("crash-*")
    assert crash.read_bytes() == b"boom"
