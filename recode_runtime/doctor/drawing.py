"""An examination as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recode_runtime.doctor.attempts import Tried
from recode_runtime.doctor.examination import Examination
from recode_runtime.isolation import LAYERS
from recode_runtime.sandboxes.layers import explained
from recode_runtime.sandboxes.machine import Machine
from recode_runtime.wording import visible

_GOOD, _BAD, _OPEN = Text("✓", "green"), Text("✗", "red"), Text("-", "dim")
_TITLES = {
    "layers": Text("Layers: what each keeps from a program", "bold"),
    "lacks": Text("What does not hold: why, and what would help", "bold"),
    "tried": Text("Tried from inside: which layers keep it out, and their answer", "bold"),
    "policies": Text("Policies", "bold"),
}


def drawn(found: Examination) -> RenderableType:
    """The whole examination for `rich`: the verdict first, the remedies below the layers."""
    parts: list[RenderableType] = [_headline(found), _facts(found)]
    parts += [Text(visible(line)) for line in found.problems.splitlines()]
    if not found.full.problem:
        parts += [_TITLES["layers"], _layers(found)]
    if not found.full.problem and found.lacks:
        parts += [_TITLES["lacks"], *_remedies(found)]
    if found.tried:
        parts += [_TITLES["tried"], _tried(found.tried)]
    return Group(*_apart([*parts, _TITLES["policies"], _policies(found)]))


def _apart(parts: list[RenderableType]) -> Iterator[RenderableType]:
    """A blank line before each title."""
    for part in parts:
        if part in _TITLES.values():
            yield Text()
        yield part


def _headline(found: Examination) -> Text:
    if found.is_met:
        said = f"this machine gives the policy {found.policy.name!r} what it requires"
        return Text.assemble(_GOOD, " ", visible(said))
    return Text.assemble(_BAD, " ", visible(found.complaint))


def _facts(found: Examination) -> Table:
    grid = Table.grid(padding=(0, 2))
    for label, value in (("machine", _described(found.machine)), ("session", _opening(found))):
        if value:
            grid.add_row(Text(label, "dim"), Text(visible(value), overflow="fold"))
    return grid


def _described(machine: Machine) -> str:
    user = "root" if machine.is_root else "an ordinary user"
    around = f"in a container ({machine.container})" if machine.container else "no container"
    return (
        f"{machine.system} {machine.kernel} on {machine.processor}, Python {machine.python}, "
        f"{user}, {around}"
    )


def _opening(found: Examination) -> str:
    if found.warm_seconds is None:
        return ""
    first, warm = 1_000 * found.seconds[0], 1_000 * found.warm_seconds
    return f"the first opens in {first:.0f} ms, later ones in {warm:.1f} ms"


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)


def _layers(found: Examination) -> Table:
    isolation, table = found.policy.isolation, _table()
    for name, layer in LAYERS.items():
        is_required = name in isolation.require
        mark = _GOOD if name in found.full.holding else _BAD if is_required else _OPEN
        note = "required" if is_required else "" if isolation.puts_up(name) else "left out"
        table.add_row(mark, Text(name), Text(layer.keeps), Text(note, "dim"))
    return table


def _remedies(found: Examination) -> Iterator[Text]:
    return (Text(visible(line)) for line in explained(found.lacks))


def _tried(tried: tuple[Tried, ...]) -> Table:
    table = _table()
    for _ in ("mark", "what", "came of"):
        table.add_column(no_wrap=True)
    for one in tried:
        # The name of the file that there is not says nothing here.
        answer = Text(visible(one.answer).partition(": '")[0], "dim", overflow="ellipsis")
        answer.no_wrap = True
        table.add_row(_mark(one), Text(one.what), Text(_came_of(one)), answer)
    return table


def _mark(one: Tried) -> Text:
    if one.verdict == "refused":
        return _GOOD
    return _BAD if one.verdict == "through" else _OPEN


def _came_of(one: Tried) -> str:
    layers = ", ".join(one.by)
    match one.verdict:
        case "refused":
            return layers or "the machine itself"
        case "through":
            return f"got through {layers or '(nothing stands there)'}"
    return "could not be tried"


def _policies(found: Examination) -> Table:
    table = _table()
    for policy, lacks in found.policies():
        said = f"lacks {', '.join(lacks)}" if lacks else ""
        if found.walls[policy.isolation.level].problem:
            said = "no session opens"
        table.add_row(_BAD if lacks else _GOOD, Text(policy.name), Text(said))
    return table
