"""A tree as people read it: for the terminal, as plain text, as numbers, and while it grows.

Everything in a tree may be hostile: programs come from a model, observations from anywhere. So
every character that does not print (ANSI sequences, control and bidirectional characters, lone
surrogates) is written out as an escape, and data is only ever put into `rich.text.Text`, which
knows no markup.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree as Branch

from recode_runtime.events import (
    AnyEvent,
    AttemptFailed,
    AttemptJudged,
    CallAnswered,
    ModelAsked,
    ModelReplied,
    NodeClosed,
    NodeOpened,
    NodeStarted,
    RunStarted,
)
from recode_runtime.tree import (
    Attempt,
    Call,
    Failure,
    Node,
    NodeStatus,
    Tree,
    Usage,
)
from recode_runtime.wording import visible

WIDTH = 120  # columns, where there is no terminal that has a width
_VALUE_CHARACTERS = 160
_LINES = 8
_CALLS = 12
_NOT_RUN = ("unreadable", "refused")
_MARKS: dict[NodeStatus, tuple[str, str]] = {
    "waiting": ("·", "dim"),
    "running": ("▸", "cyan"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "replaced": ("↻", "yellow"),
    "skipped": ("-", "dim"),
}


def shortened(text: str, characters: int = _VALUE_CHARACTERS) -> str:
    """`visible` text, cut to so many characters of the original; the cut is marked."""
    cut = len(text) - characters
    return visible(text) if cut <= 0 else f"{visible(text[:characters])} [+{cut} characters]"


def metrics(tree: Tree) -> dict[str, Any]:
    """What a run came to, in numbers.

    `depth` is that of the deepest node (the root has 0), `expansions` counts the programs that
    ran, `primitives` the calls, `model_calls` the replies, `refused` those that held no program
    or one outside the grammar. `seconds` are wall time. `tokens` is None if no server counted
    them, `score` if there is no environment.
    """
    nodes = list(tree.nodes())
    attempts = [attempt for node in nodes for attempt in node.attempts]
    refused = sum(_is_refused(attempt.failure) for attempt in attempts)
    return {
        "score": tree.score,
        "success": tree.success,
        "depth": max((node.depth for node in nodes), default=0),
        "nodes": len(nodes),
        "expansions": len(attempts) - refused,
        "primitives": sum(len(node.calls) for node in nodes),
        "model_calls": len(attempts),
        "refused": refused,
        "seconds": tree.seconds,
        "tokens": _tokens(attempts),
    }


def _is_refused(failure: Failure | None) -> bool:
    return failure is not None and failure.kind in _NOT_RUN


def _tokens(attempts: Iterable[Attempt]) -> int | None:
    usage = sum((attempt.usage for attempt in attempts), Usage())
    counted = [count for count in (usage.prompt, usage.completion) if count is not None]
    return sum(counted) if counted else None


def outcome(tree: Tree) -> tuple[str, str]:
    """How the run ended, in a word or two, and a colour for it."""
    if tree.status == "done":
        return ("success", "green") if tree.success else ("done, but not solved", "yellow")
    return {
        "failed": ("failed", "red"),
        "stopped": ("stopped", "red"),
        "interrupted": ("interrupted", "yellow"),
        "running": ("no end recorded", "yellow"),
    }[tree.status]


def summary(tree: Tree, journal: Path | None = None) -> Panel:
    """One panel: the task, how it ended, the metrics, and where it is written down."""
    numbers = metrics(tree)
    score = "none" if tree.score is None else f"{tree.score:.2f}"
    tokens = "" if numbers["tokens"] is None else f", tokens {numbers['tokens']}"
    rows = {
        "run": tree.run,
        "task": shortened(tree.instruction),
        "with": _circumstances(tree),
        "result": f"score {score}, depth {numbers['depth']}, nodes {numbers['nodes']}",
        "work": f"expansions {numbers['expansions']}, primitives {numbers['primitives']}, "
        f"model calls {numbers['model_calls']}, refused {numbers['refused']}",
        "cost": f"seconds {tree.seconds:.2f}{tokens}",
        "why": shortened(tree.failure, 400),
        "journal": str(journal or ""),
    }
    grid = Table.grid(padding=(0, 2))
    for label, value in rows.items():
        if value:
            grid.add_row(Text(label, "dim"), Text(visible(value), overflow="fold"))
    word, colour = outcome(tree)
    return Panel(
        grid, title=Text(word, colour), title_align="left", border_style=colour, expand=False
    )


def _circumstances(tree: Tree | RunStarted) -> str:
    named = f"{tree.environment}, " if tree.environment else ""
    return visible(f"{named}model {tree.model}, policy {tree.policy}")


def drawn(tree: Tree) -> RenderableType:
    """The whole tree for `rich`: each node with its status, calls, output, attempts, failure."""
    return _branch(tree.root) if tree.root else Text("nothing was expanded", "dim")


def to_text(tree: Tree, width: int = WIDTH) -> str:
    """The drawing and the summary as plain text, without colours."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, color_system=None, legacy_windows=False)
    console.print(drawn(tree), summary(tree), sep="\n")
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _branch(node: Node) -> Branch:
    branch = Branch(Group(*_headline(node), *_details(node)), guide_style="dim")
    if _is_plain(node.attempts):
        for child in node.children:
            branch.add(_branch(child))
        return branch
    for attempt in node.attempts:
        below = branch.add(Group(*_attempt(attempt)))
        for child in node.children:
            if child.attempt == attempt.number:
                below.add(_branch(child))
    return branch


