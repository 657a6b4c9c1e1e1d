"""RC305."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Cases, Rule
from recode_runtime.grammar.ties import ties

_LEAVING = (libcst.Break, libcst.Continue, libcst.Raise, libcst.Return, libcst.Assert)


class Unreachable(Rule):
    """A statement can never be reached.

    ## What it does
    Warns of the first statement behind `break`, `continue` or `raise`, behind a loop that has no
    end, behind an `if` whose branches all leave, and of a branch that a literal rules out, as in
    `if False`.

    ## Why
    What is written there was meant to happen. Often it is an action that a `break` in front of it
    cuts off.

    ## Example
        for place in places:
            if place == 'shelf':
                break
                obs = run('look')

    ## Use instead
        for place in places:
            if place == 'shelf':
                obs = run('look')
                break
    """

    code = "RC305"
    title = "unreachable statement"
    level: ClassVar[Level] = "warning"
    advice = "move it in front of what leaves, or leave it out"
    VALID: ClassVar[Cases] = {
        "break in a branch": "for item in items:\n    if item:\n        break\n    run(item)",
        "after a loop that is left": "while True:\n    if flag:\n        break\nrun('go')",
        "one branch leaves": "if flag:\n    raise ValueError(obs)\nrun('go')",
        "handler": "try:\n    raise ValueError(obs)\nexcept ValueError:\n    pass\nrun('go')",
        "finally": "for i in items:\n    try:\n        break\n    finally:\n        run('go')",
        "else of a loop": "for item in items:\n    break\nelse:\n    run('go')",
        "with may swallow": "with obs as o:\n    raise ValueError(obs)\nrun('go')",
    }
    INVALID: ClassVar[Cases] = {
        "after break": "for item in items:\n    break\n    run(item)",
        "after continue": "while flag:\n    continue\n    flag = False\n    run('go')",
        "after raise": "raise ValueError(obs)\nrun('go')",
        "if False": "if False:\n    run('go')",
        "else of if True": "if True:\n    run('go')\nelse:\n    run('stay')",
        "while 0": "while 0:\n    run('go')",
        "after a loop without an end": "while True:\n    obs = run('wait')\nrun('go')",
        "after branches that all leave": (
            "for item in items:\n    if item:\n        break\n    else:\n        continue\n"
            "    run(item)"
        ),
        "after a failing assertion": "assert False, 'no'\nrun('go')",
    }

    _doubtful = False

    def _look(self, node: libcst.Module | libcst.IndentedBlock) -> None:
        """A block in which something follows what may leave it; most have no such thing."""
        for one in node.body[:-1]:
            if isinstance(one, libcst.SimpleStatementLine):
                self._doubtful |= isinstance(one.body[0], _LEAVING)
            elif not isinstance(one, libcst.For):
                self._doubtful |= not isinstance(one, libcst.If) or one.orelse is not None

    visit_Module = visit_IndentedBlock = _look

    def _look_at_line(self, node: libcst.SimpleStatementLine | libcst.SimpleStatementSuite) -> None:
        if len(node.body) > 1:
            self._doubtful |= any(isinstance(one, _LEAVING) for one in node.body)

    visit_SimpleStatementLine = visit_SimpleStatementSuite = _look_at_line

    def _note_literal(self, node: libcst.If | libcst.Assert | libcst.While) -> None:
        test = node.test
        words = isinstance(test, libcst.Name) and test.value in ("True", "False", "None")
        plain = not isinstance(test, libcst.Name | libcst.Comparison | libcst.Call)
        self._doubtful |= words or plain

    visit_If = visit_While = visit_Assert = _note_literal

    def leave_Module(self, node: libcst.Module) -> None:
        """Once a program in which something can be cut off."""
        found = self.context.flow.unreachable if self._doubtful else []
        concrete = ties(node, self.context.reading.tree) if found else {}
        for statement in found:
            self.report(concrete.get(statement), "this statement can never be reached")
