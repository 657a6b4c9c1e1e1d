"""RC306."""

from __future__ import annotations

import ast
from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.grammar.ties import ties


class UnusedVariable(Rule):
    """A variable is assigned and never used.

    ## What it does
    Warns of a name that a program with promised outputs assigns and never reads, where the value is
    one that it computed itself. What a primitive or a placeholder gives is left alone, and so are
    names that were bound before, the outputs themselves, unpacked names and the variables of loops.
    A program that promises nothing is left alone as a whole: what it assigns stays in the
    namespace, and that may be all it is for. Where an output is missing, there is RC120 instead.

    ## Why
    The outputs are what the statements above wait for. A value beside them that nobody reads is
    often the output under a wrong name.

    ## Example
        # for: count = count_cups(obs)
        total = obs.count('cup')
        count = 0

    ## Use instead
        # for: count = count_cups(obs)
        count = obs.count('cup')
    """

    code = "RC306"
    title = "variable never used"
    level: ClassVar[Level] = "warning"
    advice = "use it, assign it to a promised output, or leave it out"
    VALID: ClassVar[Cases] = {
        "used": Case("words = obs.split()\nn = len(words)", outputs=("n",)),
        "used in a later round": Case(
            "n = last = 0\nfor item in items:\n    n += last\n    last = len(item)", outputs=("n",)
        ),
        "observation": Case("answer = run('look')\nn = 1", outputs=("n",)),
        "worked out of an observation": Case("words = run('look').split()\nn = 1", outputs=("n",)),
        "output of a placeholder": Case("cup = find_cup(obs)\nn = 1", outputs=("n",)),
        "bound before": Case("obs = ''\nn = 1", outputs=("n",)),
        "unpacked": Case("first, last = obs.split()\nn = first", outputs=("n",)),
        "thrown away": Case("_ = obs.split()\nn = 1", outputs=("n",)),
        "nothing is promised": "total = obs.count('cup')",
        "passed to a placeholder": Case("room = 'hall'\nn = count(room)", outputs=("n",)),
        "in an f-string": Case("room = 'hall'\nobs = run(f'go to {room}')", outputs=("obs",)),
    }
    INVALID: ClassVar[Cases] = {
        "under a wrong name": Case("total = obs.count('cup')\ncount = 0", outputs=("count",)),
        "in a branch": Case("n = 0\nif flag:\n    m = 1", outputs=("n",)),
        "assigned twice": Case("m = 1\nm = 2\nn = 0", outputs=("n",)),
        "annotated": Case("m: int = 1\nn = 0", outputs=("n",)),
    }

    def leave_Module(self, node: libcst.Module) -> None:
        """Once a program that promises something."""
        outputs, bound = self.context.outputs, self.context.reading.bound
        if not outputs or not bound.issuperset(outputs):
            return
        kept = {*outputs, *self.context.returned, *self.context.variables, "_"}
        doubtful = bound - kept
        if doubtful:
            self._look(node, set(doubtful))

    def _look(self, module: libcst.Module, names: set[str]) -> None:
        tree = self.context.reading.tree
        computed: dict[str, ast.stmt] = {}
        targets: set[ast.AST] = set()
        for one in ast.walk(tree):  # statements come before what is in them
            if isinstance(one, ast.Assign | ast.AnnAssign):
                plain = _plain_target(one)
                if plain and not self._acts(one):
                    computed.setdefault(plain.id, one)
                    targets.add(plain)
            elif isinstance(one, ast.Name) and one not in targets:
                names.discard(one.id)
        concrete = ties(module, tree) if names & computed.keys() else {}
        for name in sorted(names & computed.keys()):
            self.report(concrete.get(computed[name]), f"the variable {name} is never used")

    def _acts(self, node: ast.AST) -> bool:
        """Whether a primitive or a placeholder takes part in a value."""
        inside = {id(one) for one in ast.walk(node)}
        calls = (one for one in self.context.reading.calls if id(one.node) in inside)
        return any(one.kind in ("primitive", "placeholder") for one in calls)


def _plain_target(node: ast.Assign | ast.AnnAssign) -> ast.Name | None:
    """The one name that a statement gives a value to, if it is one."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    only = targets[0] if len(targets) == 1 and node.value else None
    return only if isinstance(only, ast.Name) else None
