"""Which names parts of a program bind, or take for modules, whatever the way through it."""

from __future__ import annotations

import ast
from collections.abc import Collection


def bound_in(*roots: ast.AST) -> set[str]:
    """The names that parts of a program assign or import, in whatever scope."""
    nodes = [node for root in roots for node in ast.walk(root)]
    names = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    aliases = [alias for node in nodes for alias in getattr(node, "names", ())]
    modules = (alias for alias in aliases if isinstance(alias, ast.alias))
    return names | {(alias.asname or alias.name).split(".")[0] for alias in modules}


def parameter_names(arguments: ast.arguments) -> set[str]:
    """The names of all parameters, also of `*args` and `**kwargs`."""
    extra = [one for one in (arguments.vararg, arguments.kwarg) if one]
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {one.arg for one in (*plain, *extra)}


def is_module(tree: ast.Module, name: str, offered: Collection[str]) -> bool:
    """Whether every use of a name is that of a module which offers these names.

    What reaches further, as `math.sqrt.name` does, is no such use.
    """
    nodes = list(ast.walk(tree))
    uses = [one for one in nodes if isinstance(one, ast.Name) and one.id == name]
    parts = [one for one in nodes if isinstance(one, ast.Attribute) and one.value in uses]
    further = any(isinstance(one, ast.Attribute) and one.value in parts for one in nodes)
    return len(parts) == len(uses) and not further and all(one.attr in offered for one in parts)
