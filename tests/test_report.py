"""What people read of a tree: the drawing, the summary, the numbers, and the tree as it grows."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from example_run import example_events, example_tree
from recode_runtime.errors import Finding
from recode_runtime.events import (
    AnyEvent,
    AttemptJudged,
    CallAnswered,
    ModelReplied,
    NodeClosed,
    NodeOpened,
    NodeStarted,
    TreeBuilder,
)
from recode_runtime.report import (
    LiveTree,
    drawn,
    exchanges,
    metrics,
    runs_table,
    shortened,
    summary,
    to_text,
)
from recode_runtime.tree import (
    Attempt,
    Call,
    Failure,
    Node,
    Repair,
    Tree,
    Usage,
)

DRAWING = """\
✓ solve(instruction, observation)  (depth 0)
├── attempt 1
│     refused: line 1: RC110 a placeholder in a loop
│     | for i in range(3):
│     |     dig()
└── attempt 2
      repaired: a Markdown fence was removed
        - ```python
        - ```
    ├── ✓ obs = run('look')
    │     -> A well.\\nA spade.
    ├── ✓ n = dig(where="well")  (depth 1)
    │   ├── attempt 1
    │   │     error: ZeroDivisionError: division by zero (line 2)
    │   │   ├── ✓ k = 3
    │   │   ├── ✗ n = k / 0  (failed)
    │   │   │     error: ZeroDivisionError: division by zero (line 2)
    │   │   └── ↻ run(where)  (replaced)
    │   └── attempt 2
    │       └── ✓ n = len(run(where))
    │             run('well') -> ['coin', 'coin']
    └── ✓ print(n)
          printed: 2
