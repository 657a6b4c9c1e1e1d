"""A `def` or an `if __name__ ...` round the whole program, and the `return` at its end."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from recode_runtime.reply.layout import shifted
from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import Trial
from recode_runtime.syntax import Fate, fate_of_return

_DEFINITION = "RC101"
_SYNTAX = "RC003"
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def unwrapped(
    source: str, trial: Trial, outputs: tuple[str, ...], variables: Collection[str] | None
) -> list[Change]:
    """The changes that take a program out of what was written round it, in their order.

    There are none if the program would mean something else outside.
    """
    tree = trial.parse(source)
    if tree is None or not tree.body:
        return []
    return (
        _out_of_main(source, tree, trial)
        or _out_of_function(source, tree, trial, outputs, variables)
        or _final_return(source, tree, trial, outputs)
    )


def _out_of_main(source: str, tree: ast.Module, trial: Trial) -> list[Change]:
    """The body of an `if __name__ == "__main__":` that holds all but imports."""
    *before, last = tree.body
    if not isinstance(last, ast.If) or not _is_main(last) or not all(map(_is_import, before)):
        return []
    body = _body_of(last.body, last, source)
    text = "\n".join([*source.split("\n")[: last.lineno - 1], body])
    return _kept(trial, Change(_SYNTAX, "the test of __name__ was taken off", text))


def _out_of_function(
    source: str,
    tree: ast.Module,
    trial: Trial,
    outputs: tuple[str, ...],
    variables: Collection[str] | None,
) -> list[Change]:
    """The body of the one function, and no call of it; what it returns goes where it went."""
    before = [node for node in tree.body if _is_import(node)]
    rest = tree.body[len(before) :]
    if tree.body[: len(before)] != before or not rest:
        return []
    function, *after = rest
    if not isinstance(function, _Function) or not _may_be_unwrapped(function, variables):
        return []
    call = _lone_call(after)
    if after and (call is None or not _passes_on(call.value, function)):
        return []
    targets = _targets(call) if isinstance(call, ast.Assign) else outputs
    body = _without_docstring(function)
    if not body or not _may_end(body[-1], targets):
        return []
    if isinstance(call, ast.Assign) and not (targets and _gives(body)):
        return []
    lines = source.split("\n")[: function.lineno - 1]
    if call is not None and _runs(call.value) and "asyncio" not in _names(body):
        lines = [line for line in lines if line.strip() != "import asyncio"]
    rest_of_text = [] if after else source.split("\n")[function.end_lineno :]
    moved = _body_of(body, function, source, targets)
    text = "\n".join([*lines, moved, *rest_of_text]).strip("\n")
    what = f"the body of `def {function.name}` was taken out of it"
    return _kept(trial, Change(_DEFINITION, what, text))


def _final_return(
    source: str, tree: ast.Module, trial: Trial, outputs: tuple[str, ...]
) -> list[Change]:
    """A `return` at the end of a program that is in no function."""
    last = tree.body[-1]
    if not isinstance(last, ast.Return) or _returns(tree.body) != [last]:
        return []
    if _fate(last, outputs) is None:
        return []
    lines = source.split("\n")
    _assign_return(lines, last, 0, outputs, source)
    text = "\n".join(lines).rstrip()
    return _kept(trial, Change(_SYNTAX, "the `return` outside a function was replaced", text))


def _kept(trial: Trial, change: Change) -> list[Change]:
    tree = trial.parse(change.text)
    return [change] if tree is not None and tree.body else []


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_main(node: ast.If) -> bool:
    match node.test:
        case ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]):
            return not node.orelse
        case _:
            return False


def _lone_call(after: Sequence[ast.stmt]) -> ast.Expr | ast.Assign | None:
    """The statement behind a function that may do nothing but call it; else None."""
    if len(after) == 1 and isinstance(after[0], ast.If) and _is_main(after[0]):
        after = after[0].body
    if len(after) != 1 or not isinstance(after[0], ast.Expr | ast.Assign):
        return None
    return after[0]


def _passes_on(value: ast.expr, function: _Function) -> bool:
    """Whether a call is one of the function, and hands its variables on under the same names."""
    if isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.Call) and _runs(value):
        value = value.args[0]
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return False
    by_place = [one.id if isinstance(one, ast.Name) else None for one in value.args]
    by_name = {
        one.arg
        for one in value.keywords
        if isinstance(one.value, ast.Name) and one.value.id == one.arg
    }
    parameters = _parameters(function)
    given = len(value.args)
    return (
        value.func.id == function.name
        and by_place == parameters[:given]
        and by_name == {*parameters[given:]}
        and len(by_name) == len(value.keywords)
    )


def _parameters(function: _Function) -> list[str]:
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _runs(value: ast.expr) -> bool:
    """Whether a coroutine is started: `asyncio.run(main())`."""
    match value:
        case ast.Call(ast.Attribute(ast.Name("asyncio"), "run"), [_], []):
            return True
        case _:
            return False


def _targets(call: ast.Assign) -> tuple[str, ...]:
    """The names to which the result of a call is assigned; none if they are not plain."""
    target = call.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return names if len(call.targets) == 1 and len(names) == len(parts) else ()


def _gives(body: list[ast.stmt]) -> bool:
    """Whether a body ends with a value for its caller."""
    return isinstance(body[-1], ast.Return) and body[-1].value is not None


def _names(body: list[ast.stmt]) -> set[str]:
    return {node.id for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Name)}


def _may_be_unwrapped(function: _Function, variables: Collection[str] | None) -> bool:
    """Whether the body means the same outside.

    Defaults would be lost, an early `return` has no equal at the top level, and a parameter that is
    read must be a variable there. A body that calls itself needs the function.
    """
    given = function.args
    if function.decorator_list or given.defaults or given.kw_defaults:
        return False
    if given.vararg or given.kwarg:
        return False
    inner = list(ast.walk(ast.Module(function.body, [])))
    bound = (ast.Yield, ast.YieldFrom, ast.Nonlocal, *_SCOPES)
    if any(isinstance(node, bound) for node in inner):
        return False
    names = [node for node in inner if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    unbound = set() if variables is None else {*_parameters(function)} - {*variables}
    if function.name in read or read & unbound:
        return False
    return _returns(function.body) in ([], [function.body[-1]])


def _returns(body: list[ast.stmt]) -> list[ast.stmt]:
    return [node for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Return)]


def _without_docstring(function: _Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _may_end(last: ast.stmt, outputs: tuple[str, ...]) -> bool:
    """Whether a program may end with this, once a `return` is replaced."""
    return not isinstance(last, ast.Return) or _fate(last, outputs) is not None


def _fate(last: ast.Return, outputs: tuple[str, ...]) -> Fate | None:
    """What becomes of a final `return`; whether outputs that it names are bound, others judge."""
    return fate_of_return(last.value, outputs, bound=outputs)


def _body_of(
    body: list[ast.stmt], owner: ast.stmt, source: str, outputs: tuple[str, ...] = ()
) -> str:
    """The text of the statements in a compound one, at the margin, with its final `return`."""
    lines = source.split("\n")[: body[-1].end_lineno]
    first = body[0]
    if first.lineno == owner.lineno:  # def f(): a; b
        lines[first.lineno - 1] = lines[first.lineno - 1].encode()[first.col_offset :].decode()
        start, indent = first.lineno - 1, 0
    else:
        start, indent = _with_comments(lines, first.lineno - 1), first.col_offset
    moved = shifted(lines, ast.Module(body, []), start, indent)
    if isinstance(body[-1], ast.Return):
        _assign_return(moved, body[-1], start, outputs, source)
    return "\n".join(moved).strip("\n")


def _with_comments(lines: list[str], start: int) -> int:
    while lines[start - 1].lstrip().startswith("#") or not lines[start - 1].strip():
        start -= 1
    return start


def _assign_return(
    lines: list[str], node: ast.Return, start: int, outputs: tuple[str, ...], source: str
) -> None:
    """Replace the final `return value` by `outputs = value`, or by nothing if nothing is lost."""
    at = node.lineno - 1 - start
    original = source.split("\n")[node.lineno - 1]
    moved = len(original) - len(lines[at])
    column = len(original.encode()[: node.col_offset].decode()) - moved
    head, rest = lines[at][:column], lines[at][column:].removeprefix("return").lstrip()
    fate = _fate(node, outputs)
    if fate == "dropped":
        lines[at:] = [head.rstrip("; ")] if head else []
    else:
        lines[at] = head + (f"{', '.join(outputs)} = " if fate == "assigned" else "") + rest
