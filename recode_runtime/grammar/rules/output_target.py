"""RC117."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import libcst

from recode_runtime.grammar.names import outputs_of
from recode_runtime.grammar.rule import Case, Cases, Rule

_OTHER_NAME = "name every output without an underscore in front, or leave it out"


class OutputTarget(Rule):
    """What a placeholder gives is not assigned to plain names.

    ## What it does
    Accepts `name(args)`, `a = name(args)` and `a, b = name(args)`. Refuses attributes, items,
    list and starred targets, `+=`, annotations, `:=`, chained assignments, a name that stands
    there twice, and, whatever the policy says, names that begin with an underscore.

    ## Why
    The names left of the `=` are the promise that the expansion must keep by assigning them;
    anything else has no name to promise. Names that begin with an underscore are not kept: no
    later statement could rely on them.

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
        "item of an attribute": "obs.cups[0] = find_cup(obs)",
        "augmented": "flag += count_cups(obs)",
        "annotated": "cup: str = find_cup(obs)",
        "walrus": "(cup := find_cup(obs))",
        "walrus in a call": "print(cup := find_cup(obs))",
        "chained": "a = b = find_cup(obs)",
        "starred": "a, *b = find_cups(obs)",
        "list": "[a, b] = find_cups(obs)",
        "nested": "a, (b, c) = find_cups(obs)",
        "empty": "() = find_cups(obs)",
        "twice": "a, b, a = find_cups(obs)",
        "underscore": Case("_ = find_cup(obs)", always=True),
        "one of two an underscore": Case("cup, _ = find_cup(obs)", always=True),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is the whole value of a statement or of `:=`."""
        call = self.placeholder(node)
        if not call or not call.statement or call.place not in ("statement", "expression"):
            return
        outputs = outputs_of(call.statement)
        if outputs is None:
            self.report(node, f"what {call.name} gives is not assigned to plain names")
            return
        for name, times in Counter(outputs).items():
            if name.startswith("_"):
                message = f"the output {name} of {call.name} begins with an underscore"
                self.report(node, message, _OTHER_NAME, always=True)
            elif times > 1:
                self.report(node, f"the output {name} of {call.name} stands there {times} times")
