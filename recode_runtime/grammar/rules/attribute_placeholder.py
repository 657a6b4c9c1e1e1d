"""RC113."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rewriting import import_added
from recode_runtime.grammar.rule import Case, Cases, Rule


class AttributePlaceholder(Rule):
    """A method or an item of a name that is bound nowhere is called.

    ## What it does
    Refuses `name.method()` and `name[key]()` where `name` is bound nowhere.

    ## Why
    Only a plain name can be a placeholder: the expansion binds variables, it makes no objects with
    methods. A module has to be imported before its functions are called.

    ## Example
        apple = kitchen.find_apple()

    ## Use instead
        apple = find_apple_in_kitchen()
    """

    code = "RC113"
    title = "attribute or subscript placeholder"
    advice = "call a plain name: thing_method(arguments)"
    in_words = "A placeholder is a plain function, never a method of something that does not exist."
    VALID: ClassVar[Cases] = {
        "method of a variable": "words = obs.split()",
        "function of an imported module": "import math\nroot = math.sqrt(2)",
    }
    INVALID: ClassVar[Cases] = {
        "method": "apple = kitchen.find_apple()",
        "item": "obs = actions['look']()",
        "deep": "obs = world.rooms[0].look()",
        "module that is not imported": Case(
            "root = math.sqrt(2)", repaired="import math\nroot = math.sqrt(2)"
        ),
        "in a loop": "for item in items:\n    robot.take(item)",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every call on something of an unbound name."""
        call = self.context.calls[node]
        if call.kind != "attribute" or call.place == "definition":
            return
        known = call.name in self.context.policy.language.facades
        advice = f"write `import {call.name}` before it" if known else ""
        message = f"{call.name} is bound nowhere, so nothing of it can be called"
        self.report(node, message, advice, rewrite=import_added(self.context, call.name))
