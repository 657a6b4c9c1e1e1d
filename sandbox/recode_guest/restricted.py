"""The language: what of Python compiles, and into what.

RestrictedPython does the filtering; `ProgramTransformer` adds what a program that runs statement by
statement needs, and takes away what only makes sense in modules. It filters a language; the wall is
the kernel's.

More is allowed than by default: augmented assignment to items (`d["k"] += 1`), annotated names
(`x: int = 3` binds, the annotation is not evaluated), several targets with unpacking (the value is
evaluated once). Less: `def`, `class`, `yield`, attribute writes, binding the name of a primitive.
A bare `except:` catches `Exception` alone, so that no program swallows the signal that stops it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable
from types import CodeType

from RestrictedPython.transformer import (
    IOPERATOR_TO_STR,
    RestrictingNodeTransformer,
    copy_locations,
)

from recode_guest.trees import children

COMPILER_RECURSION = 3_000

Visited = ast.AST | Iterable[ast.AST] | None

_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class NotAllowed(Exception):
    """The statement is outside the language; the message says where and what."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class ProgramTransformer(RestrictingNodeTransformer):
    """Turns one statement of a program into one that goes through the guards."""

    def __init__(self, primitives: Collection[str]) -> None:
        super().__init__()
        self._primitives = primitives

    def error(self, node: ast.AST, info: str) -> None:
        """Refuse the statement; the first reason is the one that is told."""
        raise NotAllowed(info, getattr(node, "lineno", 1))

    def _check_binding(self, node: ast.AST, name: str | None) -> None:
        if name in self._primitives:
            self.error(node, f'"{name}" is a primitive; a program cannot bind that name.')

    def visit_Name(self, node: ast.Name) -> Visited:
        """Primitives keep their names, in every form of binding that is a name node."""
        if not isinstance(node.ctx, ast.Load):
            self._check_binding(node, node.id)
        return super().visit_Name(node)

    def visit_arg(self, node: ast.arg) -> Visited:
        """A lambda's parameter would hide a primitive, or a guard, inside it."""
        self._check_binding(node, node.arg)
        self.check_name(node, node.arg)  # RestrictedPython 8 leaves out those before a `/`
        return super().visit_arg(node)

    def check_import_names(self, node: ast.Import | ast.ImportFrom) -> ast.AST:
        """An import binds names too; a relative one has nothing to be relative to."""
        if isinstance(node, ast.ImportFrom) and node.level:
            self.error(node, "Relative imports are not allowed.")
        for alias in node.names:
            self._check_binding(node, name_bound(alias))
            self.check_name(node, name_bound(alias))
        return super().check_import_names(node)

    def visit_Constant(self, node: ast.Constant) -> Visited:
        """Any constant; RestrictedPython 8 would refuse `...`."""
        return node

    def visit_comprehension(self, node: ast.comprehension) -> Visited:
        """Nothing asynchronous: CPython takes `(x async for x in y)` anywhere."""
        if node.is_async:
            self.error(node.target, "async is not allowed.")
        return super().visit_comprehension(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> Visited:
        """A bare `except:` becomes one that leaves the stopping signal alone."""
        self._check_binding(node, node.name)
        bare = node.type is None
        super().visit_ExceptHandler(node)
        if bare:
            node.type = ast.copy_location(ast.Name("_exception_", ast.Load()), node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Visited:
        """`a[i] += v` becomes one guarded call, so that `a` and `i` are evaluated once."""
        if not isinstance(node.target, ast.Subscript):
            return super().visit_AugAssign(node)
        operator = ast.Constant(IOPERATOR_TO_STR[type(node.op)])
        parts = [self.visit(part) for part in (node.target.value, node.target.slice, node.value)]
        call = ast.Call(ast.Name("_inplaceitem_", ast.Load()), [operator, *parts], [])
        statement = ast.Expr(call)
        copy_locations(statement, node)
        return statement

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Visited:
        """`x: T = v` is `x = v` and `x: T` is nothing; T may name what the guest does not have."""
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        plain = ast.Assign([node.target], node.value)
        copy_locations(plain, node)
        visited: Visited = self.visit(plain)
        return visited

    def visit_Assign(self, node: ast.Assign) -> Visited:
        """Several targets share one value; RestrictedPython would evaluate it for each anew."""
        if len(node.targets) == 1 or not any(isinstance(t, ast.Tuple) for t in node.targets):
            return super().visit_Assign(node)
        name = self.gen_tmp_name()
        statements: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], self.visit(node.value))
        ]
        for target in node.targets:
            target = self.visit(target)
            value = ast.Name(name, ast.Load())
            unpacked = (
                self.protect_unpack_sequence(target, value)
                if isinstance(target, ast.Tuple)
                else value
            )
            statements.append(ast.Assign([target], unpacked))
        statements.append(self.gen_del_stmt(name))
        for statement in statements:
            copy_locations(statement, node)
        return statements

    def visit_Attribute(self, node: ast.Attribute) -> Visited:
        """Attributes are read, never written: what has any that matter is not the program's."""
        if not isinstance(node.ctx, ast.Load):
            self.error(node, "Attributes cannot be assigned or deleted.")
        return super().visit_Attribute(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """No functions but lambdas: a program is the body of one placeholder."""
        self.error(node, "def statements are not allowed.")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """No classes: so no code of the program runs where a value is shown, compared or freed."""
        self.error(node, "class statements are not allowed.")

    def visit_Yield(self, node: ast.Yield) -> None:
        """Outside functions only a lambda could hold it, and would be a generator in disguise."""
        self.error(node, "yield is not allowed.")

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        """As for `yield`."""
        self.error(node, "yield is not allowed.")


def parsed(source: str, filename: str) -> list[ast.stmt]:
    """The top-level statements of a program.

    Raises:
        SyntaxError: it is not Python.
        NotAllowed: it is nested too deeply for the interpreter's own parser.
    """
    if "\0" in source:
        raise NotAllowed("The program holds a null character.", 1)
    try:
        return ast.parse(source, filename).body
    except (RecursionError, MemoryError):
        raise NotAllowed("The program is nested too deeply.", 1) from None


def compiled(statement: ast.stmt, filename: str, primitives: Collection[str]) -> CodeType:
    """The code of one statement, with every access through a guard. It changes `statement`.

    Raises:
        NotAllowed: it is outside the language.
        SyntaxError: it is not Python after all (`return` outside a function, and the like).
    """
    module = ast.Module([statement], [])
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(COMPILER_RECURSION)
    try:
        ProgramTransformer(primitives).visit(module)
        return compile(module, filename, "exec", dont_inherit=True)
    except RecursionError:
        raise NotAllowed("The statement is nested too deeply.", statement.lineno) from None
    finally:
        sys.setrecursionlimit(usual)


def name_bound(alias: ast.alias) -> str:
    """The name that a part of an import binds: of `import a.b` that is `a`."""
    return alias.asname or alias.name.partition(".")[0]


def names_bound(statement: ast.stmt) -> list[str]:
    """The names that a statement may bind in the namespace, in the order of the text."""
    found: dict[str, None] = {}
    stack: list[tuple[ast.AST, bool]] = [(statement, True)]
    while stack:
        node, outer = stack.pop()
        if isinstance(node, ast.Name) and outer and isinstance(node.ctx, ast.Store):
            found[node.id] = None
        elif isinstance(node, ast.NamedExpr):
            found[node.target.id] = None
        elif isinstance(node, ast.alias):
            found[name_bound(node)] = None
        outer = outer and not isinstance(node, _SCOPES)
        stack += [(child, outer) for child in reversed(children(node))]
    return list(found)
