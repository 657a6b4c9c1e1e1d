"""The corpus that ships: every line is a case in order, and every attack in it is shown to be one.

What is shown on plain CPython, is shown by `recode audit --control`; what only the parsers suffer
of, by the parsers. The rest are rule checks, and stand in a list here, each with its reason.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from command_line import RECODE
from recode_runtime import audit
from recode_runtime.audit.cases import Case, shipped_corpus
from recode_runtime.audit.control import shown
from recode_runtime.audit.trials import PRIMITIVES
from recode_runtime.grammar import judge
from recode_runtime.policy import Policy

FOLDER = Path(audit.__file__).with_name("corpus")
CASES = {case.id: case for case in shipped_corpus()}
PREFIXES = {
    "attr-traversal": "attr",
    "class-meta": "cls",
    "control-benign": "ok",
    "deserialise": "ser",
    "format-string": "fmt",
    "frame-walk": "frame",
    "getattr-indirect": "ga",
    "guard-overwrite": "guard",
    "hostile-exception": "exc",
    "import": "imp",
    "os-filesystem": "file",
    "os-network": "net",
    "os-process": "proc",
    "os-secrets": "secret",
    "os-syscall": "call",
    "placeholder": "plc",
    "protocol": "pro",
    "render-injection": "ren",
    "resource-cpu": "cpu",
    "resource-memory": "mem",
    "resource-parser": "prs",
    "resource-stack": "stk",
    "session-integrity": "ses",
    "shadow-binding": "shadow",
    "shared-mutation": "mut",
    "timeout-swallow": "tim",
    "unicode-lexing": "uni",
}
COUNTS = {
    "attr-traversal": 37,
    "class-meta": 22,
    "control-benign": 26,
    "deserialise": 13,
    "format-string": 19,
    "frame-walk": 20,
    "getattr-indirect": 28,
    "guard-overwrite": 35,
    "hostile-exception": 43,
    "import": 34,
    "os-filesystem": 34,
    "os-network": 20,
    "os-process": 41,
    "os-secrets": 25,
    "os-syscall": 66,
    "placeholder": 15,
    "protocol": 95,
    "render-injection": 36,
    "resource-cpu": 65,
    "resource-memory": 63,
    "resource-parser": 42,
    "resource-stack": 27,
    "session-integrity": 26,
    "shadow-binding": 40,
    "shared-mutation": 22,
    "timeout-swallow": 18,
    "unicode-lexing": 31,
}
KINDS = {
    "os-filesystem": {"os"},
    "os-network": {"os"},
    "os-process": {"os"},
    "os-secrets": {"os"},
    "os-syscall": {"os"},
    "protocol": {"protocol"},
    "render-injection": {"render"},
    "session-integrity": {"guest", "session"},
}
FIELDS = {"id", "class", "kind", "code", "gen", "calls", "leak", "hostile_value"}
FIELDS |= {"destructive", "slow", "expect", "why"}


def ids(prefix: str, *numbers: int | range) -> set[str]:
    """`ids("mem", 3, range(5, 7))` is rt-mem-003, rt-mem-005 and rt-mem-006."""
    single = [n for one in numbers for n in (one if isinstance(one, range) else [one])]
    return {f"rt-{prefix}-{number:03}" for number in single}


# Each reason why plain CPython shows nothing, with the cases of which that is so.
RULES: dict[str, set[str]] = {
    "a guard's name, which means nothing where there are no guards": (
        ids("guard", range(1, 11), range(14, 17), 21, 25)
    ),
    "a private name, which plain CPython lets anybody bind": ids("guard", 29, range(32, 35)),
    "a name that nobody has bound, which ends the program with a NameError": (
        ids("plc", range(1, 12), 13, 15)
    ),
    "an error like any other; what is odd in its text harms only whoever shows it": (
        ids("exc", range(1, 9), 32, 35, 39, 40)
    ),
    "an error like any other, raised in an odd way or of an odd form": (
        ids("exc", 9, range(14, 18), range(22, 28), 34, range(36, 39), 43) | ids("plc", 14)
    ),
    "a hook for what nobody catches, and here all is caught": ids("exc", 41),
    "refused by CPython itself, with an error that says why": (
        ids("ser", 11, 13) | ids("imp", 16) | ids("plc", 12) | ids("uni", 18, range(25, 30))
    ),
    "a text that has one meaning for CPython; only other readers see another": (
        ids("uni", range(14, 18), 24)
    ),
    "harmless, and outside of the language": ids("imp", 33),
    "binds no name of the host's when it is run, or only one of its own": (
        ids("shadow", 8, 10, 33, 35)
    ),
    "a value that CPython shows and writes as JSON as it is": (
        ids("ser", 9, 10, 12) | ids("mem", 57, 58)
    ),
    "an argument that a function takes, and that only a channel could not carry": (
        ids("mem", 60, 61)
    ),
    "what a failed statement leaves behind, which only a session could undo": (
        ids("ses", 7, 10, 11)
    ),
    "a control socket is written to, or closed, and there is none": (
        ids("pro", range(70, 77), 78, 80)
    ),
    "a channel shut without a byte in it, which harms only whoever waits for one": ids("pro", 82),
    "asks whether more is open or known than should be, and nothing is": (
        ids("secret", 18) | ids("call", 25)
    ),
}
# What is there on one machine and not on the next: kernel options, services, capabilities that a
# container takes from its root.
MACHINE = (
    ids("file", 9, 11, 13, 15, range(17, 25))
    | ids("net", 3, range(6, 13), 17, 20)
    | ids("proc", 3, 18, range(19, 22), 23, 29)
    | ids("secret", 12, 17, 23, 24)
    | ids("call", range(1, 8), 9, range(11, 17), range(19, 25), 28, range(31, 44), 49, 54, 58, 59)
)
# Seen by the clock, and done within a few seconds: what is too slow on one machine is not on
# another. 30 and 46 go on for five seconds, the others are done in half of one or in two.
BY_THE_CLOCK = ids("cpu", 30, 46) | ids("mem", 37, 46, range(53, 56))
# Sometimes seen and sometimes not: out of memory, deque() says SystemError, and after the walk over
# an endless cycle too little is left to say anything; what closes all its descriptors is ended
# by its watcher, or has just ended by itself; of the processes listed, one may have ended since.
BY_CHANCE = ids("mem", 24, 34) | ids("pro", 81) | ids("secret", 7)


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_there_is_one_file_for_each_class() -> None:
    """Named after it, and the numbers in its ids count from one without a gap."""
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(PREFIXES)
    for name, prefix in PREFIXES.items():
        rows = lines(FOLDER / f"{name}.jsonl")
        assert {row["class"] for row in rows} == {name}
        assert [row["id"] for row in rows] == sorted(ids(prefix, range(1, len(rows) + 1)))


def test_the_number_of_cases_of_each_class() -> None:
    """Whoever takes one out says so here."""
    assert Counter(case.class_ for case in CASES.values()) == COUNTS


@pytest.mark.parametrize("name", PREFIXES)
def test_every_line_has_the_form_of_a_case(name: str) -> None:
    """Text or an expression that makes it, what must become of it, and why it is there."""
    for row in lines(FOLDER / f"{name}.jsonl"):
        assert set(row) <= FIELDS
        assert ("code" in row) is not ("gen" in row)
        assert set(row["expect"]) - {"host"} == {"validator", "process", "docker"}
        assert row["kind"] in KINDS.get(name, {"guest"})
        assert re.fullmatch(r"[^\n]{4,119}[^\n.]", row["why"]), row["why"]


def test_no_two_cases_are_the_same() -> None:
    """Neither in what is run nor, within a class, in why."""
    ran = Counter(case.code or case.gen for case in CASES.values())
    why = Counter((case.class_, case.why) for case in CASES.values())
    assert [one for one, n in (ran + why).items() if n > 1] == []


def source(case: Case) -> str:
    """The text of a case, with any file and port in the places kept for them."""
    text = eval(case.gen) if case.gen else case.code
    return text.replace("@CANARY_FILE@", "/canary").replace("@CANARY_PORT@", "9")


def said(case: Case) -> str:
    """What the default policy's grammar says of the very text."""
    policy = Policy.named("strict")
    verdict = judge(source(case), policy=policy, primitives=PRIMITIVES, variables=["data"])
    return "reject" if verdict.program is None else "pass"


