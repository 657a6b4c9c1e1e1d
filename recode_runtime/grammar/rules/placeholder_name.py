"""RC114."""

from __future__ import annotations

import re
from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rewriting import is_shown, is_taken, renamed, snake_case
from recode_runtime.grammar.rule import Case, Cases, Changes, Context, Rewrite, Rule

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
        "camel case": Case("findApple(obs)", repaired="find_apple(obs)"),
        "class name": "apple = Apple(obs)",
        "capitals": Case("FIND_APPLE(obs)", repaired="find_apple(obs)"),
        "doubled underscore": Case("find__apple(obs)", repaired="find_apple(obs)"),
        "bare underscore": "_(obs)",
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._rewrites: dict[str, Rewrite | None] = {}

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder."""
        call = self.placeholder(node)
        if not call or (call.name.startswith("_") and call.name != "_"):
            return
        if not _SNAKE_CASE.fullmatch(call.name):
            message = f"the placeholder name {call.name} is not snake_case"
            self.report(node, message, rewrite=self._rewrite(call.name))

    def _rewrite(self, name: str) -> Rewrite | None:
        if name not in self._rewrites:
            self._rewrites[name] = self._renaming(name)
        return self._rewrites[name]

    def _renaming(self, name: str) -> Rewrite | None:
        """All calls of the name get the snake_case one.

        It may be the name of another placeholder in the program: both are the same goal then, and
        each call is expanded for itself. It may be nothing else, least of all a primitive: what
        was a goal would become an act.
        """
        better, scene = snake_case(name), self.context.scene
        if any(is_shown(scene, one) for one in scene.names[name]):
            return None
        goals = {one.name for one in self.context.reading.calls if one.kind == "placeholder"}
        if not _SNAKE_CASE.fullmatch(better) or not (
            better in goals or not is_taken(self.context, better)
        ):
            return None

        def make() -> Changes:
            calls = [node for node, one in self.context.calls.items() if one.kind == "placeholder"]
            places = [node.func for node in calls if isinstance(node.func, libcst.Name)]
            return renamed([one for one in places if one.value == name], better)

        return Rewrite(f"the placeholder {name} was renamed {better}", make)
