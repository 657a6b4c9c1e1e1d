"""RC302."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Case, Cases, Rule


class TooManyPrimitives(Rule):
    """A program calls more primitives than the policy's hint.

    ## What it does
    Warns at the first call of a primitive that is above the upper number of `primitives_hint` in
    the policy's `[prompt]` table. Calls are counted as they are written: one in a loop is one. At
    the last level, where nothing but primitives is left, it says nothing.

    ## Why
    The later steps of a long program were decided before anything was observed of the earlier
    ones. A placeholder in their place is expanded when execution reaches it (ReCode, section 3).

    ## Example
        obs = run('go to drawer 1')
        obs = run('open drawer 1')
        obs = run('take cup 1')
        obs = run('go to sink 1')
        obs = run('clean cup 1')
        obs = run('go to shelf 1')
        obs = run('look')
        obs = run('put cup 1 on shelf 1')
        obs = run('go to drawer 2')

    ## Use instead
        obs = fetch_from_drawer(obs, item='cup 1')
        obs = clean_and_put_away(obs, item='cup 1')
    """

    code = "RC302"
    title = "more primitives than the hint"
    level: ClassVar[Level] = "warning"
    advice = "group the steps into placeholders"
    VALID: ClassVar[Cases] = {
        "as many as the hint": "\n".join(["obs = run('go')"] * 8),
        "in a loop": "for i in range(100):\n    obs = run('go')",
        "at the last level": Case("\n".join(["obs = run('go')"] * 9), depth_left=0),
        "others do not count": "\n".join(["n = len(obs)\nprint(n)"] * 9),
    }
    INVALID: ClassVar[Cases] = {
        "one too many": "\n".join(["obs = run('go')"] * 9),
        "in one expression": f"seen = [{', '.join(['run(1)'] * 12)}]",
    }

    _count = 0

    def visit_Call(self, node: libcst.Call) -> None:
        """Every primitive; the first above the hint is where the finding is."""
        if self.context.calls[node].kind != "primitive":
            return
        self._count += 1
        most = self.context.policy.prompt.primitives_hint[1]
        if self._count == most + 1 and self.context.depth_left != 0:
            self.report(node, f"the program calls more primitives than the {most} of the hint")
