"""RC304."""

from __future__ import annotations

import ast
from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Cases, Rule
from recode_runtime.grammar.ties import ties

_HARMLESS = ("builtin", "other")


class EndlessLoop(Rule):
    """A loop has no end and acts on nothing.

    ## What it does
    Warns of `while True`, or another literal that is true, where nothing leaves the loop: no
    `break` that can be reached, no `raise`, no primitive, and no call of a variable that may be
    one. A loop inside a `try` is left alone: an exception may be how it is meant to end.

    ## Why
    Nothing but the clock of the sandbox would end it. A loop that calls a primitive may end with
    the task; one that does not never will.

    ## Example
        while True:
            n = n + 1

    ## Use instead
        while n < 10:
            n = n + 1
    """

    code = "RC304"
    title = "endless loop without a primitive"
    level: ClassVar[Level] = "warning"
    advice = "give the loop a condition or a `break`"
    VALID: ClassVar[Cases] = {
        "break": "n = 0\nwhile True:\n    n += 1\n    if n > 3:\n        break",
        "primitive": "while True:\n    obs = run('wait')",
        "raise": "while True:\n    if not items:\n        raise ValueError('none left')",
        "condition": "while flag:\n    flag = not flag",
        "an exception ends it": (
            "try:\n    while True:\n        print(items.pop())\nexcept IndexError:\n    pass"
        ),
        "variable that may be a primitive": "act = run\nwhile True:\n    act('wait')",
        "primitive passed on": "while True:\n    seen = list(map(run, items))",
    }
    INVALID: ClassVar[Cases] = {
        "counting": "n = 0\nwhile True:\n    n += 1",
        "number": "while 1:\n    print(obs)",
        "break of another loop": "while True:\n    for item in items:\n        break",
        "break that is never reached": "while True:\n    continue\n    break",
    }

    _loops = 0

    def visit_While(self, node: libcst.While) -> None:
        """That there is a loop worth following."""
        self._loops += 1

    def leave_Module(self, node: libcst.Module) -> None:
        """Once a program with a `while`."""
        tree = self.context.reading.tree
        endless = self.context.flow.endless if self._loops else []
        silent = [one for one in endless if not self._acts(one)]
        if not silent:
            return
        caught = {id(inner) for one in ast.walk(tree) for inner in _tried(one)}
        concrete = ties(node, tree)
        for loop in silent:
            if id(loop) not in caught:
                self.report(concrete.get(loop), "this loop has no end and calls no primitive")

    def _acts(self, loop: ast.While) -> bool:
        """Whether something in it may act, or leave it by an exception of the program's own."""
        nodes = list(ast.walk(loop))
        raises = any(isinstance(one, ast.Raise | ast.Return | ast.Assert) for one in nodes)
        names = {one.id for one in nodes if isinstance(one, ast.Name)}
        inside = {id(one) for one in nodes}
        calls = [one for one in self.context.reading.calls if id(one.node) in inside]
        called = any(one.kind not in _HARMLESS for one in calls)
        return raises or called or bool(names & self.context.reading.primitives)


def _tried(node: ast.AST) -> list[ast.AST]:
    """All that stands in the body of a `try`."""
    if not isinstance(node, ast.Try | ast.TryStar):
        return []
    return [inner for statement in node.body for inner in ast.walk(statement)]
