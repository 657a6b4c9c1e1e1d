"""The recipe book of a crafting world: seeded, acyclic, with exactly known costs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

MOST_ACTIONS = 400
"""No target needs more actions than this, whatever the depth, width and sharing."""

_MATTERS = (
    "amber", "bark", "chalk", "clay", "coal", "copper", "cotton", "flax", "granite", "honey",
    "ivory", "leather", "marble", "moss", "quartz", "reed", "resin", "salt", "sand", "silk",
    "slate", "tin", "wood", "wool",
)  # fmt: skip
_ORIGINS = (
    "cave", "coast", "desert", "forest", "glacier", "harbour", "hill", "island", "marsh", "meadow",
    "river", "valley",
)  # fmt: skip
_THINGS = (
    "anvil", "barrel", "bell", "crate", "gear", "hinge", "kettle", "ladder", "lamp", "lens",
    "lever", "loom", "mirror", "paddle", "plank", "rope", "saddle", "sickle", "spindle", "spool",
    "tile", "valve", "wheel", "whistle",
)  # fmt: skip
_MANNERS = (
    "folding", "great", "hollow", "painted", "polished", "round", "sturdy", "tall", "tiny", "twin",
    "winged", "woven",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecipeBook:
    """What can be gathered and what can be crafted.

    `recipes` maps an item to its ingredients, one piece of each; a recipe comes after those of its
    ingredients. Crafting yields one piece and uses the ingredients up.
    """

    target: str
    raw: tuple[str, ...]
    recipes: Mapping[str, tuple[str, ...]]

    @property
    def optimal_cost(self) -> int:
        """The fewest actions that lead from empty hands to the target."""
        return self.remaining({})

    def remaining(self, held: Mapping[str, int]) -> int:
        """The fewest actions that lead to the target from what is held.

        Exact: an item has one recipe, so how many of it are needed follows from the items above
        it, and using one that is held saves all that making another would cost.
        """
        needed = Counter({self.target: 1})
        actions = 0
        for item in (*reversed(tuple(self.recipes)), *self.raw):
            missing = max(0, needed[item] - held.get(item, 0))
            actions += missing
            for ingredient in self.recipes.get(item, ()):
                needed[ingredient] += missing
        return actions

    def actions(self, item: str) -> list[str]:
        """A shortest list of actions that makes one piece of `item` from nothing."""
        if item in self.raw:
            return [f"gather {item}"]
        below = [action for part in self.recipes[item] for action in self.actions(part)]
        return [*below, f"craft {item}"]


def recipe_book(*, seed: int, depth: int, width: int, sharing: float) -> RecipeBook:
    """The recipe book of that seed.

    One ingredient of each recipe on the way to the target lies exactly one level down; the others
    are raw, or a part crafted from raw materials, or (with probability `sharing`) an item that is
    there already. What these others cost is capped, so that the cost of the target grows with the
    depth by addition and stays below `MOST_ACTIONS`.
    """
    cap = ((MOST_ACTIONS - 1) // depth - 1) // max(1, width - 1)
    author = _Author(random.Random(seed), width, sharing, cap)  # noqa: S311 - a game, no secret
    return author.write(depth)


class _Author:
    """Writes one recipe book, from the raw materials up."""

    def __init__(self, dice: random.Random, width: int, sharing: float, cap: int) -> None:
        self._dice = dice
        self._width = width
        self._sharing = sharing
        self._cap = cap
        self._matters = _names(dice, _MATTERS, _ORIGINS)
        self._things = _names(dice, _THINGS, _MANNERS)
        self._costs: dict[str, int] = {}
        self._recipes: dict[str, tuple[str, ...]] = {}

    def write(self, depth: int) -> RecipeBook:
        item = self._raw()
        for level in range(1, depth + 1):
            item = self._crafted(item, lowest=level == 1)
        raw = sorted(item for item in self._costs if item not in self._recipes)
        return RecipeBook(item, tuple(raw), self._recipes)

    def _raw(self) -> str:
        name = next(self._matters)
        self._costs[name] = 1
        return name

    def _crafted(self, first: str, *, lowest: bool) -> str:
        """A new item made of `first` and others; of raw materials alone if it is of the lowest."""
        ingredients = [first]
        while len(ingredients) < self._width:
            ingredients.append(self._other(ingredients, lowest=lowest))
        self._dice.shuffle(ingredients)
        name = next(self._things)
        self._costs[name] = 1 + sum(self._costs[part] for part in ingredients)
        self._recipes[name] = tuple(ingredients)
        return name

    def _other(self, taken: Sequence[str], *, lowest: bool) -> str:
        cap = 1 if lowest else self._cap
        known = [item for item, cost in self._costs.items() if cost <= cap and item not in taken]
        if known and self._dice.random() < self._sharing:
            return self._dice.choice(known)
        if cap > self._width and self._dice.random() < 0.5:
            return self._crafted(self._raw(), lowest=True)
        return self._raw()


def _names(dice: random.Random, words: Sequence[str], kinds: Sequence[str]) -> Iterator[str]:
    """Plain words in a shuffled order, then words with an attribute."""
    yield from dice.sample(words, len(words))
    pairs = list(product(kinds, words))
    yield from (f"{kind}_{word}" for kind, word in dice.sample(pairs, len(pairs)))
