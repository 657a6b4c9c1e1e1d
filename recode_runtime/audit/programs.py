"""The texts that are run for a case, and what must be loaded for them to mean what they say."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from recode_runtime.sandboxes.base import Session
from recode_runtime.syntax import parse_quietly

# The descriptor by which every guest speaks to its host.
CHANNEL = 3

# What a module loads only when it is used.
_LOADED_LATER = {"socket": ("encodings.idna",)}
# What opens windows, prints or waits for somebody when it is imported.
_NOT_LOADED = {"antigravity", "idlelib", "test", "this", "tkinter", "turtle", "turtledemo"}
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a program: its text, the number of its first line, the number of its statements."""

    source: str
    line: int
    statements: int


def pieces(source: str, most: int) -> list[Piece]:
    """The program statement by statement, so that the time of each is known.

    Not a character is lost: a piece goes on to where the next statement's line begins. What cannot
    be parsed, is longer than `most` characters, or has line ends that parsers and editors count
    apart, is one piece.
    """
    if len(source) > most or "\r" in source:
        return [Piece(source, 1, 1)]
    try:
        body = parse_quietly(source).body
    except _UNREADABLE:
        return [Piece(source, 1, 1)]
    lines = source.split("\n")
    found: list[Piece] = []
    begun, count = 0, 0
    for number, statement in enumerate(body, start=1):
        count += 1
        end = statement.end_lineno or statement.lineno
        if number == len(body):
            end = len(lines)
        elif _first_line(body[number]) <= end:
            continue
        found.append(Piece("\n".join(lines[begun:end]), begun + 1, count))
        begun, count = end, 0
    return found or [Piece(source, 1, 1)]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def as_probe(source: str, teller: str) -> Piece:
    """A probe as one statement, whose every `print` is a call of the primitive `teller`.

    So what it found out before it was ended has left the sandbox. It is handed over encoded: a
    probe that looks for a text in memory shall not find its own.
    """
    printing = f"lambda *parts, **_: {teller}(' '.join(map(str, parts)))"
    return _encoded(source, f"'print': {printing}")


def as_attacker(source: str, seconds: float) -> Piece:
    """An attacker's program as one statement; `FD` is its end of the channel."""
    return _encoded(source, f"'FD': {CHANNEL}, 'DEADLINE': {seconds!r}")


def _encoded(source: str, names: str) -> Piece:
    text = source.encode(errors="replace").hex()
    scene = f"{{'__name__': '__main__', {names}}}"
    return Piece(f"exec(bytes.fromhex('{text}').decode(), {scene})", 1, 1)


def modules_of(source: str) -> tuple[str, ...]:
    """The standard library's modules that a program names, to import or by text.

    Behind the wall there are no files, so an attack that needs a module would fail for want of it
    and prove nothing.
    """
    try:
        tree = parse_quietly(source)
    except _UNREADABLE:
        return ()
    named = {name for node in ast.walk(tree) for name in _named(node)}
    known = sys.stdlib_module_names - _NOT_LOADED
    return tuple(sorted(one for one in named if one.partition(".")[0] in known and _is_there(one)))


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield from (alias.name, *_LOADED_LATER.get(alias.name, ()))
        case ast.ImportFrom(module=str(module), level=0):
            yield from (module, *_LOADED_LATER.get(module, ()))
        case ast.Call(args=[ast.Constant(value=str(text)), *_]):
            yield text.partition(":")[0]


# What an expression of a corpus may come to; the frames must have room for it.
_GENERATED_BYTES = 8 * 1024 * 1024
GENERATING: dict[str, dict[str, Any]] = {
    "language": {"mode": "python", "preload": ["json"]},
    "limits": {
        "statement_seconds": 20.0,
        "statement_cpu_seconds": 20.0,
        "source_bytes": 65_536,
        "printed_bytes": 65_536,
        "observation_bytes": 65_536,
        "value_bytes": _GENERATED_BYTES,
        "frame_bytes": 4 * _GENERATED_BYTES,
        "memory_mib": 1_024,
    },
}


class NotGenerated(Exception):
    """An expression of a corpus gives no text; the message says why."""


async def generated(gen: str, session: Session) -> str:
    """The text that an expression makes, evaluated behind the wall.

    Args:
        gen: the expression.
        session: one of a policy that was changed by `GENERATING`.

    Raises:
        NotGenerated: it raises, or what it makes is no text, or too much.
    """
    # As JSON within JSON, since the wire carries no half surrogates, and a program may have some.
    source = f"import json\nwritten = json.dumps({gen})"
    outcome = await session.execute(source, want=["written"])
    if outcome.failure is not None:
        raise NotGenerated(f"its 'gen' fails: {outcome.failure.message}")
    text = json.loads(outcome.variables.get("written", "null"))
    if not isinstance(text, str):
        raise NotGenerated("its 'gen' makes no text, or too much")
    return text
