"""RC121."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Case, Cases, Rule


class DepthLimit(Rule):
    """A placeholder stands at the last level.

    ## What it does
    Refuses every placeholder in a program below which no level may follow.

    ## Why
    A task that is split without end is never done. At the limit the model must act with what it
    has; the limit is `depth` in the policy's `[supervisor]` table. No policy can turn this rule
    down: the recursion would have no floor.

    ## Example
        cup = find_cup(obs)

    ## Use instead
        obs = run('open cupboard')
        cup = 'cup 1'
    """

    code = "RC121"
    always = True
    title = "placeholder at the depth limit"
    advice = "use primitives only"
    VALID: ClassVar[Cases] = {
        "primitives only": Case("obs = run('look')", depth_left=0),
        "one level left": Case("cup = find_cup(obs)", depth_left=1),
        "no limit": Case("cup = find_cup(obs)"),
    }
    INVALID: ClassVar[Cases] = {"no level left": Case("cup = find_cup(obs)", depth_left=0)}

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder, wherever it stands."""
        call = self.placeholder(node)
        if call and self.context.depth_left == 0:
            self.report(node, f"the placeholder {call.name} stands at the last level")
