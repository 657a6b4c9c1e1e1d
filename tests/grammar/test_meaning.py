"""A safe repair keeps what a program does and in which order; held against CPython itself."""

from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from effects import VARIABLES, World
from fuzzing import examples
from recode_runtime.grammar import ALL_RULES, judge
from recode_runtime.policy import Mending, Policy

QUIET = {rule.code: "off" for rule in ALL_RULES if rule.level == "warning"}
POLICY = Policy.named("strict").but(grammar=QUIET)

ATOMS = ["a", "b", "c", "1", "-2", "'s'", "None", "run", "_t", "(1, 'x')", "[]", "len"]
EXPRESSIONS = [
    *("run({})", "p({})", "q({}, {})", "goFar({}, k={})", "goFar(k={}, *{})", "p(*{}, **{})"),
    *("go_far()", "p({}, {}, m={})", "run({}, m={})", "run(m={}, *{})", "run({}, **{})", "(p)({})"),
    *("({} + {})", "({} < {})", "({} < {} < {})", "({} and {})", "({} or {})", "(not {})", "(-{})"),
    *(
        "({} if {} else {})",
        "{}[{}]",
        "{}[{}:{}]",
        "{}.x",
        "{}.m({})",
        "a({})",
        "p({})({})",
        "'s'.join({})",
    ),
    *('f"{{{}}}"', 'f"{{{}!r}} {{{}}}"', 'f"{{{}:>{{{}}}}}"', 'f"{{{}=}}"', '"s" f"{{{}}}"'),
    *("[{}, {}]", "({}, {})", "{{{}: {}, {}: {}}}", "{{**{}, 'k': {}}}", "{{1, {}}}", "[*{}, {}]"),
    *("[x for x in {}]", "[{} for x in {}]", "[x for x in {} if {}]", "{{x: {} for x in {}}}"),
    *("tuple(x for x in {})", "(lambda: {})()", "(lambda y={}: {})()", "p(lambda: {})"),
    *("(lambda _y: _y)({})", "(w := {})"),
    *("'{{!r:>3}}'.format({})", "'{{k}}'.format(k={})"),
    *("[_i for _i in {}]", "(a := {})", "({}\n + {})", "p({}\n, {})", "(p\n({}))"),
]
STATEMENTS = [
    *("{}", "a = {}", "b = {}", "a = b = {}", "a = b[{}] = {}", "a[{}] = b = {}", "a, b = {}"),
    *("[a, b] = {}", "[a] = {}", "a, *b = {}", "a, (b, c) = {}", "a[{}], b = {}", "a: int = {}"),
    *("a += {}", "a[{}] += {}", "a[{}] = {}", "a[0] = {}", "a[0]: int = {}", "del a[{}]"),
    *("assert {}", "assert {}, {}", "(d := {})", "list = {}", "run(list[{}])"),
    *("_t = {}", "_t += {}", "c = _t", "_t = 1; {}; b = _t", "run({}); a = {}"),
    *("if {}:\n    b = {}", "if {}:\n    run({})\nelif {}:\n    c = {}\nelse:\n    run(c)"),
    *("for x in {}:\n    c = {}", "for _x in {}:\n    run(_x)", "with {}:\n    run({})"),
    "try:\n    b = {}\nexcept ValueError as _e:\n    run({})",
    *("try:\n    b = {}\nexcept:\n    run({})", "a = {}; b = {}", "if {}: a = {}; b = {}"),
    "try:\n    b = {}\nexcept(KeyError, BaseException):\n    run({})",
    *("if (n := {}):\n    run(n)", "# why\na = {}  # so", "\n\nrun({})"),
]


def _filled(form: str, parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    holes = sum(1 for _ in form.replace("{{", "").replace("}}", "").split("{}")) - 1
    return st.lists(parts, min_size=holes, max_size=holes).map(lambda some: form.format(*some))


def _forms(forms: list[str], parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(forms).flatmap(lambda form: _filled(form, parts))


EXPRESSION = st.recursive(
    st.sampled_from(ATOMS), lambda below: _forms(EXPRESSIONS, below), max_leaves=6
)
PROGRAM = st.lists(_forms(STATEMENTS, EXPRESSION), min_size=1, max_size=4).map("\n".join)


def _repaired(source: str, kind: Mending) -> str:
    """The program after all repairs of the kind; those of its own grammar that compile."""
    try:
        compile(source, "<program>", "exec")
    except (SyntaxError, ValueError):
        assume(False)
    verdict = judge(
        source,
        policy=POLICY,
        primitives=["run"],
        variables=VARIABLES,
        repair=kind,
        thorough=True,
    )
    assume(verdict.repairs)
    for one in verdict.repairs:
        event(f"{one.code} {'safe' if one.safe else 'unsafe'}")
    ast.parse(verdict.source)
    return verdict.source


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(PROGRAM)
def test_a_safe_repair_changes_nothing_that_can_be_noticed(source: str) -> None:
    """Whatever an expansion binds: calls, operations, values and errors are the same, in order."""
    repaired = _repaired(source, "safe")
    assert World().run(repaired) == World().run(source)


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(PROGRAM)
def test_an_unsafe_repair_changes_nothing_if_expansions_bind_nothing_else(source: str) -> None:
    """What makes a repair unsafe is only what an expansion might bind besides its outputs."""
    repaired = _repaired(source, "unsafe")
    expected = World(quiet=True).run(source)
    assume(not expected[2])
    assert World(quiet=True).run(repaired) == expected


SUBTLE = [
    "b = q(a, run('s'), nothing)",
    "if a:\n    e = 1\np(e, run('s'))",
    "p({1, (2, {})}, run('s'))",
    'a = f"{goFar(None, k=b)=}"',
    'run(f"{p(a)=}")',
    "a[run(b)] += p(a)",
    "a += p((a := b))",
    "run(a, p((a := b)))",
    "run(k=p(a), *run(b))",
    "a = b[{x: 1 for x in a}] = p(b)",
    "_t = 1\np(a)\nrun(_t)",
    "_t = 1; p(a); run(_t)",
    "_t = p(a)\nrun(_t)\np(b)",
    "run(p(a), p(b))",
    "run((d := p(a)), p(b), d)",
    "a = b = p(a)",
    "a, *b = p(a)",
    "_f = lambda _t: (_t, a)\nc = _f(b)",
    "items = [1, 2]\nrun('{} {}'.format(items, items.pop()))",
    "items = [1, 2]\nrun('{} {}'.format(items.pop(), items))",
    "run('{} {}'.format(a, run(b)))",
    "run('{k} {0!r}'.format(a, k=b))",
    "run('{b} {a}'.format(a=run(a), b=run(b)))",
    "run(f\"{'{}'.format(a)=}\")",
    "b = 1\nif a:\n    del b\np(b, run('s'))",
    "for b in a:\n    try:\n        run(b)\n    except(BaseException): run('no'); continue",
]


@pytest.mark.parametrize("kind", ["safe", "unsafe"])
@pytest.mark.parametrize("source", SUBTLE)
def test_what_is_easily_overlooked_keeps_its_meaning(source: str, kind: Mending) -> None:
    """Order, errors, texts that are shown, names that an expansion might bind."""
    verdict = judge(
        source, policy=POLICY, primitives=["run"], variables=VARIABLES, repair=kind, thorough=True
    )
    quiet = kind == "unsafe"
    expected = World(quiet=quiet).run(source)
    if not (quiet and expected[2]):  # an unsafe repair may let something happen before an error
        assert World(quiet=quiet).run(verdict.source) == expected
