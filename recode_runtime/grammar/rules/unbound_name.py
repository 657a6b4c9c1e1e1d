"""RC118."""

from __future__ import annotations

from typing import ClassVar

import libcst
from RestrictedPython.transformer import FORBIDDEN_FUNC_NAMES

from recode_runtime.errors import Level
from recode_runtime.grammar.rewriting import import_added
from recode_runtime.grammar.rule import Case, Cases, Context, Rule


class UnboundName(Rule):
    """A variable is read that nothing has bound.

    ## What it does
    Refuses names that are read before the program binds them and are not in the namespace either:
    in an expression, as an argument of a primitive, or by `+=` and `del`. Within a loop a name may
    be bound further down, for the next round. Arguments of placeholders are judged by RC116.

    ## Why
    The statement would end in a NameError when execution reaches it, after those before it have
    acted. ReCode's reference loses variables in this way between a program and its expansions;
    here it is found before anything runs.

    ## Example
        run('take ' + cup)

    ## Use instead
        cup = find_cup(obs)
        run('take ' + cup)
    """

    code = "RC118"
    title = "variable bound nowhere"
    advice = "bind the variable in an earlier statement, or use one that exists"
    in_words = "Use only variables that exist or that an earlier statement assigns."
    VALID: ClassVar[Cases] = {
        "of the namespace": "run('take ' + obs)",
        "bound earlier": "cup = 'cup'\nrun('take ' + cup)",
        "bound on one path": "if flag:\n    cup = 'cup'\nrun('take ' + cup)",
        "bound in the round before": (
            "for item in items:\n    if item == 'b':\n        run(last)\n    last = item"
        ),
        "bound by a comprehension": "names = [one.strip() for one in items]",
        "bound by a lambda": "names = sorted(items, key=lambda one: one[0])",
        "bound by the time a lambda is called": "f = lambda: n\nn = 1\nrun(f())",
        "bound by a walrus": "if (n := len(items)) > 1:\n    run(str(n))",
        "bound by a handler": "try:\n    run('go')\nexcept ValueError as e:\n    print(e)",
        "keyword of a call": "run(cup=obs)",
        "annotation, which is dropped": "n: Count = 1\nprint(n)",
    }
    INVALID: ClassVar[Cases] = {
        "argument of a primitive": "run('take ' + cup)",
        "value": "n = m",
        "read before it is bound": "n = m\nm = 1",
        "augmented": "count += 1",
        "deleted before": "cup = 1\ndel cup\nrun(cup)",
        "deleted": "del cup",
        "in a branch": "if flag:\n    run(cup)",
        "in a loop": "for item in items:\n    run(cup)",
        "in a comprehension": "names = [cup for one in items]",
        "of a comprehension, outside": "names = [one for one in items]\nrun(one)",
        "in an f-string": "run(f'take {cup}')",
        "caught": "try:\n    run('go')\nexcept Problem:\n    pass",
        "function that is not called": "act = find_cup",
        "thrown away": "run(_)",
        "module that is not imported": Case("n = math.pi", "import math\nn = math.pi"),
        "name that the module lacks": "n = math.nothing",
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._left = set(context.reading.unbound)

    def visit_Name(self, node: libcst.Name) -> None:
        """The first use of each such name."""
        name = node.value
        if name not in self._left or not self._is_read(node):
            return
        self._left.remove(name)
        hidden = (name.startswith("_") and name != "_") or name.endswith("__roles__")
        if hidden or name in FORBIDDEN_FUNC_NAMES:
            return  # RC202
        known = name in self.context.policy.language.facades
        advice = f"write `import {name}` before it" if known else ""
        rewrite = import_added(self.context, name)
        self.report(node, f"the variable {name} is bound nowhere", advice, rewrite=rewrite)

    def _is_read(self, node: libcst.Name) -> bool:
        if self.context.role(node) == "use":
            return True
        above = self.context.scene.parents[node] if self.context.role(node) == "binding" else None
        return isinstance(above, libcst.AugAssign | libcst.Del)
