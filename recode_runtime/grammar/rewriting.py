"""What rewrites are made of: names that are free, statements put before others, names exchanged.

A rewrite keeps the order in which things happen. Where Python would have done something before a
placeholder that now comes first, the rewrite is not safe, or is not made at all.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from typing import Any

import libcst
from RestrictedPython.transformer import FORBIDDEN_FUNC_NAMES

from recode_runtime.grammar.bindings import is_module
from recode_runtime.grammar.evaluation import Weight
from recode_runtime.grammar.names import PYTHON_BUILTINS
from recode_runtime.grammar.rule import Changes, Context, Rewrite
from recode_runtime.grammar.scene import Scene

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What binds or names something by a name that is not the program's to choose, or is not understood.
_FIXED = (libcst.ImportAlias, libcst.NameItem, libcst.FunctionDef, libcst.ClassDef, libcst.MatchAs)

SmallStatements = Sequence[libcst.BaseSmallStatement]


# Names


def snake_case(name: str) -> str:
    """`http_fetch` for `HTTPFetch`; underscores in front and doubled ones are left out."""
    words = _WORD_BEGINS.sub("_", name).lower()
    return re.sub("_+", "_", words).lstrip("_")


def is_taken(context: Context, name: str) -> bool:
    """Whether a name stands anywhere in the program, or means something outside it."""
    language = context.policy.language
    return (
        keyword.iskeyword(name)
        or name in context.scene.names
        or name in context.scene.given
        or name in PYTHON_BUILTINS
        or name in FORBIDDEN_FUNC_NAMES
        or any(name in known for known in (context.variables, context.outputs, language.facades))
        or any(name in known for known in (context.reading.primitives, language.builtins))
    )


def fresh(context: Context, wish: str) -> str:
    """The name that is wished for, or that with a number; from now on it is taken."""
    name, number = wish, 1
    while is_taken(context, name):
        number += 1
        name = f"{wish}_{number}"
    context.scene.given.add(name)
    return name


def result_name(context: Context, placeholder: str) -> str:
    """A free name for what a placeholder gives."""
    return fresh(context, f"{snake_case(placeholder) or 'placeholder'}_result")


# Statements


def assigned(
    target: str | libcst.BaseAssignTargetExpression, value: libcst.BaseExpression
) -> libcst.Assign:
    """The statement `target = value`, whatever the value was a part of."""
    left = libcst.Name(target) if isinstance(target, str) else target
    return libcst.Assign([libcst.AssignTarget(left)], _standing(value))


def _standing(value: libcst.BaseExpression) -> libcst.BaseExpression:
    """An expression in a form that can stand right of `=`."""
    if isinstance(value, libcst.Call) and isinstance(value.func, libcst.Name):
        close = libcst.SimpleWhitespace("")
        return value.with_changes(lpar=(), rpar=(), whitespace_after_func=close)
    broken = "\n" in libcst.Module(()).code_for_node(value)
    if (broken or isinstance(value, libcst.GeneratorExp)) and not value.lpar:
        return value.with_changes(lpar=[libcst.LeftParen()], rpar=[libcst.RightParen()])
    return value


def name_for(scene: Scene, node: libcst.BaseExpression, name: str) -> libcst.Name:
    """A name in the place of an expression, in parentheses only where it would touch a keyword."""
    bare = libcst.Name(name)
    try:
        scene.rebuilt(scene.home(node), {node: bare})
    except libcst.CSTValidationError:
        return bare.with_changes(lpar=[libcst.LeftParen()], rpar=[libcst.RightParen()])
    return bare


def is_shown(scene: Scene, node: libcst.CSTNode) -> bool:
    """Whether the text of a node is part of what the program writes: in an f-string with `=`."""
    fields = (one for one in scene.above(node) if isinstance(one, libcst.FormattedStringExpression))
    return any(one.equal for one in fields)


def places_to_rename(context: Context, name: str) -> list[libcst.Name]:
    """All places of a variable, if another name in all of them changes nothing else.

    A keyword or a module of that name is known to others by it, and so is what a placeholder or an
    f-string with `=` shows. Attributes of that name are no variables.
    """
    scene, places = context.scene, []
    for node in scene.names.get(name, ()):
        parent = scene.parents[node]
        if isinstance(parent, libcst.Attribute) and parent.attr is node:
            continue
        if is_shown(scene, node) or isinstance(parent, _FIXED) or (_is_keyword(parent, node)):
            return []
        places.append(node)
    unbound = ("placeholder", "attribute", "forbidden")
    called = any(one.name == name and one.kind in unbound for one in context.reading.calls)
    known = name in context.variables or name in context.outputs
    return [] if called or known else places


def _is_keyword(parent: libcst.CSTNode, node: libcst.Name) -> bool:
    return isinstance(parent, libcst.Arg) and parent.keyword is node


def renamed(nodes: Iterable[libcst.Name], name: str) -> Changes:
    """The rewrite that gives all these places another name."""
    return {node: node.with_changes(value=name) for node in nodes}


def restated(
    scene: Scene,
    node: libcst.CSTNode,
    earlier: SmallStatements,
    instead: SmallStatements | None = None,
    changes: Changes | None = None,
) -> Changes:
    """The rewrite of the top-level statement that holds a node: `earlier` is done before it.

    The statement itself is replaced by `instead`, or else has `changes` made inside it. Other
    statements on its line get lines of their own. Blank lines stay in front; a comment stays with
    the statement that it stood above or behind.
    """
    home = scene.home(node)
    lines: list[libcst.BaseStatement]
    if isinstance(home, libcst.SimpleStatementLine):
        inside = {node, *scene.above(node)} if node is not home else {home.body[0]}
        own = instead or [_rebuilt(scene, one, changes or {}) for one in home.body if one in inside]
        pieces = [[*earlier, *own] if one in inside else [one] for one in home.body]
        lines = [_line(one) for piece in pieces for one in piece]
        lines[-1] = lines[-1].with_changes(trailing_whitespace=home.trailing_whitespace)
        first = len(earlier) if home.body[0] in inside else 0
    else:
        lines = [*map(_line, earlier), _rebuilt(scene, home, changes or {})]
        first = len(earlier)
    leading = getattr(home, "leading_lines", ())
    return {home: libcst.FlattenSentinel(_spaced(lines, first, leading))}


def _rebuilt(scene: Scene, node: libcst.CSTNode, changes: Changes) -> Any:
    return scene.rebuilt(node, changes) if changes else node


def _line(statement: libcst.BaseSmallStatement) -> libcst.SimpleStatementLine:
    alone = statement.with_changes(semicolon=libcst.MaybeSentinel.DEFAULT)
    return libcst.SimpleStatementLine([alone])


def _spaced(
    lines: Sequence[libcst.BaseStatement], first: int, leading: Sequence[libcst.EmptyLine]
) -> list[libcst.BaseStatement]:
    """The lines, where that with the number `first` is the first that was there before."""
    comments = [number for number, one in enumerate(leading) if one.comment]
    blank = min(comments, default=len(leading)) if first else 0
    spaced = [one.with_changes(leading_lines=()) for one in lines]
    spaced[first] = spaced[first].with_changes(leading_lines=leading[blank:])
    if first:
        spaced[0] = spaced[0].with_changes(leading_lines=leading[:blank])
    return spaced


# Placeholders


def placeholder_lifted(context: Context, node: libcst.Call) -> Rewrite | None:
    """The rewrite that gives a nested placeholder a statement of its own, where that can be done.

    With `name := placeholder()` it gets that name.
    """
    scene = context.scene
    subject, bound = _named(scene, node)
    if isinstance(scene.parents[subject], libcst.Raise):
        return None  # what is raised was meant to be an exception, which no expansion makes
    most = context.evaluation.before_moving(subject)
    if most is None:
        return None
    placeholder = context.calls[node].name

    def make() -> Changes:
        name = bound or result_name(context, placeholder)
        own = assigned(name, node)
        if isinstance(scene.parents[subject], libcst.Expr):
            return restated(scene, node, (), [own])
        return restated(scene, node, [own], changes={subject: name_for(scene, subject, name)})

    what = f"the nested placeholder {placeholder} was given a statement of its own"
    return Rewrite(what, make, safe=most == Weight.NOTHING)


def _named(scene: Scene, node: libcst.Call) -> tuple[libcst.BaseExpression, str]:
    """A call, or the `:=` that it is the value of, and the name that this gives it."""
    match scene.parents[node]:
        case libcst.NamedExpr(target=libcst.Name(value=name)) as walrus:
            return walrus, name
        case _:
            return node, ""


def import_added(context: Context, name: str) -> Rewrite | None:
    """`import name` as the first line, if it is a module that has all that is used of it."""
    if name not in context.imports:
        context.imports[name] = _import_added(context, name)
    return context.imports[name]


def _import_added(context: Context, name: str) -> Rewrite | None:
    offered = context.policy.language.facades.get(name, ())
    if not offered or name in context.reading.bound:
        return None
    if not is_module(context.reading.tree, name, offered):
        return None
    scene = context.scene

    def make() -> Changes:
        module = libcst.Import([libcst.ImportAlias(libcst.Name(name))])
        return restated(scene, scene.module.body[0], [module])

    return Rewrite(f"the module {name} is imported", make)
