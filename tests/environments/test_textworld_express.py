"""TextWorldExpress: its eight games, each won by the expert and the same for a seed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from expansions import Played, play, request_for
from recode_runtime.environments.base import HasExpert
from recode_runtime.environments.textworld_express import GAMES, TextWorldExpress
from recode_runtime.errors import EnvironmentUnavailable, ExtraMissing
from recode_runtime.primitive import EpisodeEnded, primitives_of

NOT_STARTED = "the game has not been started: call reset first"


@pytest.fixture
async def cooking() -> AsyncIterator[TextWorldExpress]:
    """The default game, closed at the end."""
    game = TextWorldExpress()
    yield game
    await game.close()


async def played_through(**options: Any) -> tuple[Played, float, bool]:
    """A game played by its expert: what was done, the score, and whether the episode ended."""
    game = TextWorldExpress(**options)
    try:
        return await play(game), await game.score(), game.ended
    finally:
        await game.close()


@pytest.mark.java
@pytest.mark.parametrize("name", GAMES)
async def test_the_expert_wins_every_game(name: str) -> None:
    """Full score at the end, a tree of at least two levels, and the same tree a second time.

    The second game has a Java process of its own: nothing of the first can be remembered.
    """
    first, second = await played_through(game=name), await played_through(game=name)
    played, score, ended = first
    assert (score, ended) == (1.0, True)
    assert played.deepest >= 1
    assert first == second


@pytest.mark.java
@pytest.mark.parametrize("name", GAMES)
async def test_without_levels_the_expert_uses_primitives_only(name: str) -> None:
    """One program, the same actions, the same score."""
    played, score, _ = await played_through(game=name, seed=5, fold="dev")
    flat, flat_score, _ = await played_through_flat(name)
    assert (score, flat_score) == (1.0, 1.0)
    assert flat.actions == played.actions
    assert (len(flat.programs), flat.deepest) == (1, 0)


async def played_through_flat(name: str) -> tuple[Played, float, bool]:
    """The same as `played_through`, with no level of placeholders allowed."""
    game = TextWorldExpress(game=name, seed=5, fold="dev")
    try:
        return await play(game, depth=0), await game.score(), game.ended
    finally:
        await game.close()


@pytest.mark.java
@pytest.mark.parametrize("name", ["coin", "twc"])
@pytest.mark.parametrize("seed", [6, 11, 20])
async def test_the_agents_that_wander_wander_alike(name: str, seed: int) -> None:
    """The engine leaves their dice unseeded; here a seed gives one path all the same."""
    first = await played_through(game=name, seed=seed)
    assert first == await played_through(game=name, seed=seed)
    assert first[1] == 1.0


@pytest.mark.java
async def test_the_programs_of_the_expert(cooking: TextWorldExpress) -> None:
    """The root lists stages, a long stage two halves, a short one its actions."""
    assert isinstance(cooking, HasExpert)
    await cooking.reset()
    assert cooking.expert(request_for("solve(instruction, observation)")) == (
        "obs = take_banana(stage=1)\n"
        "obs = take_black_pepper(stage=2)\n"
        "obs = take_yellow_potato(stage=5)\n"
        "obs = slice_yellow_potato(stage=6)\n"
        "obs = dice_banana(stage=7)\n"
        "obs = cook_banana_in_oven(stage=8)\n"
        "obs = cook_yellow_potato_in_barbeque(stage=9)\n"
        "obs = prepare_meal(stage=10)\n"
        "obs = eat_meal(stage=11)"
    )
    assert cooking.expert(request_for("end = take_black_pepper(stage=2)")) == (
        "obs = close_kitchen_cupboard(stage=3)\nend = finish_take_black_pepper(stage=4)"
    )
    asked = request_for("obs = take_yellow_potato(stage=number)", variables={"number": 5})
    assert cooking.expert(asked) == (
        'obs = run("move west")\nobs = run("move north")\nobs = run("take yellow potato")'
    )


@pytest.mark.java
@pytest.mark.parametrize(
    "asked", ["eat_meal()", "eat_meal(stage=99)", "dance(stage=11)", "eat_meal(stage=unseen)"]
)
async def test_what_is_no_stage_is_a_value_error(asked: str, cooking: TextWorldExpress) -> None:
    """Name and number have to fit; the expert never guesses."""
    await cooking.reset()
    with pytest.raises(ValueError) as caught:
        cooking.expert(request_for(asked))
    assert str(caught.value) == f"{asked} is no stage of this game"


@pytest.mark.java
async def test_the_start_gives_the_task_and_what_can_be_done(cooking: TextWorldExpress) -> None:
    """The game's own words on one line, the room, and the commands in alphabetical order."""
    start = await cooking.reset()
    assert start.instruction == (
        "You are hungry! Let's cook a delicious meal. Check the cookbook in the kitchen for the "
        "recipe. Once done, enjoy your meal!"
    )
    room, _, possible = start.observation.rpartition("\n")
    assert room.startswith("You are in the kitchen. ")
    commands = possible.removeprefix("Commands possible now: ").removesuffix(".").split(", ")
    assert {"inventory", "look around", "take banana", "move north"} < set(commands)
    assert commands == sorted(commands)


