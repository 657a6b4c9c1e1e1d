"""A concrete tree seen from its nodes: what holds a node, which names there are, one tree anew.

Wanted for rewrites only, so nothing is looked up before it is asked for. No walk here recurses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst

from recode_runtime.grammar.walk import PARTS

if TYPE_CHECKING:
    from recode_runtime.grammar.rule import Changes, Replacement


class Scene:
    """One program; `given` are the names that rewrites of this program have taken already."""

    def __init__(self, module: libcst.Module) -> None:
        self.module = module
        self.given: set[str] = set()

    @cached_property
    def parents(self) -> dict[libcst.CSTNode, libcst.CSTNode]:
        """What holds each node, in the order of the text."""
        found: dict[libcst.CSTNode, libcst.CSTNode] = {}
        stack: list[libcst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            below = list(children(node))
            found.update(dict.fromkeys(below, node))
            stack.extend(reversed(below))
        return found

    @cached_property
    def homes(self) -> dict[libcst.CSTNode, libcst.CSTNode]:
        """The top-level statement that holds each node, or is it."""
        found: dict[libcst.CSTNode, libcst.CSTNode] = {}
        for node, parent in self.parents.items():
            found[node] = node if parent is self.module else found[parent]
        return found

    @cached_property
    def names(self) -> dict[str, list[libcst.Name]]:
        """All names of the text, variables and labels, each with its places in order."""
        found: dict[str, list[libcst.Name]] = {}
        for node in below(self.module):
            if isinstance(node, libcst.Name):
                found.setdefault(node.value, []).append(node)
        return found

    def above(self, node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
        """What holds a node, from the inside out, without the module."""
        while (parent := self.parents.get(node)) and parent is not self.module:
            node = parent
            yield node

    def pieces(self) -> Iterator[libcst.CSTNode]:
        """The statements at the top level, those that share a line one by one."""
        for statement in self.module.body:
            if isinstance(statement, libcst.SimpleStatementLine):
                yield from statement.body
            else:
                yield statement

    def home(self, node: libcst.CSTNode) -> libcst.CSTNode:
        """The top-level statement that holds a node, or is it; the module for what none holds."""
        return self.homes.get(node, self.module)

    def rebuilt(self, root: libcst.CSTNode, changes: Changes) -> libcst.CSTNode:
        """A node with what is below it replaced.

        Raises:
            libcst.CSTValidationError: a replacement does not fit, as a name after `not(`.
        """
        depths: dict[libcst.CSTNode, int] = {}
        for node in changes:
            path = [*self.above(node), self.module]
            path = path[: path.index(root) + 1]
            depths.update({one: len(path) - number for number, one in enumerate(path)})
        done: dict[libcst.CSTNode, Replacement] = dict(changes)
        for node in sorted(depths, key=depths.__getitem__, reverse=True):
            done[node] = _with_parts(node, done)
        found = done[root]
        assert isinstance(found, libcst.CSTNode)  # noqa: S101 - for the type checker
        return found


def children(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    """What is worth a visit directly below a node, in the order of the text."""
    for name in PARTS.get(type(node).__name__, ()):
        part = getattr(node, name)
        if isinstance(part, libcst.CSTNode):
            yield part
        elif isinstance(part, tuple | list):
            yield from part


def below(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    """A node and all below it, in the order of the text."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(children(node))))


def _with_parts(node: libcst.CSTNode, done: Changes) -> libcst.CSTNode:
    changed: dict[str, object] = {}
    for name in PARTS[type(node).__name__]:
        part = getattr(node, name)
        if isinstance(part, tuple | list) and any(one in done for one in part):
            changed[name] = [one for old in part for one in instead(done.get(old, old))]
        elif isinstance(part, libcst.CSTNode) and part in done:
            changed[name] = done[part]
    return node.with_changes(**changed)


def instead(replacement: Replacement) -> Iterator[libcst.CSTNode]:
    """The nodes that a replacement puts in place of one."""
    if isinstance(replacement, libcst.FlattenSentinel):
        yield from replacement
    elif isinstance(replacement, libcst.CSTNode):
        yield replacement
