"""The rows of a JSONL file: each holds a model's whole reply, and may say what it is judged by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from recode_runtime.linting.declared import primitives_by_name
from recode_runtime.linting.pieces import Piece, of_reply
from recode_runtime.linting.units import Context, Problem, Unit, WrongSettings

_OWN = ("primitives", "variables", "outputs")


def row_pieces(unit: Unit, content: bytes) -> Iterator[Piece | Problem]:
    """The programs of the rows, and a problem for each row that has none to be found."""
    for number, line in enumerate(content.split(b"\n"), start=unit.first_line):
        if line.strip():
            try:
                row = _row(line)
                context = _context(row, unit.context)
                yield of_reply(_reply(row, context.field), context, number)
            except _Unfit as unfit:
                yield Problem(unit.path, str(unfit), number)


class _Unfit(Exception):
    """A row cannot be used; the message says why, and what to do."""


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except UnicodeDecodeError:
        raise _Unfit("the row is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise _Unfit("the row is not JSON; a JSONL file has one JSON object a line") from None
    if not isinstance(row, dict):
        raise _Unfit("the row is not a JSON object")
    return row


def _reply(row: dict[str, Any], field: str) -> str:
    """The text under a dotted path; a key that has dots itself is found too."""
    value: Any = row
    if field in row:
        value = row[field]
    else:
        steps = field.split(".")
        for number, step in enumerate(steps):
            try:
                value = value[int(step) if isinstance(value, list) else step]
            except (LookupError, TypeError, ValueError):
                raise _no_field(field, ".".join(steps[:number]), value) from None
    if not isinstance(value, str):
        raise _Unfit(f"the field {field!r} is not text{_inner(field, value)}")
    return value


def _inner(field: str, value: Any) -> str:
    """What it is instead, and the field one step further in."""
    match value:
        case dict() | list() if value:
            step = "0" if isinstance(value, list) else next(iter(value))
            kind = "a list" if isinstance(value, list) else "an object"
            return f" but {kind}; one step further in is --field {field}.{step}"
        case None:
            return " but null"
    return ""


def _no_field(field: str, reached: str, value: Any) -> _Unfit:
    """What to choose from at the place up to which there is something."""
    where = repr(reached) if reached else "the row"
    match value:
        case dict():
            here = f"{where} has: {', '.join(map(str, list(value)[:10])) or 'none'}"
        case list():
            here = f"{where} is a list of {len(value)}"
        case _:
            here = f"{where} is no object and no list"
    return _Unfit(f"there is no field {field!r}; choose one with --field ({here})")


def _context(row: dict[str, Any], context: Context) -> Context:
    if not context.row_context:
        return context
    own = {key: _names(key, row[key]) for key in _OWN if row.get(key) is not None}
    if "primitives" in own:
        try:
            primitives_by_name(own["primitives"])
        except WrongSettings as wrong:
            raise _Unfit(f"the field 'primitives': {wrong}") from None
    return Context(
        context.policy,
        own.get("primitives", context.primitives),
        own.get("variables", context.variables),
        own.get("outputs", context.outputs),
        context.field,
        context.row_context,
        context.off,
    )


def _names(key: str, value: Any) -> tuple[str, ...]:
    """A list of texts, or an object whose keys are meant."""
    if isinstance(value, list | dict) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise _Unfit(f"the field {key!r} is not a list of texts; --no-row-context leaves it unread")
