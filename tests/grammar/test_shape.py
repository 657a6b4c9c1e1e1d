"""Every limit on the shape of a program: at it, above it, and by which name it is refused."""

from __future__ import annotations

import ast
import random

import msgspec
import pytest

from judging import STRICT, judged, refusal
from programs import written
from recode_runtime.errors import Finding
from recode_runtime.grammar.gate import pass_gate
from recode_runtime.grammar.shape import first_problem, shape_problem
from recode_runtime.policy import Limits
from shapes import FORMS

LIMITS = {
    "source_bytes": ({"source_bytes": 20}, "x = 'ééééééééé'", 0, 0, "24 bytes", 20),
    "source_lines": ({"source_lines": 2}, "a = 1\nb = 2\nc = 3\n", 0, 0, "3 lines", 2),
    "statements": ({"statements": 2}, "a = 1\nb = 2\nc = 3", 3, 0, "3 statements or more", 2),
    "syntax_nodes": ({"syntax_nodes": 5}, "a = 1\nb = 2", 2, 0, "6 syntax nodes or more", 5),
    "syntax_depth": ({"syntax_depth": 4}, "a = [[[1]]]", 1, 7, "5 levels of nesting", 4),
    "try_depth": (
        {"try_depth": 1},
        "try:\n  try: pass\n  finally: pass\nfinally: pass",
        2,
        2,
        "2 nested try statements",
        1,
    ),
    "chain_length": ({"chain_length": 2}, "x = obs.a.b.c", 1, 4, "a chain of 3", 2),
    "integer_digits": (
        {"integer_digits": 9},
        "n = 0xffffffffff",
        1,
        4,
        "an integer of 12 digits",
        9,
    ),
    "tokens": ({"tokens": 4}, "a = f'{1} {2}'  # one\nb = 2", 2, 0, "5 tokens or more", 4),
    "indentation_levels": (
        {"indentation_levels": 1},
        "if obs:\n  a = 1\n  if obs:\n    b = 2",
        4,
        0,
        "2 levels of indentation",
        1,
    ),
    "literal_chars": ({"literal_chars": 3}, "a = 'äbc' 'd'", 1, 4, "a literal of 4 characters", 3),
    "literal_chars of bytes": (
        {"literal_chars": 3},
        "a = b'abcd'",
        1,
        4,
        "a literal of 4 characters",
        3,
    ),
    "literal_chars of an f-string": (
        {"literal_chars": 3},
        "a = f'ab{obs}cd'",
        1,
        4,
        "a literal of 4 characters",
        3,
    ),
    "pattern_depth": (
        {"pattern_depth": 2},
        "match obs:\n  case [(1, {2: 3})]:\n    pass",
        2,
        12,
        "3 brackets nested in a pattern",
        2,
    ),
    "pattern_depth of a del": (
        {"pattern_depth": 1},
        "a = b = 1\ndel ((a,), b)",
        2,
        0,
        "2 tuples nested in a del",
        1,
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_finding_names_the_limit_its_value_and_the_place(limit: str) -> None:
    """Each limit of the policy that bounds the text fires, and says which it is and where."""
    changed, source, line, column, found, allowed = LIMITS[limit]
    finding = refusal(source, STRICT.but(limits=changed))
    message = f"the program has {found}; the limit {limit.split()[0]} is {allowed}"
    assert (finding.code, finding.message) == ("RC004", message)
    assert (finding.line, finding.column) == (line, column)
    assert finding.advice


ROOM = {
    "tokens": ({"tokens": 5}, "a = f'{1} {2}'  # one\nb"),
    "indentation_levels": (
        {"indentation_levels": 1},
        "if obs: a = 1\nif obs:\n  if obs: b = [\n      1]",
    ),
    "literal_chars": ({"literal_chars": 3}, "a = f'abc{obs}{obs:>20}'\nb = b'abc'"),
    "pattern_depth": ({"pattern_depth": 1}, "del items[int(str(1))], (obs, flag)"),
}


@pytest.mark.parametrize("limit", ROOM)
def test_what_is_not_counted_leaves_room(limit: str) -> None:
    """Comments, blocks on one line, continued lines, fields and subscripts do not count."""
    changed, source = ROOM[limit]
    assert isinstance(pass_gate(source, STRICT.but(limits=changed).limits), ast.Module)


def test_more_indentation_than_python_can_read_has_its_own_limit() -> None:
    """CPython gives up at a hundred levels; the finding says what is allowed, and where."""
    finding = refusal(FORMS["tabs"](100))
    message = "the program has far more levels; the limit indentation_levels is 50"
    assert (finding.code, finding.message, finding.line) == ("RC004", message, 101)


def limits_at(tree: ast.Module, source: str) -> Limits:
    """Limits that the program just keeps, found by raising each until it passes."""
    limits = dict.fromkeys(("syntax_nodes", "statements", "literal_chars", "integer_digits"), 1)
    limits |= dict.fromkeys(("syntax_depth", "chain_length", "try_depth", "pattern_depth"), 1)
    while problem := first_problem(tree, STRICT.but(limits=limits).limits):
        name = problem.message.rpartition("limit ")[2].split()[0]
        limits[name] += 1
    return STRICT.but(limits=limits).limits


def test_the_cheap_bounds_never_let_pass_what_counting_refuses() -> None:
    """At limits that generated programs just keep, and one below each of them."""
    chance, below = random.Random(2), 0
    for _ in range(40):
        source = written(chance, statements=2, depth=3)
        tree = pass_gate(source, STRICT.limits)
        if isinstance(tree, Finding):
            continue
        tight = limits_at(tree, source)
        assert shape_problem(tree, source, tight) is None
        for name in ("syntax_nodes", "statements", "syntax_depth", "chain_length", "literal_chars"):
            most = getattr(tight, name)
            if most > 1:
                lower = msgspec.structs.replace(tight, **{name: most - 1})
                problem = shape_problem(tree, source, lower)
                assert problem
                assert problem.message.endswith(f"the limit {name} is {most - 1}")
                below += 1
    assert below > 50


def test_a_class_of_node_that_is_not_known_is_counted() -> None:
    """Syntax of a later Python: all its fields are followed, and its lists are chains."""

    class Later(ast.expr):
        _fields = ("id", "attr", "parts")

    link: ast.expr = ast.Constant(1)
    for _ in range(70):
        link = Later(id=link, attr=None, parts=[])
    wide = Later(id="a", attr=None, parts=[ast.Constant(1)] * 51)
    for part, limit in ((link, "syntax_depth is 60"), (wide, "chain_length is 50")):
        tree = ast.Module([ast.Expr(part)], [])
        problem = shape_problem(tree, "x", STRICT.limits)
        assert problem
        assert limit in problem.message


WIDE = {
    "and": "x = 1 and 1 and 1 and 1",
    "comparison": "x = 1 < 1 < 1 < 1",
    "targets": "a = b = c = d = 1",
    "clauses": "x = [1 for a in [] for b in [] for c in [] for d in []]",
    "fields": "x = f'{1}{1}{1}{1}'",
    "elif": "if 1: pass\nelif 1: pass\nelif 1: pass\nelif 1: pass\nelif 1: pass",
    "sum": "x = 1 + 1 + 1 + 1 + 1",
    "adjacent strings": "x = 'a' 'b' 'c' 'd'",
}


@pytest.mark.parametrize("name", WIDE)
def test_a_chain_is_also_what_stands_side_by_side(name: str) -> None:
    """`ast` keeps these flat where libcst nests them."""
    finding = refusal(WIDE[name], STRICT.but(limits={"chain_length": 3}))
    assert (finding.code, "the limit chain_length is 3" in finding.message) == ("RC004", True)


@pytest.mark.parametrize("name", WIDE)
def test_a_chain_at_its_limit_passes(name: str) -> None:
    """The limit is the last number that is allowed."""
    assert judged(WIDE[name], STRICT.but(limits={"chain_length": 4})).program is not None
