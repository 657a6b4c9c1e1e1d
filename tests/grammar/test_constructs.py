"""Default deny: every construct has an explicit line, and what has none is refused by its name."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import libcst
import pytest

from recode_runtime.grammar import judge
from recode_runtime.grammar.constructs import ABSTRACT, REFUSED, kinds_of
from recode_runtime.grammar.names import Reading
from recode_runtime.grammar.rule import Context
from recode_runtime.grammar.rules.unsupported_syntax import UnsupportedSyntax
from recode_runtime.grammar.walk import Plan
from recode_runtime.policy import Policy

STRICT = Policy.named("strict")

# Bases, what Python keeps for old programs only, and what no module's tree contains.
_NO_NODES = {
    *("AST", "mod", "stmt", "expr", "expr_context", "boolop", "operator", "unaryop", "cmpop"),
    *("excepthandler", "pattern", "type_ignore", "type_param", "slice"),
    *(
        "Num",
        "Str",
        "Bytes",
        "NameConstant",
        "Ellipsis",
        "_ast_Ellipsis",
        "Index",
        "ExtSlice",
        "Suite",
        "Param",
    ),
    *("AugLoad", "AugStore", "Interactive", "Expression", "FunctionType", "TypeIgnore"),
}


def test_every_class_of_ast_has_a_line() -> None:
    """A class that a newer Python brings makes this test fail, and is refused until then."""
    classes = {
        name
        for name, one in inspect.getmembers(ast, inspect.isclass)
        if issubclass(one, ast.AST) and one.__module__ in ("ast", "_ast")
    }
    assert classes - _NO_NODES - ABSTRACT - REFUSED.keys() == set()
    assert ABSTRACT & REFUSED.keys() == set()


def rule_on(tree: ast.Module, source: str = "x = 1") -> UnsupportedSyntax:
    """The rule, with a reading of that tree, after it has seen the end of the source."""
    reading = Reading(tree, (), *[frozenset()] * 5)
    rule = UnsupportedSyntax(Context(STRICT, reading), "error")
    rule.leave_Module(libcst.parse_module(source))
    return rule


def test_a_class_of_ast_without_a_line_is_refused_by_its_name() -> None:
    """Whatever a newer parser makes of a text."""

    class Pipeline(ast.stmt):
        _fields = ()

    (report,) = rule_on(ast.Module([Pipeline()], [])).reports
    assert report.message == "the language has no Pipeline"


def test_what_only_one_of_the_views_refuses_is_refused() -> None:
    """`ast` has the last word, should the concrete tree hide something."""
    (report,) = rule_on(ast.parse("global x")).reports
    assert report.message == "the language has no `global`"
    assert rule_on(ast.parse("def f():\n    return 1")).reports == []


def test_a_concrete_node_without_a_line_is_refused_by_its_name() -> None:
    """The walk shows it to the rule instead of going on in it."""
    rule = rule_on(ast.parse("x = 1"))
    Plan((UnsupportedSyntax,)).walk(libcst.Comment("# no statement"), [rule])
    assert [one.message for one in rule.reports] == ["the language has no Comment"]


def test_all_classes_of_a_tree_are_seen() -> None:
    """As `ast.walk` does it, but for the marks of names."""
    for path in (ast.__file__, inspect.__file__):
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        marks = (ast.Load, ast.Store, ast.Del)
        assert kinds_of(tree) == {type(one) for one in ast.walk(tree)} - set(marks)


REFUSALS = {
    "@run\ndef f():\n    pass": [
        "line 1: RC204 the language has no decorators",
        "line 2: RC101 the function f is defined",
    ],
    "try:\n    pass\nexcept* BaseException:\n    pass": [
        "line 1: RC204 the language has no `except*`",
        "line 3: RC207 BaseException is or includes the signal that stops a program",
    ],
    "async def f():\n    await obs": ["line 1: RC101 the function f is defined",
                                     "line 2: RC204 the language has no `await`"],
    "yield from obs": ["line 1: RC204 the language has no `yield`"],
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSALS)
def test_what_several_rules_refuse_is_named_once_a_place(source: str) -> None:
    """Each fault where it stands, by the rule that has the best advice for it."""
    verdict = judge(source, policy=STRICT, primitives=["run"], variables=["obs"])
    assert sorted(map(str, verdict.findings)) == REFUSALS[source]


def test_a_global_inside_a_definition_is_not_dropped() -> None:
    """There it says which variable is meant."""
    for head in ("class A:", "def f():"):
        source = f"{head}\n    global obs\n    obs = 1"
        known = {"primitives": ["run"], "variables": ["obs"], "repair": "unsafe", "thorough": True}
        verdict = judge(source, policy=STRICT, **known)  # type: ignore[arg-type]
        assert (verdict.source, verdict.repairs) == (source, ())
