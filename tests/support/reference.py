"""A reference interpreter of the subset: CPython itself, in a world where nothing but names fails.

Every value is an `Anything`, which can be called, unpacked, looped over and compared. Branches are
taken by a chooser, not by what is tested, so that several runs see both ways. What is noted is
whether the name of each call could be loaded: that, and not the text of a NameError, is compared
with what the grammar says of it.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from anything import Anything, Chooser, EveryError
from recode_runtime.grammar.names import CalledName
from recode_runtime.grammar.reader import read_names

RUNS = 5
MORE_RUNS = 400  # before a name that was never there is called one that is bound nowhere
MOST_ROUNDS = 3
MOST_PLACEHOLDERS = 20  # in one statement
UNBOUND = ("placeholder", "attribute")


class Probe(ast.NodeTransformer):
    """Puts a note before and after the loading of each called name, and a choice in each branch."""

    def __init__(self, calls: Collection[CalledName]) -> None:
        self._numbers = {id(call.node): number for number, call in enumerate(calls)}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Every call, from the inside out."""
        number = self._numbers[id(node)]
        self.generic_visit(node)
        node.func = _noted(node.func, number)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A literal fits everywhere, as all values do."""
        return _load("_anything_")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Only the fields matter."""
        for one in ast.walk(node):
            if isinstance(one, ast.FormattedValue):
                one.format_spec = None
        fields = [one for one in node.values if isinstance(one, ast.FormattedValue)]
        node.values = [self.generic_visit(one) for one in fields]
        return _called("_value_", node)

    def visit_List(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict) -> ast.AST:
        """What is written out is as permissive as a variable, once it was evaluated."""
        self.generic_visit(node)
        is_target = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        return node if is_target else _called("_value_", node)

    visit_Tuple = visit_Set = visit_Dict = visit_List

    def visit_ListComp(self, node: ast.expr) -> ast.AST:
        """As what is written out; so are truth values."""
        self.generic_visit(node)
        return _called("_value_", node)

    visit_SetComp = visit_DictComp = visit_Compare = visit_UnaryOp = visit_ListComp

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        """What a starred target takes is a list; it becomes as permissive as all values."""
        starred = [one.value for one in ast.walk(node) if isinstance(one, ast.Starred)]
        targets = [one for one in starred if isinstance(getattr(one, "ctx", None), ast.Store)]
        self.generic_visit(node)
        return [node, *(ast.Assign([target], _load("_anything_")) for target in targets)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """An annotation is not evaluated, as in the guest."""
        node.annotation = ast.Constant(0)
        parts = [self.visit(one) if one else None for one in (node.target, node.value)]
        node.target, node.value = parts
        return node

    def visit_If(self, node: ast.If | ast.IfExp) -> ast.AST:
        """Either way, whatever is tested."""
        self.generic_visit(node)
        node.test = _called("_chosen_", node.test)
        return node

    visit_IfExp = visit_If

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Stops at any operand."""
        self.generic_visit(node)
        node.values = [_called("_chosen_", one) for one in node.values]
        return _called("_value_", node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """What it goes through, and its conditions."""
        self.generic_visit(node)
        node.iter = _called("_value_", node.iter)
        node.ifs = [_called("_chosen_", one) for one in node.ifs]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """What it goes through."""
        self.generic_visit(node)
        node.iter = _called("_value_", node.iter)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """The kinds of exceptions stay as they are."""
        kinds, node.type = node.type, None
        self.generic_visit(node)
        node.type = kinds
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        """Ends after a few rounds."""
        self.generic_visit(node)
        node.test = _called("_again_", node.test)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """Any body may fail, before it and after it."""
        self.generic_visit(node)
        node.body = [_stumble(), *node.body, _stumble()]
        return node


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _called(name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(_load(name), [argument], [])


def _stumble() -> ast.Expr:
    return ast.Expr(ast.Call(_load("_stumble_"), [], []))


def _noted(func: ast.expr, number: int) -> ast.expr:
    """`a.b` as `(reached(n), a, loaded(n))[1].b`: scopes and order stay as they are."""
    if isinstance(func, ast.Name):
        notes = [_called(note, ast.Constant(number)) for note in ("_reached_", "_loaded_")]
        return ast.Subscript(
            ast.Tuple([notes[0], func, notes[1]], ast.Load()), ast.Constant(1), ast.Load()
        )
    if isinstance(func, ast.Attribute | ast.Subscript):
        func.value = _noted(func.value, number)
    return func


class Scope(dict[str, Any]):
    """A namespace that knows what was bound in it, also if it is gone since."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.bound = set(self)

    def __setitem__(self, name: str, value: Any) -> None:
        self.bound.add(name)
        super().__setitem__(name, value)


class Interpreter:
    """What became of the called names of one program, over several runs."""

    def __init__(
        self,
        source: str,
        primitives: Collection[str],
        variables: Collection[str],
        builtin_names: Collection[str],
    ) -> None:
        tree = ast.parse(source)
        self.calls = read_names(
            tree, primitives=primitives, variables=variables, builtin_names=builtin_names
        ).calls
        self.reached: Counter[int] = Counter()
        self.loaded: Counter[int] = Counter()
        self.stopped_at: set[int] = set()
        self.failed = False  # a run, for another reason than the name of a call
        self.bound: set[str] = set()  # by a statement that was run to its end
        self._given = {*primitives, *variables}
        self._builtins = builtin_names
        probe = Probe(self.calls)
        bodies = [probe.visit(ast.Module([one], [])).body for one in tree.body]
        modules = [ast.fix_missing_locations(ast.Module(one, [])) for one in bodies]
        self._codes = [compile(one, "<program>", "exec") for one in modules]

    def disagreements(self) -> list[str]:
        """What the grammar says of a name and no run bears out, in words."""
        for run in range(RUNS):
            self.run(run)
        for run in range(RUNS, RUNS + MORE_RUNS):
            if not self._differing():
                return []
            self.run(run)
        return [self._told(number) for number in self._differing()]

    def path_dependent(self) -> int:
        """How many calls load their name on some paths only."""
        return sum(0 < self.loaded[number] < count for number, count in self.reached.items())

    def _differing(self) -> list[int]:
        return [number for number, call in enumerate(self.calls) if self._differs(number, call)]

    def _differs(self, number: int, call: CalledName) -> bool:
        """A name that no run has bound yet may be bound on a path that no run has found.

        So may one that is bound only on paths that fail for another reason before the call.
        """
        if call.kind in UNBOUND:
            return self.loaded[number] > 0
        found = call.name in self.bound and not self.failed and self.stopped_at <= {number}
        unsure = call.kind in ("bound", "other") and not found
        return bool(call.name and self.reached[number] and not self.loaded[number] and not unsure)

    def _told(self, number: int) -> str:
        call = self.calls[number]
        what = "loads" if self.loaded[number] else "raises NameError"
        return f"line {call.node.lineno}: {call.name} {what}, but is called {call.kind}"

    def run(self, number: int) -> None:
        """One run, with the choices of that number, to its end or to a failure."""
        chooser = Chooser(number)
        anything = Anything(chooser)
        world = _World(self, anything, chooser)
        scope = Scope(dict.fromkeys(self._given, anything))
        scope["__builtins__"] = world.builtins(self._builtins)
        for code in self._codes:
            if not world.execute(code, scope):
                return


class _World:
    """The builtins of one run, and the placeholders that the statement under way has opened."""

    def __init__(self, interpreter: Interpreter, anything: Anything, chooser: Chooser) -> None:
        self._told = interpreter
        self._anything = anything
        self._chooser = chooser
        self._rounds = 0
        self._reached = -1
        self._opened: set[str] = set()

    def builtins(self, names: Collection[str]) -> dict[str, object]:
        """The language's builtins: exceptions as they are, the rest permissive; and our notes."""
        self._builtins: dict[str, object] = dict.fromkeys(names, self._anything)
        for name in names:
            real = getattr(builtins, name)
            if isinstance(real, type) and issubclass(real, BaseException):
                self._builtins[name] = real
        own: dict[str, Callable[..., Any]] = {
            "_reached_": self._note_reached,
            "_loaded_": self._note_loaded,
            "_chosen_": self._chosen,
            "_again_": self._again,
            "_stumble_": self._stumble,
            "_value_": lambda _: self._anything,
            "__import__": lambda *_: self._anything,
        }
        self._builtins |= {**own, "_anything_": self._anything}
        return self._builtins

    def execute(self, code: Any, scope: Scope) -> bool:
        """Run a statement; a placeholder in it is opened, and it begins anew, as if it had been."""
        before, choices = dict(scope), self._chooser.again()
        self._opened = set()
        try:
            for _ in range(MOST_PLACEHOLDERS):
                if self._attempt(code, scope):
                    return True
                scope.clear()
                scope.update(before)
                self._chooser.again(choices)
                if not self._open():
                    return False
        finally:
            for name in self._opened:
                del self._builtins[name]
        return False

    def _attempt(self, code: Any, scope: Scope) -> bool:
        self._rounds, self._reached, self._missing = 0, -1, None
        scope.bound.clear()
        try:
            exec(code, scope)  # a program of our own generator, in a world without effects
        except NameError as problem:
            self._missing = problem.name
            return False
        except (ValueError, AssertionError):  # what programs raise, and what we do in a `try`
            return False
        except Exception:  # noqa: BLE001 - it may depend on what an earlier branch has bound
            self._told.failed = True
            return False
        self._told.bound |= scope.bound
        return True

    def _open(self) -> bool:
        """Whether it stopped at a call whose name the grammar says is bound nowhere: define it."""
        if self._missing is None:
            return False
        call = self._told.calls[self._reached] if self._reached >= 0 else None
        if call is None or call.name != self._missing:
            self._told.failed = True
            return False
        if call.kind not in UNBOUND or call.name in self._opened:
            self._told.stopped_at.add(self._reached)
            return False
        self._opened.add(call.name)
        self._builtins[call.name] = self._anything
        return True

    def _note_reached(self, number: int) -> None:
        self._reached = number
        if self._told.calls[number].name not in self._opened:
            self._told.reached[number] += 1

    def _note_loaded(self, number: int) -> None:
        self._reached = -1
        if self._told.calls[number].name not in self._opened:
            self._told.loaded[number] += 1

    def _chosen(self, _: object) -> bool:
        return bool(self._anything)

    def _again(self, _: object) -> bool:
        self._rounds += 1
        return self._rounds <= MOST_ROUNDS and bool(self._anything)

    def _stumble(self) -> None:
        if bool(self._anything):
            raise EveryError
