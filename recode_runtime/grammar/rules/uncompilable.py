"""RC206."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Cases, Context, Rule

MOST_BLOCKS = 20
MOST_BEFORE_STAR = 255
_TRY_BLOCKS = 3  # its body, its handlers and its `finally`, each the most that CPython counts

Comprehension = libcst.ListComp | libcst.SetComp | libcst.DictComp | libcst.GeneratorExp
Block = libcst.For | libcst.While | libcst.With | libcst.Try


class Uncompilable(Rule):
    """Syntax that Python's parser accepts and its compiler refuses.

    ## What it does
    Refuses starred expressions outside a tuple, list, set or call, two starred targets in one
    assignment, a keyword or a parameter that is given twice, `:=` in what a comprehension iterates
    over or onto its variable, and loops, `with` and `try` nested more than 20 deep.

    ## Why
    Programs are compiled statement by statement, and only inside the sandbox. Such a statement
    would be found wrong when those before it had run already.

    ## Example
        names = *items

    ## Use instead
        names = [*items]
    """

    code = "RC206"
    title = "syntax that does not compile"
    advice = "write it as Python allows it"
    VALID: ClassVar[Cases] = {
        "starred": "a, *b = items\n[*c] = items\nd = *items, 1\nprint(*items, *b)\nn = {*a, *b}",
        "each unpacking has its own star": "a, *b, (c, *d) = items",
        "two stars in a value": "a = *items, *items",
        "keywords": "print(*items, sep='', end='', **{}, **{})",
        "parameters": "f = lambda a, /, b, *c, d, **e: a",
        "walrus in a comprehension": "a = [(b := i) for i in items if (c := i)]",
        "nested loops": "for i in items:\n    while i:\n        with i, i:\n            break",
    }
    INVALID: ClassVar[Cases] = {
        "starred value": "a = *items",
        "starred value, augmented": "items += *items",
        "starred statement": "*items",
        "starred, iterated over": "for item in *items:\n    pass",
        "starred target": "*a = items",
        "starred loop variable": "for *a in items:\n    pass",
        "two starred targets": "a, *b, *c = items",
        "names before the star": f"{'a, ' * 256}*b = items",
        "keyword twice": "print(end='', end='')",
        "keyword of a placeholder twice": "clean(item=1, item=2)",
        "parameter twice": "f = lambda a, *, a: 1",
        "starred parameter twice": "f = lambda *a, **a: 1",
        "walrus in what is iterated over": "a = [i for i in (b := items)]",
        "walrus onto the variable": "a = [(j := 1) for i, [*j] in items]",
        "walrus onto the variable of an outer clause": "a = {i: [i := 1] for i in items if i}",
        "nested too deep": "".join(f"{' ' * n}while 0:\n" for n in range(21)) + " " * 21 + "pass",
        "too many in one with": f"with {', '.join(['obs'] * 21)}:\n    pass",
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._placed: set[libcst.BaseElement] = set()
        self._variables: list[set[str]] = []
        self._iterables = 0
        self._blocks = 0

    # Stars

    def visit_Tuple(self, node: libcst.Tuple | libcst.List | libcst.Set) -> None:
        """What may hold starred elements; one of them, where it is assigned to."""
        stars = [one for one in node.elements if isinstance(one, libcst.StarredElement)]
        self._placed.update(stars)
        if not stars or isinstance(node, libcst.Set) or self.context.role(node) != "binding":
            return
        if len(stars) > 1:
            self.report(stars[1], "there are two starred targets in one assignment")
        if node.elements.index(stars[0]) > MOST_BEFORE_STAR:
            self.report(stars[0], f"there are more than {MOST_BEFORE_STAR} targets before the star")

    visit_List = visit_Set = visit_Tuple

    def visit_StarredElement(self, node: libcst.StarredElement) -> None:
        """One that stands alone."""
        if node not in self._placed:
            self.report(node, "a starred expression stands outside a tuple, list, set or call")

    # Names given twice

    def visit_Call(self, node: libcst.Call) -> None:
        """The keywords of a call."""
        names = Counter(one.keyword.value for one in node.args if one.keyword)
        for name in (name for name, times in names.items() if times > 1):
            self.report(node, f"the keyword {name} is given twice", "give each keyword once")

    def visit_Lambda(self, node: libcst.Lambda) -> None:
        """The parameters of a lambda."""
        names = Counter(_parameters(node.params))
        for name in (name for name, times in names.items() if times > 1):
            self.report(node, f"the parameter {name} is named twice", "name each parameter once")

    # Walrus

    def _enter_comprehension(self, node: Comprehension) -> None:
        self._variables.append(set(_variables(node.for_in)))

    def _leave_comprehension(self, original_node: Comprehension) -> None:
        self._variables.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _enter_comprehension
    leave_ListComp = leave_SetComp = leave_DictComp = leave_GeneratorExp = _leave_comprehension

    def visit_CompFor_iter(self, node: libcst.CompFor) -> None:
        """The beginning of what a clause iterates over."""
        self._iterables += 1

    def leave_CompFor_iter(self, node: libcst.CompFor) -> None:
        """Its end."""
        self._iterables -= 1

    def visit_NamedExpr(self, node: libcst.NamedExpr) -> None:
        """Every `:=`, where a comprehension is about it."""
        name = node.target.value if isinstance(node.target, libcst.Name) else ""
        if self._iterables:
            self.report(node, f"`{name} :=` stands in what a comprehension iterates over")
        elif any(name in names for names in self._variables):
            self.report(node, f"`{name} :=` assigns to the variable of a comprehension")

    # Blocks

    def _enter_block(self, node: Block) -> None:
        before = self._blocks
        self._blocks += _weight(node)
        if before <= MOST_BLOCKS < self._blocks:
            message = f"loops, `with` and `try` are nested more than {MOST_BLOCKS} deep"
            self.report(node, message, "leave the inner ones to a placeholder")

    def _leave_block(self, original_node: Block) -> None:
        self._blocks -= _weight(original_node)

    visit_For = visit_While = visit_With = visit_Try = _enter_block
    leave_For = leave_While = leave_With = leave_Try = _leave_block


def _weight(node: Block) -> int:
    """How many of CPython's blocks a statement opens at most."""
    if isinstance(node, libcst.With):
        return len(node.items)
    return _TRY_BLOCKS if isinstance(node, libcst.Try) else 1


def _parameters(node: libcst.Parameters) -> Iterator[str]:
    extra = (node.star_arg, node.star_kwarg)
    for one in (*node.posonly_params, *node.params, *node.kwonly_params, *extra):
        if isinstance(one, libcst.Param):
            yield one.name.value


def _variables(clause: libcst.CompFor | None) -> Iterator[str]:
    """The names that the clauses of a comprehension bind."""
    while clause:
        yield from _names(clause.target)
        clause = clause.inner_for_in


def _names(target: libcst.BaseExpression) -> Iterator[str]:
    match target:
        case libcst.Name(value=name):
            yield name
        case libcst.Tuple() | libcst.List():
            for element in target.elements:
                yield from _names(element.value)
