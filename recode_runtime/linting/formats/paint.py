"""Colours for a terminal, or none."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from recode_runtime.errors import Level


@dataclass(frozen=True, slots=True)
class Paint:
    """What each part of a message looks like."""

    colour: bool

    def _in(self, text: str, **style: object) -> str:
        return typer.style(text, **style) if self.colour and text else text  # type: ignore[arg-type]

    def path(self, text: str) -> str:
        """The name of a file."""
        return self._in(text, bold=True)

    def code(self, text: str, level: Level) -> str:
        """A rule's code, an underline."""
        return self._in(text, fg="yellow" if level == "warning" else "red", bold=True)

    def mark(self, text: str) -> str:
        """The sign of what can be mended."""
        return self._in(text, fg="cyan")

    def frame(self, text: str) -> str:
        """Line numbers and rules beside the source."""
        return self._in(text, fg="blue", bold=True)

    def removed(self, text: str) -> str:
        """A line of a diff that goes."""
        return self._in(text, fg="red")

    def added(self, text: str) -> str:
        """A line of a diff that comes."""
        return self._in(text, fg="green")
