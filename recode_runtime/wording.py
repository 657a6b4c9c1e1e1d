"""Words for people: text that shows what it is, and the name that somebody meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def visible(text: str) -> str:
    """The text on one line, with every character that does not print written as an escape.

    Line ends, terminal controls, bidirectional marks and lone surrogates are among them, so the
    result is also valid in XML.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else escaped(one) for one in text)


def escaped(characters: str) -> str:
    """Characters as Python writes them in a string: a new line as a backslash and an n."""
    return characters.encode("unicode_escape", "surrogatepass").decode("ascii")


def did_you_mean(given: str, known: Iterable[str], *, quotes: bool = True, other: str = "") -> str:
    """The end of a message about an unknown name: `; did you mean 'this'?`, or what is known.

    Args:
        given: the name that nobody knows.
        known: the names to choose from.
        quotes: whether the name stands in quotes.
        other: what is said where none is near; by default all names are listed.
    """
    names = list(known)
    near = difflib.get_close_matches(given, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?" if quotes else f"; did you mean {near[0]}?"
    return other or f"; known are {', '.join(names)}"
