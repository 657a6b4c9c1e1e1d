"""RC115."""

from __future__ import annotations

import ast
from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Case, Cases, Rule

_OTHER_KEYWORD = "give the keyword a name that does not begin with an underscore"


class PlaceholderArgument(Rule):
    """An argument of a placeholder is neither a variable nor a literal.

    ## What it does
    Refuses computed arguments, `*args` and `**options`, and names of primitives or builtins.
    Literals are text, numbers, True, False, None, and lists, tuples, sets and dictionaries of
    them. Keywords that begin with an underscore are refused whatever the policy says.

    ## Why
    The next prompt shows each argument by its name and value. Something computed has no name by
    which the expansion could use it; a keyword is a variable of the expansion, and those that
    begin with an underscore are the sandbox's own.

    ## Example
        clean(items[0])

    ## Use instead
        first = items[0]
        clean(first)
    """

    code = "RC115"
    title = "argument neither name nor literal"
    advice = "assign the argument to a variable first and pass the variable"
    VALID: ClassVar[Cases] = {
        "variable": "clean(obs)",
        "literals": "clean('cup', -1, 2.5, True, None, ['a', ('b', 1)], {'k': [1]})",
        "keyword": "clean(item='cup', where=obs)",
        "nothing": "look_around()",
    }
    INVALID: ClassVar[Cases] = {
        "item": "clean(items[0])",
        "sum": "clean('the ' + obs)",
        "f-string": "clean(f'the {obs}')",
        "result of a primitive": "clean(run('look'))",
        "list of variables": "clean([obs])",
        "keyword": "clean(item=items[0])",
        "star": "clean(*items)",
        "double star": "clean(**items)",
        "unpacked dictionary": "clean({**items})",
        "negated variable": "clean(-flag)",
        "primitive": "clean(run)",
        "builtin": "clean(len)",
        "underscore as keyword": Case("clean(_=1)", always=True),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is a statement of its own; of others the place is reported."""
        call = self.placeholder(node)
        if not call or not call.statement:
            return
        for number, value in enumerate(call.node.args, start=1):
            if not self._fits(value):
                self._refuse(node, call.name, f"number {number}")
        for keyword in call.node.keywords:
            if keyword.arg is None or not self._fits(keyword.value):
                self._refuse(node, call.name, keyword.arg or "**")
            if keyword.arg and keyword.arg.startswith("_"):
                message = f"the keyword {keyword.arg} of {call.name} begins with an underscore"
                self.report(node, message, _OTHER_KEYWORD, always=True)

    def _refuse(self, node: libcst.Call, name: str, which: str) -> None:
        self.report(node, f"argument {which} of {name} is neither a variable nor a literal")

    def _fits(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Name):
            language, reading = self.context.policy.language, self.context.reading
            return value.id not in reading.primitives and value.id not in language.builtins
        return _is_literal(value)


def _is_literal(value: ast.expr | None) -> bool:
    match value:
        case ast.Constant(value=constant):
            return constant is not ...
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=number)):
            return isinstance(number, int | float) and not isinstance(number, bool)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(map(_is_literal, parts))
        case ast.Dict(keys=keys, values=values):
            return all(map(_is_literal, [*keys, *values]))
        case _:
            return False