def _is_plain(attempts: tuple[Attempt, ...]) -> bool:
    """Whether there is nothing to tell of the attempts: one at the most, taken as it came."""
    return all(a.number == 1 and a.failure is None and not a.repairs for a in attempts)


def _headline(node: Node) -> Iterator[Text]:
    first, *more = _lines(node.source)
    notes: list[str] = [] if node.status == "done" else [node.status]
    if node.kind == "placeholder":
        notes.append(f"depth {node.depth}")
    mark, colour = _MARKS[node.status]
    note = f"  ({', '.join(notes)})" if notes else ""
    yield Text.assemble((mark, colour), " ", _of_kind(first, node.kind), (note, "dim"))
    yield from (Text(f"  {line}") for line in more)


def _of_kind(source: str, kind: str) -> Text:
    return Text(source, "bold" if kind == "placeholder" else "")


def _lines(text: str) -> list[str]:
    """The visible lines of a text, the last ones left out where there are too many."""
    lines = text.rstrip("\n").split("\n")
    kept = [shortened(line) for line in lines[:_LINES]]
    return [*kept, f"[+{len(lines) - _LINES} lines]"] if len(lines) > _LINES else kept


def _details(node: Node) -> Iterator[Text]:
    for call in node.calls[:_CALLS]:
        yield Text(f"  {_call(call, node.source)}", "cyan" if call.error is None else "red")
    if len(node.calls) > _CALLS:
        yield Text(f"  [+{len(node.calls) - _CALLS} calls]", "dim")
    if node.printed:
        yield from (Text(f"  printed: {line}", "magenta") for line in _lines(node.printed))
    if node.failure:
        colour = "red" if node.status == "failed" else "dim"
        yield from (Text(f"  {line}", colour) for line in _reasons(node.failure))


def _call(call: Call, source: str) -> str:
    """`name(arguments) -> answer`; the call itself only where the source does not show it."""
    arguments = [repr(value) for value in call.args]
    arguments += [f"{name}={value!r}" for name, value in call.kwargs.items()]
    asked = f"{call.name}({', '.join(arguments)})"
    shown = asked in source.replace('"', "'")
    return ("" if shown else f"{shortened(asked)} ") + f"-> {_answer(call)}"


def _answer(call: Call) -> str:
    if not call.answered:
        return "no answer recorded"
    return f"error: {shortened(call.error)}" if call.error is not None else _value(call.value)


def _value(value: Any) -> str:
    """Text as it is, any other value as Python writes it."""
    return shortened(value if isinstance(value, str) else repr(value))


def _reasons(failure: Failure) -> list[str]:
    """Why something failed: a line a finding, or the message."""
    if failure.findings:
        return [f"{failure.kind}: {shortened(str(finding))}" for finding in failure.findings]
    place = f" (line {failure.line})" if failure.line else ""
    first, *more = _lines(failure.message)
    return [f"{failure.kind}: {first}{place}", *more]


def _attempt(attempt: Attempt) -> Iterator[Text]:
    yield Text(f"attempt {attempt.number}", "yellow" if attempt.failure else "dim")
    for repair in attempt.repairs:
        yield Text(f"  repaired: {shortened(repair.what)}", "blue")
        for sign, lines in (("-", repair.before), ("+", repair.after)):
            yield from (Text(f"    {sign} {line}", "dim") for line in _lines(lines) if lines)
    if attempt.failure:
        yield from (Text(f"  {line}", "yellow") for line in _reasons(attempt.failure))
    if attempt.source and _is_refused(attempt.failure):
        yield from (Text(f"  | {line}", "dim") for line in _lines(attempt.source))