@pytest.mark.parametrize("name", [name for name in PREFIXES if name not in {"protocol"}])
def test_the_grammar_says_what_a_case_expects(name: str) -> None:
    """Of probes too, which are programs it must refuse."""
    cases = [case for case in CASES.values() if case.class_ == name]
    found = {case.id: said(case) for case in cases}
    expected = {case.id: {case.expect.validator} & {"reject", "pass"} for case in cases}
    assert {name: one for name, one in found.items() if expected[name] - {one}} == {}


def test_no_case_is_in_two_lists() -> None:
    """And each that is in one, is a case."""
    listed = [*RULES.values(), MACHINE, BY_THE_CLOCK, BY_CHANCE, PARSED, NEARLY_PARSED]
    counted = Counter(name for names in listed for name in names)
    assert {name: n for name, n in counted.items() if n > 1 or name not in CASES} == {}


@pytest.mark.slow
def test_what_is_an_attack_shows_its_effect_on_plain_cpython() -> None:
    """And what shows none is in a list, with a reason; no list has an entry too many."""
    cases = [case for case in CASES.values() if case.class_ != "resource-parser"]
    rules = set().union(*RULES.values())
    unclear = MACHINE | BY_THE_CLOCK | BY_CHANCE
    if os.geteuid() != 0:  # to whom most of the kernel says no anyway
        unclear |= {case.id for case in cases if case.kind == "os"}
    found = asyncio.run(shown(cases, 8, lambda: None))
    nothing = {one.case.id for one in found if one.what == "rule check"} - unclear
    # On a busy machine an effect may come too late to be seen; alone it is in time.
    late = [CASES[name] for name in nothing - rules]
    again = {
        one.case.id for one in asyncio.run(shown(late, 1, lambda: None)) if one.what == "attack"
    }
    assert nothing - again == rules - unclear


