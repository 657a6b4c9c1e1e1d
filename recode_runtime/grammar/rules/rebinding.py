"""RC203."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rewriting import fresh, places_to_rename, renamed
from recode_runtime.grammar.rule import Case, Cases, Changes, Rewrite, Rule


class Rebinding(Rule):
    """The name of a primitive or of a builtin is bound to something else.

    ## What it does
    Refuses to assign, delete, import, loop over or otherwise bind the name of a primitive or of a
    builtin of the language. A keyword of a placeholder binds its name too: the expansion sees the
    value under it.

    ## Why
    All programs of a task share one namespace: every later program would find its tool gone.

    ## Example
        list = obs.split()

    ## Use instead
        words = obs.split()
    """

    code = "RC203"
    title = "rebinding of a primitive or builtin"
    advice = "use another name"
    in_words = "Do not assign to the name of a primitive or of a Python builtin."
    VALID: ClassVar[Cases] = {
        "another name": "words = obs.split()",
        "attribute of that name": "n = obs.count",
        "keyword of a primitive": "run(list=items)",
        "the name is used": "act = run",
    }
    INVALID: ClassVar[Cases] = {
        "primitive": "run = 1",
        "builtin": Case("list = obs.split()", repaired="list_2 = obs.split()", unsafe=True),
        "builtin, used before": "n = len(obs)\nlen = 3",
        "unpacking": "n, (max, *min) = obs",
        "augmented": "sum += 1",
        "annotated": "sum: int = 1",
        "walrus": "print(len := 3)",
        "loop": "for str in items:\n    pass",
        "comprehension": "names = [str for str in items]",
        "lambda": "f = lambda run: 1",
        "import": "from math import pow",
        "import as": "import math as run",
        "handler": "try:\n    pass\nexcept ValueError as run:\n    pass",
        "with": "with obs as run:\n    pass",
        "del": "del run",
        "keyword of a placeholder": "clean(item='cup', run='fast')",
        "keyword of a placeholder, a builtin": "clean(len=3)",
    }

    def visit_Name(self, node: libcst.Name) -> None:
        """Every name that is bound."""
        if self.context.role(node) != "binding":
            return
        name = node.value
        if name in self.context.reading.primitives:
            self.report(node, f"the primitive {name} is bound to something else")
        elif name in self.context.policy.language.builtins:
            message = f"the builtin {name} is bound to something else"
            self.report(node, message, rewrite=self._rewrite(name))

    def _rewrite(self, name: str) -> Rewrite | None:
        """Another name for the variable, where nothing in the program can mean the builtin.

        That is so if a plain assignment at the top level is the first to name it, and names it only
        as its target. It is not safe: what is run later may have counted on the variable.
        """
        places = places_to_rename(self.context, name)
        scene = self.context.scene
        first = next(iter(places), None)
        match first and list(scene.above(first)):
            case [libcst.AssignTarget(), libcst.Assign() as assign, home] if (
                scene.home(home) is home
            ):
                again = any(assign in scene.above(one) for one in places[1:])
            case _:
                return None

        def make() -> Changes:
            return renamed(places, fresh(self.context, name))

        what = f"the variable {name} got a name that no builtin has"
        return None if again else Rewrite(what, make, safe=False)
