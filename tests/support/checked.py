"""`recode check` and `recode rules` in this process, in a folder of files that a test writes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner

from command_line import Answer
from recode_runtime.cli import app


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """The folder, with these files in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def checked(folder: Path, *arguments: str | Path, stdin: str | bytes = b"") -> Answer:
    """What `recode check` says when it is called in the folder."""
    return called(folder, "check", *arguments, stdin=stdin)


def called(folder: Path, *arguments: str | Path, stdin: str | bytes = b"") -> Answer:
    """What `recode` says; an exception that is not told to the user is a failure of the test."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = CliRunner().invoke(app, [*map(str, arguments)], input=stdin, catch_exceptions=False)
    finally:
        os.chdir(before)
    return Answer(done.exit_code, done.stdout, done.stderr)