BENIGN = re.compile(r"\(negative control\)$")


def test_what_must_run_is_said_to_be_a_control() -> None:
    """Outside of the class of ordinary programs and of the stories, each says so itself."""
    told = {case.id for case in CASES.values() if BENIGN.search(case.why)}
    apart = {"control-benign", "session-integrity", "unicode-lexing", "shared-mutation"}
    benign = {one.id for one in CASES.values() if one.is_benign and one.class_ not in apart}
    assert benign - told == set()


# As a parser in the host would be run: with 512 MiB and a second of processor time.
PARSING = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 ** 29, 2 ** 29))
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
source = sys.stdin.read()
if sys.argv[1] == "libcst":
    from libcst import parse_module as parse
else:
    parse = lambda text: compile(text, "<case>", "exec")
try:
    parse(source)
except (MemoryError, RecursionError):
    sys.exit(9)
except Exception:
    pass
"""


def is_too_much_for_a_parser(case: Case) -> bool:
    """Whether libcst or CPython's compiler dies of it, or needs more than a parser may have."""
    text = source(case).encode()
    for parser in ("libcst", "compile"):
        command = [sys.executable, "-I", "-c", PARSING, parser]
        done = subprocess.run(command, input=text, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            return True
    return False


@pytest.mark.slow
def test_what_attacks_parsers_is_too_much_for_one_of_them() -> None:
    """What is not, only holds that a cap or an error answers it."""
    parsers = [case for case in CASES.values() if case.class_ == "resource-parser"]
    cases = [case for case in parsers if case.id not in NEARLY_PARSED]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(cases, pool.map(is_too_much_for_a_parser, cases), strict=True))
    assert {case.id for case, harmful in found.items() if not harmful} == PARSED


# Answered at once by both parsers: with a tree, or with an error that says what is wrong.
PARSED = ids("prs", 1, 12, 13, 16, 17, 29, range(33, 37), 39, 41)
# Parsed within half a second to three, or with most of the memory: too much on one machine, and
# not on another.
NEARLY_PARSED = ids("prs", 7, 11, range(18, 22), range(25, 29), 31, 37, 40, 42)

NAMESPACES = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"]
# The one acts, but all that it began has ended by itself; the other ends its watcher too.
UNWATCHED = ids("proc", 6, 13)


def contained() -> list[str]:
    """A command that runs another where nothing of this machine is in reach but its files."""
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = [shutil.which("unshare") or "unshare", *root, *NAMESPACES, "--mount-proc"]
    try:
        done = subprocess.run([*command, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.returncode != 0:
        pytest.skip(f"no namespaces can be made here: {done.stderr.decode().strip()}")
    return command


@pytest.mark.slow
def test_what_is_destructive_is_shown_in_namespaces_of_its_own(tmp_path: Path) -> None:
    """There it may do what it does."""
    command = contained()
    cases = [case for case in CASES.values() if case.destructive and case.id not in UNWATCHED]
    corpus, answer = tmp_path / "cases.jsonl", tmp_path / "answer.json"
    harmless = [msgspec.structs.replace(case, destructive=False) for case in cases]
    corpus.write_bytes(b"\n".join(map(msgspec.json.encode, harmless)))
    options = ["audit", "--control", "--corpus", str(corpus), "--json", str(answer)]
    subprocess.run([*command, RECODE, *options], check=True, capture_output=True, timeout=120)
    found = json.loads(answer.read_text())["results"]
    assert {one["id"]: one["what"] for one in found} == {case.id: "attack" for case in cases}
