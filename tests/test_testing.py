"""`assert_program`: silent for what a run takes as it stands, a diff of reasons for the rest."""

from __future__ import annotations

import pytest

from recode_runtime import Policy, PolicyError
from recode_runtime.testing import ProgramRefused, assert_program

LOOP = """\
a = 1
b = 2
c = 3
d = 4
for item in items:
    put_away(item)
e = 5
f = 6
g = 7
h = 8
"""


def failure(code: str, **settings: object) -> str:
    """The text with which the assertion fails."""
    with pytest.raises(AssertionError) as caught:
        assert_program(code, **settings)
    assert caught.type is ProgramRefused
    return str(caught.value)


def test_a_program_inside_the_grammar_passes_with_its_report() -> None:
    """The report has the statements, for tests that ask for more."""
    report = assert_program("obs = go('a')\ntidy(obs, cup)", primitives=["go"], variables=["cup"])
    assert report.program is not None
    assert [one.kind for one in report.program.statements] == ["action", "placeholder"]


def test_a_whole_reply_passes_too() -> None:
    """In the form that is asked for, nothing has to be repaired."""
    report = assert_program("<think>\nso\n</think>\n<execute>\nrun('a')\n</execute>")
    assert report.source == "run('a')"


def test_a_refused_program_is_shown_with_every_finding_under_its_line() -> None:
    """Marks, codes, reasons and what to use instead; lines far from a finding are left out."""
    assert failure(LOOP, variables=["items"], outputs=["cup"]) == (
        "RC120, RC110: the program is outside the grammar (policy strict)\n"
        "\n"
        "RC120 the promised output cup is never assigned\n"
        "use instead: assign every name left of the `=` of the placeholder\n"
        "  ...\n"
        "     3 | c = 3\n"
        "     4 | d = 4\n"
        "     5 | for item in items:\n"
        ">    6 |     put_away(item)\n"
        "       |     ^^^^^^^^^^^^^^\n"
        "       | RC110 the placeholder put_away stands in a loop\n"
        "       | use instead: call one placeholder for all rounds, outside the loop, and pass it "
        "the whole list\n"
        "     7 | e = 5\n"
        "     8 | f = 6\n"
        "     9 | g = 7\n"
        "  ...\n"
        "\n"
        "no safe repair is known"
    )


def test_what_fix_would_make_of_it_is_a_unified_diff() -> None:
    """A reply that a run would mend is not right as it stands."""
    assert failure("Here:\n```python\nrun('a')\n```").split("\n\n")[-1] == (
        "the safe repairs would make of it:\n"
        "--- as it is\n"
        "+++ repaired\n"
        "@@ -1,4 +1 @@\n"
        "-Here:\n"
        "-```python\n"
        " run('a')\n"
        "-```"
    )


def test_a_text_may_need_repair_where_the_test_says_what_comes_out() -> None:
    """The repairs are those of the policy; newlines at the two ends do not count."""
    fenced = "```python\nrun('a')\n```"
    assert assert_program(fenced, repaired="run('a')\n").repairs
    assert assert_program("run('a')", repaired="run('a')").repairs == ()
    unrepairing = Policy.named("strict").but(repair={"apply": "none"})
    assert failure(fenced, repaired="run('a')", policy=unrepairing).startswith("RC002: ")


def test_another_program_than_the_expected_is_a_diff_of_the_two() -> None:
    """Minus is what the test says, plus is what a run would run."""
    assert failure("```python\nrun('a')\nrun('c')\n```", repaired="run('b')\nrun('c')") == (
        "the program is not the expected one\n"
        "\n"
        "--- expected\n"
        "+++ what would run\n"
        "@@ -1,2 +1,2 @@\n"
        "-run('b')\n"
        "+run('a')\n"
        " run('c')"
    )


def test_warnings_pass_unless_they_are_asked_for() -> None:
    """A run is not stopped by them; a suite may want none."""
    policy = Policy.named("strict").but(grammar={"RC114": "warning"})
    report = assert_program("findCup()", policy=policy)
    assert [finding.level for finding in report.findings] == ["warning"]
    told = failure("findCup()", policy=policy, warnings=True).split("\n")
    assert told[0] == "RC114: the program has warnings (policy strict)"
    assert "       | RC114 (warning) the placeholder name findCup is not snake_case" in told


def test_a_finding_on_several_lines_is_marked_to_the_end_of_its_first() -> None:
    """The place is where it begins."""
    told = failure("for i in [1]:\n    tidy(\n        i,\n    )").split("\n")
    assert told[3:5] == [">    2 |     tidy(", "       |     ^^^^^"]


def test_hostile_text_cannot_write_to_the_terminal_nor_flood_it() -> None:
    """What does not print is written out, what is long is cut."""
    told = failure("x = '\x1b[2J'\ny = '" + "z" * 500 + "'")
    assert "\x1b" not in told
    assert ">    1 | x = '\\x1b[2J'" in told
    assert "[+386 characters]" in told
    assert max(map(len, told.split("\n"))) < 200


@pytest.mark.parametrize("code", ["", "\n", "\0", "(" * 5_000, "\ud800", "x = '\ud800'", "\f\r"])
def test_anything_is_answered(code: str) -> None:
    """Also what is no program at all, with a code and without another exception."""
    assert failure(code).startswith("RC0")


def test_a_wrong_policy_is_the_testers_to_mend() -> None:
    """It is no failure of the program."""
    with pytest.raises(PolicyError, match="there is no policy called 'nix'"):
        assert_program("run('a')", policy="nix")
