"""RC116."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Case, Cases, Rule

_OTHER_NAME = "bind the value to a name that does not begin with an underscore, and pass that"


class PlaceholderArgumentUnbound(Rule):
    """An argument of a placeholder is a name that its expansion would not find.

    ## What it does
    Refuses placeholders that are given a name which neither the namespace nor an earlier
    statement of the program binds, and, whatever the policy says, the bare `_` and other names
    that begin with an underscore.

    ## Why
    The expansion would be asked to work on a variable that does not exist. Usually the model
    thought of a value it has not observed yet, or mistyped a name. What `_` holds is thrown away:
    no prompt shows it.

    ## Example
        clean(cup)

    ## Use instead
        cup = find_cup(obs)
        clean(cup)
    """

    code = "RC116"
    title = "argument unbound"
    advice = "bind the variable in an earlier statement, or pass one that exists"
    VALID: ClassVar[Cases] = {
        "bound in the namespace": "clean(obs)",
        "bound earlier": "cup = run('take cup')\nclean(cup)",
        "output of an earlier placeholder": "cup = find_cup(obs)\nclean(cup)",
        "bound on one path": "if flag:\n    cup = 'cup'\nclean(cup)",
        "bound by a loop": "for cup in items:\n    run(cup)\nclean(cup)",
    }
    INVALID: ClassVar[Cases] = {
        "bound nowhere": "clean(cup)",
        "keyword": "clean(item=cup)",
        "bound later": "clean(cup)\ncup = 'cup'",
        "bound by itself": "cup = clean(cup)",
        "deleted": Case("del cup\nclean(cup)", variables=("cup",)),
        "thrown away": Case("_ = run('look')\nclean(_)", always=True),
        "thrown away, by keyword": Case("for _ in items:\n    pass\nclean(i=_)", always=True),
        "bound in a comprehension": "names = [cup for cup in items]\nclean(cup)",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is a statement of its own; of others the place is reported."""
        call = self.placeholder(node)
        if not call or not call.statement:
            return
        for name in call.variables:
            if name.startswith("_"):
                message = f"the argument {name} of {call.name} begins with an underscore"
                self.report(node, message, _OTHER_NAME, always=True)
            elif name in call.unbound:
                self.report(node, f"the argument {name} of {call.name} is bound nowhere")
