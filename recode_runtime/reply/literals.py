"""Strings and comments of a text that need not be Python, so that changes can keep off them."""

from __future__ import annotations

import re
from collections.abc import Callable

# A string that is not closed runs to the end of its line, or of the text if its quotes are long.
LONG = r"'''(?:[^\\]|\\.)*?(?:'''|\\?\Z)|" + r'"""(?:[^\\]|\\.)*?(?:"""|\\?\Z)'
_SHORT = r"'(?:[^'\\\n]|\\.)*'?" + r'|"(?:[^"\\\n]|\\.)*"?'
_TOKEN = re.compile(rf"(?:#[^\n]*|{LONG}|{_SHORT})", re.DOTALL)


def outside(text: str, change: Callable[[str], str]) -> str:
    """The text with all that is neither string nor comment changed."""
    parts, place = [], 0
    for token in _TOKEN.finditer(text):
        parts += [change(text[place : token.start()]), token[0]]
        place = token.end()
    return "".join([*parts, change(text[place:])])


def blanked(text: str) -> str:
    """The text with every string and comment replaced by spaces; each character keeps its place."""
    return _TOKEN.sub(lambda token: " " * len(token[0]), text)