def exchanges(events: Iterable[AnyEvent]) -> Iterator[Text]:
    """Every request to the model and every reply, whole, in the order in which they were sent."""
    for event in events:
        match event:
            case ModelAsked(node=node, attempt=attempt, messages=messages):
                for message in messages:
                    role = message.get("role", "")
                    yield from _said(f"{node}, attempt {attempt}: {role}", message["content"])
            case ModelReplied(node=node, attempt=attempt, text=text, problem=problem):
                yield from _said(f"{node}, attempt {attempt}: reply", problem or text)


def _said(head: str, text: str) -> Iterator[Text]:
    yield Text(f"--- {visible(head)}", "bold")
    yield Text("\n".join(visible(line) for line in text.split("\n")))


def runs_table(rows: Iterable[dict[str, Any]]) -> Table:
    """A table of runs: one row a dictionary, its keys the columns, all with the same keys.

    `when` is left out, since the id tells; on a narrow terminal the long names are folded first.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2), collapse_padding=True)
    for number, row in enumerate(rows):
        shown = {name: value for name, value in row.items() if name != "when"}
        if number == 0:
            for name in shown:
                long = name in ("environment", "model")
                table.add_column(name, overflow="fold", no_wrap=not long, min_width=8 * long)
        table.add_row(*(Text(_cell(value)) for value in shown.values()))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else shortened(str(value), 60)


class LiveTree:
    """Prints the tree while it grows, a line for each thing that happens; give it as a listener.

    Lines are only ever appended, so the same text serves terminals, pipes and log files; on a
    terminal it is coloured and cut to the width. Work and memory for an event do not grow with
    the tree.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open: dict[str, NodeOpened] = {}
        self._answers: dict[str, list[str]] = {}

    def __call__(self, event: AnyEvent) -> None:
        """Take one event and print what there is to say about it."""
        match event:
            case RunStarted():
                self._print(0, Text(_circumstances(event), "dim"))
                self._print(0, Text(shortened(event.instruction), "bold"))
            case NodeOpened(node=node):
                self._open[node] = event
            case NodeStarted(node=node) if self._open[node].kind == "placeholder":
                self._node(self._open[node], "running", "")
            case AttemptJudged():
                self._attempt(event)
            case AttemptFailed():
                self._because(event)
            case CallAnswered(node=node, value=value, error=error):
                answer = _value(value) if error is None else f"error: {shortened(error)}"
                self._answers.setdefault(node, []).append(answer)
            case NodeClosed():
                self._close(event)

    def _attempt(self, event: AttemptJudged) -> None:
        depth = self._open[event.node].depth + 1
        for repair in event.repairs:
            self._print(depth, Text(f"attempt {event.attempt} repaired: {shortened(repair.what)}"))
        if event.failure:
            self._because(event)

    def _because(self, event: AttemptJudged | AttemptFailed) -> None:
        depth = self._open[event.node].depth + 1
        for reason in _reasons(event.failure) if event.failure else ():
            self._print(depth, Text(f"attempt {event.attempt} {reason}", "yellow"))

    def _close(self, event: NodeClosed) -> None:
        opened = self._open.pop(event.node)
        answers = self._answers.pop(event.node, [])
        if opened.kind == "placeholder" and event.status == "done":
            return
        note = f"  -> {answers[-1]}" if answers else ""
        if len(answers) > 1:
            note = f"  ({len(answers)} calls){note}"
        if event.status == "failed" and event.failure:
            note = f"{note}  {_reasons(event.failure)[0]}"
        self._node(opened, event.status, note)
        for line in _lines(event.printed) if event.printed else ():
            self._print(opened.depth + 1, Text(f"printed: {line}", "magenta"))

    def _node(self, opened: NodeOpened, status: NodeStatus, note: str) -> None:
        first, *more = _lines(opened.source)
        mark, colour = _MARKS[status]
        source = _of_kind(f"{first} ..." if more else first, opened.kind)
        quiet = "dim" if status in ("done", "replaced", "skipped") else colour
        self._print(opened.depth, Text.assemble((mark, colour), " ", source, (note, quiet)))

    def _print(self, depth: int, text: Text) -> None:
        line = Text.assemble(("│ " * depth, "dim"), text)
        if self._console.is_terminal:
            self._console.print(line, no_wrap=True, overflow="ellipsis", highlight=False)
        else:
            self._console.file.write(f"{line.plain}\n")
            self._console.file.flush()
