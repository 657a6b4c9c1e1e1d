"""Generated from the pages of the rules: what a page says is what is tested."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from judging import STRICT, policy_for, verdict_on_case
from recode_runtime.errors import PolicyError
from recode_runtime.grammar import ALL_RULES, Case, Rule, judge, rules, rules_in_words
from recode_runtime.policy import Mending, Policy

HEADINGS = ["## What it does", "## Why", "## Example", "## Use instead"]
VALID = [(rule, name) for rule in ALL_RULES for name in rule.VALID]
INVALID = [(rule, name) for rule in ALL_RULES for name in rule.INVALID]


def case_of(rule: type[Rule], name: str) -> Case:
    """An INVALID case of a page."""
    case = rule.INVALID[name]
    return case if isinstance(case, Case) else Case(case)


def _is_warning(rule: type[Rule], name: str) -> bool:
    return rule.level == "warning" or case_of(rule, name).warns


ALWAYS = [one for one in INVALID if not one[0].always and case_of(*one).always]
SOFT = [one for one in INVALID if not one[0].always and one not in ALWAYS]
REFUSED = [one for one in INVALID if not _is_warning(*one)]
WARNED = [one for one in INVALID if _is_warning(*one)]
REPAIRED = [one for one in INVALID if case_of(*one).repaired]
LEFT = [one for one in INVALID if not case_of(*one).repaired]


def by_code(one: object) -> str | None:
    """How a test is called after the code of its page."""
    return getattr(one, "code", None)


def alone(rule: type[Rule]) -> Policy:
    """The policy for a page, with no warnings of other pages."""
    quiet = {one.code: "off" for one in ALL_RULES if one.level == "warning" and one != rule}
    policy = policy_for(rule)
    return policy.but(grammar={**quiet, **policy.grammar})


@pytest.mark.parametrize(("rule", "name"), VALID, ids=by_code)
def test_what_a_page_calls_valid_passes_all_rules(rule: type[Rule], name: str) -> None:
    """A VALID case gives a program and no finding of any rule."""
    verdict = verdict_on_case(rule.VALID[name], policy_for(rule))
    assert verdict.findings == ()
    assert verdict.program is not None


@pytest.mark.parametrize(("rule", "name"), REFUSED, ids=by_code)
def test_what_a_page_calls_invalid_is_refused_by_that_rule_alone(
    rule: type[Rule], name: str
) -> None:
    """An INVALID case gives no program, and every finding has the code of the page."""
    verdict = verdict_on_case(rule.INVALID[name], alone(rule))
    assert {finding.code for finding in verdict.findings} == {rule.code}
    assert verdict.program is None


@pytest.mark.parametrize(("rule", "name"), WARNED, ids=by_code)
def test_what_a_page_warns_of_is_a_program(rule: type[Rule], name: str) -> None:
    """A rule of quality speaks, alone, and refuses nothing."""
    verdict = verdict_on_case(rule.INVALID[name], alone(rule))
    assert {(one.code, one.level) for one in verdict.findings} == {(rule.code, "warning")}
    assert verdict.program is not None


@pytest.mark.parametrize(("rule", "name"), SOFT, ids=by_code)
def test_a_rule_that_is_off_says_nothing(rule: type[Rule], name: str) -> None:
    """Switched off by the policy, the rule that alone refused a case lets it pass."""
    policy = alone(rule).but(grammar={rule.code: "off"})
    verdict = verdict_on_case(rule.INVALID[name], policy)
    assert verdict.findings == ()
    assert verdict.program is not None


@pytest.mark.parametrize("level", ["off", "warning"])
@pytest.mark.parametrize(("rule", "name"), ALWAYS, ids=by_code)
def test_what_no_session_could_do_is_refused_whatever_the_policy_says(
    rule: type[Rule], name: str, level: str
) -> None:
    """Turned down or off, the rule still refuses the names that the sandbox hides."""
    case = rule.INVALID[name]
    verdict = verdict_on_case(case, STRICT.but(grammar={rule.code: level, "RC202": level}))
    assert verdict == verdict_on_case(case)
    assert {finding.level for finding in verdict.findings} == {"error"}


@pytest.mark.parametrize(("rule", "name"), SOFT, ids=by_code)
def test_a_warning_refuses_nothing(rule: type[Rule], name: str) -> None:
    """As a warning, the same finding comes with a program."""
    case, policy = rule.INVALID[name], alone(rule)
    verdict = verdict_on_case(case, policy.but(grammar={rule.code: "warning"}))
    assert verdict.program is not None
    assert {finding.level for finding in verdict.findings} == {"warning"}
    places = [(one.line, one.column, one.message) for one in verdict.findings]
    assert places == [
        (one.line, one.column, one.message) for one in verdict_on_case(case, policy).findings
    ]


@pytest.mark.parametrize(("rule", "name"), WARNED, ids=by_code)
def test_a_policy_can_make_a_warning_an_error(rule: type[Rule], name: str) -> None:
    """Also of what a rule of level "error" only warns of by itself."""
    assert verdict_on_case(rule.INVALID[name], policy_for(rule, "error")).program is None


@pytest.mark.parametrize(("rule", "name"), REPAIRED, ids=by_code)
def test_a_repair_gives_exactly_the_program_on_the_page(rule: type[Rule], name: str) -> None:
    """Also if it is asked for with all others; the rule is content then, and has said so before."""
    case, policy = case_of(rule, name), alone(rule)
    kind: Mending = "unsafe" if case.unsafe else "safe"
    verdict = verdict_on_case(case, policy, repair=kind, thorough=True)
    assert verdict.source == case.repaired
    assert [one for one in verdict.findings if one.code == rule.code] == []
    assert {one.code for one in verdict.repairs} == {rule.code}
    assert {one.safe for one in verdict.repairs} >= {not case.unsafe}
    assert kind in {one.repair for one in verdict_on_case(case, policy).findings}


@pytest.mark.parametrize(("rule", "name"), REPAIRED, ids=by_code)
def test_an_unsafe_repair_is_made_only_if_it_is_asked_for(rule: type[Rule], name: str) -> None:
    """With safe repairs alone, such a program stays as it is; without any, every program does."""
    case, policy = case_of(rule, name), alone(rule)
    safe = verdict_on_case(case, policy, repair="safe", thorough=True)
    assert (safe.source == case.source) == case.unsafe
    assert verdict_on_case(case, policy, repair="none", thorough=True).source == case.source


@pytest.mark.parametrize(("rule", "name"), LEFT, ids=by_code)
def test_what_has_no_repair_on_its_page_is_left_as_it_is(rule: type[Rule], name: str) -> None:
    """And no finding promises one."""
    case, policy = case_of(rule, name), alone(rule)
    verdict = verdict_on_case(case, policy, repair="unsafe", thorough=True)
    assert (verdict.source, verdict.repairs) == (case.source, ())
    assert {one.repair for one in verdict.findings} == {""}


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_page_is_complete(rule: type[Rule]) -> None:
    """Docstring with the four headings in order, a title, advice, and cases of both kinds."""
    page = inspect.getdoc(rule)
    assert page is not None
    assert [line for line in page.split("\n") if line.startswith("## ")] == HEADINGS
    assert rule.title
    assert rule.advice
    assert rule.VALID
    assert rule.INVALID


def test_codes_are_unique_and_in_order() -> None:
    """A code names one rule; findings, policies and documents rely on it."""
    codes = [rule.code for rule in ALL_RULES]
    assert codes == sorted(set(codes))


def test_every_file_of_rules_is_registered() -> None:
    """A rule that is written but not listed would never speak."""
    files = {path.stem for path in Path(str(rules.__file__)).parent.glob("[!_]*.py")}
    assert {rule.__module__.rpartition(".")[2] for rule in ALL_RULES} == files


def test_findings_speak_in_the_order_of_the_lines() -> None:
    """Line, column, words and advice of each finding, whatever the order of the rules."""
    source = "for i in items:\n    clean(i)\nimport os\ne = eval\n"
    verdict = judge(source, policy=STRICT, primitives=["run"], variables=["items"], outputs=["x"])
    assert [str(finding) for finding in verdict.findings] == [
        "RC120 the promised output x is never assigned",
        "line 2: RC110 the placeholder clean stands in a loop",
        "line 3: RC201 the module os may not be imported",
        "line 4: RC205 the builtin eval is not part of the language",
    ]
    assert [finding.column for finding in verdict.findings] == [0, 4, 7, 4]
    assert verdict.findings[1].advice == (
        "call one placeholder for all rounds, outside the loop, and pass it the whole list"
    )


def test_a_module_that_may_be_imported_has_its_own_advice() -> None:
    """`math.sqrt` without an import is a forgotten import, not a goal."""
    (finding,) = verdict_on_case("n = math.sqrt(2)").findings
    assert (finding.code, finding.advice) == ("RC113", "write `import math` before it")


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("import json\njson.load(obs)", "use what json has here: JSONDecodeError, dumps, loads"),
        (
            "import math\nn = math.factorial(3)",
            (
                "use what math has here: acos, asin, atan, atan2, ceil, comb, copysign, cos, "
                "degrees, dist, e, exp and 30 more"
            ),
        ),
    ],
)
def test_a_name_that_a_module_lacks_is_told_with_those_it_has(source: str, advice: str) -> None:
    """The first twelve of them, and how many there are besides."""
    (finding,) = verdict_on_case(Case(source), STRICT).findings
    assert (finding.code, finding.line, finding.advice) == ("RC201", 2, advice)


def test_an_unknown_code_in_a_policy_names_the_nearest() -> None:
    """A typing error in `[grammar]` is the user's to mend, and is never ignored."""
    policy = STRICT.but(grammar={"RC2O5": "off"})
    with pytest.raises(PolicyError, match=r"\[grammar\] knows no rule RC2O5; did you mean RC205\?"):
        verdict_on_case("x = 1", policy)


