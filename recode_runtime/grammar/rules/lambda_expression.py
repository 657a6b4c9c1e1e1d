"""RC103."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Cases, Rule


class LambdaExpression(Rule):
    """A lambda is written.

    ## What it does
    Refuses `lambda`, wherever it stands. Off unless a policy sets it.

    ## Why
    A short function as the key of a sort harms nobody. But a lambda that is kept in a variable is a
    definition by another name, and its body cannot be shown as a value; a policy may want neither.

    ## Example
        items = sorted(items, key=lambda one: one[1])

    ## Use instead
        pairs = sorted([(one[1], one) for one in items])
        items = [one for _, one in pairs]
    """

    code = "RC103"
    title = "lambda"
    level: ClassVar[Level] = "off"
    advice = "write the steps out, or use a comprehension"
    in_words = "Do not write lambdas."
    VALID: ClassVar[Cases] = {
        "comprehension": "names = [one[0] for one in items]",
        "function of the language": "items = sorted(items, key=len)",
    }
    INVALID: ClassVar[Cases] = {
        "key": "items = sorted(items, key=lambda one: one[1])",
        "assigned": "first = lambda one: one[0]",
        "inside another": "f = list(map(lambda one: [two for two in one], items))",
    }

    def visit_Lambda(self, node: libcst.Lambda) -> None:
        """Every lambda."""
        self.report(node, "a lambda is written")
