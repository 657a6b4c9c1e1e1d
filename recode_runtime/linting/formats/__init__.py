"""How a result is written: one module a format, each a function from a `Result` to text."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from recode_runtime.linting.units import Result

FORMATS = ("full", "concise", "json", "github", "gitlab", "sarif", "junit")
# Formats for people, in colours on a terminal and with a summary below.
FOR_PEOPLE = ("full", "concise")
# Formats that list what would mend a finding.
WITH_EDITS = ("json", "sarif")


def written(result: Result, wanted: str, *, colour: bool = False) -> str:
    """The findings of a result in one of `FORMATS`; it ends in a newline, or is empty."""
    module = import_module(f"recode_runtime.linting.formats.{wanted}_format")
    render: Callable[..., str] = module.render
    return render(result, colour=colour) if wanted in FOR_PEOPLE else render(result)
