"""RC120."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import ClassVar

import libcst

from recode_runtime.grammar.flow import Gap, certain
from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.grammar.ties import ties

_ADVICE = "assign it before, so that it has a value on every path"
_WHERE = {
    "else": "where this condition is false",
    "body": "where this condition is true",
    "rounds": "if this loop runs no round that assigns it",
    "break": "if this loop is left before",
    "deleted": "after this `del`",
}


class PromisedOutput(Rule):
    """A promised output is not bound, or not on every path.

    ## What it does
    Refuses a program that binds a promised output on no path at all. Warns of one that binds it on
    some paths only, and names the branch that lacks it: a condition that may be false, a loop that
    may run no round, a handler. A path that ends with `raise` owes nothing, and a name that was
    bound before the program keeps its value where no other is given.

    ## Why
    The statements after the placeholder use its outputs. A program that never assigns them fails
    later, at a place that says nothing about the cause. Where it assigns them on some paths it may
    well be right, as in a search that stops when it has found something; what it promised is
    checked when it has run. So that is a warning, unless a policy gives the rule a level.

    ## Example
        # for: cup = find_cup(obs)
        for place in places:
            obs = run('go to ' + place)
            if 'cup' in obs:
                cup = 'cup'
                break

    ## Use instead
        cup = ''
        for place in places:
            obs = run('go to ' + place)
            if 'cup' in obs:
                cup = 'cup'
                break
    """

    code = "RC120"
    title = "promised output not bound"
    advice = "assign every name left of the `=` of the placeholder"
    VALID: ClassVar[Cases] = {
        "assigned": Case("cup = run('take cup')", outputs=("cup",)),
        "both assigned": Case("cup, room = run('a'), run('b')", outputs=("cup", "room")),
        "output of a placeholder": Case("cup = find_cup(obs)", outputs=("cup",)),
        "in both branches": Case("if flag:\n    n = 1\nelse:\n    n = 2", outputs=("n",)),
        "in every branch": Case(
            "if flag:\n    n = 1\nelif items:\n    n = 2\nelse:\n    raise ValueError(obs)",
            outputs=("n",),
        ),
        "before the loop": Case(
            "n = ''\nfor item in items:\n    if item:\n        n = item\n        break",
            outputs=("n",),
        ),
        "in a loop of some rounds": Case(
            "for item in ['cup', 'mug']:\n    last = item\nfor i in range(1, 3):\n    n = i",
            outputs=("last", "n", "item", "i"),
        ),
        "in the else of a loop": Case(
            "for item in items:\n    if item:\n        n = item\n        break\nelse:\n    n = 0",
            outputs=("n",),
        ),
        "in a loop that ends when it is found": Case(
            "while True:\n    obs = run('next')\n    if 'cup' in obs:\n"
            "        cup = obs\n        break",
            outputs=("cup",),
        ),
        "in the body and the handler": Case(
            "try:\n    n = int(obs)\nexcept ValueError:\n    n = 0", outputs=("n",)
        ),
        "where the handler gives up": Case(
            "try:\n    n = int(obs)\nexcept ValueError:\n    raise", outputs=("n",)
        ),
        "finally": Case("try:\n    run('go')\nfinally:\n    n = 0", outputs=("n",)),
        "bound before, so it has a value": Case("if items:\n    obs = run('go')", outputs=("obs",)),
        "in what is always evaluated": Case(
            "if (n := len(items)) > 3 and flag:\n    run('go')", outputs=("n",)
        ),
        "augmented": Case("flag += 1", outputs=("flag",)),
        "with": Case("with obs as n:\n    m = 1", outputs=("n", "m")),
        "no path to the end": Case(
            "while True:\n    obs = run('wait')\n    if flag:\n        n = 1", outputs=("n",)
        ),
    }
    INVALID: ClassVar[Cases] = {
        "never assigned": Case("run('take cup')", outputs=("cup",)),
        "only in the namespace": Case("run('look')", outputs=("obs",)),
        "one of two": Case("cup = 'cup'", outputs=("cup", "room")),
        "only in a comprehension": Case("n = [cup for cup in items]", outputs=("cup",)),
        "only in a lambda": Case("f = lambda cup: 1", outputs=("cup",)),
        "only annotated": Case("cup: str", outputs=("cup",)),
        "if alone": Case("if flag:\n    n = 1", outputs=("n",), warns=True),
        "branch without it": Case(
            "if flag:\n    n = 1\nelif items:\n    run('go')\nelse:\n    n = 2",
            outputs=("n",),
            warns=True,
        ),
        "loop of no round": Case(
            "for item in items:\n    last = item", outputs=("last",), warns=True
        ),
        "search without a word for nothing found": Case(
            "for item in items:\n    if item:\n        n = item\n        break",
            outputs=("n",),
            warns=True,
        ),
        "break before it": Case(
            "while True:\n    obs = run('next')\n    if obs:\n        break\n    n = 1",
            outputs=("n",),
            warns=True,
        ),
        "handler without it": Case(
            "try:\n    n = int(obs)\nexcept ValueError:\n    run('go')",
            outputs=("n",),
            warns=True,
        ),
        "deleted again": Case("n = 1\ndel n", outputs=("n",), warns=True),
        "where no path leads": Case("if False:\n    n = 1\nrun('go')", outputs=("n",), warns=True),
        "in what may be left out": Case("flag and (n := 1)", outputs=("n",), warns=True),
    }

    def leave_Module(self, node: libcst.Module) -> None:
        """Once a program; most bind what they promised in a statement of their own."""
        reading, outputs = self.context.reading, self.context.outputs
        if not outputs or isinstance(reading.tree.body[-1], ast.Return):
            return  # of a `return` RC204 speaks
        missing = [name for name in outputs if name not in reading.bound]
        for name in missing:
            self.report(None, f"the promised output {name} is never assigned")
        known = {*missing, *self.context.variables, *_plainly(reading.tree)}
        doubtful = [name for name in outputs if name not in known]
        end = self.context.flow.bound if doubtful else None
        if end is not None:
            for name in doubtful:
                if name not in end:
                    self._doubt(node, name)

    def _doubt(self, module: libcst.Module, name: str) -> None:
        """A name that the program binds on some paths only."""
        gaps = [gap for gap in self.context.flow.gaps if name in gap.names]
        if not gaps:
            words = f"the promised output {name} is assigned only where no path may lead"
            self.report(None, words, _ADVICE, mild=True)
            return
        place, where = _place(gaps[-1], ties(module, self.context.reading.tree))
        words = f"the promised output {name} is not assigned {where}"
        self.report(place, words, _ADVICE, mild=True)


def _plainly(tree: ast.Module) -> Iterator[str]:
    """The names that the top level assigns and never deletes."""
    deleted = any(isinstance(one, ast.Delete) for one in tree.body)
    for statement in () if deleted else tree.body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield from certain(target)


def _place(
    gap: Gap, concrete: Mapping[ast.stmt, libcst.CSTNode]
) -> tuple[libcst.CSTNode | None, str]:
    """The branch that lacks a name, and how it is called."""
    node = concrete.get(gap.statement)
    if isinstance(gap.part, ast.ExceptHandler):
        handlers = getattr(gap.statement, "handlers", [])
        found = getattr(node, "handlers", [node])
        return found[handlers.index(gap.part)] if node else None, "in this handler"
    if isinstance(gap.statement, ast.Try | ast.TryStar):
        return node, "where nothing is raised"
    if gap.part == "else" and getattr(node, "orelse", None):
        return getattr(node, "orelse", None), "in this branch"
    return node, _WHERE[gap.part]
