"""RC112."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rewriting import placeholder_lifted
from recode_runtime.grammar.rule import Case, Cases, Rule


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
        "argument of a primitive": Case(
            "run(find_room(obs))",
            repaired="find_room_result = find_room(obs)\nrun(find_room_result)",
        ),
        "operand": Case(
            "n = count_rooms(obs) + 1",
            repaired="count_rooms_result = count_rooms(obs)\nn = count_rooms_result + 1",
        ),
        "indexed": Case(
            "room = find_rooms(obs)[0]",
            repaired="find_rooms_result = find_rooms(obs)\nroom = find_rooms_result[0]",
        ),
        "method of its result": Case(
            "rooms = find_rooms(obs).split()",
            repaired="find_rooms_result = find_rooms(obs)\nrooms = find_rooms_result.split()",
        ),
        "called again": Case(
            "find_rooms(obs)()", repaired="find_rooms_result = find_rooms(obs)\nfind_rooms_result()"
        ),
        "in an f-string": Case(
            "text = f'{find_room(obs)}'",
            repaired="find_room_result = find_room(obs)\ntext = f'{find_room_result}'",
        ),
        "in a lambda": "act = lambda: find_room(obs)",
        "in a tuple": Case(
            "pair = find_room(obs), 1",
            repaired="find_room_result = find_room(obs)\npair = find_room_result, 1",
        ),
        "after a variable": Case(
            "run(obs + find_room(obs))",
            repaired="find_room_result = find_room(obs)\nrun(obs + find_room_result)",
            unsafe=True,
        ),
        "after a call": "run(obs.strip() + find_room(obs))",
        "raised": "raise problem(obs)",
        "in assert": Case(
            "assert is_done(obs)", repaired="is_done_result = is_done(obs)\nassert is_done_result"
        ),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is no statement of its own."""
        call = self.placeholder(node)
        if call and call.place == "expression" and not call.statement:
            message = f"the placeholder {call.name} is part of a larger expression"
            self.report(node, message, rewrite=placeholder_lifted(self.context, node))
