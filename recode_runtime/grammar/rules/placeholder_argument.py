"""RC115."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import libcst

from recode_runtime.grammar.evaluation import by_keyword
from recode_runtime.grammar.names import CalledName
from recode_runtime.grammar.rewriting import assigned, fresh, restated, snake_case
from recode_runtime.grammar.rule import Case, Cases, Changes, Rewrite, Rule

_BINDING = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
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
        "item": Case(
            "clean(items[0])", repaired="clean_argument = items[0]\nclean(clean_argument)"
        ),
        "sum": Case(
            "clean('the ' + obs)", repaired="clean_argument = 'the ' + obs\nclean(clean_argument)"
        ),
        "f-string": Case(
            "clean(f'the {obs}')", repaired="clean_argument = f'the {obs}'\nclean(clean_argument)"
        ),
        "result of a primitive": Case(
            "clean(run('look'))", repaired="clean_argument = run('look')\nclean(clean_argument)"
        ),
        "list of variables": Case(
            "clean([obs])", repaired="clean_argument = [obs]\nclean(clean_argument)"
        ),
        "keyword": Case(
            "clean(item=items[0])", repaired="clean_argument = items[0]\nclean(item=clean_argument)"
        ),
        "several": Case(
            "clean(items[0], obs, item=run('look'))",
            repaired=(
                "clean_argument = items[0]\nclean_argument_2 = run('look')\n"
                "clean(clean_argument, obs, item=clean_argument_2)"
            ),
        ),
        "beside what may be deleted": Case(
            "if flag:\n    del obs\nclean(obs, run('look'))",
            repaired="if flag:\n    del obs\nclean_argument = run('look')\n"
            "clean(obs, clean_argument)",
            unsafe=True,
        ),
        "star": "clean(*items)",
        "double star": "clean(**items)",
        "unpacked dictionary": Case(
            "clean({**items})", repaired="clean_argument = {**items}\nclean(clean_argument)"
        ),
        "negated variable": Case(
            "clean(-flag)", repaired="clean_argument = -flag\nclean(clean_argument)"
        ),
        "primitive": "clean(run)",
        "builtin": "clean(len)",
        "underscore as keyword": Case("clean(_=1)", always=True),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is a statement of its own; of others the place is reported."""
        call = self.placeholder(node)
        if not call or not call.statement:
            return
        which = [
            f"number {number}"
            for number, value in enumerate(call.node.args, start=1)
            if not self._fits(value)
        ]
        which += [
            one.arg or "**"
            for one in call.node.keywords
            if one.arg is None or not self._fits(one.value)
        ]
        rewrite = self._rewrite(node, call) if which else None
        for one in which:
            message = f"argument {one} of {call.name} is neither a variable nor a literal"
            self.report(node, message, rewrite=rewrite)
        for keyword in call.node.keywords:
            if keyword.arg and keyword.arg.startswith("_"):
                message = f"the keyword {keyword.arg} of {call.name} begins with an underscore"
                self.report(node, message, _OTHER_KEYWORD, always=True)

    def _rewrite(self, node: libcst.Call, call: CalledName) -> Rewrite | None:
        """Every computed argument gets a name, in the order in which they are computed.

        Not where the statement does something else first, and not where an argument binds a name
        or is, or holds, what is judged by another rule.
        """
        scene = self.context.scene
        first = scene.parents[node]
        alone = isinstance(first, libcst.Expr | libcst.Assign | libcst.AnnAssign)
        if not alone or call.unbound or not all(map(self._can_stand_alone, _values(call.node))):
            return None
        pairs = zip(sorted(node.args, key=by_keyword), _values(call.node), strict=True)
        computed = [one.value for one, value in pairs if not self._fits(value)]

        def make() -> Changes:
            names = [fresh(self.context, f"{snake_case(call.name)}_argument") for _ in computed]
            named = list(zip(names, computed, strict=True))
            earlier = [assigned(name, value) for name, value in named]
            changes: Changes = {value: libcst.Name(name) for name, value in named}
            return restated(scene, node, earlier, changes=changes)

        return Rewrite(
            f"the arguments of {call.name} were given names",
            make,
            safe=self._surely_has_values(call),
        )

    def _surely_has_values(self, call: CalledName) -> bool:
        """Whether no variable or literal among the arguments can be an error.

        If one were, the program would end before it computes the arguments behind it.
        """
        literals = [one for one in _values(call.node) if _is_literal(one)]
        return self._surely_bound.issuperset(call.variables) and not any(
            isinstance(one, ast.Set | ast.Dict) and not _is_hashed(one)
            for literal in literals
            for one in ast.walk(literal)
        )

    @cached_property
    def _surely_bound(self) -> set[str]:
        """The variables that a plain statement or the namespace binds, and nothing unbinds."""
        plain = ast.Assign | ast.AnnAssign
        tree = self.context.reading.tree
        bound = [name for one in tree.body if isinstance(one, plain) for name in _bound_by(one)]
        lost = [name for one in ast.walk(tree) for name in _unbound_by(one)]
        return {*bound, *self.context.variables} - {*lost}

    def _can_stand_alone(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Name):
            return self._fits(value)
        parts = list(ast.walk(value))
        inner = {id(one) for one in parts if isinstance(one, ast.Call)}
        kinds = {one.kind for one in self.context.reading.calls if id(one.node) in inner}
        binds = any(isinstance(one, _BINDING) for one in parts)
        return not (binds or isinstance(value, ast.Starred) or kinds & {"placeholder", "attribute"})

    def _fits(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Name):
            language, reading = self.context.policy.language, self.context.reading
            return value.id not in reading.primitives and value.id not in language.builtins
        return _is_literal(value)


def _is_hashed(literal: ast.Set | ast.Dict) -> bool:
    """Whether all elements or keys are hashable for certain."""
    parts = literal.elts if isinstance(literal, ast.Set) else literal.keys
    return all(isinstance(one, ast.Constant | ast.UnaryOp) for one in parts)


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    for one in ast.walk(statement):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id


def _unbound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
        yield node.id
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name


def _values(node: ast.Call) -> list[ast.expr]:
    """The arguments as they are evaluated; `**options` is shown as if it had a star."""
    keywords = [one.value if one.arg else ast.Starred(one.value) for one in node.keywords]
    return [*node.args, *keywords]


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
