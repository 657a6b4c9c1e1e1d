"""The two smaller entrances: judging a program, and a session behind the wall."""

from __future__ import annotations

import pytest

from recode_runtime import Policy, PolicyError, check, open_sandbox


def test_a_program_inside_the_grammar_has_no_findings() -> None:
    """The report holds the program, split into statements."""
    report = check("obs = run('look')\nfind_cup(obs)", primitives=["run"])
    assert report.ok
    assert report.findings == ()
    assert report.program is not None
    assert [statement.kind for statement in report.program.statements] == ["action", "placeholder"]


def test_a_program_outside_the_grammar_is_not_an_exception() -> None:
    """Findings name the rule and the line."""
    report = check("x = run('a')\nfor i in range(3):\n    step(i)")
    assert not report.ok
    assert [(finding.code, finding.line) for finding in report.findings] == [("RC110", 3)]


def test_a_whole_reply_can_be_checked() -> None:
    """What was mended is said, and the mended source is there."""
    report = check("Here:\n```python\nrun('a')\n```")
    assert report.ok
    assert report.source == "run('a')"
    assert report.repairs


@pytest.mark.parametrize("text", ["I will look.", "", "(" * 70_000, "\0", "x = '\ud800'"])
def test_anything_gets_an_answer(text: str) -> None:
    """Also what is no program at all."""
    report = check(text)
    assert not report.ok
    assert all(finding.level == "error" for finding in report.findings)
    assert report.findings


def test_a_wrapping_def_is_read_as_in_a_run() -> None:
    """The same text is judged the same way, with tags and without."""
    wrapped = "def find(obs):\n    cup = run('find')\n    return cup"
    bare = check(wrapped, outputs=["cup"])
    tagged = check(f"<execute>\n{wrapped}\n</execute>", outputs=["cup"])
    assert bare.ok
    assert tagged.ok
    assert bare.source == tagged.source == "cup = run('find')"


def test_a_policy_without_repairs_refuses_what_needs_one() -> None:
    """As in a run."""
    policy = Policy.named("strict").but(repair={"apply": "none"})
    report = check("```python\nrun('a')\n```", policy=policy)
    assert [finding.code for finding in report.findings] == ["RC002"]
    assert not check("def f():\n    run('a')", policy=policy).ok
    assert check("run('a')", policy=policy).ok


def test_what_is_wrong_is_said_of_the_text_that_was_given() -> None:
    """A program with a mistake is no reply without a program."""
    assert [finding.code for finding in check("run('a'").findings] == ["RC003"]
    assert [f.code for f in check("<execute>\nrun('a'\n</execute>").findings] == ["RC003"]
    assert [f.code for f in check("<execute>\n</execute>").findings] == ["RC005"]


def test_variables_and_outputs_count() -> None:
    """A name that is bound is no placeholder; a promise that no path keeps is a finding."""
    assert check("x = step(obs)", variables=["obs"], outputs=["x"]).ok
    assert [f.code for f in check("y = 1", outputs=["x"]).findings] == ["RC120"]


def test_a_wrong_policy_is_an_exception() -> None:
    """It is the caller's mistake, not the program's."""
    with pytest.raises(PolicyError):
        check("x = 1", policy="nothing")


async def test_a_session_keeps_its_variables() -> None:
    """The example of the design: observe, compute, read."""

    async def act(action: str) -> str:
        """Act."""
        return f"{action}!"

    async with open_sandbox("strict", primitives={"run": act}) as box:
        outcome = await box.execute("obs = run('look')\nn = len(obs)")
        assert outcome.ok
        assert outcome.variables == {"obs": "look!", "n": 5}
        assert (await box.execute("n += 1\nprint(n)")).printed == "6\n"


async def test_a_failing_statement_says_what_was_bound_before_it() -> None:
    """Earlier statements have committed, and only they."""
    async with open_sandbox() as box:
        await box.bind(items=[1, 2])
        outcome = await box.execute("a = items[0]\nb = items[9]")
        assert outcome.failure is not None
        assert outcome.failure.message == "IndexError: list index out of range"
        assert outcome.failure.line == 2
        assert (outcome.bound, outcome.variables) == (("a",), {"a": 1})


async def test_text_that_is_no_python_is_a_failure_like_any_other() -> None:
    """The guest compiles; the host only looks for names."""
    async with open_sandbox() as box:
        outcome = await box.execute("x = (")
        assert outcome.failure is not None
        assert outcome.failure.message.startswith("SyntaxError")


async def test_the_policy_holds() -> None:
    """Limits are the policy's."""
    policy = Policy.named("strict").but(limits={"statement_seconds": 0.2})
    async with open_sandbox(policy) as box:
        outcome = await box.execute("while True: pass")
        assert outcome.failure is not None
        assert outcome.failure.kind == "limit"
