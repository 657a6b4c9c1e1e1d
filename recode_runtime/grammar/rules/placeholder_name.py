"""RC114."""

from __future__ import annotations

import re
from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Cases, Rule

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*_?")


class PlaceholderName(Rule):
    """The name of a placeholder is not snake_case.

    ## What it does
    Refuses placeholders whose names have capital letters or doubled underscores, and the bare
    `_`. Other names that begin with an underscore are judged by RC202.

    ## Why
    The name is all that the next prompt says about the goal; words joined by single underscores
    are read most reliably. A capital letter usually means a class that does not exist.

    ## Example
        findApple(obs)

    ## Use instead
        find_apple(obs)
    """

    code = "RC114"
    title = "placeholder name not snake_case"
    advice = "name the placeholder in lower-case words joined by underscores"
    VALID: ClassVar[Cases] = {
        "snake case": "find_apple(obs)",
        "one word": "solve(obs)",
        "digits": "find_2_apples_in_room1(obs)",
    }
    INVALID: ClassVar[Cases] = {
        "camel case": "findApple(obs)",
        "class name": "apple = Apple(obs)",
        "capitals": "FIND_APPLE(obs)",
        "doubled underscore": "find__apple(obs)",
        "bare underscore": "_(obs)",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder."""
        call = self.placeholder(node)
        if not call or (call.name.startswith("_") and call.name != "_"):
            return
        if not _SNAKE_CASE.fullmatch(call.name):
            self.report(node, f"the placeholder name {call.name} is not snake_case")
