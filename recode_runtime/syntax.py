"""What the reader of replies and the grammar see alike in a program: its tree, its last `return`.

A placeholder has no call frame, so a program cannot return; what models write there nevertheless
is decided here once.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Sequence
from typing import Literal

Fate = Literal["dropped", "assigned", "stated"]

# Python may warn of a number with a letter after it; a backslash and `finally` are found faster.
_MAY_WARN = re.compile("[0-9][.A-Za-z]")

# What does nothing by itself, and so may be left out where nobody waits for it.
_IDLE = (ast.Constant, ast.Name, ast.Tuple, ast.Load)
# What is never meant to be unpacked into several names, though Python may do so.
_NO_ROW = (
    *(ast.Constant, ast.JoinedStr, ast.Dict, ast.DictComp, ast.Set, ast.SetComp),
    *(ast.Lambda, ast.Compare),
)


def parse_quietly(source: str) -> ast.Module:
    """The tree; what Python warns of is the program's own affair.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse` does.
    """
    if "\\" not in source and "finally" not in source and not _MAY_WARN.search(source):
        return ast.parse(source)
    with warnings.catch_warnings():  # changes the filters of all threads, so only if it must
        warnings.simplefilter("ignore")
        return ast.parse(source)


def fate_of_return(
    value: ast.expr | None, outputs: Sequence[str], bound: Collection[str]
) -> Fate | None:
    """What becomes of the `return value` at the end of a program that has these outputs.

    It is dropped where nothing is lost with it: the outputs are `bound` and it returns them or
    nothing, or nobody waits for a value that is idle. Else the value is assigned to the outputs, or
    if there are none, stated for what it does. None: it cannot be what the outputs wait for.
    """
    if set(outputs) <= set(bound) and (value is None or _names(value) == tuple(outputs)):
        return "dropped"
    if value is None or (len(outputs) > 1 and not _may_unpack(value, len(outputs))):
        return None
    if outputs:
        return "assigned"
    return "dropped" if _is_idle(value) else "stated"


def _names(value: ast.expr) -> tuple[str, ...]:
    """The names that a value consists of, with a blank for what is none."""
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return tuple(one.id if isinstance(one, ast.Name) else "" for one in parts)


def _is_idle(value: ast.expr) -> bool:
    return all(isinstance(node, _IDLE) for node in ast.walk(value))


def _may_unpack(value: ast.expr, number: int) -> bool:
    """Whether a value can be one for each of several names, as far as its text shows."""
    if isinstance(value, ast.Tuple | ast.List):
        return len(value.elts) == number
    return not isinstance(value, _NO_ROW)
