"""`environment_from` builds what the command line names, and says what there is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recode_runtime.environments import ENVIRONMENTS, environment_from
from recode_runtime.environments.crafting import Crafting
from recode_runtime.environments.textworld_express import TextWorldExpress

NAMES = "There are crafting, textworld-express"
CRAFTING = (
    "seed (a whole number), depth (a whole number), width (a whole number), sharing (a number)"
)
EXPRESS = "game (text), seed (a whole number), fold (text), step_limit (a whole number)"


def test_the_list_has_a_line_for_each() -> None:
    """The names and descriptions that `--help` shows."""
    assert dict(ENVIRONMENTS) == {
        "crafting": "gather and craft in a seeded workshop; built in, needs nothing",
        "textworld-express": "eight text games; needs Java and the extra textworld-express",
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_name_in_the_list_can_be_built(name: str) -> None:
    """Without options there are defaults, and the environment carries the name it is built by."""
    assert environment_from(name).name == name


def test_options_reach_the_environment_as_numbers() -> None:
    """What the command line has as text is read; None is as if it were not given."""
    built = environment_from("crafting", seed="7", depth="3", width=3, sharing=1, game=None)
    assert isinstance(built, Crafting)
    assert built.book == Crafting(seed=7, depth=3, width=3, sharing=1.0).book
    game = environment_from("textworld-express", game="coin", seed="12", fold="dev")
    assert isinstance(game, TextWorldExpress)
    assert (game.game, game.seed, game.fold, game.step_limit) == ("coin", 12, "dev", 100)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "crafting-world",
            f"there is no environment 'crafting-world'; did you mean 'crafting'? {NAMES}",
        ),
        ("chess", f"there is no environment 'chess'. {NAMES}"),
    ],
)
def test_an_unknown_name_is_refused_with_the_list(name: str, message: str) -> None:
    """With the nearest name, if one is near."""
    with pytest.raises(ValueError) as caught:
        environment_from(name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("crafting", {"game": "twc"}, f"crafting has no option 'game'; its options are {CRAFTING}"),
        (
            "textworld-express",
            {"depth": 3},
            f"textworld-express has no option 'depth'; its options are {EXPRESS}",
        ),
        (
            "crafting",
            {"seed": "seven"},
            f"crafting: seed must be a whole number, not 'seven'; its options are {CRAFTING}",
        ),
        (
            "crafting",
            {"depth": 2.5},
            f"crafting: depth must be a whole number, not 2.5; its options are {CRAFTING}",
        ),
        (
            "crafting",
            {"width": True},
            f"crafting: width must be a whole number, not True; its options are {CRAFTING}",
        ),
        (
            "textworld-express",
            {"fold": 3},
            f"textworld-express: fold must be text, not 3; its options are {EXPRESS}",
        ),
        ("crafting", {"depth": "13"}, "depth must be from 1 to 12, not 13"),
    ],
)
def test_a_wrong_option_is_refused_with_those_there_are(
    name: str, options: dict[str, object], message: str
) -> None:
    """An option it does not have, one of another kind, and one out of its range."""
    with pytest.raises(ValueError) as caught:
        environment_from(name, **options)
    assert str(caught.value) == message


def test_importing_environments_brings_nothing_heavy() -> None:
    """py4j and the games are loaded when a game starts, not when a module is imported."""
    code = (
        "import sys, recode_runtime.environments.textworld_express;"
        "print([m for m in ('py4j', 'textworld_express', 'orjson') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