"""
SUMMARY = """\
╭─ success ────────────────────────────────────────────────────╮
│ run     20261120-190301-3f9a71c2                             │
│ task    Find the coins.                                      │
│ with    garden, model expert, policy strict                  │
│ result  score 1.00, depth 2, nodes 8                         │
│ work    expansions 3, primitives 2, model calls 4, refused 1 │
│ cost    seconds 1.50, tokens 275                             │
╰──────────────────────────────────────────────────────────────╯
"""
GROWN = """\
garden, model expert, policy strict
Find the coins.
▸ solve(instruction, observation)
│ attempt 1 refused: line 1: RC110 a placeholder in a loop
│ attempt 2 repaired: a Markdown fence was removed
│ ✓ obs = run('look')  -> A well.\\nA spade.
│ ▸ n = dig(where="well")
│ │ ✓ k = 3
│ │ ✗ n = k / 0  error: ZeroDivisionError: division by zero (line 2)
│ │ ↻ run(where)
│ │ attempt 1 error: ZeroDivisionError: division by zero (line 2)
│ │ ✓ n = len(run(where))  -> ['coin', 'coin']
│ ✓ print(n)
│ │ printed: 2
"""
HOSTILE = "\x1b[2J\x1b]0;title\x07[red]a[/red] \u202eb \u200bc\rd\ud800"
HARMLESS = r"\x1b[2J\x1b]0;title\x07[red]a[/red] \u202eb \u200bc\rd\ud800"
MENDED = Repair("RC001", HOSTILE, HOSTILE, HOSTILE)


def tree_of(**fields: object) -> Tree:
    """A tree with one action as its root."""
    root = Node(
        **{"id": "0", "source": "a", "kind": "action", "depth": 0, "status": "done"} | fields
    )
    return Tree("r", "t", "", "m", "p", root, "done", True)


def drawing(tree: Tree) -> str:
    """The drawing alone, as plain text."""
    return to_text(tree).split("╭")[0]


def grown(events: list[AnyEvent], *, terminal: bool = False, width: int = 60) -> str:
    """What a live tree prints of these events."""
    file = io.StringIO()
    live = LiveTree(Console(file=file, force_terminal=terminal, width=width))
    for event in events:
        live(event)
    return file.getvalue()


def test_the_plain_text_of_a_tree() -> None:
    """Status, source, depth, observations, output, attempts, refusals and repairs, exactly."""
    assert to_text(example_tree()) == DRAWING + SUMMARY


def test_the_plain_text_fits_the_width() -> None:
    """No line is longer than asked for; long ones are wrapped, not lost."""
    text = to_text(example_tree(), width=40)
    assert max(len(line) for line in text.splitlines()) <= 40
    assert "".join(["ZeroDivisionError:", "division", "by", "zero"]) in "".join(
        text.replace("│", "").split()
    )


def test_the_drawing_has_a_colour_for_each_status() -> None:
    """Done is green, failed red, replaced yellow: the same everywhere."""
    file = io.StringIO()
    Console(file=file, force_terminal=True, color_system="standard", width=100).print(
        drawn(example_tree())
    )
    assert "\x1b[32m✓\x1b[0m" in file.getvalue()
    assert "\x1b[31m✗\x1b[0m" in file.getvalue()
    assert "\x1b[33m↻\x1b[0m" in file.getvalue()


def test_a_run_that_was_refused_at_once_draws_nothing() -> None:
    """A tree without a root is said in words."""
    assert drawing(Tree("r", "t", "", "m", "p")) == "nothing was expanded\n"


def test_a_node_says_why_it_failed_one_line_a_finding() -> None:
    """Each finding has its place and code; the message, which repeats them, is left out."""
    findings = (Finding("RC1", "one", line=1), Finding("RC2", "two"))
    failure = Failure("refused", "line 1: RC1 one; RC2 two", findings=findings)
    assert drawing(tree_of(status="failed", failure=failure)) == (
        "✗ a  (failed)\n  refused: line 1: RC1 one\n  refused: RC2 two\n"
    )


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (Call("run", ("x",), {}, "seen", None, True), "run('x') -> seen"),
        (Call("run", (), {"n": 1}, None, None, True), "run(n=1) -> None"),
        (Call("run", ("y",), {}, None, "E: no", True), "run('y') -> error: E: no"),
        (Call("run", ("y",)), "run('y') -> no answer recorded"),
        (Call("run", ("z",), {}, {"k": [1]}, None, True), "-> {'k': [1]}"),
    ],
)
def test_a_call_shows_its_answer(call: Call, line: str) -> None:
    """The call itself is repeated only where the source does not show it."""
    assert drawing(tree_of(source='run("z")', calls=(call,))) == f'✓ run("z")\n  {line}\n'


def test_long_things_are_cut_and_the_cut_is_marked() -> None:
    """Values after 160 characters, texts after 8 lines, calls after 12."""
    assert shortened("x" * 161) == "x" * 160 + " [+1 characters]"
    assert shortened("x" * 160) == "x" * 160
    printed = drawing(tree_of(printed="\n".join("abcdefghij"))).splitlines()
    assert printed[-2:] == ["  printed: h", "  printed: [+2 lines]"]
    calls = drawing(tree_of(calls=(Call("f"),) * 15)).splitlines()
    assert (len(calls), calls[-1]) == (14, "  [+3 calls]")


def test_a_source_of_several_lines_keeps_them() -> None:
    """A loop is one node and is shown whole."""
    assert drawing(tree_of(source="for i in x:\n    run(i)", status="running")) == (
        "▸ for i in x:  (running)\n      run(i)\n"
    )


def test_hostile_text_is_harmless_wherever_it_stands() -> None:
    """No field of a tree can move the cursor, colour the text or turn its direction."""
    failure = Failure("error", HOSTILE, findings=(Finding("RC1", HOSTILE),))
    refused = dataclasses.replace(failure, kind="refused")
    attempt = Attempt(1, HOSTILE, HOSTILE, (MENDED,), refused)
    call = Call(HOSTILE, (HOSTILE,), {HOSTILE: HOSTILE}, HOSTILE, None, True)
    error = Call("f", (), {}, None, HOSTILE, True)
    node = tree_of(
        source=HOSTILE,
        kind="placeholder",
        printed=HOSTILE,
        failure=failure,
        attempts=(attempt,),
        calls=(call, error),
    )
    tree = dataclasses.replace(
        node,
        run=HOSTILE,
        instruction=HOSTILE,
        environment=HOSTILE,
        model=HOSTILE,
        policy=HOSTILE,
        failure=HOSTILE,
    )
    text = to_text(tree, width=400)
    assert all(line.isprintable() for line in text.splitlines())
    assert text.count(HARMLESS) == 19


def test_a_live_tree_is_harmless_too() -> None:
    """The same holds for what is printed while the run goes on, with and without colours."""
    failure = Failure("error", HOSTILE)
    events: list[AnyEvent] = [
        NodeOpened("0", HOSTILE, "placeholder", 0),
        NodeStarted("0"),
        AttemptJudged("0", 1, HOSTILE, HOSTILE, (MENDED,), Failure("refused", HOSTILE)),
        CallAnswered("0", "k", HOSTILE),
        CallAnswered("0", "k", None, HOSTILE),
        NodeClosed("0", "failed", HOSTILE, failure),
    ]
    plain = grown(events)
    assert all(line.isprintable() for line in plain.splitlines())
    assert plain.count(HARMLESS) == 7
    coloured = grown(events, terminal=True, width=1000)
    assert HARMLESS in coloured
    assert not {"\x07", "\u202e", "\u200b", "\r", "\ud800"} & set(coloured)
    assert "\x1b[2J" not in coloured


def test_the_live_tree_as_plain_lines() -> None:
    """Without a terminal: a line for each thing that happens, indented by depth, uncut."""
    assert grown(example_events(), width=20) == GROWN


def test_the_live_tree_on_a_terminal_is_coloured_and_cut() -> None:
    """On a terminal no line is wider than the window, and nothing is ever redrawn."""
    lines = grown(example_events(), terminal=True, width=40).splitlines()
    assert len(lines) == len(GROWN.splitlines())
    assert "\x1b[31m✗\x1b[0m" in "".join(lines)
    plain = [Text.from_ansi(line).plain for line in lines]
    assert plain[8] == "│ │ ✗ n = k / 0  error: ZeroDivisionErr…"
    assert max(len(line) for line in plain) == 40


def test_the_live_tree_counts_the_calls_of_a_loop() -> None:
    """A statement with many calls is one line: how many there were, and the last answer."""
    events: list[AnyEvent] = [
        NodeOpened("0", "for i in range(3):\n    run(i)", "action", 0),
        NodeStarted("0"),
        *(CallAnswered("0", str(i), f"saw {i}") for i in range(3)),
        NodeClosed("0", "done"),
    ]
    assert grown(events) == "✓ for i in range(3): ...  (3 calls)  -> saw 2\n"


def test_the_live_tree_tells_a_placeholder_that_failed() -> None:
    """One that is done needs no second line; one that failed gets it, with the reason."""
    events: list[AnyEvent] = [
        NodeOpened("0", "dig()", "placeholder", 0),
        NodeStarted("0"),
        NodeClosed("0", "failed", failure=Failure("exhausted", "given up after 6 attempts")),
    ]
    assert grown(events) == "▸ dig()\n✗ dig()  exhausted: given up after 6 attempts\n"


def test_the_metrics_of_a_run() -> None:
    """Every number, counted from the tree alone."""
    assert metrics(example_tree()) == {
        "score": 1.0,
        "success": True,
        "depth": 2,
        "nodes": 8,
        "expansions": 3,
        "primitives": 2,
        "model_calls": 4,
        "refused": 1,
        "seconds": 1.5,
        "tokens": 275,
    }


def test_tokens_that_nobody_counted_are_none() -> None:
    """An expert has no tokens; zero would be a claim."""
    uncounted = [
        _uncounted(event) if isinstance(event, ModelReplied) else event
        for event in example_events()
    ]
    tree = TreeBuilder(uncounted).tree()
    assert metrics(tree)["tokens"] is None
    assert "tokens" not in to_text(tree)


def _uncounted(event: ModelReplied) -> ModelReplied:
    """The same reply from a server that does not count."""
    return ModelReplied(event.node, event.attempt, event.text, usage=Usage())


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"success": False}, "done, but not solved"),
        ({"status": "failed"}, "failed"),
        ({"status": "stopped"}, "stopped"),
        ({"status": "interrupted"}, "interrupted"),
        ({"status": "running"}, "no end recorded"),
    ],
)
def test_the_summary_names_the_end(changes: dict[str, object], title: str) -> None:
    """How a run ended is the title; a killed one has no end on record."""
    tree = dataclasses.replace(example_tree(), **changes)
    assert f"╭─ {title} ─" in to_text(tree)


def test_the_summary_says_why_and_where() -> None:
    """The failure of a run, a missing score, and the path of the journal."""
    tree = dataclasses.replace(example_tree(), status="stopped", failure="no nodes", score=None)
    file = io.StringIO()
    Console(file=file, width=100).print(summary(tree, Path("/runs/a.jsonl")))
    assert "│ result   score none, depth 2, nodes 8 " in file.getvalue()
    assert "│ why      no nodes " in file.getvalue()
    assert "│ journal  /runs/a.jsonl " in file.getvalue()


def test_exchanges_are_the_whole_prompts_and_replies() -> None:
    """Requests and replies in the order they were sent; newlines stay, escapes do not."""
    events = [
        *example_events()[2:5],
        ModelReplied("0.2", 1, "a\n\x1b[1m\tb"),
        ModelReplied("0.2", 2, "", "the reply was empty"),
    ]
    assert [text.plain for text in exchanges(events)] == [
        "--- 0, attempt 1: user",
        "expand 0",
        "--- 0, attempt 1: reply",
        "for i in range(3):\n    dig()",
        "--- 0.2, attempt 1: reply",
        "a\n\\x1b[1m\\tb",
        "--- 0.2, attempt 2: reply",
        "the reply was empty",
    ]


def test_the_table_of_runs() -> None:
    """One line a run under the names of its columns; what is unknown is left empty."""
    rows = [{"id": "a", "score": 0.5, "nodes": 12}, {"id": "\x1b[1m", "score": None, "nodes": 3}]
    file = io.StringIO()
    Console(file=file, width=80).print(runs_table(rows))
    assert [line.rstrip() for line in file.getvalue().splitlines()] == [
        "id       score  nodes",
        "a        0.50   12",
        "\\x1b[1m         3",
    ]
