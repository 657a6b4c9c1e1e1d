"""The ways through a program: what can be reached, what has no end, and what every way binds.

The view is that of `ast`. Nothing is computed but constants: a test that is no literal may be true
and may be false, a loop may run no round unless a literal says otherwise, and any statement in a
`try` may raise before it has bound anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from recode_runtime.grammar.constructs import FIELDS, kinds_of

Names = frozenset[str]
# The names bound on every way to a point of the program; None if no way leads there.
State = Names | None

Part = Literal["body", "else", "rounds", "break", "deleted"]
Loop = ast.For | ast.AsyncFor | ast.While
Try = ast.Try | ast.TryStar


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a way that binds some names and one that does not meet.

    `names` are those that `statement` binds on some ways only; `part` is the branch that lacks
    them. "rounds" stands for a loop that runs no round, or none that binds them.
    """

    statement: ast.stmt
    part: Part | ast.ExceptHandler
    names: Names


@dataclass(slots=True)
class _Exits:
    """The states in which a loop is left by `break`, and in which it goes on to its next round."""

    breaks: list[State] = field(default_factory=list)
    rounds: list[State] = field(default_factory=list)


class Flow:
    """The ways through a tree: `unreachable`, `endless`, and `gaps` in the order of the text.

    `unreachable` holds the first statement of each stretch that no way leads to, `endless` the
    loops that are left by an exception at the most, `bound` the names bound wherever the program
    ends (None: it has no end).
    """

    def __init__(self, tree: ast.Module) -> None:
        self.unreachable: list[ast.stmt] = []
        self.endless: list[ast.While] = []
        self.gaps: list[Gap] = []
        self._loops: list[_Exits] = []
        self._gone = _deleted(tree)
        self.bound = self._block(tree.body, frozenset())

    def _block(self, body: Sequence[ast.stmt], state: State) -> State:
        reached = state is not None
        for statement in body:
            if state is None:
                if reached:
                    self.unreachable.append(statement)
                return None
            state = self._statement(statement, state)
        return state

    def _dead(self, body: Sequence[ast.stmt]) -> None:
        """A block that a literal keeps from being run."""
        if body:
            self.unreachable.append(body[0])

    def _statement(self, node: ast.stmt, state: Names) -> State:
        method = _METHODS.get(type(node))
        return method(self, node, state) if method else state | certain(node)

    def _end(self, node: ast.Raise | ast.Return, state: Names) -> None:
        return None

    def _assert(self, node: ast.Assert, state: Names) -> State:
        return None if truth(node.test) is False else state | certain(node.test)

    def _leave(self, node: ast.Break | ast.Continue, state: Names) -> None:
        if self._loops:
            exits = self._loops[-1]
            (exits.breaks if isinstance(node, ast.Break) else exits.rounds).append(state)

    def _delete(self, node: ast.Delete, state: Names) -> Names:
        gone = frozenset(one.id for one in node.targets if isinstance(one, ast.Name))
        self._gap(node, "deleted", state & gone)
        return state - gone

    def _gap(self, statement: ast.stmt, part: Part | ast.ExceptHandler, names: Names) -> None:
        if names:
            self.gaps.append(Gap(statement, part, names))

    def _if(self, node: ast.If, state: Names) -> State:
        state |= certain(node.test)
        answer = truth(node.test)
        if answer is not None:
            self._dead(node.orelse if answer else node.body)
            return self._block(node.body if answer else node.orelse, state)
        first = len(self.gaps)
        body = self._block(node.body, state)
        second = len(self.gaps)
        other = self._block(node.orelse, state)
        if body is not None and other is not None:
            lacks_other, lacks_body = self.gaps[second:], self.gaps[first:second]
            self._gap(node, "else", (body - other).difference(*(one.names for one in lacks_other)))
            self._gap(node, "body", (other - body).difference(*(one.names for one in lacks_body)))
        return _meet(body, other)

    def _while(self, node: ast.While, state: Names) -> State:
        state = (state - self._gone) | certain(node.test)
        answer = truth(node.test)
        if answer is False:
            self._dead(node.body)
            return self._block(node.orelse, state)
        exits = self._rounds(node.body, state)
        if answer and not exits.breaks:
            self.endless.append(node)
        if answer:
            self._dead(node.orelse)
            return self._left(node, exits, None)
        return self._left(node, exits, self._block(node.orelse, state))

    def _for(self, node: ast.For | ast.AsyncFor, state: Names) -> State:
        state = (state | certain(node.iter)) - self._gone
        exits = self._rounds(node.body, state | certain(node.target))
        done = _meet(*exits.rounds) if runs(node.iter) else state
        return self._left(node, exits, self._block(node.orelse, done))

    def _rounds(self, body: Sequence[ast.stmt], state: Names) -> _Exits:
        """The ways out of a body that is entered again and again; `state` has no `_gone` in it."""
        exits = _Exits()
        self._loops.append(exits)
        end = self._block(body, state)
        self._loops.pop()
        if end is not None:
            exits.rounds.append(end)
        return exits

    def _left(self, node: Loop, exits: _Exits, done: State) -> State:
        """The state after a loop that may be left by `break` or when its rounds are over."""
        after = _meet(done, *exits.breaks)
        if after is None:
            return None
        inside = [one for one in (*exits.breaks, *exits.rounds) if one is not None]
        lost = frozenset[str]().union(*inside) - after
        unfinished = lost if done is None else lost & done
        self._gap(node, "rounds", lost - unfinished)
        self._gap(node, "break", unfinished)
        return after

    def _try(self, node: Try, state: Names) -> State:
        body = self._block(node.body, state)
        state -= self._gone
        if body is not None or node.orelse:
            body = self._block(node.orelse, body)
        ends = [body]
        for handler in node.handlers:
            end = self._block(handler.body, state)
            if end is not None:
                end -= {handler.name or ""}
            if body is not None and end is not None:
                self._gap(node, handler, body - end)
                self._gap(node, "body", end - body)
            ends.append(end)
        after, last = _meet(*ends), self._block(node.finalbody, state)
        if after is None or last is None:
            return None
        return (after - self._gone) | last if node.finalbody else after

    def _with(self, node: ast.With | ast.AsyncWith, state: Names) -> State:
        for item in node.items:
            state |= certain(item)
        body = self._block(node.body, state)
        if body is None and any(isinstance(one, ast.Raise) for one in ast.walk(node)):
            return state  # what is entered may swallow the exception
        return body

    def _match(self, node: ast.Match, state: Names) -> State:
        state |= certain(node.subject)
        ends = [self._block(case.body, state) for case in node.cases]
        return _meet(state, *ends)


