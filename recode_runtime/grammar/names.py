"""What names are, as values: primitives, variables, builtins, placeholders (ReCode, section 3).

`reader` decides it, on the tree of `ast`, which is also what the guest compiles.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import Literal

from recode_runtime.grammar.statements import statement_of
from recode_runtime.program import Program

Kind = Literal["primitive", "bound", "builtin", "forbidden", "placeholder", "attribute", "other"]
Place = Literal["definition", "loop", "condition", "expression", "statement"]

# `site` adds these to the builtins of an interactive Python; a host started with -S lacks them.
_FROM_SITE = {"copyright", "credits", "exit", "help", "license", "quit"}
PYTHON_BUILTINS = frozenset(dir(builtins)) - {"_"} | _FROM_SITE

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
    path, `forbidden` the builtins of Python that it uses and the language does not have, `unbound`
    the names that are read where nothing has bound them (arguments of placeholders apart),
    `variables` those that are bound before it.
    """

    tree: ast.Module
    calls: tuple[CalledName, ...]
    bound: frozenset[str]
    forbidden: frozenset[str]
    unbound: frozenset[str]
    primitives: frozenset[str]
    variables: frozenset[str]

    def lacking(self) -> set[str]:
        """The variables that something must have bound before it, if it is to run."""
        bases = {call.name for call in self.calls if call.kind == "attribute"}
        names = bases.union(self.unbound, *(call.unbound for call in self.calls))
        return {name for name in names if not name.startswith("_")}

    def program(self, source: str) -> Program:
        """The program as the supervisor runs it: one statement a top-level node."""
        standing = {
            id(call.statement): call
            for call in self.calls
            if call.kind == "placeholder" and call.place == "statement"
        }
        lines = source.split("\n")  # as the tokenizer does; splitlines knows more line ends
        return Program(
            source,
            tuple(statement_of(node, standing.get(id(node)), lines) for node in self.tree.body),
        )