HIDDEN = {
    "clean(_item=1)": ("RC115", "the keyword _item of clean begins with an underscore"),
    "clean(_)": ("RC116", "the argument _ of clean begins with an underscore"),
    "_item = 1\nclean(_item)": ("RC116", "the argument _item of clean begins with an underscore"),
    "_cup, _ = clean()": ("RC117", "the output _cup of clean begins with an underscore"),
    "_ = clean()": ("RC117", "the output _ of clean begins with an underscore"),
}


@pytest.mark.parametrize("source", HIDDEN)
def test_a_lax_policy_lets_no_hidden_name_reach_the_session(source: str) -> None:
    """Where underscore names are allowed, a placeholder may still not use one; advice is given."""
    verdict = verdict_on_case(source, STRICT.but(grammar={"RC202": "off"}))
    assert verdict.program is None
    finding = verdict.findings[0]
    assert (finding.code, finding.message) == HIDDEN[source]
    assert "underscore" in finding.advice


REPEATED = {
    "clean(run='x', len=1)": [
        ("RC203", 6, "the primitive run is bound to something else"),
        ("RC203", 15, "the builtin len is bound to something else"),
    ],
    "a, b, a = clean()": [("RC117", 10, "the output a of clean stands there 2 times")],
    "clean(x=1, x=2)": [("RC206", 0, "the keyword x is given twice")],
    "a, *b, *c = items": [("RC206", 7, "there are two starred targets in one assignment")],
    "obs.x += 1": [("RC204", 0, "the attribute x is assigned or deleted")],
}


