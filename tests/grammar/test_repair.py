"""Rounds of repairs: which are made, what is recorded, when they stop, how long they take."""

from __future__ import annotations

import pytest

from pace import within
from recode_runtime.grammar import Verdict, judge
from recode_runtime.grammar.gate import frames_left
from recode_runtime.grammar.repair import MOST_NODES, MOST_ROUNDS
from recode_runtime.policy import Mending, Policy
from recode_runtime.tree import Repair

STRICT = Policy.named("strict")
ROOMY = STRICT.but(
    limits={
        "source_bytes": 100_000,
        "source_lines": 5_000,
        "statements": 5_000,
        "syntax_nodes": 100_000,
        "tokens": 100_000,
    }
)
LIFTED = "the nested placeholder find was given a statement of its own"


def judged(
    source: str, kind: Mending = "safe", *, thorough: bool = False, policy: Policy = STRICT
) -> Verdict:
    """The verdict after repairs."""
    return judge(
        source,
        policy=policy,
        primitives=["run"],
        variables=["obs"],
        repair=kind,
        thorough=thorough,
    )


def test_an_entry_says_what_was_done_to_which_lines() -> None:
    """Rule, words with names, the lines that differ, and whether it is safe; in order."""
    verdict = judged("run('a')\nx = 1; run(find(obs[0]))\nrun('b')")
    assert verdict.repairs == (
        Repair(
            "RC112",
            LIFTED,
            "x = 1; run(find(obs[0]))",
            "x = 1\nfind_result = find(obs[0])\nrun(find_result)",
        ),
        Repair(
            "RC115",
            "the arguments of find were given names",
            "find_result = find(obs[0])",
            "find_argument = obs[0]\nfind_result = find(find_argument)",
        ),
    )
    assert verdict.program is not None
    assert verdict.program.source == verdict.source
    assert verdict.source.split("\n") == [
        "run('a')",
        "x = 1",
        "find_argument = obs[0]",
        "find_result = find(find_argument)",
        "run(find_result)",
        "run('b')",
    ]


def test_entries_follow_from_each_other() -> None:
    """What is `after` in one entry is `before` in a later one about the same lines."""
    first, second = judged("list = max = obs.split()", "unsafe", thorough=True).repairs
    assert (first.after, first.safe) == (second.before, False)
    assert second.after == "list_2 = max_2 = obs.split()"


def test_without_a_program_nothing_is_repaired_at_run_time() -> None:
    """The findings are about the text as the model wrote it."""
    source = "run(find(obs))\nfor i in obs:\n    clean(i)"
    verdict = judged(source)
    assert (verdict.program, verdict.source, verdict.repairs) == (None, source, ())
    assert [one.code for one in verdict.findings] == ["RC112", "RC110"]
    assert [one.repair for one in verdict.findings] == ["safe", ""]


def test_a_linter_keeps_what_could_be_repaired() -> None:
    """The findings are about the text after the repairs."""
    verdict = judged("run(find(obs))\nfor i in obs:\n    clean(i)", thorough=True)
    assert verdict.source == (
        "find_result = find(obs)\nrun(find_result)\nfor i in obs:\n    clean(i)"
    )
    assert [(one.code, one.line) for one in verdict.findings] == [("RC110", 4)]


def test_unsafe_repairs_are_made_on_demand_only() -> None:
    """A variable is read before the placeholder that might bind it anew."""
    source = "run(obs + find(obs))"
    assert judged(source).source == source
    assert [one.repair for one in judged(source).findings] == ["unsafe"]
    verdict = judged(source, "unsafe")
    assert [one.safe for one in verdict.repairs] == [False]
    assert verdict.program is not None


def test_a_warning_is_mended_by_a_linter_only() -> None:
    """At run time a program that may run is left as it was written."""
    policy = STRICT.but(grammar={"RC112": "warning"})
    source = "run(find(obs))"
    assert judged(source, policy=policy).source == source
    assert judged(source, thorough=True, policy=policy).repairs[0].what == LIFTED


def test_what_may_run_is_not_mended_into_what_may_not() -> None:
    """A repair of a warning that passes a limit of the policy is taken back."""
    policy = STRICT.but(grammar={"RC112": "warning"}, limits={"statements": 1})
    verdict = judged("run(find(obs))", thorough=True, policy=policy)
    assert (verdict.source, verdict.repairs) == ("run(find(obs))", ())
    assert verdict.program is not None


def test_a_repair_that_passes_a_limit_is_taken_back() -> None:
    """A text that cannot be read is no outcome, not even for a linter."""
    source = "\n".join(f"run(find_{n}(obs))" for n in range(150))
    verdict = judged(source, thorough=True)
    assert (verdict.source, verdict.repairs) == (source, ())
    assert {one.code for one in verdict.findings if one.level == "error"} == {"RC112"}


def test_a_program_with_very_many_slips_is_not_this_program() -> None:
    """One statement gets as many repairs as there are rounds."""
    source = "run(" + "a(" * 25 + "obs" + ")" * 26
    assert judged(source).program is None
    assert len(judged(source, thorough=True).repairs) == MOST_ROUNDS
    assert judged("run(" + "a(" * 19 + "obs" + ")" * 20).program is not None


