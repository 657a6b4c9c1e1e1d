"""The crafting world: the same for a seed, of known cost, and won by its expert."""

from __future__ import annotations

import builtins
import keyword
from collections import Counter, deque

import pytest

from expansions import play, request_for
from recode_runtime.environments.base import HasExpert, Start
from recode_runtime.environments.crafting import Crafting
from recode_runtime.environments.recipes import MOST_ACTIONS, RecipeBook
from recode_runtime.primitive import EpisodeEnded, primitives_of

SHARINGS = (0.0, 0.3, 1.0)
ACTIONS = "The actions are: gather X, craft X, recipe X, look, inventory."


def small() -> Crafting:
    """crate = sickle + rope, sickle = granite + bark, rope = marble + moss: seven actions."""
    return Crafting(seed=0, depth=2)


def depth_of(book: RecipeBook, item: str) -> int:
    """How many levels of recipes lie below and at the item."""
    return max((1 + depth_of(book, part) for part in book.recipes.get(item, ())), default=0)


def fewest_actions(book: RecipeBook) -> int:
    """The length of a shortest way to the target, by breadth-first search over all actions."""
    start: frozenset[tuple[str, int]] = frozenset()
    seen, queue = {start}, deque([(start, 0)])
    while queue:
        state, taken = queue.popleft()
        held = Counter(dict(state))
        if held[book.target]:
            return taken
        for after in successors(book, held):
            key = frozenset((+after).items())
            if key not in seen:
                seen.add(key)
                queue.append((key, taken + 1))
    raise AssertionError("the target cannot be crafted")


def successors(book: RecipeBook, held: Counter[str]) -> list[Counter[str]]:
    """What can be held after one more action; never more than three pieces of a raw material."""
    gathered = [held + Counter([item]) for item in book.raw if held[item] < 3]
    crafted = [
        held - Counter(parts) + Counter([item])
        for item, parts in book.recipes.items()
        if all(held[part] for part in parts)
    ]
    return gathered + crafted


async def test_the_start_names_the_target_and_what_is_there() -> None:
    """The instruction and the first observation, word for word."""
    start = await small().reset()
    assert start == Start(
        "Craft 1 crate.", "You can gather: bark, granite, marble, moss. You have nothing."
    )


def test_the_guide_holds_the_actions_and_the_whole_recipe_book() -> None:
    """What the model reads is enough to craft the target."""
    guide = small().guide
    assert [line[2:].split(":")[0] for line in guide.splitlines()[1:6]] == [
        "gather X",
        "craft X",
        "recipe X",
        "look",
        "inventory",
    ]
    assert guide.endswith(
        "Raw materials: bark, granite, marble, moss\n\n"
        "Recipe book (each makes one piece, of one piece of each ingredient):\n"
        "- rope: marble + moss\n"
        "- sickle: granite + bark\n"
        "- crate: sickle + rope"
    )


def test_a_seed_gives_one_world() -> None:
    """The same seed gives the same recipe book, another seed another."""
    books = [Crafting(seed=seed, depth=6, width=3).book for seed in (5, 5, 6)]
    assert books[0] == books[1]
    assert books[0] != books[2]


def test_the_primitive_says_what_can_be_done() -> None:
    """The one primitive is `run`, and its text in the prompt lists the actions."""
    primitives = primitives_of(small().primitives)
    assert list(primitives) == ["run"]
    assert primitives["run"].text.startswith(
        "run(action: str) -> str\n"
        "    Take one action in the workshop and return what is observed.\n"
    )
    assert '"gather X", "craft X", "recipe X", "look", "inventory"' in primitives["run"].text


@pytest.mark.parametrize("depth", [1, 4, 8, 12])
@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("sharing", SHARINGS)
async def test_the_expert_wins_at_the_optimal_cost(depth: int, width: int, sharing: float) -> None:
    """Full score, in as many actions as `optimal_cost` says, one level of placeholders a recipe."""
    world = Crafting(seed=2, depth=depth, width=width, sharing=sharing)
    played = await play(world)
    assert (await world.score(), world.ended, world.has(world.target)) == (1.0, True, True)
    assert len(played.actions) == world.optimal_cost
    assert played.deepest == depth - 1


@pytest.mark.parametrize("depth", [1, 4, 8, 12])
async def test_every_action_of_a_shortest_way_adds_the_same(depth: int) -> None:
    """The score grows by one part in `optimal_cost` with each action, and is 1 only at the end."""
    world = Crafting(seed=7, depth=depth, width=3)
    played = await play(world)
    cost = world.optimal_cost
    assert played.scores == [done / cost for done in range(1, cost + 1)]


