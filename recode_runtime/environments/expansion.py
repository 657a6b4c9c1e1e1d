"""What the experts of the environments share: reading a request, and writing a program for it."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from recode_runtime.prompt import Request

_MOST_STATEMENTS = 20


class Step(NamedTuple):
    """One statement to be: `target = call`."""

    call: str
    target: str = "obs"


def run(action: str) -> Step:
    """The step that takes one action in the environment."""
    return Step(f"run({json.dumps(action)})")


def value_of(request: Request, source: str) -> Any:
    """The value of one argument of the placeholder, a name or a literal; None if it has none."""
    if source in request.variables:
        return request.variables[source].value
    try:
        return ast.literal_eval(source)
    except (SyntaxError, ValueError):
        return None


def program(steps: Sequence[Step], outputs: Sequence[str]) -> str:
    """The steps as a program whose last one binds the promised outputs."""
    targets = [step.target for step in steps]
    if outputs:
        targets[-1] = outputs[0]
    lines = [f"{target} = {step.call}" for target, step in zip(targets, steps, strict=True)]
    return "\n".join([*lines, *_copies(outputs)])


def program_of_actions(actions: Sequence[str], outputs: Sequence[str]) -> str:
    """A program of primitives only; a loop where a statement for each would be a long text."""
    if len(actions) <= _MOST_STATEMENTS:
        return program([run(action) for action in actions], outputs)
    rows = [", ".join(map(json.dumps, actions[at : at + 4])) for at in range(0, len(actions), 4)]
    listed = "".join(f"    {row},\n" for row in rows)
    last = [f"{outputs[0]} = obs"] if outputs and outputs[0] != "obs" else []
    loop = f"for action in [\n{listed}]:\n    obs = run(action)"
    return "\n".join([loop, *last, *_copies(outputs)])


def _copies(outputs: Sequence[str]) -> list[str]:
    return [f"{output} = {outputs[0]}" for output in outputs[1:]]