def test_rounds_end_when_the_work_does_not_pay() -> None:
    """The nodes of all rounds together are bounded; what was mended until then is kept."""
    source = "\n".join("run(a(b(c(d(obs)))))" for _ in range(90))
    verdict = judged(source, "unsafe", thorough=True, policy=ROOMY)
    assert 20 * 90 < MOST_NODES < 4 * 20 * 90
    assert len(verdict.repairs) == 90 * 3


def test_every_placeholder_deep_in_others_is_offered_a_statement_of_its_own() -> None:
    """However many there are in one statement, and whatever is mended in the end."""
    source = "run(" + "a(" * 30 + "obs" + ")" * 31
    nested = [one for one in judged(source, "none").findings if one.code == "RC112"]
    assert [one.repair for one in nested] == ["safe"] * 30


def test_calls_deep_in_each_other_are_refused_in_a_moment() -> None:
    """Not mended to the end; what is done before one is not looked through for each in it."""
    source = "\n".join("x = " + "f(" * 40 + "1" + ")" * 40 for _ in range(10))
    verdict = within(1.0, lambda: judged(source))
    assert (verdict.program, verdict.repairs) == (None, ())


MANY = {
    "nested": "\n".join(f"run('a' + find_{n}(obs))" for n in range(200)),
    "nested twice": "\n".join("run(a(b(obs)))" for _ in range(300)),
    "computed": "\n".join(f"find(obs[{n}], obs[{n}])" for n in range(250)),
    "renamed": "\n".join(f"_a{n} = {n}\nrun(_a{n})" for n in range(250)),
    "renamed everywhere": "_a = 1\n" * 500,
    "renamed on one line": f"x = [{','.join(f'_a{n}' for n in range(300))}]\n"
    f"[{','.join(f'_a{n}' for n in range(300))}] = x",
    "camel case": "\n".join(f"goFar{n}(obs)" for n in range(500)),
    "camel case, one name": "goFar(obs)\n" * 500,
    "imports": "\n".join(f"x = math.sqrt({n})" for n in range(500)),
    "one deep statement": "run(" + "a(" * 25 + "obs" + ")" * 26,
    "one long statement": f"run({' + '.join(f'f{n}(obs)' for n in range(48))})",
    "items": "\n".join(f"obs[{n}] = find(obs)" for n in range(250)),
}


@pytest.mark.parametrize("name", MANY)
def test_hundreds_of_findings_are_mended_within_a_second(name: str) -> None:
    """In texts far above the limits of the strict policy; of the process's own time."""
    verdict = within(1.0, lambda: judged(MANY[name], "unsafe", thorough=True, policy=ROOMY))
    assert verdict.repairs


WITH_COMMENTS = {
    "await": ("x = (await  # slow\n run('a'))", "x = (await run('a'))  # slow"),
    "list of targets": ("[a,  # first\n b] = find(obs)", "[a, b] = find(obs)  # both"),
    "annotation": ("a: str = (  # so\n find(obs))", "a: str = find(obs)  # so"),
    "argument": ("find((  # it\n run('x')), obs)", "find(run('x'),  # it\n obs)"),
    "format": ("x = '{}'.format(  # seen\n obs)", "x = '{}'.format(obs)  # seen"),
    "caught": (
        "try:\n    pass\nexcept (ValueError,\n  SystemExit,  # end\n  KeyError):\n    pass",
        "try:\n    pass\nexcept (ValueError,\n  SystemExit,\n  KeyError):  # end\n    pass",
    ),
}


@pytest.mark.parametrize("name", WITH_COMMENTS)
def test_a_repair_that_would_lose_a_comment_is_not_made(name: str) -> None:
    """The program stays as it is; with the comment elsewhere it is mended, and keeps it."""
    lost, kept = WITH_COMMENTS[name]
    assert (judged(lost).source, judged(lost).repairs) == (lost, ())
    verdict = judged(kept)
    comment = kept[kept.index("#") :].partition("\n")[0]
    assert verdict.repairs
    assert verdict.program
    assert verdict.source.count(comment) == 1


def test_hundreds_of_computed_arguments_are_judged_within_a_second() -> None:
    """All of one placeholder: each has a finding of its own, all the same repair."""
    source = f"find({', '.join(f'obs[{n}]' for n in range(1_000))})"
    verdict = within(1.0, lambda: judged(source, "none", policy=ROOMY))
    assert len(verdict.findings) == 1_000
    assert len(judged(source, policy=ROOMY).repairs) == 1


def test_a_caller_that_stands_deep_gets_the_right_answer_or_its_own_error() -> None:
    """At every depth of the caller's own recursion, with repairs as without."""
    source = "run(" + "[" * 20 + "find(obs)" + "]" * 20 + ")"
    expected = judged(source)
    assert expected.program is not None

    def below(depth: int) -> Verdict:
        return below(depth - 1) if depth else judged(source)

    room, answers = frames_left(), 0
    for depth in (*range(0, room, 50), *range(room - 250, room, 5)):
        try:
            assert below(depth) == expected
            answers += 1
        except RecursionError:
            assert depth > room - 700
    assert answers