@pytest.mark.parametrize("levels", [0, 1, 2, 5])
async def test_with_few_levels_the_rest_is_primitives_only(levels: int) -> None:
    """No placeholder lies deeper than the request allows, and the target is crafted."""
    world = Crafting(seed=3, depth=8)
    played = await play(world, depth=levels)
    assert played.deepest == levels
    assert (await world.score(), len(played.actions)) == (1.0, world.optimal_cost)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("depth", "width", "sharing"), [(1, 3, 0.0), (2, 2, 0.9), (3, 2, 1.0)])
def test_no_search_finds_a_shorter_way(seed: int, depth: int, width: int, sharing: float) -> None:
    """`optimal_cost` is what an exhaustive search finds."""
    world = Crafting(seed=seed, depth=depth, width=width, sharing=sharing)
    assert world.optimal_cost == fewest_actions(world.book)


def test_every_world_is_bounded_and_as_deep_as_asked() -> None:
    """Over all sizes: the cost stays below the bound, depth, width and names are right."""
    taken = {*dir(builtins), *keyword.kwlist, "run", "solve", "obtain", "obs", "item"}
    for depth in range(1, 13):
        for width in range(1, 9):
            for sharing in SHARINGS:
                book = Crafting(seed=width, depth=depth, width=width, sharing=sharing).book
                names = [*book.recipes, *book.raw]
                assert book.optimal_cost < MOST_ACTIONS
                assert depth_of(book, book.target) == depth
                assert {len(set(parts)) for parts in book.recipes.values()} == {width}
                assert len(set(names)) == len(names)
                assert all(name.isidentifier() and name not in taken for name in names)


def test_sharing_decides_how_often_an_item_is_used_again() -> None:
    """At 0 each item is in one recipe; at 1 some item is in several, and fewer items exist."""
    uses = {
        sharing: Counter(
            part
            for parts in Crafting(seed=1, depth=8, width=3, sharing=sharing).book.recipes.values()
            for part in parts
        )
        for sharing in SHARINGS
    }
    assert set(uses[0.0].values()) == {1}
    assert max(uses[1.0].values()) > 2
    assert len(uses[1.0]) < len(uses[0.3]) < len(uses[0.0])


async def test_an_item_that_is_shared_is_made_for_each_use() -> None:
    """Crafting uses ingredients up, so what two recipes need is obtained twice."""
    world = Crafting(seed=1)
    assert world.book.recipes["whistle"] == ("chalk", "anvil")
    assert world.book.recipes["tile"] == ("anvil", "whistle")
    played = await play(world)
    assert played.actions.count("craft anvil") == 2
    assert not world.has("anvil")


@pytest.mark.parametrize(
    ("action", "observation"),
    [
        ("look", "You can gather: bark, granite, marble, moss. You have: 1 moss."),
        ("inventory", "You have: 1 moss."),
        ("gather bark", "You gather bark. You have: 1 bark, 1 moss."),
        ("  GATHER   Moss ", "You gather moss. You have: 2 moss."),
        ("recipe crate", "The item crate is crafted from sickle and rope."),
        ("recipe moss", "The item moss is a raw material: gather it."),
        ("craft rope", "You cannot craft rope: you have no marble."),
        ("craft crate", "You cannot craft crate: you have no sickle and no rope."),
        ("craft moss", "You cannot craft moss. The item moss is a raw material: gather it."),
        (
            "gather rope",
            "You cannot gather rope. The item rope is crafted from marble and moss.",
        ),
        ("gather mosss", "There is no item 'mosss'. Did you mean moss?"),
        ("craft river boat", "There is no item 'river_boat'. The recipe book names all there are."),
        *(
            (
                wrong,
                f"There is no action {wrong!r}. {ACTIONS}",
            )
            for wrong in ("dance", "", "gather", "look around", "\x00")
        ),
    ],
)
async def test_every_action_is_answered(action: str, observation: str) -> None:
    """Right or wrong, an action has an observation that helps, and a wrong one changes nothing."""
    world = small()
    await world.reset()
    await world.act("gather moss")
    assert await world.act(action) == observation
    assert await world.score() == (2 / 7 if action == "gather bark" else 1 / 7)


async def test_an_observation_does_not_grow_with_a_wrong_action() -> None:
    """What was sent is quoted in at most 60 characters."""
    world = small()
    cut = "x" * 57 + "..."
    assert (await world.act("x" * 100_000)).startswith(f"There is no action '{cut}'. ")
    assert (await world.act("craft " + "x" * 100_000)).startswith(f"There is no item '{cut}'. ")


