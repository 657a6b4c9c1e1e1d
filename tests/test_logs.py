"""The logs of the command line: where they go, in which form, and what they cannot do."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from parts import REQUIRED

PROGRAM = """
import logging
import structlog
from recode_runtime import logs
logs.set_up(verbose={verbose})
logging.getLogger("library").warning("told %s", "\\x1b[2J\\u202e")
logging.getLogger("library").debug("never shown")
structlog.get_logger("recode").warning("ours", text="\\x1b[31m", count=3)
structlog.get_logger("recode").debug("fine")
"""


def logged(*, verbose: bool = False) -> list[dict[str, object]]:
    """The records that a program without a terminal writes to standard error."""
    command = [sys.executable, "-c", PROGRAM.format(verbose=verbose)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def terminal() -> tuple[int, int]:
    """The two ends of a terminal; the test is skipped where the machine can make none."""
    try:
        return pty.openpty()
    except OSError as problem:
        if "pty" in REQUIRED:
            raise
        pytest.skip(f"needs a terminal: {problem}")


def test_without_a_terminal_each_record_is_one_json_object() -> None:
    """Ours and those of libraries come in the same form, with escapes written out."""
    records = logged()
    assert all(str(record.pop("timestamp")).endswith("Z") for record in records)
    assert records == [
        {"event": "told \\x1b[2J\\u202e", "level": "warning", "logger": "library"},
        {"event": "ours", "text": "\\x1b[31m", "count": 3, "level": "warning", "logger": "recode"},
    ]


def test_verbose_shows_our_details_but_not_those_of_libraries() -> None:
    """Debug records of libraries hold whole requests; they are never shown."""
    events = [record["event"] for record in logged(verbose=True)]
    assert events == ["told \\x1b[2J\\u202e", "ours", "fine"]


def test_on_a_terminal_the_records_are_lines_that_cannot_move_the_cursor() -> None:
    """Coloured for people; the text of a record cannot clear the screen or turn its direction."""
    ours, theirs = terminal()
    command = [sys.executable, "-c", PROGRAM.format(verbose=False)]
    subprocess.run(command, stderr=theirs, check=True)
    os.close(theirs)
    text = os.read(ours, 65_536).decode()
    os.close(ours)
    assert len(text.splitlines()) == 2
    assert "told \\x1b[2J\\u202e" in text
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
