"""Which called names are primitives, variables, builtins or placeholders: decided on the text.

Names are read in the order in which a program runs: one that was bound earlier in the program, or
in the namespace, is a variable; one that is bound nowhere is a placeholder (ReCode, section 3). The
view is that of `ast`, which is also what the guest compiles.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from recode_runtime.grammar.order import calls_in_order
from recode_runtime.program import Placeholder, Program, Statement

Kind = Literal["primitive", "bound", "builtin", "forbidden", "placeholder", "attribute", "other"]
Place = Literal["definition", "loop", "condition", "expression", "statement"]

# `site` adds these to the builtins of an interactive Python; a host started with -S lacks them.
_FROM_SITE = {"copyright", "credits", "exit", "help", "license", "quit"}
PYTHON_BUILTINS = frozenset(dir(builtins)) - {"_"} | _FROM_SITE

_PLACES: tuple[Place, ...] = ("definition", "loop", "condition", "expression")

Target = ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr


@dataclass(frozen=True, slots=True)
class CalledName:
    """One call: what is called, what that name is there, and where the call stands.

    `name` is the called name, or for `a.b()` and `a[0]()` the name `a` at the bottom. `statement`
    is what the call is the whole value of, if it is; `variables` are the variables among the
    arguments, in the order in which they are written, and `unbound` those that are bound nowhere.
    """

    node: ast.Call
    name: str = ""
    kind: Kind = "other"
    place: Place = "expression"
    statement: Target | None = None
    variables: tuple[str, ...] = ()
    unbound: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a program's names are.

    `calls` are all calls in the order of the text, `bound` the names that the program binds on some
    path, `forbidden` the builtins of Python that it uses and the language does not have.
    """

    tree: ast.Module
    calls: tuple[CalledName, ...]
    bound: frozenset[str]
    forbidden: frozenset[str]
    primitives: frozenset[str]

    def program(self, source: str) -> Program:
        """The program as the supervisor runs it: one statement a top-level node."""
        lines = source.split("\n")  # as the tokenizer does; splitlines knows more line ends
        standing = {
            id(call.statement): call
            for call in self.calls
            if call.kind == "placeholder" and call.place == "statement"
        }
        return Program(
            source,
            tuple(_statement(node, standing.get(id(node)), lines) for node in self.tree.body),
        )


def read_names(
    tree: ast.Module,
    *,
    primitives: Collection[str],
    variables: Collection[str],
    builtin_names: Collection[str],
) -> Reading:
    """What the names of a program are, given what it may call and what is bound before it."""
    known = _Known(frozenset(primitives), frozenset(builtin_names), frozenset(variables))
    reader = _Reader(known)
    for statement in tree.body:
        reader.top_level(statement)
    calls = (reader.calls.get(id(node)) or CalledName(node) for node in calls_in_order(tree))
    bound, forbidden = frozenset(reader.ever), frozenset(reader.forbidden)
    return Reading(tree, tuple(calls), bound, forbidden, known.primitives)


def outputs_of(statement: ast.AST) -> tuple[str, ...] | None:
    """The names left of the `=`; empty for a bare call, None if they are not plain names."""
    if isinstance(statement, ast.Expr):
        return ()
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return names if parts and len(names) == len(parts) else None


def placeholder_of(call: CalledName, outputs: tuple[str, ...], lines: list[str]) -> Placeholder:
    """The placeholder that a call is, its arguments as they are written (on one line)."""
    node = call.node
    return Placeholder(
        call.name,
        outputs,
        tuple(_on_one_line(argument, lines) for argument in node.args),
        {one.arg: _on_one_line(one.value, lines) for one in node.keywords if one.arg},
        call.variables,
    )


def _statement(node: ast.stmt, call: CalledName | None, lines: list[str]) -> Statement:
    outputs = outputs_of(node)
    line, column = _beginning(node)
    source = _segment(lines, line, column, node.end_lineno or line, node.end_col_offset or 0)
    if call is None or outputs is None:
        return Statement(source, line)
    return Statement(source, line, placeholder_of(call, outputs, lines))


def _beginning(node: ast.stmt) -> tuple[int, int]:
    """Where a statement begins; `ast` leaves decorators out of it."""
    decorators = getattr(node, "decorator_list", [])
    return (decorators[0].lineno, 0) if decorators else (node.lineno, node.col_offset)


def _on_one_line(node: ast.expr, lines: list[str]) -> str:
    if node.lineno != node.end_lineno:
        return ast.unparse(node)
    return _segment(lines, node.lineno, node.col_offset, node.lineno, node.end_col_offset or 0)


def _segment(lines: list[str], first: int, start: int, last: int, end: int) -> str:
    """The text between two places; lines count from 1, columns are bytes of UTF-8 as in `ast`."""
    cut = lines[first - 1 : last]
    cut[-1] = cut[-1].encode()[:end].decode()
    cut[0] = cut[0].encode()[start:].decode()
    return "\n".join(cut)


@dataclass(frozen=True, slots=True)
class _Known:
    """The names that have a meaning before the program begins."""

    primitives: frozenset[str]
    builtins: frozenset[str]
    variables: frozenset[str]


