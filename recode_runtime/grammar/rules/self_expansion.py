"""RC122."""

from __future__ import annotations

import ast
from typing import ClassVar

import libcst

from recode_runtime.grammar.names import CalledName
from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.program import Placeholder

_PARENT = Placeholder("tidy", (), ("obs", "'kitchen'"), {"speed": "2"}, ("obs",))


class SelfExpansion(Rule):
    """A placeholder expands to itself with nothing done in between.

    ## What it does
    Refuses a program whose first placeholder is the one it expands: the same name and the same
    arguments, none of them assigned before it, and no primitive called before it.

    ## Why
    Nothing has changed when execution reaches it, so the same prompt would be answered in the same
    way without end. After an action, with a new observation, the same call is a step forward. No
    policy can turn this rule down.

    ## Example
        # for: solve(task, obs)
        solve(task, obs)

    ## Use instead
        obs = run('look')
        solve(task, obs)
    """

    code = "RC122"
    always = True
    title = "expands to itself"
    advice = "act first, or split the goal into smaller ones"
    in_words = "Never expand a placeholder to itself before a primitive was called."
    VALID: ClassVar[Cases] = {
        "after an action": Case("run('go')\ntidy(obs, 'kitchen', speed=2)", parent=_PARENT),
        "other argument": Case("tidy(obs, 'hall', speed=2)", parent=_PARENT),
        "variable assigned before": Case(
            "obs = obs[1:]\ntidy(obs, 'kitchen', speed=2)", parent=_PARENT
        ),
        "after another placeholder": Case("look()\ntidy(obs, 'kitchen', speed=2)", parent=_PARENT),
        "no parent": "tidy(obs, 'kitchen', speed=2)",
    }
    INVALID: ClassVar[Cases] = {
        "the same call": Case("tidy(obs, 'kitchen', speed=2)", parent=_PARENT),
        "written differently": Case('n = 1\ntidy( obs,"kitchen",speed = 2 )', parent=_PARENT),
        "keyword passed on": Case(
            "tidy(obs, 'kitchen', speed=speed)",
            variables=("obs", "speed"),
            parent=_PARENT,
        ),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """The program's first placeholder, if nothing was done before it."""
        call, parent = self.context.calls[node], self.context.parent
        if parent and call is self._first() and self._is(call, parent):
            self.report(node, f"{call.name} expands to itself with nothing done in between")

    def _first(self) -> CalledName | None:
        """The first call that does something, if it is a placeholder."""
        for call in self.context.reading.calls:
            if call.kind == "primitive":
                return None
            if call.kind == "placeholder":
                return call
        return None

    def _is(self, call: CalledName, parent: Placeholder) -> bool:
        own = [_written(one) for one in call.node.args], _keywords(call.node, parent)
        others = (
            [_normal(one) for one in parent.arguments],
            {name: _normal(value) for name, value in parent.keywords.items()},
        )
        changed = set(parent.names) & self._bound_before(call)
        return call.name == parent.name and own == others and not changed

    def _bound_before(self, call: CalledName) -> set[str]:
        """Names that statements above the call bind."""
        names: set[str] = set()
        for statement in self.context.reading.tree.body:
            if statement is call.statement or statement.lineno > call.node.lineno:
                break
            names |= {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
        return names


def _keywords(node: ast.Call, parent: Placeholder) -> dict[str | None, str]:
    """The keywords as written; one passed on under its own name has the value it came with."""
    written = {one.arg: _written(one.value) for one in node.keywords}
    passed = {name: _normal(value) for name, value in parent.keywords.items()}
    return {
        name: passed.get(name, value) if name == value else value
        for name, value in written.items()
        if name
    }


def _written(value: ast.expr) -> str:
    return ast.unparse(value)


def _normal(source: str) -> str:
    try:
        return ast.unparse(ast.parse(source, mode="eval"))
    except SyntaxError:  # `*names`, where a policy lets them pass
        return source
