"""What happened in a run, as values: `Outcome`, `Node`, `Tree`.

Everything here is frozen. A tree has a JSON form, `recode.tree/1` (JSON Schema:
`schemas/tree-1.json`).

Source of the tree: ReCode (arXiv 2510.23564), section 3; one node is one statement.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from recode_runtime.errors import Finding

SCHEMA = "recode.tree/1"

NodeKind = Literal["action", "placeholder"]
NodeStatus = Literal["waiting", "running", "done", "failed", "replaced", "skipped"]
RunStatus = Literal["running", "done", "failed", "stopped", "interrupted"]
FailureKind = Literal[
    "unreadable",  # no program in the reply
    "refused",  # outside the grammar; .findings
    "error",  # the program raised
    "limit",  # stopped by a limit of the policy
    "primitive",  # a primitive raised and the program did not catch it
    "contract",  # a promised output was not bound
    "exhausted",  # all attempts of a placeholder are used up
    "ended",  # the environment's episode is over; not the program's fault
]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work, in words that a model can act on.

    `line` counts from 1 in the program (0: no line). `traceback` holds only the program's own
    lines, the failing one marked.
    """

    kind: FailureKind
    message: str
    line: int = 0
    traceback: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as it crossed the wall: `value` if it is plain data, else a capped repr.

    `text` is the value as Python source (or a repr for `plain=False`), cut to the asked size;
    `size` is the length of the whole text in characters, so that a cut can be seen.
    """

    name: str
    type: str
    text: str
    size: int
    plain: bool = True
    value: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of executing one piece of source in a session.

    `variables` holds the plain-data values asked for, `bound` the names that the source bound,
    `seconds` the program's own time (the clock stops while the host answers a primitive).
    """

    failure: Failure | None = None
    printed: str = ""
    bound: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the source ran to its end."""
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call, as the server counted them; None where it did not say."""

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None

    def __add__(self, other: Usage) -> Usage:
        """The tokens of both; what only one of them counted is kept as it is."""
        pairs = (
            (self.prompt, other.prompt),
            (self.completion, other.completion),
            (self.cached, other.cached),
        )
        sums = [
            None if one is None and two is None else (one or 0) + (two or 0) for one, two in pairs
        ]
        return Usage(*sums)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a primitive: what was asked and what came back (`error` instead of `value`).

    `answered` is False for a call that was sent and whose answer is not recorded.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    error: str | None = None
    answered: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Repair:
    """One change that was made to a reply or a program before it was run.

    `code` is that of the rule whose finding it mends, `before` and `after` are the lines that
    differ. A repair is safe if it keeps the meaning and the order of effects for certain.
    """

    code: str
    what: str
    before: str = ""
    after: str = ""
    safe: bool = True

    @classmethod
    def between(cls, code: str, what: str, before: str, after: str, *, safe: bool = True) -> Repair:
        """The repair that turned one text into the other; equal lines are left out."""
        old, new = before.split("\n"), after.split("\n")
        matches = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        changed = [match for match in matches if match[0] != "equal"]
        removed = [line for _, start, end, _, _ in changed for line in old[start:end]]
        added = [line for _, _, _, start, end in changed for line in new[start:end]]
        return cls(code, what, "\n".join(removed), "\n".join(added), safe)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reply of the model for one placeholder: the program in it, or why there is none.

    `repairs` are what `reply` and `grammar` mended, in the order in which it was done.
    """

    number: int
    source: str = ""
    thought: str = ""
    repairs: tuple[Repair, ...] = ()
    failure: Failure | None = None
    usage: Usage = Usage()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """One statement in the tree of a run; a placeholder has attempts and children.

    `attempt` is the number of the parent's attempt that wrote this statement, `line` its line in
    that program, `depth` the distance from the root, which has 0.
    """

    id: str
    source: str
    kind: NodeKind
    depth: int
    status: NodeStatus = "waiting"
    attempt: int = 1
    line: int = 1
    attempts: tuple[Attempt, ...] = ()
    calls: tuple[Call, ...] = ()
    printed: str = ""
    failure: Failure | None = None
    seconds: float = 0.0
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, depth first, in the order of execution."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


@dataclass(frozen=True, slots=True)
class Tree:
    """All of one run. `score` is the environment's, from 0 to 1, or None where there is none."""

    run: str
    instruction: str
    environment: str
    model: str
    policy: str
    root: Node | None = None
    status: RunStatus = "running"
    success: bool = False
    score: float | None = None
    failure: str = ""
    seconds: float = 0.0
    spent: Mapping[str, float] = field(default_factory=dict)
    schema: str = SCHEMA

    def nodes(self) -> Iterator[Node]:
        """Every node, depth first, in the order of execution."""
        return self.root.walk() if self.root else iter(())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form (`recode.tree/1`)."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict())  # msgspec refuses lone surrogates, a reply may hold them

    @classmethod
    def from_json(cls, text: str | bytes) -> Tree:
        """The inverse of `to_json`.

        Raises:
            ValueError: the text is not a tree of this version; the message names the place.
        """
        tree = msgspec.convert(json.loads(text), cls)
        if tree.schema != SCHEMA:
            raise ValueError(f"this is {tree.schema!r}, not {SCHEMA!r}")
        return tree

    def without_times(self) -> Tree:
        """The same tree with every measured time and the run's name left out, for comparing."""
        root = _without_times(self.root) if self.root else None
        spent = {name: value for name, value in self.spent.items() if name != "seconds"}
        return dataclasses.replace(self, run="", seconds=0.0, spent=spent, root=root)


def _without_times(node: Node) -> Node:
    return dataclasses.replace(
        node,
        seconds=0.0,
        attempts=tuple(dataclasses.replace(one, seconds=0.0) for one in node.attempts),
        calls=tuple(dataclasses.replace(one, seconds=0.0) for one in node.calls),
        children=tuple(_without_times(child) for child in node.children),
    )