@dataclass(slots=True)
class _Scope:
    """The names bound in one scope; those of a comprehension let `:=` through."""

    names: set[str] = field(default_factory=set)
    comprehension: bool = False


class _Reader(ast.NodeVisitor):
    """Walks a program in the order in which it runs and notes what every called name is."""

    def __init__(self, known: _Known) -> None:
        self.calls: dict[int, CalledName] = {}
        self.ever: set[str] = set()
        self.forbidden: set[str] = set()
        self._known = known
        self._scopes = [_Scope(set(known.variables))]
        self._inside: list[Place] = []
        self._whole: dict[int, Target] = {}

    def top_level(self, node: ast.stmt) -> None:
        """Read one top-level statement."""
        if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign):
            self._whole[id(node.value)] = node
        self.visit(node)

    def kind(self, name: str) -> Kind:
        """What a name is at this point of the program."""
        if name in self._known.primitives:
            return "primitive"
        if any(name in scope.names for scope in self._scopes):
            return "bound"
        if name in self._known.builtins:
            return "builtin"
        return "forbidden" if name in PYTHON_BUILTINS else "placeholder"

    def _bind(self, name: str, *, outward: bool = False) -> None:
        scopes = [one for one in self._scopes if not (outward and one.comprehension)]
        scopes[-1].names.add(name)
        if scopes[-1] is self._scopes[0]:
            self.ever.add(name)

    @contextmanager
    def _within(self, place: Place) -> Iterator[None]:
        self._inside.append(place)
        yield
        self._inside.pop()

    @contextmanager
    def _scope(self, scope: _Scope) -> Iterator[None]:
        self._scopes.append(scope)
        yield
        self._scopes.pop()

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    # Uses

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        elif isinstance(node.ctx, ast.Del):
            if not self._inside:
                self._scopes[-1].names.discard(node.id)
        elif self.kind(node.id) == "forbidden":
            self.forbidden.add(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        name, kind = self._called(node.func)
        place, statement = self._place_of(node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        names = dict.fromkeys(one.id for one in arguments if isinstance(one, ast.Name))
        variables = tuple(one for one in names if self.kind(one) in ("bound", "placeholder"))
        unbound = frozenset(one for one in variables if self.kind(one) == "placeholder")
        self.calls[id(node)] = CalledName(node, name, kind, place, statement, variables, unbound)
        self.generic_visit(node)

    def _called(self, func: ast.expr) -> tuple[str, Kind]:
        base = func
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if not isinstance(base, ast.Name):
            return "", "other"
        kind = self.kind(base.id)
        if base is not func:
            return base.id, "attribute" if kind == "placeholder" else "other"
        return base.id, kind

    def _place_of(self, node: ast.Call) -> tuple[Place, Target | None]:
        statement = self._whole.get(id(node))
        for place in _PLACES:
            if place in self._inside:
                return place, statement
        return ("statement" if statement else "expression"), statement

    # Bindings

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_all([node.value, *node.targets])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._visit_all([node.value, node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self._visit_all([node.value, node.target])

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._whole[id(node.value)] = node
        self.visit(node.value)
        self._bind(node.target.id, outward=True)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._bind(alias.asname or alias.name.split(".")[0])

    visit_ImportFrom = visit_Import

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self._bind(node.name)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest)

    # Loops

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        with self._within("loop"):
            self._visit_all([node.iter, node.target, *node.body, *node.orelse])

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        with self._within("loop"):
            self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, clauses: list[ast.comprehension], results: list[ast.expr]) -> None:
        with self._within("loop"):
            self.visit(clauses[0].iter)
            with self._scope(_Scope(comprehension=True)):
                for number, clause in enumerate(clauses):
                    parts = [clause.iter] if number else []
                    self._visit_all([*parts, clause.target, *clause.ifs])
                self._visit_all(results)

    # Conditions

    def visit_If(self, node: ast.If) -> None:
        with self._within("condition"):
            self.visit(node.test)
            before = set(self._scopes[-1].names)
            self._visit_all(node.body)
            after = self._scopes[-1].names
            self._scopes[-1].names = before
            self._visit_all(node.orelse)
            self._scopes[-1].names |= after

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._visit_all([node.type])
        if node.name:
            self._bind(node.name)
        self._visit_all(node.body)

    def _condition(self, node: ast.AST) -> None:
        with self._within("condition"):
            self.generic_visit(node)

    visit_IfExp = visit_BoolOp = visit_Match = visit_With = visit_AsyncWith = _condition
    visit_Try = visit_TryStar = _condition

    # Definitions

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        with self._scope(_Scope(_parameter_names(node.args))), self._within("expression"):
            self.visit(node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        with self._within("definition"):
            self._visit_all([*node.decorator_list, node.args, node.returns])
            with self._scope(_Scope(_parameter_names(node.args))):
                self._visit_all(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        with self._within("definition"), self._scope(_Scope()):
            self.generic_visit(node)


def _parameter_names(arguments: ast.arguments) -> set[str]:
    extra = [one for one in (arguments.vararg, arguments.kwarg) if one]
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {one.arg for one in (*plain, *extra)}
