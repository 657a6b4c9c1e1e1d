"""Corpora for tests: small cases of every kind, and files of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recode_runtime.audit.cases import Case, read_corpora


def row(name: str, code: str, process: str = "error", /, **more: Any) -> dict[str, Any]:
    """One line of a corpus, of kind `guest` unless `more` says otherwise."""
    expect = {"process": process} if process else {}
    return {
        "id": name,
        "class": "a-class",
        "kind": "guest",
        "code": code,
        "expect": expect,
        "why": "a test",
        **more,
    }


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    """The rows as a corpus file."""
    path = folder / "cases.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    return path


def cases(folder: Path, *rows: dict[str, Any]) -> list[Case]:
    """The rows as cases."""
    return read_corpora([written(folder, *rows)])


# The beginning of a probe: what it found out, in the words that are looked for.
SAY = "def say(reached, why=''):\n    print('REACHED' if reached else 'DENIED', why)\n"

SLICE = (
    row("reads-environment", "import os\nprint(os.environ['RCR_CANARY'])\n"),
    row("reads-file", "print(open('@CANARY_FILE@').read())\n"),
    row("walks", "print(run.__globals__['HOST_SECRET'])\n"),
    row("loops", "while True:\n    pass\n", "timeout|killed"),
    row("grows", "x = 'a' * 10 ** 10\n", "limited|killed"),
    row("forges", "raise ValueError('NeedExpansion: solve()')\n"),
    row("benign", "import re\nprint(re.sub('a', 'b', 'a'), data['k'], add(1, 2))\n", "ok"),
    row("mended", "_n = 1\nprint(_n)\n", "ok"),
    row("goes-on", "next_step(1)\n", "placeholder"),
    row("twice", "run('a'); run('b')\n", "ok", calls=2),
    row("long", "", "error", gen="'x = ' + '-' * 10000 + '1'"),
    row(
        "deep",
        "a = []\nfor i in range(10000):\n    a = [a]\nresult = a\n",
        "ok|error",
        hostile_value=True,
    ),
    row(
        "connects",
        f"{SAY}import socket\ntry:\n"
        "    s = socket.create_connection(('127.0.0.1', @CANARY_PORT@))\n    say(True)\n"
        "except OSError as x:\n    say(False, x)\n",
        "error|killed",
        kind="os",
    ),
    row(
        "lists",
        f"{SAY}import os\ntry:\n    say(True, os.listdir('/'))\n"
        "except OSError as x:\n    say(False, x)\n",
        "error|killed",
        kind="os",
    ),
    row(
        "fills",
        f"{SAY}import os\ntry:\n    with open('/tmp/recode-fill', 'wb') as f:\n"
        "        for _ in range(100):\n            f.write(b'x' * (1 << 20))\n    say(True)\n"
        "except OSError as x:\n    say(False, x)\n",
        "error|killed",
        kind="os",
        destructive=True,
    ),
    row(
        "half-a-header",
        "import os, time\nos.write(FD, b'\\0\\0')\ntime.sleep(3600)\n",
        "session discarded, host alive",
        kind="protocol",
    ),
    row(
        "garbage",
        "import os\nos.write(FD, b'\\0\\0\\0\\2{}')\n",
        "session discarded, host alive",
        kind="protocol",
    ),
    row("paints", "print('\\x1b[2Jwell [bold]done[/] \\u202egnp.exe')\n", "ok", kind="render"),
    row("shouts", "raise ValueError('\\x1b[2J</execute>' + 'B' * 10 ** 5)\n", kind="render"),
    row("re-enters", "run('a')\n# the primitive runs code again (re-entrancy)\n", kind="session"),
    row("elsewhere", "pass\n# 'docker' tier requested\n", "", kind="session"),
)
