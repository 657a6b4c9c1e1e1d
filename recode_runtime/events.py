"""What a run is made of: events in their order, and the tree as their fold.

The journal writes the events, the terminal shows them, and a `Tree` is what `TreeBuilder` makes of
them: what a journal says and what a tree says cannot differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import msgspec

from recode_runtime.tree import (
    Attempt,
    Call,
    Failure,
    Node,
    NodeKind,
    NodeStatus,
    Repair,
    RunStatus,
    Tree,
    Usage,
)


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    """One thing that happened; `node` is the id of the node it happened to."""


class RunStarted(Event, frozen=True, tag="run.start"):
    """The first event: what is to be done, by which model, under which policy.

    `observation` is the first one, `settings` the whole policy as its tables.
    """

    run: str
    instruction: str
    environment: str
    model: str
    policy: str
    created: str
    observation: str = ""
    settings: dict[str, Any] = {}


class NodeOpened(Event, frozen=True, tag="node.open"):
    """A statement of an accepted program; it waits until execution reaches it."""

    node: str
    source: str
    kind: NodeKind
    depth: int
    parent: str | None = None
    attempt: int = 1
    line: int = 1


class NodeStarted(Event, frozen=True, tag="node.start"):
    """Execution reached the node."""

    node: str


class ModelAsked(Event, frozen=True, tag="model.ask"):
    """The exact messages of one request, before it is sent."""

    node: str
    attempt: int
    messages: list[dict[str, str]]


class ModelReplied(Event, frozen=True, tag="model.reply"):
    """The exact text of the reply; `problem` says why there is none."""

    node: str
    attempt: int
    text: str
    problem: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0


class AttemptJudged(Event, frozen=True, tag="attempt"):
    """The program read from the reply, and the failure if it was not accepted."""

    node: str
    attempt: int
    source: str = ""
    thought: str = ""
    repairs: tuple[Repair, ...] = ()
    failure: Failure | None = None


class AttemptFailed(Event, frozen=True, tag="attempt.fail"):
    """The accepted program of an attempt did not get to its end."""

    node: str
    attempt: int
    failure: Failure


class CallSent(Event, frozen=True, tag="call.sent"):
    """Written before the primitive acts; `key` is its idempotency key, run/node/sequence."""

    node: str
    key: str
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class CallAnswered(Event, frozen=True, tag="call.answer"):
    """What the program was given: the value that the primitive returned, or the error it raised.

    There is none for a call that was cut off; whether it acted is not known then.
    """

    node: str
    key: str
    value: Any = None
    error: str | None = None
    seconds: float = 0.0


class NodeClosed(Event, frozen=True, tag="node.close"):
    """The node is finished; nothing happens to it any more."""

    node: str
    status: NodeStatus
    printed: str = ""
    failure: Failure | None = None
    seconds: float = 0.0


class RunEnded(Event, frozen=True, tag="run.end"):
    """The last event of a run that ended by itself or was ended in good order."""

    status: RunStatus
    success: bool
    score: float | None = None
    failure: str = ""
    seconds: float = 0.0
    spent: dict[str, float] = {}


AnyEvent = (
    RunStarted
    | NodeOpened
    | NodeStarted
    | ModelAsked
    | ModelReplied
    | AttemptJudged
    | AttemptFailed
    | CallSent
    | CallAnswered
    | NodeClosed
    | RunEnded
)


class TreeBuilder:
    """Folds events into a `Tree`; constant work an event, whatever the size of the tree."""

    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
        self._head: dict[str, Any] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._root: str | None = None
        for event in events:
            self.apply(event)

    def apply(self, event: AnyEvent) -> None:
        """Take one event in.

        Raises:
            KeyError: it speaks of a node that was never opened.
        """
        match event:
            case RunStarted():
                names = ("run", "instruction", "environment", "model", "policy")
                self._head = {name: getattr(event, name) for name in names}
            case RunEnded():
                self._head |= msgspec.structs.asdict(event)
            case NodeOpened():
                self._open(event)
            case _:
                self._change(self._nodes[event.node], event)

    def _open(self, event: NodeOpened) -> None:
        draft = msgspec.structs.asdict(event)
        draft["id"] = draft.pop("node")
        draft |= {"attempts": {}, "calls": {}, "children": []}
        self._nodes[event.node] = draft
        parent = draft.pop("parent")
        if parent is None:
            self._root = event.node
        else:
            self._nodes[parent]["children"].append(event.node)

    def _change(self, draft: dict[str, Any], event: AnyEvent) -> None:
        match event:
            case NodeStarted():
                draft["status"] = "running"
            case ModelReplied(attempt=number, usage=usage, seconds=seconds):
                draft["attempts"][number] = Attempt(number, usage=usage, seconds=seconds)
            case AttemptJudged(attempt=number):
                known = draft["attempts"].get(number, Attempt(number))
                kept = ("source", "thought", "repairs", "failure")
                changes = {name: getattr(event, name) for name in kept}
                draft["attempts"][number] = dataclasses.replace(known, **changes)
            case AttemptFailed(attempt=number, failure=failure):
                known = draft["attempts"][number]
                draft["attempts"][number] = dataclasses.replace(known, failure=failure)
            case CallSent(key=key):
                draft["calls"][key] = Call(event.name, event.args, event.kwargs)
            case CallAnswered(key=key):
                answer = {k: getattr(event, k) for k in ("value", "error", "seconds")}
                draft["calls"][key] = dataclasses.replace(
                    draft["calls"][key], answered=True, **answer
                )
            case NodeClosed():
                draft |= {k: getattr(event, k) for k in ("status", "printed", "failure", "seconds")}

    def node(self, node: str) -> Node:
        """The node with that id and everything below it, as far as it has come."""
        draft = dict(self._nodes[node])
        draft["children"] = tuple(self.node(child) for child in draft["children"])
        draft["attempts"] = tuple(draft["attempts"].values())
        draft["calls"] = tuple(draft["calls"].values())
        return Node(**draft)

    def tree(self) -> Tree:
        """The tree so far.

        Raises:
            ValueError: no `RunStarted` was seen.
        """
        if "run" not in self._head:
            raise ValueError("the record has no start of a run")
        root = self.node(self._root) if self._root is not None else None
        return Tree(**self._head, root=root)
