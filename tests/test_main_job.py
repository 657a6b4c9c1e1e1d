"""The main job, whole: environment, expert, grammar, process sandbox, journal, tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from recode_runtime import Environment, Result, run
from recode_runtime.environments.crafting import Crafting
from recode_runtime.environments.textworld_express import GAMES, TextWorldExpress
from recode_runtime.events import TreeBuilder
from recode_runtime.journal import Journal, read_events
from recode_runtime.models.expert import ExpertModel
from recode_runtime.policy import Policy
from recode_runtime.tree import Tree


async def _solved(environment: Environment, **options: object) -> Result:
    return await run(model="expert", environment=environment, **options)


def _primitive_calls(tree: Tree) -> list[str]:
    return [call.args[0] for node in tree.nodes() for call in node.calls]


@pytest.mark.parametrize("depth", [1, 4, 8, 12])
async def test_crafting_is_solved_with_full_score_and_the_fewest_actions(depth: int) -> None:
    """Each level of recipes is a level of placeholders."""
    world = Crafting(seed=depth, depth=depth)
    result = await _solved(world)
    assert (result.success, result.score, result.tree.status) == (True, 1.0, "done")
    assert len(_primitive_calls(result.tree)) == world.optimal_cost
    assert max(node.depth for node in result.tree.nodes()) == depth
    assert world.has(world.target)


async def test_the_same_seed_gives_the_same_tree() -> None:
    """Node for node: sources, attempts, calls, observations; only the times differ."""
    first = await _solved(Crafting(seed=7, depth=4))
    second = await _solved(Crafting(seed=7, depth=4))
    other = await _solved(Crafting(seed=8, depth=4))
    assert first.tree.without_times() == second.tree.without_times()
    assert first.tree.without_times() != other.tree.without_times()


async def test_the_journal_of_a_run_gives_its_tree(tmp_path: Path) -> None:
    """Nothing is in the tree that is not in the file."""
    journal = Journal.create(tmp_path, "a-run")
    result = await _solved(Crafting(seed=1, depth=3), journal=journal)
    journal.close()
    assert result.journal == journal.path
    assert TreeBuilder(read_events(journal.path)).tree() == result.tree
    assert result.tree.run == "a-run"


async def test_a_shallow_policy_makes_the_expert_use_primitives() -> None:
    """Below the depth limit the same world is solved with a flatter tree."""
    policy = Policy.named("strict").but(supervisor={"depth": 2})
    result = await _solved(Crafting(seed=4, depth=5), policy=policy)
    assert result.score == 1.0
    assert max(node.depth for node in result.tree.nodes()) == 3


async def test_an_environment_can_be_used_again() -> None:
    """A run resets it."""
    world = Crafting(seed=2, depth=2)
    first = await _solved(world)
    second = await _solved(world)
    assert first.tree.without_times() == second.tree.without_times()


@pytest.mark.java
@pytest.mark.parametrize("game", sorted(GAMES))
async def test_every_textworld_express_game_is_solved(game: str) -> None:
    """Full score through expert, grammar and sandbox; the same seed gives the same tree."""
    environment = TextWorldExpress(game=game, seed=3)
    try:
        result = await _solved(environment)
        again = await run(model=ExpertModel(environment.expert), environment=environment)
    finally:
        await environment.close()
    assert (result.success, result.score) == (True, 1.0)
    assert result.tree.without_times() == again.tree.without_times()
