"""RC112."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Cases, Rule


class PlaceholderNested(Rule):
    """A placeholder is part of a larger expression.

    ## What it does
    Refuses a placeholder that is not a whole statement `[out1, out2 =] name(args)`: one that is
    an argument, an operand, indexed, or in an f-string, a lambda, `assert`, `del` or `raise`.

    ## Why
    A node of the tree is one statement. What a placeholder gives must have a name, so that its
    expansion knows what to assign and the next prompt can show it.

    ## Example
        run('go to ' + find_room(obs))

    ## Use instead
        room = find_room(obs)
        run('go to ' + room)
    """

    code = "RC112"
    title = "placeholder nested in an expression"
    advice = "give the placeholder a statement of its own: name = placeholder(arguments)"
    in_words = "A placeholder is a statement of its own, never a part of a larger expression."
    VALID: ClassVar[Cases] = {
        "statement of its own": "room = find_room(obs)\nrun('go to ' + room)",
        "in parentheses": "room = (find_room(obs))",
        "builtin and method calls": "n = len(obs.split())",
    }
    INVALID: ClassVar[Cases] = {
        "argument of a primitive": "run(find_room(obs))",
        "operand": "n = count_rooms(obs) + 1",
        "indexed": "room = find_rooms(obs)[0]",
        "method of its result": "rooms = find_rooms(obs).split()",
        "called again": "find_rooms(obs)()",
        "in an f-string": "text = f'{find_room(obs)}'",
        "in a lambda": "act = lambda: find_room(obs)",
        "in a tuple": "pair = find_room(obs), 1",
        "in assert": "assert is_done(obs)",
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is no statement of its own."""
        call = self.placeholder(node)
        if call and call.place == "expression" and not call.statement:
            self.report(node, f"the placeholder {call.name} is part of a larger expression")
