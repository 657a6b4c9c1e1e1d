"""RC101."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Cases, Rule


class FunctionDefinition(Rule):
    """A function is defined.

    ## What it does
    Refuses `def` and `async def`, at any depth. Where a whole reply is one `def`, its body is the
    program: taking it out is a safe repair, made while the reply is read.

    ## Why
    A sub-goal that is written out as a function is decided before anything was observed. A
    placeholder is expanded when execution reaches it, with what is known by then.

    ## Example
        def clean(item):
            run('clean ' + item)
        clean('cup')

    ## Use instead
        item = 'cup'
        clean(item)
    """

    code = "RC101"
    title = "function definition"
    advice = "call the function as a placeholder and leave its body to the expansion"
    in_words = "Do not define functions: write the steps at the top level."
    VALID: ClassVar[Cases] = {"lambda": "items = sorted(items, key=lambda one: one[0])"}
    INVALID: ClassVar[Cases] = {
        "def": "def clean(item):\n    run('clean ' + item)",
        "async def": "async def clean():\n    pass",
        "def in a branch": "if flag:\n    def clean():\n        run('clean')",
        "placeholders inside are not judged": "def solve(obs):\n    return find(obs)[0] + 1",
    }

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        """Every definition, also one inside another."""
        self.report(node, f"the function {node.name.value} is defined")
