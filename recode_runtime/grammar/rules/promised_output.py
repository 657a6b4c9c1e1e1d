"""RC120."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Case, Cases, Rule


class PromisedOutput(Rule):
    """A promised output is not bound.

    ## What it does
    Refuses a program that binds a promised output on no path: neither at the top level nor in a
    branch or loop. Whether the path that is taken binds it is checked when the program has run.

    ## Why
    The statements after the placeholder use its outputs. A program that never assigns them fails
    later, at a place that says nothing about the cause.

    ## Example
        # for: cup = find_cup(obs)
        run('take cup')

    ## Use instead
        run('take cup')
        cup = 'cup'
    """

    code = "RC120"
    title = "promised output not bound"
    advice = "assign every name left of the `=` of the placeholder"
    VALID: ClassVar[Cases] = {
        "assigned": Case("cup = run('take cup')", outputs=("cup",)),
        "both assigned": Case("cup, room = run('a'), run('b')", outputs=("cup", "room")),
        "output of a placeholder": Case("cup = find_cup(obs)", outputs=("cup",)),
        "in both branches": Case("if flag:\n    n = 1\nelse:\n    n = 2", outputs=("n",)),
        "in a loop": Case("for item in items:\n    last = item", outputs=("last",)),
        "augmented": Case("flag += 1", outputs=("flag",)),
    }
    INVALID: ClassVar[Cases] = {
        "never assigned": Case("run('take cup')", outputs=("cup",)),
        "only in the namespace": Case("run('look')", outputs=("obs",)),
        "one of two": Case("cup = 'cup'", outputs=("cup", "room")),
        "only in a comprehension": Case("n = [cup for cup in items]", outputs=("cup",)),
        "only in a lambda": Case("f = lambda cup: 1", outputs=("cup",)),
        "only annotated": Case("cup: str", outputs=("cup",)),
    }

    def visit_Module(self, node: libcst.Module) -> None:
        """Once a program."""
        for name in self.context.outputs:
            if name not in self.context.reading.bound:
                self.report(None, f"the promised output {name} is never assigned")
