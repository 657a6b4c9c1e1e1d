"""RC203."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Cases, Rule


class Rebinding(Rule):
    """The name of a primitive or of a builtin is bound to something else.

    ## What it does
    Refuses to assign, delete, import, loop over or otherwise bind a name by which the program
    calls a primitive or a builtin of the language. A keyword of a placeholder binds its name too:
    the expansion sees the value under it.

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
        "builtin": "list = obs.split()",
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
            self.report(node, f"the builtin {name} is bound to something else")
