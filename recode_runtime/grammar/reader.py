"""Which called names are primitives, variables, builtins or placeholders: decided on the text.

Names are read in the order in which a program runs: one that was bound earlier in the program, or
in the namespace, is a variable; one that is bound nowhere is a placeholder (ReCode, section 3). A
name that is bound on one of several ways counts as bound behind them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from recode_runtime.grammar.bindings import bound_in, is_module, parameter_names
from recode_runtime.grammar.names import (
    PYTHON_BUILTINS,
    CalledName,
    Kind,
    Place,
    Reading,
    Target,
)
from recode_runtime.grammar.order import Fields, calls_in_order

_PLACES: tuple[Place, ...] = ("definition", "loop", "condition", "expression")

# Without those that only hold marks and text; the visit would find nothing there and cost time.
_PARTS = Fields("arg", "asname", "attr", "conversion", "ctx", "id", "kind", "op", "ops")


def read_names(
    tree: ast.Module,
    *,
    primitives: Collection[str],
    variables: Collection[str] | None,
    builtin_names: Collection[str],
    modules: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Reading:
    """What the names of a program are, given what it may call and what is bound before it.

    Where that is not known (None), all that it reads without binding it counts as bound, but for
    what it calls, and for `modules` (with the names in them), which it would have to import.
    """
    if variables is None:
        alone = read_names(tree, primitives=primitives, variables=(), builtin_names=builtin_names)
        lacking = alone.lacking()
        variables = {one for one in lacking if not is_module(tree, one, modules.get(one, ()))}
    known = _Known(frozenset(primitives), frozenset(builtin_names), frozenset(variables))
    reader = _Reader(known)
    for statement in tree.body:
        reader.top_level(statement)
    calls = _in_order(tree, reader)
    bound, forbidden, unbound = map(frozenset, (reader.ever, reader.forbidden, reader.unbound()))
    return Reading(tree, calls, bound, forbidden, unbound, known.primitives, known.variables)


def _in_order(tree: ast.Module, reader: _Reader) -> tuple[CalledName, ...]:
    """The calls in the order of the text: by their places, where these are to be trusted."""
    if reader.misplaced:
        return tuple(reader.calls[id(node)] for node in calls_in_order(tree))
    return tuple(sorted(reader.calls.values(), key=_place_in_text))


def _place_in_text(call: CalledName) -> tuple[int, int, int, int]:
    node = call.node
    return node.lineno, node.col_offset, -(node.end_lineno or 0), -(node.end_col_offset or 0)


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


class _Reader:
    """Walks a program in the order in which it runs and notes what every called name is.

    `misplaced` says that the program has syntax whose places `ast` does not give in the order of
    the concrete tree: calls in f-strings before Python 3.12, and in the bases of classes.
    """

    def __init__(self, known: _Known) -> None:
        self.calls: dict[int, CalledName] = {}
        self.ever: set[str] = set()
        self.forbidden: set[str] = set()
        self._told: set[int] = set()  # names that a rule about calls speaks of
        self._missing: set[str] = set()
        self._missing_so_far: set[str] = set()
        self.misplaced = False
        self._known = known
        self._scopes = [_Scope(set(known.variables))]
        self._inside: list[Place] = []
        self._whole: dict[int, Target] = {}

    def top_level(self, node: ast.stmt) -> None:
        """Read one top-level statement."""
        if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign):
            value = node.value.value if isinstance(node.value, ast.Await) else node.value
            self._whole[id(value)] = node
        self.visit(node)

    def unbound(self) -> set[str]:
        """The names that were read where nothing had bound them, nor could in a later round."""
        return self._missing | (self._missing_so_far - self.ever)

    def visit(self, node: ast.AST) -> None:
        """Read a node and all below it."""
        kind = type(node)
        (_METHODS.get(kind) or _method(kind))(self, node)

    def kind(self, name: str) -> Kind:
        """What a name is at this point of the program."""
        known = self._known
        if name in known.primitives:
            return "primitive"
        for scope in self._scopes:
            if name in scope.names:
                return "bound"
        if name in known.builtins:
            return "builtin"
        return "forbidden" if name in PYTHON_BUILTINS else "placeholder"

    def _bind(self, name: str, *, outward: bool = False) -> None:
        scope = self._scopes[-1]
        if outward and scope.comprehension:
            scope = [one for one in self._scopes if not one.comprehension][-1]
        scope.names.add(name)
        if scope is self._scopes[0]:
            self.ever.add(name)

    @contextmanager
    def _scope(self, scope: _Scope) -> Iterator[None]:
        self._scopes.append(scope)
        yield
        self._scopes.pop()

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _under(self, place: Place, nodes: Iterable[ast.AST | None]) -> None:
        self._inside.append(place)
        self._visit_all(nodes)
        self._inside.pop()

    def visit_parts(self, node: ast.AST) -> None:
        """Read what is below a node, in the order of its fields."""
        for name in _PARTS[type(node)]:
            part = getattr(node, name)
            if type(part) is list:
                for one in part:
                    if one is not None:
                        self.visit(one)
            elif part is not None:
                self.visit(part)

    # Uses

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
            return
        self._read(node.id, told=id(node) in self._told)
        if isinstance(node.ctx, ast.Del):
            self._scopes[-1].names.discard(node.id)

    def _read(self, name: str, *, told: bool = False) -> None:
        kind = self.kind(name)
        if kind == "forbidden":
            self.forbidden.add(name)
        elif kind == "placeholder" and not told:
            again = "loop" in self._inside or len(self._scopes) > 1
            (self._missing_so_far if again else self._missing).add(name)

    def visit_Call(self, node: ast.Call) -> None:
        name, kind = self._called(node.func)
        place, statement = self._place_of(node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        names = {one.id: self.kind(one.id) for one in arguments if isinstance(one, ast.Name)}
        variables = tuple(one for one in names if names[one] in ("bound", "placeholder"))
        unbound = frozenset(one for one in variables if names[one] == "placeholder")
        self.calls[id(node)] = CalledName(node, name, kind, place, statement, variables, unbound)
        if kind == "placeholder" and statement:
            self._told.update(map(id, arguments))
        self.visit_parts(node)

    def _called(self, func: ast.expr) -> tuple[str, Kind]:
        base = func
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if not isinstance(base, ast.Name):
            return "", "other"
        self._told.add(id(base))
        kind = self.kind(base.id)
        if base is not func:
            return base.id, "attribute" if kind == "placeholder" else "other"
        return base.id, kind

    def _place_of(self, node: ast.Call) -> tuple[Place, Target | None]:
        statement = self._whole.get(id(node))
        if not self._inside:
            return ("statement" if statement else "expression"), statement
        for place in _PLACES:
            if place in self._inside:
                return place, statement
        raise AssertionError(f"{self._inside} holds no place")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        before = len(self.calls)
        self.visit_parts(node)
        self.misplaced |= len(self.calls) > before

    # Bindings

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_all([node.value, *node.targets])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self._visit_all([node.value, node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._told.update(map(id, ast.walk(node.annotation)))  # the guest drops it
        self._visit_all([node.annotation, node.value])
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)

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
        self.visit_parts(node)
        if node.name:
            self._bind(node.name)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.visit_parts(node)
        if node.rest:
            self._bind(node.rest)

    # Loops

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._under("loop", [node.iter])
        self._rounds([node.target, *node.body])
        self._under("loop", node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self._rounds([node.test, *node.body])
        self._under("loop", node.orelse)

    def _rounds(self, body: list[ast.AST]) -> None:
        """Read what is done in rounds: a later one finds what an earlier one bound."""
        self._scopes[-1].names |= bound_in(*body)
        self._one_of("loop", body, [])

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, clauses: list[ast.comprehension], results: list[ast.expr]) -> None:
        self._under("loop", [clauses[0].iter])
        with self._scope(_Scope(comprehension=True)):
            for number, clause in enumerate(clauses):
                parts = [clause.iter] if number else []
                self._under("loop", [*parts, clause.target, *clause.ifs])
            self._under("loop", results)

    # Conditions

    def _one_of(self, place: Place, *ways: Iterable[ast.AST]) -> None:
        """Read ways of which one is taken: none sees what another binds, or unbinds."""
        scope = self._scopes[-1]
        before, after = scope.names, set[str]()
        for way in ways:
            scope.names = set(before)
            self._under(place, way)
            after |= scope.names
        scope.names = after

    def visit_If(self, node: ast.If) -> None:
        self._under("condition", [node.test])
        self._one_of("condition", node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._under("condition", [node.test])
        self._one_of("condition", [node.body], [node.orelse])

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._under("condition", node.values[:1])
        self._one_of("condition", node.values[1:], [])

    def visit_Try(self, node: ast.Try) -> None:
        """A handler or `finally` may begin anywhere before it; `else` follows the whole body."""
        scope = self._scopes[-1]
        before = set(scope.names)
        self._under("condition", node.body)
        done = scope.names
        scope.names = set(done)
        self._under("condition", node.orelse)
        after = scope.names
        scope.names = before | done | bound_in(*node.body)
        self._one_of("condition", *([handler] for handler in node.handlers))
        scope.names |= after
        self._finally(node.finalbody, before | bound_in(*node.body, *node.handlers, *node.orelse))

    visit_TryStar = visit_Try

    def _finally(self, body: list[ast.stmt], earlier: set[str]) -> None:
        """Read what is done on every way out, also where `earlier` names are not yet deleted."""
        scope = self._scopes[-1]
        failing = earlier - scope.names  # on such a way, nothing follows
        scope.names |= failing
        self._under("condition", body)
        scope.names -= failing - bound_in(*body)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._visit_all([node.type])
        if node.name:
            self._bind(node.name)
        self._visit_all(node.body)
        if node.name:  # Python unbinds it at the end
            self._scopes[-1].names.discard(node.name)

    def _condition(self, node: ast.AST) -> None:
        self._inside.append("condition")
        self.visit_parts(node)
        self._inside.pop()

    visit_Match = visit_With = visit_AsyncWith = _condition

    # Definitions

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        with self._scope(_Scope(parameter_names(node.args))):
            self._under("expression", [node.body])

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        self._under("definition", [*node.decorator_list, node.args, node.returns])
        with self._scope(_Scope(parameter_names(node.args))):
            self._under("definition", node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        self.misplaced = True
        self._inside.append("definition")
        with self._scope(_Scope()):
            self.visit_parts(node)
        self._inside.pop()


_METHODS: dict[type, Callable[[_Reader, Any], None]] = {}


def _method(kind: type) -> Callable[[_Reader, Any], None]:
    """The way to read nodes of a class; looked up once."""
    method = getattr(_Reader, f"visit_{kind.__name__}", _Reader.visit_parts)
    _METHODS[kind] = method
    return method
