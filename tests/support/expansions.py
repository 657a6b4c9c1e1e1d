"""A small interpreter for the programs that experts write: plays an environment to its end."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recode_runtime.environments.base import Environment
from recode_runtime.program import Placeholder
from recode_runtime.prompt import Request
from recode_runtime.tree import Variable


def placeholder_of(source: str) -> Placeholder:
    """The placeholder that a statement `[out1, out2 =] name(args)` is."""
    statement = ast.parse(source).body[0]
    assert isinstance(statement, ast.Assign | ast.Expr)
    call = statement.value
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    targets = statement.targets[0] if isinstance(statement, ast.Assign) else ast.Tuple([])
    outputs = targets.elts if isinstance(targets, ast.Tuple) else [targets]
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return Placeholder(
        call.func.id,
        tuple(ast.unparse(output) for output in outputs),
        tuple(ast.unparse(argument) for argument in call.args),
        {str(keyword.arg): ast.unparse(keyword.value) for keyword in call.keywords},
        tuple(value.id for value in values if isinstance(value, ast.Name)),
    )


def request_for(
    source: str, *, depth_left: int = 16, variables: Mapping[str, Any] | None = None
) -> Request:
    """A request to expand the placeholder statement, as the supervisor would make it."""
    placeholder = placeholder_of(source)
    seen = {
        name: Variable(name, type(value).__name__, repr(value), len(repr(value)), value=value)
        for name, value in (variables or {}).items()
        if name in placeholder.names
    }
    return Request((), placeholder, seen, depth_left, 1, "0")


@dataclass
class Played:
    """What was done: the actions, the score after each, all programs, the deepest placeholder."""

    actions: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    deepest: int = 0


async def play(environment: Any, *, depth: int = 16) -> Played:
    """Play from `solve(instruction, observation)` on, with `depth` levels of placeholders."""
    start = await environment.reset()
    names = {"instruction": start.instruction, "observation": start.observation}
    player = _Player(environment, names, depth)
    await player.expand("solve(instruction, observation)", 0)
    return player.played


class _Player:
    def __init__(self, environment: Environment, names: dict[str, Any], depth: int) -> None:
        self.environment = environment
        self.names = names
        self.depth = depth
        self.played = Played()

    async def expand(self, source: str, depth: int) -> None:
        request = request_for(source, depth_left=self.depth - depth, variables=self.names)
        for output in request.placeholder.outputs:
            self.names.pop(output, None)
        program = self.environment.expert(request)
        self.played.programs.append(program)
        self.played.deepest = max(self.played.deepest, depth)
        for statement in ast.parse(program).body:
            await self.execute(statement, depth)
        unbound = [name for name in request.placeholder.outputs if name not in self.names]
        assert not unbound, f"{source} did not bind {unbound}"

    async def execute(self, statement: ast.stmt, depth: int) -> None:
        if isinstance(statement, ast.For):
            for value in ast.literal_eval(statement.iter):
                self.names[ast.unparse(statement.target)] = value
                await self.execute(statement.body[0], depth)
            return
        assert isinstance(statement, ast.Assign)
        target, value = ast.unparse(statement.targets[0]), statement.value
        if isinstance(value, ast.Name):
            self.names[target] = self.names[value.id]
        elif isinstance(value, ast.Call) and ast.unparse(value.func) == "run":
            self.names[target] = await self.act(value.args[0])
        else:
            await self.expand(ast.unparse(statement), depth + 1)

    async def act(self, argument: ast.expr) -> str:
        named = isinstance(argument, ast.Name)
        action = self.names[argument.id] if named else ast.literal_eval(argument)
        observation = await self.environment.act(action)
        self.played.actions.append(action)
        self.played.scores.append(await self.environment.score())
        return observation
