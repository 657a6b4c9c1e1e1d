"""What judging a program costs beside parsing it, and checking many beside other linters.

    python benchmarks/grammar.py [--files N]

First the ratio to a bare `libcst.parse_module` of the same text: every round times both in turn,
and the median of the rounds' ratios is printed. Then N files (10,000 unless told) are checked by
`recode check`, `ruff check` and `flake8`, each by its command line with all cores it takes.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import libcst

from recode_runtime import Policy
from recode_runtime.grammar import ALL_RULES, judge

CLEAN = """\
obs = run('look')
places = ['drawer 1', 'drawer 2', 'shelf 1']
found = ''
for place in places:
    obs = run('go to ' + place)
    if 'apple' in obs:
        found = place
        break
if found:
    obs = run(f'take apple from {found}')
clean_item('apple', obs)
obs = run('go to fridge 1')
"""
FAULTS = {
    "for place in places:": "for place in find_places(obs):",
    "clean_item('apple', obs)": "cleanItem('apple', obs)",
    "found = ''": "found = open('places')",
}
ROUNDS = 41
REPEATS = 20
VARIANTS = 200


def with_faults(source: str) -> str:
    """The program with a placeholder in a loop, a camel-case name and a forbidden builtin."""
    for right, wrong in FAULTS.items():
        source = source.replace(right, wrong)
    return source


def seconds(action: Callable[[], object]) -> float:
    """Wall seconds of one call, the mean of some in a row."""
    started = time.perf_counter()
    for _ in range(REPEATS):
        action()
    return (time.perf_counter() - started) / REPEATS


def ratio(source: str, policy: Policy) -> tuple[float, float]:
    """Microseconds of judging, and how many times a bare parse of the same text that is."""
    judged = partial(judge, source, policy=policy, primitives=["run"], variables=["obs"])
    parsed = partial(libcst.parse_module, source)
    own, ratios = [], []
    for _ in range(ROUNDS):
        base, taken = seconds(parsed), seconds(judged)
        own.append(taken)
        ratios.append(taken / base)
    return statistics.median(own) * 1e6, statistics.median(ratios)


def print_ratios() -> None:
    """One line a program: its findings, microseconds, times a bare parse."""
    policy = Policy.named("strict")
    print(f"one program of 12 lines, {len(ALL_RULES)} rules")
    for name, source in {"clean": CLEAN, "three findings": with_faults(CLEAN)}.items():
        found = len(judge(source, policy=policy, primitives=["run"], variables=["obs"]).findings)
        micro, times = ratio(source, policy)
        print(f"  {name:16} {found} findings {micro:7.0f} us {times:6.2f} x libcst.parse_module")


def write_files(folder: Path, count: int) -> None:
    """Programs in as many variants as a model would send; one in ten has findings."""
    for number in range(count):
        source = CLEAN.replace("apple", f"apple {number % VARIANTS}")
        if number % 10 == 0:
            source = with_faults(source)
        (folder / f"reply_{number:05}.py").write_text(source)


def contenders() -> dict[str, list[str]]:
    """The command lines, without the folder; none of them caches anything."""
    recode = [str(Path(sys.executable).with_name("recode")), "check", "--isolated", "--quiet"]
    python = [sys.executable, "-m"]
    return {
        "recode check": recode,
        "recode check, one process": [*recode, "--jobs", "1"],
        "ruff check": [*python, "ruff", "check", "--isolated", "--no-cache", "--quiet"],
        "flake8": [*python, "flake8", "--isolated", "--quiet"],
    }


def print_throughput(count: int) -> None:
    """One line a linter: seconds and files a second, over the same files."""
    print(f"{count:,} files of 12 lines")
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), count)
        for name, command in contenders().items():
            if command[1] == "-m" and importlib.util.find_spec(command[2]) is None:
                print(f"  {name:26} not installed: pip install {command[2]}")
                continue
            started = time.perf_counter()
            ended = subprocess.run([*command, folder], capture_output=True, check=False)
            taken = time.perf_counter() - started
            if ended.returncode != 1:  # one in ten has findings
                print(f"  {name:26} failed: {ended.stderr.decode()[-500:]}")
                continue
            print(f"  {name:26} {taken:7.2f} s {count / taken:9,.0f} files/s")


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    arguments = parser.parse_args()
    print_ratios()
    print_throughput(arguments.files)


if __name__ == "__main__":
    main()
