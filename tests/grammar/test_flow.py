"""The ways through a program: each case says what every way binds, and what no way reaches."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst
import pytest

from recode_runtime.grammar.flow import Flow, certain, runs, truth
from recode_runtime.grammar.ties import ties

# What is bound wherever the program ends; None if it has no end.
BOUND = {
    "n = 1": {"n"},
    "a, (b, *c) = 1\nimport d.e, f as g\nfrom h import i": {*"abcdgi"},
    "n: int": set(),
    "n: int = 1": {"n"},
    "def f(a=(n := 1)):\n    m = 1": {"f"},
    "if x:\n    n = 1": set(),
    "if x:\n    n = 1\nelse:\n    n = 2": {"n"},
    "if x:\n    n = 1\nelif y:\n    n = m = 2\nelse:\n    n = 3": {"n"},
    "if x:\n    n = 1\nelse:\n    raise y": {"n"},
    "if True:\n    n = 1": {"n"},
    "if not 0:\n    n = 1": {"n"},
    "if (n := x) and (m := y):\n    pass": {"n"},
    "for i in x:\n    n = i": set(),
    "for i in x:\n    n = i\nelse:\n    m = 1": {"m"},
    "for i in [1]:\n    n = i": {"i", "n"},
    "for i in [1]:\n    if x:\n        continue\n    n = i": {"i"},
    "for i in [1]:\n    if x:\n        break\n    n = i": {"i"},
    "for i in x:\n    n = 1\n    break\nelse:\n    n = 2": {"n"},
    "while x:\n    n = 1": set(),
    "while (n := x):\n    pass": {"n"},
    "while True:\n    n = 1\n    break": {"n"},
    "while True:\n    n = 1\n    if x:\n        break\n    m = 1": {"n"},
    "while True:\n    n = 1": None,
    "while False:\n    n = 1\nelse:\n    m = 1": {"m"},
    "try:\n    n = 1\nexcept x:\n    pass": set(),
    "try:\n    n = 1\nexcept x:\n    n = 2": {"n"},
    "try:\n    n = 1\nexcept x:\n    raise": {"n"},
    "try:\n    pass\nexcept x:\n    n = 1\nelse:\n    n = 2": {"n"},
    "try:\n    pass\nfinally:\n    n = 1": {"n"},
    "try:\n    raise x\nfinally:\n    n = 1": None,
    "try:\n    e = 1\nexcept x as e:\n    pass": set(),
    "with x as n:\n    m = 1": {"n", "m"},
    "with x as n:\n    raise y": {"n"},
    "match x:\n    case 1:\n        n = 1": set(),
    "n = 1\ndel n": set(),
    "assert (n := x)": {"n"},
    "assert False": None,
    "raise x": None,
    "[(n := i) for i in (m := x)]": {"m"},
    "f = lambda a=(n := 1): (m := 2)": {"f", "n"},
    "x = (n := 1) if (m := y) else z": {"x", "m"},
    "x = 1 < (n := 2) < (m := 3)": {"x", "n"},
}


@pytest.mark.parametrize("source", BOUND)
def test_what_every_way_to_the_end_binds(source: str) -> None:
    """In every construct; None where no way leads to the end."""
    bound = Flow(ast.parse(source)).bound
    assert (bound if bound is None else set(bound)) == BOUND[source]


# The line of the statement that binds a name on some ways, and the branch that lacks it.
GAPS = {
    "if x:\n    n = 1": [(1, "else")],
    "if x:\n    pass\nelse:\n    n = 1": [(1, "body")],
    "if x:\n    n = 1\nelif y:\n    n = 2": [(3, "else")],
    "if x:\n    if y:\n        n = 1\nelse:\n    n = 2": [(2, "else")],
    "for i in x:\n    if i:\n        n = i\n        break": [(1, "rounds")],
    "for i in [1]:\n    if x:\n        break\n    n = 1": [(1, "break")],
    "while True:\n    if x:\n        break\n    n = 1": [(1, "break")],
    "try:\n    n = 1\nexcept x:\n    pass": [(1, "handler in line 3")],
    "try:\n    pass\nexcept x:\n    n = 1": [(1, "body")],
    "n = 1\ndel n": [(2, "deleted")],
    "if x:\n    n = 1\nelse:\n    n = 2": [],
    "if x:\n    raise y\nn = 1": [],
}


@pytest.mark.parametrize("source", GAPS)
def test_where_a_name_is_lost_is_said_to_the_branch(source: str) -> None:
    """The innermost branch that lacks it, and that branch alone."""
    gaps = [gap for gap in Flow(ast.parse(source)).gaps if "n" in gap.names]
    found = [
        (
            gap.statement.lineno,
            gap.part if isinstance(gap.part, str) else f"handler in line {gap.part.lineno}",
        )
        for gap in gaps
    ]
    assert found == GAPS[source]


UNREACHABLE = {
    "for i in x:\n    break\n    a\n    b\nc": [3],
    "raise x\na\nb": [2],
    "if x:\n    raise y\nelse:\n    raise z\na": [5],
    "while True:\n    a\nb": [3],
    "while True:\n    a\nelse:\n    b": [4],
    "while x:\n    continue\n    while True:\n        a\n    b": [3],
    "if False:\n    a\nelse:\n    b": [2],
    "if None:\n    a\nelif 1:\n    b\nelse:\n    c": [2, 6],
    "try:\n    raise x\nexcept y:\n    pass\na": [],
    "try:\n    raise x\nexcept y:\n    raise\na": [5],
    "try:\n    raise x\nexcept y:\n    pass\nelse:\n    a": [],
    "for i in x:\n    try:\n        pass\n    finally:\n        break\n    a": [6],
    "with x:\n    raise y\na": [],
    "for i in x:\n    with y:\n        break\n    a": [4],
    "return\na": [2],
}


@pytest.mark.parametrize("source", UNREACHABLE)
def test_what_no_way_reaches(source: str) -> None:
    """The first statement of each stretch, and nothing behind it."""
    assert [one.lineno for one in Flow(ast.parse(source)).unreachable] == UNREACHABLE[source]


ENDLESS = {
    "while True:\n    a": 1,
    "while 1:\n    for i in x:\n        break": 1,
    "while True:\n    while True:\n        break": 1,
    "while True:\n    break": 0,
    "while x:\n    a": 0,
    "while 'text':\n    if x:\n        break": 0,
}


@pytest.mark.parametrize("source", ENDLESS)
def test_loops_without_an_end(source: str) -> None:
    """A `break` counts for its own loop, and only if it can be reached."""
    assert len(Flow(ast.parse(source)).endless) == ENDLESS[source]


def expression(source: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(source, mode="eval").body


def test_only_literals_have_a_truth() -> None:
    """Anything else may be true and may be false."""
    found = {text: truth(expression(text)) for text in ("True", "0", "not ''", "not x", "x", "[]")}
    assert found == {
        "True": True, "0": False, "not ''": True, "not x": None, "x": None, "[]": None,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["[1]", "(x, y)", "{*a, 1}", "'ab'", "range(3)", "range(1, 9, 2)"])
def test_a_loop_that_runs_for_certain(text: str) -> None:
    """Literals that are not empty."""
    assert runs(expression(text))


@pytest.mark.parametrize(
    "text",
    ["[]", "[*x]", "''", "x", "range(0)", "range(x)", "range(-1)", "range(3, 1)", "range(True)",
     "range()", "range(1, 2, 0)", "range(1, 2, 3, 4)", "enumerate([1])", "range(stop=3)"],
)  # fmt: skip
def test_a_loop_that_may_run_no_round(text: str) -> None:
    """Everything that is empty, unknown, or an error."""
    assert not runs(expression(text))


def test_certain_sees_no_names_that_are_only_read() -> None:
    """A name is bound where it is stored."""
    assert certain(ast.parse("x[i] = y.z = w")) == frozenset()


def _standard_library() -> list[Path]:
    files = sorted(Path(ast.__file__).parent.glob("[a-c]*.py"))
    return [path for path in files if path.stat().st_size < 25_000]


@pytest.mark.parametrize("path", _standard_library(), ids=lambda path: path.stem)
def test_both_trees_have_the_same_statements(path: Path) -> None:
    """In the order of the text, so that a finding stands where its statement does."""
    source = path.read_text(encoding="utf-8")
    tree, module = ast.parse(source), libcst.parse_module(source)
    found = ties(module, tree)
    assert len(found) == sum(isinstance(one, ast.stmt) for one in ast.walk(tree))
    same = {"Delete": "Del", "AsyncFunctionDef": "FunctionDef", "AsyncFor": "For"}
    for abstract, concrete in found.items():
        name = type(abstract).__name__
        assert same.get(name, name) == type(concrete).__name__


def test_trees_that_differ_have_no_ties() -> None:
    """A finding without a place is better than one at the wrong place."""
    assert ties(libcst.parse_module("a\nb"), ast.parse("a")) == {}
