"""RC117."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.names import outputs_of
from recode_runtime.grammar.rule import Cases, Rule


class OutputTarget(Rule):
    """What a placeholder gives is not assigned to plain names.

    ## What it does
    Accepts `name(args)`, `a = name(args)` and `a, b = name(args)`. Refuses attributes, items,
    list and starred targets, `+=`, annotations, `:=` and chained assignments.

    ## Why
    The names left of the `=` are the promise that the expansion must keep by assigning them;
    anything else has no name to promise.

    ## Example
        rooms['kitchen'] = describe_room(obs)

    ## Use instead
        kitchen = describe_room(obs)
        rooms['kitchen'] = kitchen
    """

    code = "RC117"
    title = "output target not a plain name"
    advice = "assign the placeholder to plain names, and use them in the next statement"
    VALID: ClassVar[Cases] = {
        "no output": "clean(obs)",
        "one output": "cup = find_cup(obs)",
        "two outputs": "cup, room = find_cup(obs)",
        "other targets without a placeholder": "items[0] = run('look')\nflag += 1",
    }
    INVALID: ClassVar[Cases] = {
        "item": "items[0] = find_cup(obs)",
        "attribute": "obs.cup = find_cup(obs)",
        "augmented": "flag += count_cups(obs)",
        "annotated": "cup: str = find_cup(obs)",
        "walrus": "(cup := find_cup(obs))",
        "walrus in a call": "print(cup := find_cup(obs))",
        "chained": "a = b = find_cup(obs)",
        "starred": "a, *b = find_cups(obs)",
        "list": "[a, b] = find_cups(obs)",
        "nested": "a, (b, c) = find_cups(obs)",
        "empty": "() = find_cups(obs)",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is the whole value of a statement or of `:=`."""
        call = self.placeholder(node)
        if not call or not call.statement or call.place not in ("statement", "expression"):
            return
        if outputs_of(call.statement) is None:
            self.report(node, f"what {call.name} gives is not assigned to plain names")
