"""RC102."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Cases, Rule


class ClassDefinition(Rule):
    """A class is defined.

    ## What it does
    Refuses `class`, at any depth.

    ## Why
    A program is a list of steps. Values of a class of its own cannot cross the wall, so neither a
    prompt nor the tree could show them.

    ## Example
        class Box:
            items = []

    ## Use instead
        box = {'items': []}
    """

    code = "RC102"
    title = "class definition"
    advice = "keep the data in dictionaries, lists and tuples"
    in_words = "Do not define classes: use dictionaries, lists and tuples."
    VALID: ClassVar[Cases] = {"plain data": "box = {'items': []}"}
    INVALID: ClassVar[Cases] = {
        "class": "class Box:\n    items = []",
        "class in a branch": "if flag:\n    class Box:\n        pass",
    }

    def visit_ClassDef(self, node: libcst.ClassDef) -> None:
        """Every definition, also one inside another."""
        self.report(node, f"the class {node.name.value} is defined")
