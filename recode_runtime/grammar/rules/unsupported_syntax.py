"""RC204."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Cases, Rule

_WORDS = {
    "Await": "`await`",
    "Break": "`break` outside a loop",
    "CompFor": "`async for`",
    "Continue": "`continue` outside a loop",
    "For": "`async for`",
    "Global": "`global`",
    "Match": "`match`",
    "Nonlocal": "`nonlocal`",
    "Return": "`return`",
    "TemplatedString": "template strings",
    "TryStar": "`except*`",
    "TypeAlias": "`type`",
    "With": "`async with`",
    "Yield": "`yield`",
}


class UnsupportedSyntax(Rule):
    """Syntax that the language does not have.

    ## What it does
    Refuses `global`, `nonlocal`, `async`, `await`, `yield`, `return`, `match`, `except*`, type
    aliases, template strings, `break` or `continue` outside a loop, and attributes that are
    assigned or deleted.

    ## Why
    A program has no functions and no event loop, so half of these have no meaning in it; the
    others are those for which the sandbox's language has no guards. What has attributes is not the
    program's own, so it only reads them.

    ## Example
        match obs:
            case 'open':
                run('go')

    ## Use instead
        if obs == 'open':
            run('go')
    """

    code = "RC204"
    title = "syntax the language does not have"
    advice = "write it with assignments, if, for and while"
    in_words = (
        "There is no return, global, nonlocal, async, await, yield, match or except*, and no "
        "assignment to attributes."
    )
    VALID: ClassVar[Cases] = {
        "loops and branches": "for i in items:\n    if i:\n        break\n    continue",
        "while with else": "while flag:\n    flag = not flag\nelse:\n    pass",
        "try": "try:\n    run('go')\nexcept ValueError as e:\n    print(e)\nfinally:\n    pass",
        "with": "with obs as o:\n    pass",
        "item and annotation": "d = {}\nd['k'] = 1\nd['k'] += 1\nn: int = 3\ndel d['k']",
        "lambda and walrus": "f = lambda a, *b, c=1: a\nprint(n := f(1))",
        "comprehensions": "a = [i for i in items if i]\nb = {i: 1 for i in a}\nc = {*a}",
        "f-string": "text = f'{obs!r:>{3}} {flag=}'",
        "assert and raise": "assert flag, 'no'\nraise ValueError(obs)",
        "item of an attribute": "obs.parts[0] = 1\ndel obs.parts[0]",
        "unpacking": "a, *b = items\nprint(*b, sep='')\n[c, d] = b",
    }
    INVALID: ClassVar[Cases] = {
        "global": "global obs",
        "await": "obs = await obs",
        "async for": "async for i in items:\n    pass",
        "async with": "async with obs:\n    pass",
        "async comprehension": "a = [i async for i in items]",
        "yield": "obs = yield",
        "yield in a lambda": "f = lambda: (yield)",
        "return": "return obs",
        "match": "match obs:\n    case 1:\n        pass",
        "except star": "try:\n    pass\nexcept* ValueError:\n    pass",
        "break outside a loop": "if flag:\n    break",
        "continue outside a loop": "continue",
        "attribute": "obs.x = 1",
        "attribute, augmented": "obs.x += 1",
        "attribute, annotated": "obs.x: int = 1",
        "attribute, deleted": "del items[0], obs.x",
        "attribute in a loop": "for obs.x in items:\n    pass",
        "attribute in a comprehension": "a = [1 for obs.x in items]",
        "attribute, unpacked": "a, [*obs.x] = items",
        "attribute of an item": "items[0].x = 1",
        "attribute in with": "with obs as obs.x:\n    pass",
    }

    _loops = 0
    _functions = 0

    def _refuse(self, node: libcst.CSTNode) -> None:
        self.report(node, f"the language has no {_WORDS[type(node).__name__]}")

    visit_Global = visit_Nonlocal = visit_Await = visit_Yield = visit_Match = _refuse
    visit_TryStar = visit_TypeAlias = visit_TemplatedString = _refuse

    def _refuse_async(self, node: libcst.With | libcst.For | libcst.CompFor) -> None:
        if node.asynchronous:
            self._refuse(node)

    visit_With = visit_For = visit_CompFor = _refuse_async

    def _refuse_outside_loop(self, node: libcst.Break | libcst.Continue) -> None:
        if not self._loops:
            self._refuse(node)

    visit_Break = visit_Continue = _refuse_outside_loop

    def _enter_loop(self, node: libcst.CSTNode) -> None:
        self._loops += 1

    def _leave_loop(self, node: libcst.CSTNode) -> None:
        self._loops -= 1

    visit_For_body = visit_While_body = _enter_loop
    leave_For_body = leave_While_body = _leave_loop

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        """Functions are refused by RC101; `return` in them is not judged again."""
        self._functions += 1

    def leave_FunctionDef(self, original_node: libcst.FunctionDef) -> None:
        """The end of what `visit_FunctionDef` began."""
        self._functions -= 1

    def visit_Return(self, node: libcst.Return) -> None:
        """A `return` at the top level, where `ast` lets it pass."""
        if not self._functions:
            self._refuse(node)

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        """An attribute that is written."""
        if self.context.role(node) == "binding":
            message = f"the attribute {node.attr.value} is assigned or deleted"
            self.report(node, message, "keep the value in a variable or in a dictionary")