@pytest.mark.parametrize("source", REPEATED)
def test_a_finding_says_which_name_it_speaks_of_and_where(source: str) -> None:
    """Code, column and words of the rules about names that collide."""
    found = [(one.code, one.column, one.message) for one in verdict_on_case(source).findings]
    assert found == REPEATED[source]


@pytest.mark.parametrize("code", ["RC003", "RC004", "RC005", "RC121", "RC122"])
def test_what_everything_rests_on_cannot_be_turned_down(code: str) -> None:
    """The gate protects the host's own parser; two rules are the floor of the recursion."""
    verdict = verdict_on_case("x = 1", STRICT.but(grammar={code: "error"}))
    assert verdict.findings == ()
    for level in ("off", "warning"):
        with pytest.raises(PolicyError, match=rf"\[grammar\] {code} is always an error"):
            verdict_on_case("x = 1", STRICT.but(grammar={code: level}))


@pytest.mark.parametrize("code", ["RC001", "RC002"])
def test_what_is_said_of_a_reply_cannot_be_turned_down(code: str) -> None:
    """It is said before any rule is asked; naming it is no mistake."""
    assert verdict_on_case("x = 1", STRICT.but(grammar={code: "error"})).findings == ()
    with pytest.raises(PolicyError, match=rf"\[grammar\] {code} is always an error"):
        verdict_on_case("x = 1", STRICT.but(grammar={code: "off"}))


def test_the_code_of_the_linter_is_no_rule_of_a_policy() -> None:
    """The message says where it is set."""
    with pytest.raises(PolicyError, match=r"RC310 is the linter's; its setting is `ignore`"):
        verdict_on_case("x = 1", STRICT.but(grammar={"RC310": "off"}))


def test_rules_in_words_come_from_the_rules() -> None:
    """Each sentence is a rule's own, in the order of the codes, none said twice."""
    words = rules_in_words(STRICT)
    spoken = [rule for rule in ALL_RULES if rule.in_words and rule.level != "off"]
    assert words == tuple(rule.in_words for rule in spoken)
    assert words[0] == "Do not define functions: write the steps at the top level."
    assert len(set(words)) == len(words) == 15


def test_rules_in_words_leave_out_what_is_off() -> None:
    """The model is not told a rule that nobody checks; warnings are told."""
    policy = STRICT.but(grammar={"RC101": "off", "RC102": "warning"})
    left_out = set(rules_in_words(STRICT)) - set(rules_in_words(policy))
    assert left_out == {"Do not define functions: write the steps at the top level."}
