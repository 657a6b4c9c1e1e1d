"""Places that are looked up statement by statement are those of the whole text."""

from __future__ import annotations

import ast

import libcst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from recode_runtime.grammar import ALL_RULES, Case
from recode_runtime.grammar.places import places
from recode_runtime.grammar.scene import Scene, below

WRITTEN = """\
# a header

# of a statement
a = 1; b = '''
c'''; d = f('é', e)  # behind it

@g
# between
@h
def i(): pass

if j:
    k
# below
elif l: m

(n
 + o)
"""
TEXTS = [
    WRITTEN,
    *(
        case.source if isinstance(case, Case) else case
        for rule in ALL_RULES
        for case in rule.VALID.values()
    ),
]


@pytest.mark.parametrize("source", TEXTS)
def test_each_node_stands_where_libcst_says(source: str) -> None:
    """Looked up alone, every node has the place that the whole module gives it."""
    module, tree = libcst.parse_module(source), ast.parse(source)
    whole = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    for node in below(module):
        if node in whole:
            assert places(Scene(module), tree, [node]) == {node: whole[node]}


def test_several_nodes_are_looked_up_at_once() -> None:
    """Also some that share a statement, and the module beside them."""
    module, tree = libcst.parse_module(WRITTEN), ast.parse(WRITTEN)
    whole = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    nodes = [node for node in below(module) if isinstance(node, libcst.Name)]
    assert places(Scene(module), tree, nodes) == {node: whole[node] for node in nodes}
    assert places(Scene(module), tree, [module, nodes[3]])[nodes[3]] == whole[nodes[3]]
