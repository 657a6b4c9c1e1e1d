"""A program: what the grammar makes of a reply, and what the supervisor runs.

Each top-level statement is one node of the tree. A statement is an *action* (it runs in the
sandbox) or a *placeholder* `[out1, out2 =] snake_name(args)` (it is expanded first).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recode_runtime.tree import NodeKind


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A call to a name that is bound nowhere: a sub-goal still to be expanded.

    `arguments` and `keywords` hold the source of each argument, a plain name or a literal;
    `names` are the variables among them, in the order in which they are written.
    """

    name: str
    outputs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    keywords: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The statement as it would be written, on one line."""
        keywords = [f"{name}={value}" for name, value in self.keywords.items()]
        call = f"{self.name}({', '.join([*self.arguments, *keywords])})"
        return f"{', '.join(self.outputs)} = {call}" if self.outputs else call


@dataclass(frozen=True, slots=True)
class Statement:
    """One top-level statement: its text, its first line in the program, and what it is."""

    source: str
    line: int
    placeholder: Placeholder | None = None

    @property
    def kind(self) -> NodeKind:
        """`"placeholder"` or `"action"`."""
        return "action" if self.placeholder is None else "placeholder"


@dataclass(frozen=True, slots=True)
class Program:
    """A validated expansion: the whole text, and its statements in order."""

    source: str
    statements: tuple[Statement, ...]
