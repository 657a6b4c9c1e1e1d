"""Texts that are tried as Python, with bounds on each and on all of one reply."""

from __future__ import annotations

import ast

from recode_runtime.syntax import parse_quietly

MOST_PARSED = 32_768  # characters of one text; twice what a policy of ours lets through
MOST_TRIED = 524_288  # characters of all texts that are tried for one reply


class Trial:
    """A parser that gives up when it has read enough; the same text is read once."""

    def __init__(self) -> None:
        self._left = MOST_TRIED
        self._trees: dict[str, ast.Module | None] = {}

    def parse(self, source: str) -> ast.Module | None:
        """The tree of a text, or None if it is not Python or too much was tried already."""
        if source in self._trees:
            return self._trees[source]
        if len(source) > min(MOST_PARSED, self._left):
            return None
        self._left -= len(source)
        self._trees[source] = tree = _parsed(source)
        return tree

    def reads(self, source: str) -> bool:
        """Whether a text is Python with at least one statement, as it is or in a block."""
        text = without_borders(source)
        if text[:1] in (" ", "\t"):
            text = f"if 1:\n{text}"
        tree = self.parse(text)
        return tree is not None and bool(tree.body)


def _parsed(source: str) -> ast.Module | None:
    try:
        return parse_quietly(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_borders(text: str) -> str:
    """Without blank lines at both ends."""
    first = len(text) - len(text.lstrip())
    return text[text.rfind("\n", 0, first) + 1 :].rstrip()
