"""Host programs of their own, for what cannot be done to the process that runs the tests."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BEGIN = """
import asyncio, contextlib, gc, json, os, sys, threading, time
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import guest
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.sandboxes.zygote import shared
from processes import children, descriptors_open, is_running, is_there
from sessions import opened, strict

def tell(**facts):
    print(json.dumps(facts), flush=True)
"""
END_SECONDS = 60.0


class Host:
    """A host that has been started; each line that it prints is a JSON object."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def hear(self) -> dict[str, Any]:
        """What it tells next."""
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told


@contextlib.contextmanager
def hosted(program: str) -> Iterator[Host]:
    """A host that runs a program, which can `tell(name=fact)`; killed in the end."""
    source = BEGIN + textwrap.dedent(program)
    support = str(Path(__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, cwd=support
    ) as process:
        try:
            yield Host(process)
        finally:
            process.kill()


def result_of(program: str) -> dict[str, Any]:
    """The one thing that a host tells; it must end in good order and complain of nothing."""
    source = BEGIN + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        timeout=END_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