def _deleted(tree: ast.Module) -> Names:
    """The names that the program deletes anywhere: after a loop or a `try` nobody knows of them."""
    if ast.Delete not in kinds_of(tree):
        return frozenset()
    statements = (one for one in ast.walk(tree) if isinstance(one, ast.Delete))
    targets = (target for one in statements for target in one.targets)
    return frozenset(one.id for one in targets if isinstance(one, ast.Name))


def _meet(*states: State) -> State:
    """What is bound wherever one of the ways comes from."""
    reached = [one for one in states if one is not None]
    return frozenset.intersection(*reached) if reached else None


def truth(test: ast.expr) -> bool | None:
    """Whether a literal is true; None for what is no literal."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = truth(test.operand)
        return None if inner is None else not inner
    return None


def runs(iterable: ast.expr) -> bool:
    """Whether what is looped over is for certain not empty."""
    match iterable:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return any(not isinstance(one, ast.Starred) for one in parts)
        case ast.Constant(value=str() | bytes() as text):
            return bool(text)
        case ast.Call(func=ast.Name(id="range"), args=bounds, keywords=[]):
            numbers = [one.value for one in bounds if isinstance(one, ast.Constant)]
            whole = [one for one in numbers if type(one) is int]
            return len(whole) == len(bounds) in (1, 2, 3) and bool(whole[-1]) and _some(whole)
        case _:
            return False


def _some(bounds: list[int]) -> bool:
    return bool(range(*bounds))


_METHODS: dict[type, Callable[[Flow, Any, Names], State]] = {
    ast.Raise: Flow._end,
    ast.Return: Flow._end,
    ast.Break: Flow._leave,
    ast.Continue: Flow._leave,
    ast.Assert: Flow._assert,
    ast.If: Flow._if,
    ast.While: Flow._while,
    ast.For: Flow._for,
    ast.AsyncFor: Flow._for,
    ast.Try: Flow._try,
    ast.TryStar: Flow._try,
    ast.With: Flow._with,
    ast.AsyncWith: Flow._with,
    ast.Match: Flow._match,
    ast.Delete: Flow._delete,
}


def certain(node: ast.AST) -> Names:
    """The names that a simple statement or an expression binds whenever it has run."""
    names: set[str] = set()
    stack: list[Any] = [node]
    while stack:
        one = stack.pop()
        kind = type(one)
        if kind is ast.Name:
            if type(one.ctx) is ast.Store:
                names.add(one.id)
        elif kind in _BINDING:
            names.update(_BINDING[kind](one))
        elif kind in _ALWAYS:
            stack += _ALWAYS[kind](one)
        else:
            for name in FIELDS[kind]:
                part = getattr(one, name)
                if type(part) is list:
                    stack += part
                elif part is not None:
                    stack.append(part)
    return frozenset(names)


_Parts = Callable[[Any], Sequence[Any]]

# What binds names that are text in the tree.
_BINDING: dict[type, _Parts] = {
    **dict.fromkeys(
        (ast.Import, ast.ImportFrom),
        lambda node: [one.asname or one.name.partition(".")[0] for one in node.names],
    ),
    **dict.fromkeys(
        (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), lambda node: [node.name]
    ),
}

# The parts that are evaluated whenever a node is, where these are not all.
_ALWAYS: dict[type, _Parts] = {
    ast.BoolOp: lambda node: [node.values[0]],
    ast.IfExp: lambda node: [node.test],
    ast.Compare: lambda node: [node.left, node.comparators[0]],
    ast.Lambda: lambda node: [*node.args.defaults, *filter(None, node.args.kw_defaults)],
    ast.AnnAssign: lambda node: [node.target, node.value] if node.value else [],
    **dict.fromkeys(
        (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
        lambda node: [node.generators[0].iter],
    ),
}
