"""A synthetic crafting world: seeded, of any depth, with a known optimum and an exact score."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from recode_runtime.environments.base import Start
from recode_runtime.environments.expansion import Step, program, program_of_actions, run, value_of
from recode_runtime.environments.recipes import recipe_book
from recode_runtime.primitive import EpisodeEnded
from recode_runtime.prompt import FewShot, Request

_ACTIONS = "gather X, craft X, recipe X, look, inventory"
_TASK = re.compile(r"\bCraft 1 (\w+)")

_GUIDE = """\
You are in a workshop. run(action) takes one action and returns what you observe. The actions:
- gather X: take one piece of the raw material X; there is always more of it.
- craft X: make one X from one piece of each of its ingredients, which are used up.
- recipe X: read what X is made of.
- look: see what can be gathered and what you have.
- inventory: see what you have.
Names are written with underscores, as below. An item that is needed in two places has to be made
twice. The episode is over as soon as the target is crafted.

Raw materials: {raw}

Recipe book (each makes one piece, of one piece of each ingredient):
{recipes}"""

_EXAMPLE = FewShot(
    "lantern = obtain(item='lantern')",
    """\
<think>
The book says that a lantern is made of pane and wick. A pane has a recipe of its own, so that is a
goal of its own; a wick can be gathered.
</think>
<execute>
pane = obtain(item="pane")
obs = run("gather wick")
lantern = run("craft lantern")
</execute>""",
)


class Crafting:
    """A workshop with raw materials, a recipe book and one target to craft.

    Needs nothing but the standard library. One ingredient of each recipe on the way to the target
    lies one level down, the others cost little; so the fewest actions needed (`optimal_cost`) stay
    below 400 even at depth 12.

    Args:
        seed: the same seed gives the same world.
        depth: levels of recipes above the raw materials, 1 to 12; at 1 the target is crafted from
            raw materials.
        width: ingredients of each recipe, 1 to 8.
        sharing: from 0 to 1, how probable it is that an ingredient is an item which is in the book
            already, rather than a new one.

    Raises:
        ValueError: a number is outside its range.
    """

    name = "crafting"
    few_shots = (_EXAMPLE,)

    def __init__(
        self, *, seed: int = 0, depth: int = 4, width: int = 2, sharing: float = 0.3
    ) -> None:
        _check("depth", depth, 1, 12)
        _check("width", width, 1, 8)
        _check("sharing", sharing, 0, 1)
        self.book = recipe_book(seed=seed, depth=depth, width=width, sharing=sharing)
        self.ended = False
        self._held: Counter[str] = Counter()

    @property
    def guide(self) -> str:
        """The text for the prompt: the actions, the raw materials, and the recipe book."""
        recipes = (f"- {item}: {_joined(of, ' + ')}" for item, of in self.book.recipes.items())
        return _GUIDE.format(raw=_joined(self.book.raw), recipes="\n".join(recipes))

    @property
    def target(self) -> str:
        """The item to be crafted."""
        return self.book.target

    @property
    def optimal_cost(self) -> int:
        """The fewest actions that lead from the start to the target; exact."""
        return self.book.optimal_cost

    @property
    def primitives(self) -> Mapping[str, Callable[..., Any]]:
        """`run(action)`."""
        return {"run": self.act}

    async def reset(self) -> Start:
        """Empty hands in the same world."""
        self._held.clear()
        self.ended = False
        return Start(f"Craft 1 {self.target}.", self._look())

    async def act(self, action: str) -> str:
        """Take one action in the workshop and return what is observed.

        Actions: "gather X", "craft X", "recipe X", "look", "inventory". An action that cannot be
        taken changes nothing, and the observation says why.
        """
        if self.ended:
            raise EpisodeEnded(f"the {self.target} is crafted; the episode is over")
        verb, _, rest = " ".join(str(action).split()).lower().partition(" ")
        if verb in ("look", "inventory") and not rest:
            return self._look() if verb == "look" else self._inventory()
        handler = {"gather": self._gather, "craft": self._craft, "recipe": self._recipe}.get(verb)
        if handler is None or not rest:
            return f"There is no action {_short(str(action))}. The actions are: {_ACTIONS}."
        item = rest.replace(" ", "_")
        return handler(item) if self._known(item) else self._unknown(item)

    async def score(self) -> float:
        """The share of the needed actions that are done: 1 - (fewest still needed / optimum).

        On a shortest way every action adds `1 / optimal_cost`; an action that wastes an ingredient
        takes away what it costs to make it anew. 1.0 only when the target is crafted.
        """
        optimum = self.optimal_cost
        return (optimum - self.book.remaining(self._held)) / optimum

    def has(self, item: str) -> bool:
        """Whether at least one piece of `item` is held.

        Raises:
            ValueError: this world has no such item.
        """
        if not self._known(item):
            raise ValueError(self._unknown(item))
        return self._held[item] > 0

    async def close(self) -> None:
        """Nothing to release."""

    def expert(self, request: Request) -> str:
        """The program for the item that the request's placeholder speaks of.

        A gathering for each raw ingredient, `X = obtain(item="X")` for each crafted one, then the
        crafting; primitives only, however many, where no level is left.

        Raises:
            ValueError: no argument of the placeholder names an item of this world.
        """
        item = self._asked_for(request)
        outputs = request.placeholder.outputs
        if request.depth_left == 0 or item in self.book.raw:
            return program_of_actions(self.book.actions(item), outputs)
        steps = [self._obtained(ingredient) for ingredient in self.book.recipes[item]]
        return program([*steps, run(f"craft {item}")], outputs)

    def _obtained(self, item: str) -> Step:
        if item in self.book.raw:
            return run(f"gather {item}")
        return Step(f'obtain(item="{item}")', item)

    def _asked_for(self, request: Request) -> str:
        """The item that an argument names, as its value or as the task in words."""
        placeholder = request.placeholder
        for source in (*placeholder.keywords.values(), *placeholder.arguments):
            value = value_of(request, source)
            if isinstance(value, str):
                task = _TASK.search(value)
                item = task.group(1) if task else value
                if self._known(item):
                    return item
        raise ValueError(f"no argument of {placeholder.source} names an item of the recipe book")

    def _known(self, item: str) -> bool:
        return item in self.book.recipes or item in self.book.raw

    def _unknown(self, item: str) -> str:
        near = difflib.get_close_matches(item[:60], [*self.book.recipes, *self.book.raw], n=1)
        hint = f"Did you mean {near[0]}?" if near else "The recipe book names all there are."
        return f"There is no item {_short(item)}. {hint}"

    def _gather(self, item: str) -> str:
        if item in self.book.recipes:
            return f"You cannot gather {item}. {self._recipe(item)}"
        self._held[item] += 1
        return f"You gather {item}. {self._inventory()}"

    def _craft(self, item: str) -> str:
        if item in self.book.raw:
            return f"You cannot craft {item}. {self._recipe(item)}"
        ingredients = self.book.recipes[item]
        missing = [part for part in ingredients if not self._held[part]]
        if missing:
            return f"You cannot craft {item}: you have no {_joined(missing, ' and no ')}."
        self._held.subtract(ingredients)
        self._held[item] += 1
        self.ended = item == self.target
        if self.ended:
            return f"You craft {item}. That is the target: the task is done."
        return f"You craft {item}. {self._inventory()}"

    def _recipe(self, item: str) -> str:
        if item in self.book.raw:
            return f"The item {item} is a raw material: gather it."
        return f"The item {item} is crafted from {_joined(self.book.recipes[item], ' and ')}."

    def _look(self) -> str:
        return f"You can gather: {_joined(self.book.raw)}. {self._inventory()}"

    def _inventory(self) -> str:
        held = [f"{count} {item}" for item, count in sorted(self._held.items()) if count]
        return f"You have: {_joined(held)}." if held else "You have nothing."


def _check(name: str, value: float, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, not {value}")


def _joined(parts: Iterable[str], by: str = ", ") -> str:
    return by.join(parts)


def _short(text: str) -> str:
    """The text in quotes, cut: an observation must not grow with what was sent."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
