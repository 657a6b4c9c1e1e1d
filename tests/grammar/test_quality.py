"""What is only warned of: where it is found, in which words, and what stays unsaid."""

from __future__ import annotations

import pytest

from recode_runtime import run
from recode_runtime.environments.crafting import Crafting
from recode_runtime.environments.textworld_express import TextWorldExpress
from recode_runtime.grammar import ALL_RULES, Verdict, judge
from recode_runtime.models.scripted import ScriptedModel
from recode_runtime.policy import Policy
from recode_runtime.primitive import declared_primitives
from recode_runtime.program import Placeholder

STRICT = Policy.named("strict")
TYPED = declared_primitives(["run(action: str) -> str"])


def found(source: str, **known: object) -> list[tuple[int, int, str]]:
    """Line, column and words of each finding of a program that is accepted."""
    verdict = judged(source, **known)
    assert verdict.program is not None
    assert {one.level for one in verdict.findings} <= {"warning"}
    return [(one.line, one.column, one.message) for one in verdict.findings]


def judged(source: str, **known: object) -> Verdict:
    """What the grammar says with a primitive of a known signature."""
    arguments = {"policy": STRICT, "primitives": TYPED, "variables": ["obs", "flag"]} | known
    return judge(source, **arguments)  # type: ignore[arg-type]


PATHS = {
    "if flag:\n    n = 1": (1, 0, "where this condition is false"),
    "if flag:\n    pass\nelse:\n    n = 1": (1, 0, "where this condition is true"),
    "if flag:\n    n = 1\nelif obs:\n    obs = 1\nelse:\n    n = 1": (
        3, 0, "where this condition is true",
    ),
    "if flag:\n    n = 1\nelse:\n    obs = 1": (3, 0, "in this branch"),
    "x = 1\nfor i in obs:\n    n = i + x": (2, 0, "if this loop runs no round that assigns it"),
    "for i in obs:\n    if i:\n        n = i\n        break": (
        1, 0, "if this loop runs no round that assigns it",
    ),
    "while True:\n    if flag:\n        break\n    n = 1": (1, 0, "if this loop is left before"),
    "try:\n    n = int(obs)\nexcept ValueError:\n    obs = 1": (3, 0, "in this handler"),
    "try:\n    obs = 1\nexcept ValueError:\n    n = 1": (1, 0, "where nothing is raised"),
    "n = 1\ndel n": (2, 0, "after this `del`"),
}  # fmt: skip


@pytest.mark.parametrize("source", PATHS)
def test_the_branch_that_lacks_a_promised_output_is_named(source: str) -> None:
    """At the node of that branch; a warning, for what is promised is checked at the end anyway."""
    line, column, where = PATHS[source]
    words = f"the promised output n is not assigned {where}"
    assert (line, column, words) in found(source, outputs=["n"])
    assert found(source, outputs=["n"], variables=["obs", "flag", "n"]) == [
        one for one in found(source, outputs=["n"]) if one[2] != words
    ]


def test_a_promise_kept_on_no_path_is_an_error_and_on_some_a_warning() -> None:
    """A policy turns both off, and cannot make an error of the second."""
    never, some = judged("obs = 1", outputs=["n"]), judged("if flag:\n    n = 1", outputs=["n"])
    assert [one.level for one in (*never.findings, *some.findings)] == ["error", "warning"]
    assert [str(one) for one in never.findings] == ["RC120 the promised output n is never assigned"]
    assert some.findings[0].advice == "assign it before, so that it has a value on every path"
    off = STRICT.but(grammar={"RC120": "off"})
    assert judged("if flag:\n    n = 1", outputs=["n"], policy=off).findings == ()


def test_a_return_is_no_second_fault() -> None:
    """The outputs are in it; RC204 mends it."""
    verdict = judged("return 'cup'", outputs=["n"])
    assert [one.code for one in verdict.findings] == ["RC204"]
    assert verdict.findings[0].advice == (
        "assign the values to the names left of the `=` of the placeholder"
    )


def test_a_return_gives_its_values_to_all_outputs_also_those_that_are_bound() -> None:
    """A later attempt owes less, and its `return` says as much as the first one's."""
    known = {"outputs": ["b"], "returned": ["a", "b"], "repair": "safe"}
    assert judged("return 1, 2", **known).source == "a, b = 1, 2"
    assert judged("return 2", **{**known, "returned": ["b"]}).source == "b = 2"
    assert judged("return obs", **known).source == "a, b = obs"
    assert judged("return 1, 2, 3", **known).program is None


