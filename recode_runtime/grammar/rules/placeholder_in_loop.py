"""RC110."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rewriting import placeholder_lifted
from recode_runtime.grammar.rule import Case, Cases, Rule


class PlaceholderInLoop(Rule):
    """A placeholder stands in a loop or a comprehension.

    ## What it does
    Refuses a placeholder anywhere inside `for`, `while` or a comprehension: in what is looped
    over, in the test, or in the body. Primitives may stand there.

    ## Why
    A placeholder is expanded once, where it stands. Inside a loop it would have to be expanded
    again in every round, with other values, and one node of the tree would be many.

    ## Example
        for item in items:
            put_away(item)

    ## Use instead
        put_all_away(items)
    """

    code = "RC110"
    title = "placeholder in a loop"
    advice = "call one placeholder for all rounds, outside the loop, and pass it the whole list"
    in_words = "Never put a placeholder in a loop or a comprehension; loops may call primitives."
    VALID: ClassVar[Cases] = {
        "primitive in a loop": "for item in items:\n    obs = run('take ' + item)",
        "placeholder after a loop": "for item in items:\n    run(item)\nput_away(items)",
        "loop variable that is called": Case(
            "for act in acts:\n    act('look')", variables=("acts",)
        ),
    }
    INVALID: ClassVar[Cases] = {
        "in the body of for": "for item in items:\n    put_away(item)",
        "in the body of while": "while flag:\n    look_around()",
        "what is looped over": Case(
            "for item in find_items():\n    run(item)",
            repaired=(
                "find_items_result = find_items()\nfor item in find_items_result:\n    run(item)"
            ),
        ),
        "in the test of while": "while is_dirty(obs):\n    run('clean')",
        "in a comprehension": "names = [clean_name(item) for item in items]",
        "what a comprehension goes over": Case(
            "names = [item for item in find_items(obs)]",
            repaired=(
                "find_items_result = find_items(obs)\nnames = [item for item in find_items_result]"
            ),
        ),
        "in a generator": "total = sum(weigh(item) for item in items)",
        "in a branch of a loop": "for item in items:\n    if item:\n        put_away(item)",
        "in the else of a loop": "for item in items:\n    pass\nelse:\n    put_away(items)",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder whose place is a loop."""
        call = self.placeholder(node)
        if call and call.place == "loop":
            message = f"the placeholder {call.name} stands in a loop"
            self.report(node, message, rewrite=placeholder_lifted(self.context, node))
