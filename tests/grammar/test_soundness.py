"""What the grammar accepts, the guest compiles; what it calls a placeholder, no run has a name for.

The programs are written by hypothesis (`written_programs`) and by the pages of the rules; the runs
are those of `reference`, in which values never fail and branches go both ways.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fuzzing import WHOLE, examples
from recode_guest.restricted import NotAllowed, compiled, parsed
from recode_runtime.grammar import ALL_RULES, Case, Verdict, judge
from recode_runtime.policy import Policy
from reference import Interpreter
from written_programs import PRIMITIVES, VARIABLES, programs

STRICT = Policy.named("strict")
# What is wrong with a program that has only these is where its placeholders stand.
ABOUT_PLACEHOLDERS = {f"RC11{digit}" for digit in range(8)}
PATHS = (ast.For, ast.While, ast.Try, ast.With)
FIGURES: Counter[str] = Counter()

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")


def not_compiling(source: str, primitives: Collection[str]) -> list[str]:
    """The statements that the guest's own compiler refuses, with its reasons."""
    found = []
    for statement in parsed(source, "<program>"):
        text = ast.unparse(statement)
        try:
            compiled(statement, "<program>", primitives)
        except (NotAllowed, SyntaxError) as problem:
            found.append(f"{text}: {problem}")
    return found


def unsure(source: str) -> set[str]:
    """Names of which the grammar promises less: bound on one path, and not on another.

    A loop may have no round, and a block may be left before it binds a name: the grammar counts
    such a name as bound behind it. Branches of which one is taken it keeps apart.
    """
    blocks = (node for node in ast.walk(ast.parse(source)) if isinstance(node, PATHS))
    return set[str]().union(*map(_bound_in, blocks))


def _bound_in(root: ast.AST) -> set[str]:
    nodes = list(ast.walk(root))
    stored = {one.id for one in nodes if isinstance(one, ast.Name) and _is_stored(one)}
    imported = [alias for one in nodes for alias in getattr(one, "names", []) if _is_alias(alias)]
    handlers = {one.name for one in nodes if isinstance(one, ast.ExceptHandler) and one.name}
    return stored | handlers | {alias.asname or alias.name for alias in imported}


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _is_alias(one: object) -> bool:
    return isinstance(one, ast.alias)


def disagreements(
    source: str, primitives: Collection[str] = PRIMITIVES, variables: Collection[str] = VARIABLES
) -> list[str]:
    """What the grammar says of called names and the reference does not bear out."""
    interpreter = Interpreter(source, primitives, variables, STRICT.language.builtins)
    told = interpreter.disagreements()
    FIGURES["names called"] += len(interpreter.reached)
    FIGURES["on some paths"] += interpreter.path_dependent()
    return told


def verdict_on(source: str) -> Verdict:
    """What the strict policy says of a written program."""
    return judge(source, policy=STRICT, primitives=PRIMITIVES, variables=VARIABLES)


def valid_cases() -> list[tuple[str, Case]]:
    """Every VALID case of every rule, under the rule's code and the name of the case."""
    return [
        (f"{rule.code} {name}", case if isinstance(case, Case) else Case(case))
        for rule in ALL_RULES
        for name, case in rule.VALID.items()
    ]


def test_the_guest_compiles_what_the_pages_call_valid() -> None:
    """Every statement, placeholders too, with the primitives of the case."""
    found = {name: not_compiling(one.source, list(one.primitives)) for name, one in valid_cases()}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_names_on_the_pages_are_what_the_pages_say() -> None:
    """Placeholders of VALID cases raise NameError, and no other called name does."""
    found = {
        name: disagreements(one.source, _names(one.primitives), _names(one.variables))
        for name, one in valid_cases()
    }
    assert {name: told for name, told in found.items() if told} == {}


def _names(texts: Collection[str]) -> list[str]:
    """The names of primitives that a case may give as signatures."""
    return [text.partition("(")[0].strip() for text in texts]


@pytest.mark.fuzz
@settings(
    max_examples=examples(210),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(programs())
def test_what_is_accepted_compiles_and_its_placeholders_are_the_unbound_names(source: str) -> None:
    """Every construct, nested; also programs that are refused only for where placeholders stand."""
    verdict = verdict_on(source)
    refused = {one.code for one in verdict.findings if one.level == "error"}
    FIGURES["programs"] += 1
    if verdict.program:
        FIGURES["accepted"] += 1
        FIGURES["placeholders"] += sum(
            one.kind == "placeholder" for one in verdict.program.statements
        )
        assert not_compiling(source, PRIMITIVES) == []
    if refused <= ABOUT_PLACEHOLDERS:
        told = disagreements(source)
        sure = [one for one in told if one.split()[2] not in unsure(source)]
        assert [one for one in told if one.endswith(("placeholder", "attribute"))] == []
        assert sure == []


def test_the_written_programs_are_worth_writing() -> None:
    """Most are accepted, and they call names of which a run can be asked: else nothing is tried."""
    if not FIGURES["programs"]:
        test_what_is_accepted_compiles_and_its_placeholders_are_the_unbound_names()
    assert FIGURES["programs"] >= 200
    assert FIGURES["accepted"] * 2 > FIGURES["programs"]
    assert FIGURES["placeholders"] > FIGURES["accepted"] / 4
    assert FIGURES["names called"] > FIGURES["accepted"]
    if WHOLE:
        print(dict(FIGURES))
        assert FIGURES["programs"] >= 20_000


# The instrument itself


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("find_cup()", []),
        ("cup = find_cup()\ncup()\nrun(1)\nlen(obs)", []),
        ("for act in items:\n    act(1)", []),
        ("if flag:\n    act = run\nact()", []),
        ("import math\nmath.sqrt(2)", []),
        ("x = [one(1) for one in items]\nf = lambda a: a(1)\nf(run)", []),
        ("a, *b, c = obs\na(b(c))", []),
        ("with obs as o:\n    o()\ntry:\n    o()\nexcept ValueError as e:\n    e()", []),
    ],
)
def test_the_reference_agrees_where_there_is_nothing_to_argue(source: str, told: list[str]) -> None:
    """Bindings of every kind load, and what is bound nowhere does not."""
    assert disagreements(source) == told


def test_the_reference_sees_a_name_that_is_called_wrongly() -> None:
    """Both ways: the grammar is told another world than the one that is run."""
    world = Interpreter("act()\nlook()", ["act"], [], STRICT.language.builtins)
    world._given = {"look"}  # the run has what the grammar was not told, and lacks what it was
    assert world.disagreements() == [
        "line 1: act raises NameError, but is called primitive",
    ]
    world = Interpreter("look()", [], [], STRICT.language.builtins)
    world._given = {"look"}
    assert world.disagreements() == ["line 1: look loads, but is called placeholder"]


UNSURE = [
    "for i in items:\n    break\n    act = run\nact()",
    "try:\n    run()\n    1 / 0\n    act = 1\nexcept ArithmeticError:\n    pass\nact()",
    "while flag:\n    act = run\nact()",
]


@pytest.mark.parametrize("source", UNSURE)
def test_a_name_that_another_path_binds_counts_as_bound(source: str) -> None:
    """The grammar asks no model for it: such a call is an ordinary error, as in Python."""
    assert verdict_on(source).program is not None
    assert disagreements(source) == []
    assert unsure(source) >= {"act"}