async def test_wasting_an_ingredient_lowers_the_score() -> None:
    """What is used up in vain has to be made anew, and the score says so."""
    world = Crafting(seed=1)
    for action in ("gather sand", "gather coal", "craft anvil", "gather chalk"):
        await world.act(action)
    before = await world.score()
    assert before == 4 / 11
    for action in ("gather sand", "gather coal", "craft anvil", "craft whistle"):
        await world.act(action)
    assert await world.score() == 8 / 11
    for action in ("gather chalk", "craft whistle"):
        await world.act(action)
    assert await world.score() == 5 / 11


async def test_has_tells_what_is_held() -> None:
    """True from the crafting to the use; a name that is no item is a mistake of the caller's."""
    world = small()
    assert not world.has("rope")
    for action in ("gather marble", "gather moss", "craft rope"):
        await world.act(action)
    assert (world.has("rope"), world.has("moss")) == (True, False)
    with pytest.raises(ValueError, match=r"^There is no item 'rop'\. Did you mean rope\?$"):
        world.has("rop")


async def test_the_target_ends_the_episode_and_reset_begins_it_anew() -> None:
    """After success nothing can act; after `reset` all is as at first."""
    world = small()
    played = await play(world)
    with pytest.raises(EpisodeEnded, match=r"^the crate is crafted; the episode is over$"):
        await world.act("look")
    await world.close()
    await world.close()
    start = await world.reset()
    assert (start, world.ended, await world.score()) == (await small().reset(), False, 0.0)
    assert (await play(world)).actions == played.actions


async def test_the_last_action_says_that_the_task_is_done() -> None:
    """The observation of success, word for word."""
    world = small()
    for action in world.book.actions("crate")[:-1]:
        await world.act(action)
    assert await world.act("craft crate") == (
        "You craft crate. That is the target: the task is done."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "depth must be from 1 to 12, not 0"),
        ({"depth": 13}, "depth must be from 1 to 12, not 13"),
        ({"width": 9}, "width must be from 1 to 8, not 9"),
        ({"sharing": 1.5}, "sharing must be from 0 to 1, not 1.5"),
        ({"sharing": float("nan")}, "sharing must be from 0 to 1, not nan"),
    ],
)
def test_a_size_out_of_range_is_refused(options: dict[str, float], message: str) -> None:
    """The message names the option, its range and the value."""
    with pytest.raises(ValueError) as caught:
        Crafting(**options)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "asked",
    [
        'rope = obtain(item="rope")',
        "rope = obtain(item=wanted)",
        "rope = fetch('rope')",
        "rope = solve(task)",
    ],
)
def test_the_expert_reads_its_item_from_the_request(asked: str) -> None:
    """A literal, a variable's value, by keyword or position, or the task in words."""
    world = small()
    assert isinstance(world, HasExpert)
    variables = {"wanted": "rope", "task": "Please: Craft 1 rope. Soon."}
    program = world.expert(request_for(asked, variables=variables))
    assert program == (
        'obs = run("gather marble")\nobs = run("gather moss")\nrope = run("craft rope")'
    )


def test_the_expert_opens_one_level() -> None:
    """A crafted ingredient becomes a placeholder that binds a variable of its name."""
    request = request_for("solve(instruction)", variables={"instruction": "Craft 1 crate."})
    assert small().expert(request) == (
        'sickle = obtain(item="sickle")\nrope = obtain(item="rope")\nobs = run("craft crate")'
    )


def test_the_expert_binds_every_promised_output() -> None:
    """Several outputs, with and without a level left, all get the last observation."""
    asked = 'first, obs = obtain(item="moss")'
    program = 'first = run("gather moss")\nobs = first'
    assert [small().expert(request_for(asked, depth_left=left)) for left in (0, 3)] == [program] * 2


def test_a_long_way_without_levels_is_a_loop() -> None:
    """More actions than make a readable list of statements are run in a loop."""
    world = Crafting(seed=1, depth=12)
    request = request_for(f'a, b = obtain(item="{world.target}")', depth_left=0)
    lines = world.expert(request).splitlines()
    assert lines[0] == "for action in ["
    assert lines[-4:] == ["]:", "    obs = run(action)", "a = obs", "b = a"]


@pytest.mark.parametrize("asked", ["dance()", "x = obtain(item='boat')", "x = obtain(item=unseen)"])
def test_what_the_recipe_book_does_not_know_is_a_value_error(asked: str) -> None:
    """The expert says that it does not know rather than guessing."""
    with pytest.raises(ValueError) as caught:
        small().expert(request_for(asked))
    assert str(caught.value) == f"no argument of {asked} names an item of the recipe book"