WORDS = {
    "run('a')\nobs = run('b')": [(1, 0, "what run returns is thrown away")],
    "\n".join(["obs = run('go')"] * 9): [
        (9, 6, "the program calls more primitives than the 8 of the hint")
    ],
    "while True:\n    flag = 1": [(1, 0, "this loop has no end and calls no primitive")],
    "for i in obs:\n    if i:\n        break\n        run(i)\nobs = run('a')": [
        (4, 8, "this statement can never be reached"),
        (4, 8, "what run returns is thrown away"),
    ],
    "obs = 1;  flag = 2": [(1, 10, "2 statements stand on one line")],
    "obs = run(1)": [
        (1, 6, "run() argument 'action': Expected `str`, got `int`; it is run(action: str) -> str")
    ],
    "obs = run()": [
        (1, 6, "run() missing a required argument: 'action'; it is run(action: str) -> str")
    ],
}


@pytest.mark.parametrize("source", WORDS)
def test_a_warning_says_what_and_where(source: str) -> None:
    """In the words that a model, a person and a log are shown."""
    assert sorted(found(source)) == sorted(WORDS[source])


def test_the_hint_is_that_of_the_policy() -> None:
    """The paper's policy says one or two."""
    source = "obs = run('a')\nobs = run('b')\nobs = run('c')"
    assert found(source) == []
    assert [str(one) for one in judged(source, policy=Policy.named("paper")).findings] == [
        "line 3: RC302 the program calls more primitives than the 2 of the hint"
    ]


def test_a_goal_that_only_changes_its_name() -> None:
    """Named with both names, where the parent is known."""
    parent = Placeholder("tidy", (), ("obs",), {}, ("obs",))
    words = "tidy becomes clean_up, and nothing else"
    assert found("clean_up(obs)", parent=parent) == [(1, 0, words)]
    assert found("clean_up(obs)") == []


def test_a_primitive_by_its_name_alone_takes_anything() -> None:
    """And returns something only if the program itself uses what it returns."""
    assert found("run(1, 2, x=3)\nrun()", primitives=["run"]) == []
    assert found("run('a')\nprint(run('b'))", primitives=["run"]) == [
        (1, 0, "what run returns is thrown away")
    ]


PAPER = {
    "solve again after an action": "obs = run('look')\nsolve(task, obs)",
    "outputs for what follows": "places, item = declare_variables(task, obs)\nobs = run('look')",
    "search": (
        "found = ''\nfor place in places:\n    obs = run('go to ' + place)\n"
        "    if item in obs:\n        found = place\n        break\n"
        "if found:\n    obs = run(f'take {item} from {found}')\nclean_item(item, obs)"
    ),
    "last action alone": "obs = run('go to shelf')\nrun('put cup on shelf')",
    "retry": "for i in range(3):\n    obs = run('open')\n    if 'open' in obs:\n        break",
}


@pytest.mark.parametrize("name", PAPER)
def test_the_shapes_of_the_paper_are_not_warned_of(name: str) -> None:
    """Nor with the paper's own numbers, where its prompts keep to them."""
    known = ["task", "obs", "places", "item"]
    assert found(PAPER[name], variables=known) == []
    assert found(PAPER[name], variables=known, policy=Policy.named("paper")) == []


@pytest.mark.parametrize("environment", [Crafting, TextWorldExpress])
def test_our_own_examples_are_not_warned_of(environment: type) -> None:
    """Judged with the signature that the environments' primitive has."""
    for shot in environment().few_shots:
        source = shot.reply.partition("<execute>\n")[2].partition("\n</execute>")[0]
        assert found(source, variables=["obs", "item"]) == []


def test_warnings_have_codes_of_their_own() -> None:
    """RC3xx warn by default; nothing else does."""
    soft = {rule.code for rule in ALL_RULES if rule.level == "warning"}
    assert soft == {rule.code for rule in ALL_RULES if rule.code.startswith("RC3")}


async def test_a_policy_that_makes_an_error_of_it_refuses_before_anything_has_acted() -> None:
    """At run time the signatures are those of the functions; the retry speaks of errors alone."""
    acted = []

    def go(place: str) -> str:
        acted.append(place)
        return f"you are at {place}"

    replies = ["go('a')\nobs = go(1)", "obs = go('b')"]
    model = ScriptedModel([f"<execute>\n{one}\n</execute>" for one in replies])
    policy = STRICT.but(grammar={"RC307": "error"})
    result = await run("x", model=model, primitives=[go], policy=policy)
    assert acted == ["b"]
    first, _ = result.tree.root.attempts
    assert first.failure is not None
    assert first.failure.message == (
        "line 2: RC307 go() argument 'place': Expected `str`, got `int`; "
        "it is go(place: str) -> str"
    )
