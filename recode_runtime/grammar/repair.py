"""Programs mended by the rules that found fault with them, as ruff does: in rounds, each judged.

A rule offers a `Rewrite` with its report. One rewrite a top-level statement is made in a round,
the text is judged again, and so on until nothing is left to mend. A rewrite may bring faults to
light that were hidden before, as the arguments of a placeholder that now is a statement; so more
findings are no reason to take it back. What can no longer be read, or was a program and is none
now, is. A rewrite that would lose a comment is not made.
"""

from __future__ import annotations

import io
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import libcst

from recode_runtime.grammar.engine import Inspection
from recode_runtime.grammar.rule import Changes, Replacement, Report, Rewrite
from recode_runtime.grammar.scene import Scene, instead
from recode_runtime.program import Program
from recode_runtime.tree import Repair

# A statement needs one round for each repair in it; more than this is no slip but another program.
MOST_ROUNDS = 20
# No round follows when those before worked on so many nodes of the concrete tree together: each
# costs about 50 microseconds.
MOST_NODES = 5_000


@dataclass(frozen=True, slots=True)
class Look:
    """One judgement of one text: what it says, and the tree that rewrites work on."""

    source: str
    program: Program | None
    inspection: Inspection


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the rewrites on offer are made."""

    unsafe: bool = False
    warnings: bool = False

    def of(self, reports: Iterable[Report]) -> Iterator[tuple[Report, Rewrite]]:
        """The reports whose rewrite is wanted."""
        for one in reports:
            allowed = one.rewrite and (one.rewrite.safe or self.unsafe)
            if one.rewrite and allowed and (self.warnings or one.level == "error"):
                yield one, one.rewrite


def mended(look: Look, again: Callable[[str], Look], choice: Choice) -> tuple[Look, list[Repair]]:
    """The last look at the text after all wanted rewrites, and what they changed.

    `again` judges a text.

    Raises:
        RecursionError: there is not enough room on the stack to write a tree as text.
    """
    repairs: list[Repair] = []
    nodes = 0
    for _ in range(MOST_ROUNDS):
        made = _round(look, choice) if nodes <= MOST_NODES else None
        nodes += len(look.inspection.scene.parents) if look.inspection.scene else 0
        if made is None:
            break
        source, entries = made
        after = again(source)
        if after.inspection.scene is None or (look.program and not after.program):
            break
        look, repairs = after, repairs + entries
    return look, repairs


def _round(look: Look, choice: Choice) -> tuple[str, list[Repair]] | None:
    """The text after one rewrite in each statement that wants one; None if none does."""
    scene = look.inspection.scene
    if scene is None:
        return None
    entries: list[Repair] = []
    homes: dict[libcst.CSTNode, list[libcst.CSTNode]] = {}
    for report, rewrite in choice.of(look.inspection.reports):
        if report.node and scene.home(report.node) in homes:
            continue
        made = _made(scene, rewrite)
        if not made or not homes.keys().isdisjoint(made):
            continue
        entry = _entry(scene, report.code, rewrite, made)
        if entry:
            entries.append(entry)
            homes.update(made)
    if not entries:
        return None
    body = [new for one in scene.module.body for new in homes.get(one, [one])]
    return scene.module.with_changes(body=body).code, entries


def _made(scene: Scene, rewrite: Rewrite) -> dict[libcst.CSTNode, list[libcst.CSTNode]]:
    """What stands in place of each top-level statement that a rewrite changes.

    Nothing, if the replacements do not fit where they would stand.
    """
    inside: dict[libcst.CSTNode, dict[libcst.CSTNode, Replacement]] = {}
    try:
        for node, replacement in rewrite.make().items():
            inside.setdefault(scene.home(node), {})[node] = replacement
        return {home: _in_place_of(scene, home, changes) for home, changes in inside.items()}
    except libcst.CSTValidationError:
        return {}


def _in_place_of(scene: Scene, home: libcst.CSTNode, changes: Changes) -> list[libcst.CSTNode]:
    if home not in changes:
        return [scene.rebuilt(home, changes)]
    return list(instead(changes[home]))


def _entry(
    scene: Scene, code: str, rewrite: Rewrite, made: dict[libcst.CSTNode, list[libcst.CSTNode]]
) -> Repair | None:
    """The record of a rewrite; None if it would lose a comment."""
    old = "".join(map(scene.module.code_for_node, made))
    new = "".join(scene.module.code_for_node(one) for lines in made.values() for one in lines)
    if "#" in old and _comments(old) - _comments(new):
        return None
    return Repair.between(code, rewrite.what, old, new, safe=rewrite.safe)


def _comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(one.string for one in tokens if one.type == tokenize.COMMENT)