@pytest.mark.java
async def test_an_unknown_command_is_answered_with_the_possible_ones() -> None:
    """And it counts as a step, as the guide says."""
    game = TextWorldExpress(game="simonsays", step_limit=2)
    await game.reset()
    expected = (
        "Unknown action: I'm not sure what you mean.\n"
        "Commands possible now: eat peach, examine tangerine, jump up and down, slice apple, "
        "slice grape, smell grape, take orange, touch orange."
    )
    assert (await game.act("dance"), game.ended) == (expected, False)
    assert (await game.act("slice grape"), game.ended) == ("Simon says, 'jump up and down'.", True)
    assert await game.score() == 0.2
    with pytest.raises(EpisodeEnded, match=r"^the game is over after 2 steps$"):
        await game.act("jump up and down")
    await game.close()


async def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint can be copied to the command line."""
    monkeypatch.setitem(sys.modules, "textworld_express", None)
    monkeypatch.setitem(sys.modules, "textworld_express.constants", None)
    with pytest.raises(ExtraMissing) as caught:
        await TextWorldExpress().reset()
    assert str(caught.value) == (
        "textworld-express is not installed: pip install 'recode-runtime[textworld-express]'"
    )


async def test_before_reset_there_is_no_game() -> None:
    """Acting and expanding say what is missing."""
    game = TextWorldExpress()
    with pytest.raises(EnvironmentUnavailable) as acting:
        await game.act("look around")
    with pytest.raises(EnvironmentUnavailable) as expanding:
        game.expert(request_for("solve(instruction, observation)"))
    assert [str(acting.value), str(expanding.value)] == [NOT_STARTED] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"game": "chess"}, f"there is no game 'chess'; the games are {', '.join(GAMES)}"),
        ({"fold": "x"}, "there is no fold 'x'; the folds are train, dev, test"),
        ({"seed": -1}, "seed must be from 0 to 2147483647, not -1"),
        ({"seed": 2**31}, "seed must be from 0 to 2147483647, not 2147483648"),
        ({"step_limit": 0}, "step_limit must be at least 1, not 0"),
    ],
)
def test_a_wrong_choice_is_refused_with_those_there_are(
    options: dict[str, Any], message: str
) -> None:
    """Before anything is started."""
    with pytest.raises(ValueError) as caught:
        TextWorldExpress(**options)
    assert str(caught.value) == message


@pytest.mark.java
def test_the_games_are_those_of_the_package() -> None:
    """No second list goes out of step with the package's."""
    from textworld_express.constants import GAME_NAMES

    assert sorted(GAMES) == sorted(GAME_NAMES)


def test_the_text_for_the_prompt() -> None:
    """The guide names the game and the limit; the primitive is `run`."""
    game = TextWorldExpress(game="twc", step_limit=50)
    assert game.guide.startswith("This is the text game twc. run(action) sends one command")
    assert "the game is over after 50 steps," in game.guide
    assert primitives_of(game.primitives)["run"].text.startswith(
        "run(action: str) -> str\n    Send one command to the game and return what is observed.\n"
    )
