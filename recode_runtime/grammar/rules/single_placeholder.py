"""RC303."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.program import Placeholder

_PARENT = Placeholder("tidy", (), ("obs",), {}, ("obs",))


class SinglePlaceholder(Rule):
    """An expansion is a single placeholder.

    ## What it does
    Warns of a program that consists of one placeholder and nothing else, where the placeholder it
    expands has another name. One of the same name is judged by RC122, one at the last level by
    RC121.

    ## Why
    The goal got another name and is no nearer. Every such level costs a call of the model and one
    level of depth.

    ## Example
        # for: tidy(obs)
        clean_up(obs)

    ## Use instead
        # for: tidy(obs)
        obs = run('look')
        clean_up(obs)
    """

    code = "RC303"
    title = "expansion that is a single placeholder"
    level: ClassVar[Level] = "warning"
    advice = "act, or split the goal into several smaller ones"
    VALID: ClassVar[Cases] = {
        "after an action": Case("obs = run('look')\nclean_up(obs)", parent=_PARENT),
        "two goals": Case("fetch_broom(obs)\nsweep(obs)", parent=_PARENT),
        "an action alone": Case("obs = run('tidy')", parent=_PARENT),
        "the root, or nothing is known of it": "clean_up(obs)",
    }
    INVALID: ClassVar[Cases] = {
        "another name": Case("clean_up(obs)", parent=_PARENT),
        "with an output": Case("obs = clean_up(obs, where='kitchen')", parent=_PARENT),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """The only statement."""
        parent = self.context.parent
        alone = len(self.context.reading.tree.body) == 1
        if parent is None or not alone or self.context.depth_left == 0:
            return
        call = self.placeholder(node)
        if call and call.place == "statement" and call.name != parent.name:
            self.report(node, f"{parent.name} becomes {call.name}, and nothing else")
