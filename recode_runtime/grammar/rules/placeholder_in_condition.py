"""RC111."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rewriting import placeholder_lifted
from recode_runtime.grammar.rule import Case, Cases, Rule


class PlaceholderInCondition(Rule):
    """A placeholder stands where it may or may not be reached.

    ## What it does
    Refuses a placeholder in the test or in a branch of `if`, `match`, `x if c else y`, `and`,
    `or`, and in `try` and `with`. Primitives may stand there.

    ## Why
    Each placeholder is one node of the tree, at the top level of its program. A decision belongs
    in the expansion, which sees the observation it depends on; a failure in an expansion goes back
    to the model and is not for the program to catch.

    ## Example
        if 'door' in obs:
            open_door(obs)

    ## Use instead
        obs = pass_door_if_there(obs)
    """

    code = "RC111"
    title = "placeholder in a condition"
    advice = (
        "call the placeholder at the top level, pass it what the decision depends on, and let its "
        "expansion decide"
    )
    in_words = (
        "Never put a placeholder in the test or the body of if, try, with, a conditional "
        "expression, and, or; these may call primitives."
    )
    VALID: ClassVar[Cases] = {
        "primitive in a branch": "if 'door' in obs:\n    obs = run('open door')",
        "decision on an outcome": "found = find_key(obs)\nif found:\n    run('open door')",
        "primitive in try": "try:\n    obs = run('go')\nexcept ValueError:\n    obs = ''",
    }
    INVALID: ClassVar[Cases] = {
        "in a branch": "if flag:\n    open_door(obs)",
        "in else": "if flag:\n    run('go')\nelse:\n    open_door(obs)",
        "in the test": Case(
            "if is_open(obs):\n    run('go')",
            repaired="is_open_result = is_open(obs)\nif is_open_result:\n    run('go')",
        ),
        "in a conditional expression": "obs = open_door(obs) if flag else ''",
        "before or": Case(
            "obs = look_around() or obs",
            repaired="look_around_result = look_around()\nobs = look_around_result or obs",
        ),
        "after and": "flag and open_door(obs)",
        "after or": "obs = obs or look_around()",
        "in try": "try:\n    open_door(obs)\nexcept ValueError:\n    pass",
        "in with": "with flag:\n    open_door(obs)",
        "bound in the other branch": "if flag:\n    act = run\nelse:\n    act('go')",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder whose place is a condition."""
        call = self.placeholder(node)
        if call and call.place == "condition":
            message = f"the placeholder {call.name} stands in a condition, try or with"
            self.report(node, message, rewrite=placeholder_lifted(self.context, node))
