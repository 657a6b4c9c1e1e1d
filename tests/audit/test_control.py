"""On plain CPython an attack shows its effect, and a rule check shows none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from command_line import recode
from corpora import SAY, SLICE, cases, row, written
from recode_runtime.audit.control import shown


async def effects(folder: Path, one: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What a case is, and by which effects."""
    (found,) = await shown(cases(folder, one), 1, lambda: None)
    return found.what, found.effects


CONNECT = "import socket\nsocket.create_connection(('127.0.0.1', @CANARY_PORT@))\n"
SPEAK = "import os\nos.write(FD, b'xyz')\n"
STEP = "a step was taken that must not be"
CHANGED = "it changed what is the host's"
WRITTEN = "the canary's file was read or changed"
ATTACKS = [
    ("the host's environment came out", row("a", "import os\nprint(os.environ['RCR_CANARY'])\n")),
    ("a global of the host came out", row("a", "print(run.__globals__['HOST_SECRET'])\n")),
    (WRITTEN, row("a", "f = open('@CANARY_FILE@', 'a').write('x')\n")),
    (STEP, row("a", "print('STEP:', 1)\n")),
    (STEP, row("a", "print('@MARKER@')\n")),
    (STEP, row("a", "", gen="'print(\"STEP:\")'")),
    ("somebody connected to the canary's port", row("a", CONNECT)),
    (CHANGED, row("a", "del run\n")),
    (CHANGED, row("a", "run.__code__ = (lambda *a: 1).__code__\n")),
    ("it got past `except Exception`", row("a", "raise KeyboardInterrupt\n")),
    ("it used up the memory or the stack", row("a", "x = 'a' * 10 ** 12\n")),
    ("it brought the interpreter down (signal 6)", row("a", "import os\nos.abort()\n")),
    ("an address came out", row("a", "print(object())\n", leak="0x[0-9a-f]{8,}")),
    ("what it leaves cannot be shown", row("a", "result = 10 ** 5000\n", hostile_value=True)),
    ("it says REACHED", row("a", f"{SAY}say(True)\n", kind="os")),
    ("3 bytes went into the channel", row("a", SPEAK, kind="protocol")),
    ("its text came out as it is", row("a", "print('\\x1b[2J')\n", "ok", kind="render")),
]


@pytest.mark.parametrize(("effect", "fields"), ATTACKS)
async def test_an_attack_is_seen_by_its_effect(
    effect: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    """One effect each, in words."""
    assert await effects(tmp_path, fields) == ("attack", (effect,))


async def test_what_goes_on_is_an_attack(tmp_path: Path) -> None:
    """It is ended after a few seconds."""
    what, (effect,) = await effects(tmp_path, row("a", "while True: pass\n"))
    assert (what, effect) == ("attack", "it went on for 3 s")


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        (row("a", "raise ValueError('x')\n"), "rule check"),
        (row("a", "x = (5).__add__(3)\n"), "rule check"),
        (row("a", "print(data.k, data['k'], add(1, 2), run('x'))\n", "ok"), "benign"),
        (row("a", "x = 1\n", kind="session"), "not run"),
        (row("a", "x = 1\n", destructive="container only"), "not run"),
    ],
)
async def test_what_is_no_attack(fields: dict[str, Any], what: str, tmp_path: Path) -> None:
    """A program that merely raised has shown nothing."""
    assert await effects(tmp_path, fields) == (what, ())


async def test_what_a_probe_leaves_in_tmp_is_gone(tmp_path: Path) -> None:
    """It has a /tmp of its own, where the kernel gives one."""
    is_own = "import os\nprint('REACHED' if os.path.ismount('/tmp') else 'DENIED')\n"
    what, _ = await effects(tmp_path, row("a", is_own, kind="os"))
    if what == "attack":
        leave = f"open('/tmp/{tmp_path.name}-left', 'w').close()\n"
        assert (await effects(tmp_path, row("a", leave, kind="os")))[0] == "rule check"
        assert not os.path.exists(f"/tmp/{tmp_path.name}-left")  # noqa: ASYNC240, PTH110


def test_the_command_lists_what_is_no_attack(tmp_path: Path) -> None:
    """A table, and the names of the others; as JSON with the effects."""
    corpus = written(tmp_path, *SLICE)
    path = tmp_path / "control.json"
    answer = recode("audit", "--corpus", corpus, "--control", "--json", path)
    assert answer.code == 0
    assert answer.out.splitlines()[0].split() == [
        *("class", "cases", "attack", "rule", "check", "benign", "not", "run")
    ]
    assert answer.out.splitlines()[2].split() == ["all", "21", "13", "2", "3", "3"]
    assert "\nrule check: forges, goes-on\n" in answer.out
    assert "\nbenign: benign, mended, twice\n" in answer.out
    assert "\nnot run: fills, re-enters, elsewhere\n" in answer.out
    found = json.loads(path.read_text())
    assert found["schema"] == "recode.audit-control/1"
    assert found["results"][1] == {
        "id": "reads-file",
        "class": "a-class",
        "what": "attack",
        "effects": ["the canary's file came out", "the canary's file was read or changed"],
    }
