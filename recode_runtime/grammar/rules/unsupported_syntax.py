"""RC204."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import ClassVar

import libcst

from recode_runtime.grammar.constructs import ABSTRACT, DEFINITIONS, REFUSED, kinds_of
from recode_runtime.grammar.rule import Case, Cases, Changes, Rewrite, Rule
from recode_runtime.grammar.walk import PARTS
from recode_runtime.syntax import fate_of_return

_OUTPUTS = "assign the values to the names left of the `=` of the placeholder"


class UnsupportedSyntax(Rule):
    """Syntax that the language does not have.

    ## What it does
    Refuses `global`, `nonlocal`, `async`, `await`, `yield`, `return`, `match`, `except*`,
    decorators, type aliases, template strings, `break` or `continue` outside a loop, and attributes
    that are assigned or deleted. Whatever is not listed as part of the language is refused with
    its name, so that what a newer Python brings is refused until somebody has listed it.

    ## Why
    A program has no functions and no event loop, so half of these have no meaning in it; the
    others are those for which the sandbox's language has no guards. Objects with attributes are not
    the program's own, so it may only read them.

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
        "global": Case("run('go')\nglobal obs\nobs = 1", "run('go')\nobs = 1"),
        "global, before others": Case("global obs; obs = 1", "obs = 1"),
        "global, after others": Case("obs = 1; global obs, flag", "obs = 1"),
        "global, with a comment": Case(
            "run('go')\n# ours\nglobal obs\nobs = 1", "run('go')\n# ours\npass\nobs = 1"
        ),
        "global, alone in a block": Case(
            "if flag:\n    global obs\nobs = 1", "if flag:\n    pass\nobs = 1"
        ),
        "nonlocal": "nonlocal obs",
        "await": "obs = await obs",
        "await of a primitive": Case("obs = await run('look')", "obs = run('look')"),
        "await of a placeholder": Case("cup = await find_cup(obs)", "cup = find_cup(obs)"),
        "async for": "async for i in items:\n    pass",
        "async with": "async with obs:\n    pass",
        "async comprehension": "a = [i async for i in items]",
        "yield": "obs = yield",
        "yield in a lambda": "f = lambda: (yield)",
        "return": "return obs",
        "return of the outputs' values": Case(
            "run('go')\nreturn 'cup', obs  # both",
            "run('go')\ncup, room = 'cup', obs  # both",
            outputs=("cup", "room"),
        ),
        "return of the output's value": Case(
            "return run('take cup')", "cup = run('take cup')", outputs=("cup",)
        ),
        "return of the outputs": Case(
            "cup = room = 1\nreturn cup, room", "cup = room = 1", outputs=("cup", "room")
        ),
        "return of an output that was bound before": Case(
            "run('go')\nreturn obs", "run('go')\nobs = obs", outputs=("obs",)
        ),
        "return of nothing": Case("run('go'); return", "run('go')"),
        "return of nothing where the outputs are bound": Case(
            "cup = run('take cup')\nreturn", "cup = run('take cup')", outputs=("cup",)
        ),
        "return of nothing where they are not": Case("run('go')\nreturn", outputs=("cup",)),
        "return of what nobody waits for": Case(
            "obs = run('go')\nreturn obs, True", "obs = run('go')"
        ),
        "return of what acts": "obs = run('go')\nreturn run('look')",
        "return that is not the last": Case(
            "if flag:\n    return 'cup'\ncup = 'mug'", outputs=("cup",)
        ),
        "return of one text for two outputs": Case("return 'ab'", outputs=("cup", "room")),
        "return of too few": Case("cup = room = 1\nreturn (cup,)", outputs=("cup", "room")),
        "return of too few in a list": Case("return [obs]", outputs=("cup", "room")),
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

    def _refuse(
        self,
        node: libcst.CSTNode,
        what: str = "",
        advice: str = "",
        rewrite: Rewrite | None = None,
    ) -> None:
        kind = type(node).__name__
        words = what or REFUSED.get(kind, kind)
        self.report(node, f"the language has no {words}", advice, rewrite=rewrite)

    visit_unknown = _refuse

    def leave_Module(self, node: libcst.Module) -> None:
        """The other view: what `ast` calls by a name without a line, or alone calls refused."""
        kinds = {kind.__name__ for kind in kinds_of(self.context.reading.tree)}
        strange = kinds - ABSTRACT
        if not strange:
            return
        unseen = set() if self.reports or kinds & DEFINITIONS else strange & REFUSED.keys()
        for kind in sorted((strange - REFUSED.keys()) | unseen):
            self.report(None, f"the language has no {REFUSED.get(kind, kind)}")

    def leave_Await(self, node: libcst.Await) -> None:
        """`await`, which nothing needs here: what is called acts before the next statement."""
        call = node.expression
        kind = self.context.calls[call].kind if isinstance(call, libcst.Call) else "other"
        acts = kind in ("primitive", "placeholder")
        self._refuse(node, rewrite=Rewrite("no `await`", lambda: _bare(node)) if acts else None)

    def _refuse_async(self, node: libcst.With | libcst.For | libcst.CompFor) -> None:
        if node.asynchronous:
            self._refuse(node, "`async with`" if isinstance(node, libcst.With) else "`async for`")

    visit_With = visit_For = visit_CompFor = _refuse_async

    def visit_Break(self, node: libcst.Break | libcst.Continue) -> None:
        """One that stands outside a loop."""
        if not self._loops:
            self._refuse(node, f"`{type(node).__name__.lower()}` outside a loop")

    visit_Continue = visit_Break

    def _enter_loop(self, node: libcst.CSTNode) -> None:
        self._loops += 1

    def _leave_loop(self, node: libcst.CSTNode) -> None:
        self._loops -= 1

    visit_For_body = visit_While_body = _enter_loop
    leave_For_body = leave_While_body = _leave_loop

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        """Functions are refused by RC101; `return` in them is not judged again."""
        self._functions += 1

    def leave_FunctionDef(self, node: libcst.FunctionDef) -> None:
        """The end of what `visit_FunctionDef` began."""
        self._functions -= 1

    def visit_Global(self, node: libcst.Global) -> None:
        """A `global`, which changes nothing where all names are global."""
        above = self.context.scene.above(node)
        local = any(isinstance(one, libcst.FunctionDef | libcst.ClassDef) for one in above)
        line = None if local else self._line_of(node)
        drop = Rewrite("`global` dropped", lambda: self._without(line, node)) if line else None
        self._refuse(node, rewrite=drop)

    def visit_Return(self, node: libcst.Return) -> None:
        """A `return` at the top level, where `ast` lets it pass."""
        if not self._functions:
            self._refuse(node, advice=_OUTPUTS, rewrite=self._kept_promise(node))

    def _line_of(self, node: libcst.BaseSmallStatement) -> libcst.SimpleStatementLine | None:
        line = self.context.scene.parents[node]
        return line if isinstance(line, libcst.SimpleStatementLine) else None

    def _kept_promise(self, node: libcst.Return) -> Rewrite | None:
        """At the end, the values as those of the outputs, or no `return` where nothing is lost."""
        reading, outputs = self.context.reading, self.context.returned
        line, last = self._line_of(node), reading.tree.body[-1]
        at_end = line is self.context.scene.module.body[-1] and line.body[-1] is node
        if not line or not at_end or not isinstance(last, ast.Return):
            return None
        fate = fate_of_return(last.value, outputs, reading.bound)
        if fate == "assigned":
            return Rewrite("`return` as an assignment", lambda: {node: _assigned(outputs, node)})
        if fate == "dropped" and len(reading.tree.body) > 1:
            return Rewrite("`return` dropped", lambda: self._without(line, node))
        return None

    def _without(self, line: libcst.SimpleStatementLine, node: libcst.CSTNode) -> Changes:
        """The line without one of its statements; comments stay."""
        rest = [one for one in line.body if one is not node]
        if rest:
            rest[-1] = rest[-1].with_changes(semicolon=libcst.MaybeSentinel.DEFAULT)
            return {line: line.with_changes(body=rest)}
        top = self.context.scene.module.body
        comments = [one.comment for one in line.leading_lines]
        comments.append(line.trailing_whitespace.comment)
        if any(comments) or not (len(top) > 1 and line in top):
            return {line: line.with_changes(body=[libcst.Pass()])}
        return {line: libcst.RemovalSentinel.REMOVE}

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        """An attribute that is written."""
        if self.context.role(node) == "binding":
            message = f"the attribute {node.attr.value} is assigned or deleted"
            self.report(node, message, "keep the value in a variable or in a dictionary")


for _kind in PARTS.keys() & REFUSED.keys():  # what has no line of its own above
    if not hasattr(UnsupportedSyntax, f"visit_{_kind}") and _kind != "Await":
        setattr(UnsupportedSyntax, f"visit_{_kind}", UnsupportedSyntax.visit_unknown)


def _bare(node: libcst.Await) -> Changes:
    call = node.expression
    lpar, rpar = [*node.lpar, *call.lpar], [*call.rpar, *node.rpar]
    return {node: call.with_changes(lpar=lpar, rpar=rpar)}


def _assigned(outputs: Sequence[str], node: libcst.Return) -> libcst.Assign:
    """The statement that gives the outputs what is returned."""
    names = [libcst.Element(libcst.Name(one)) for one in outputs]
    several = libcst.Tuple(names, lpar=[], rpar=[])
    target = several if len(names) > 1 else libcst.Name(outputs[0])
    assert node.value is not None  # noqa: S101 - the repair is offered only if there is a value
    return libcst.Assign([libcst.AssignTarget(target)], node.value, semicolon=node.semicolon)
