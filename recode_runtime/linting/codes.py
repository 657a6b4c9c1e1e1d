"""The codes that the linter knows, and which of them a file is checked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from recode_runtime.grammar import ALL_RULES, pages
from recode_runtime.grammar.engine import IDLE_COMMENT
from recode_runtime.linting.units import WrongSettings
from recode_runtime.policy import Policy
from recode_runtime.wording import did_you_mean

UNUSED_IGNORE = IDLE_COMMENT


@cache
def known() -> dict[str, pages.Line]:
    """Every code with its title, level and repair, in order."""
    return {line.code: line for line in pages.all_codes()}


@cache
def fixed() -> frozenset[str]:
    """The codes that are errors whatever anyone says: what is no program cannot be judged."""
    rules = {rule.code for rule in ALL_RULES if not rule.always}
    return frozenset(code for code in known() if code not in rules and code != UNUSED_IGNORE)


def matching(selectors: Iterable[str], where: str) -> frozenset[str]:
    """The codes that begin with one of these.

    Raises:
        WrongSettings: one fits no code; the message begins with `where` and names the nearest.
    """
    codes: set[str] = set()
    for selector in selectors:
        fitting = {code for code in known() if selector and code.startswith(selector)}
        if not fitting:
            raise WrongSettings(f"{where}: no rule's code begins with {selector!r}{hint(selector)}")
        codes |= fitting
    return frozenset(codes)


def hint(code: str) -> str:
    """The code that was meant, or where to look."""
    return did_you_mean(code.upper(), known(), quotes=False, other="; see: recode rules")


def deselected(select: Sequence[str], ignore: Sequence[str], where: str) -> frozenset[str]:
    """The codes that are off by these two lists of codes and prefixes.

    Raises:
        WrongSettings: an entry fits no code, or ignores by name one that is always an error.
    """
    for code in ignore:
        if code in fixed():
            raise WrongSettings(f"{where}: {code} is always an error and cannot be ignored")
    off = matching(ignore, f"{where}: ignore")
    if select:
        off |= known().keys() - matching(select, f"{where}: select")
    return frozenset(off - fixed())


def without(policy: Policy, off: frozenset[str]) -> Policy:
    """The policy with these codes turned off."""
    rules = sorted(code for code in off if code != UNUSED_IGNORE)
    return policy.but(grammar=dict.fromkeys(rules, "off")) if rules else policy
