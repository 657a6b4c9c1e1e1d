"""A small run written by hand: every event kind, a refusal, a repair, a failure, a correction."""

from __future__ import annotations

from recode_runtime.errors import Finding
from recode_runtime.events import (
    AnyEvent,
    AttemptJudged,
    CallAnswered,
    CallSent,
    ModelAsked,
    ModelReplied,
    NodeClosed,
    NodeOpened,
    NodeStarted,
    RunEnded,
    RunStarted,
    TreeBuilder,
)
from recode_runtime.tree import Failure, Repair, Tree, Usage

RUN = "20261120-190301-3f9a71c2"
_LOOP = Finding("RC110", "a placeholder in a loop", line=1)
_REFUSED = Failure("refused", str(_LOOP), findings=(_LOOP,))
_DIVISION = Failure("error", "ZeroDivisionError: division by zero", line=2)
_DIG = 'n = dig(where="well")'
REPAIR = Repair("RC001", "a Markdown fence was removed", "```python\n```", "")


def _asked(node: str, attempt: int, program: str, usage: Usage = Usage()) -> list[AnyEvent]:
    messages = [{"role": "user", "content": f"expand {node}"}]
    return [ModelAsked(node, attempt, messages), ModelReplied(node, attempt, program, usage=usage)]


def _root_is_expanded() -> list[AnyEvent]:
    refused = "for i in range(3):\n    dig()"
    program = f"obs = run('look')\n{_DIG}\nprint(n)"
    return [
        NodeOpened("0", "solve(instruction, observation)", "placeholder", 0),
        NodeStarted("0"),
        *_asked("0", 1, refused, Usage(100, 20)),
        AttemptJudged("0", 1, refused, failure=_REFUSED),
        *_asked("0", 2, program, Usage(130, 25)),
        AttemptJudged("0", 2, program, "look first", (REPAIR,)),
        NodeOpened("0.1", "obs = run('look')", "action", 1, "0", 2, 1),
        NodeOpened("0.2", _DIG, "placeholder", 1, "0", 2, 2),
        NodeOpened("0.3", "print(n)", "action", 1, "0", 2, 3),
        NodeStarted("0.1"),
        CallSent("0.1", f"{RUN}/0.1/1", "run", ("look",), {}),
        CallAnswered("0.1", f"{RUN}/0.1/1", "A well.\nA spade."),
        NodeClosed("0.1", "done", seconds=0.25),
    ]


def _the_well_is_dug() -> list[AnyEvent]:
    first, second = "k = 3\nn = k / 0\nrun(where)", "n = len(run(where))"
    return [
        NodeStarted("0.2"),
        *_asked("0.2", 1, first),
        AttemptJudged("0.2", 1, first),
        NodeOpened("0.2.1", "k = 3", "action", 2, "0.2", 1, 1),
        NodeOpened("0.2.2", "n = k / 0", "action", 2, "0.2", 1, 2),
        NodeOpened("0.2.3", "run(where)", "action", 2, "0.2", 1, 3),
        NodeStarted("0.2.1"),
        NodeClosed("0.2.1", "done"),
        NodeStarted("0.2.2"),
        NodeClosed("0.2.2", "failed", failure=_DIVISION),
        NodeClosed("0.2.3", "replaced"),
        AttemptJudged("0.2", 1, first, failure=_DIVISION),
        *_asked("0.2", 2, second),
        AttemptJudged("0.2", 2, second),
        NodeOpened("0.2.4", second, "action", 2, "0.2", 2, 1),
        NodeStarted("0.2.4"),
        CallSent("0.2.4", f"{RUN}/0.2.4/2", "run", ("well",), {}),
        CallAnswered("0.2.4", f"{RUN}/0.2.4/2", ["coin", "coin"]),
        NodeClosed("0.2.4", "done"),
        NodeClosed("0.2", "done"),
    ]


def example_events() -> list[AnyEvent]:
    """The events of the run, from its start to its end."""
    return [
        RunStarted(
            RUN, "Find the coins.", "garden", "expert", "strict", "2026-11-20T19:03:01+00:00"
        ),
        *_root_is_expanded(),
        *_the_well_is_dug(),
        NodeStarted("0.3"),
        NodeClosed("0.3", "done", printed="2\n"),
        NodeClosed("0", "done"),
        RunEnded("done", True, 1.0, seconds=1.5, spent={"nodes": 8.0, "seconds": 1.5}),
    ]


def example_tree() -> Tree:
    """The tree of the run."""
    return TreeBuilder(example_events()).tree()
