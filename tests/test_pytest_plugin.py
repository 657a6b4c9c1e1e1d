"""The plugin in projects of other people: a fixture, one test a reply, and no cost for the rest."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

HEAVY = ("libcst", "msgspec", "rich", "structlog", "typer", "RestrictedPython")
CLEAN = {"id": "clean", "reply": "<execute>\nrun('a')\n</execute>"}
FENCED = {"id": "fenced", "reply": "```python\nrun('b')\n```"}
LOOP = {"id": "loop", "reply": "<execute>\nfor i in [1]:\n    tidy(i)\n</execute>"}


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project whose only configuration is ours to write."""
    pytester.makefile(".ini", pytest="[pytest]\nfilterwarnings = error\n")
    return pytester


def rows(project: pytest.Pytester, *given: object, name: str = "replies.jsonl") -> Path:
    """A file of replies; text stands as it is, everything else as JSON."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in given]
    path = project.path / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(project: pytest.Pytester, *options: object) -> pytest.RunResult:
    """pytest in a process of its own; what else is installed for pytest here stays out of it."""
    return project.runpytest_subprocess("-p", "no:asyncio", "-p", "no:cacheprovider", *options)


def names(result: pytest.RunResult) -> list[str]:
    """The node ids that a run with `--collect-only -q` prints."""
    return [line for line in result.outlines if "::" in line]


# The cost for those who do not use it


def test_a_project_that_does_not_use_the_plugin_loads_nothing_heavy(
    project: pytest.Pytester,
) -> None:
    """Of our package only its door and the plugin are imported, and nothing it depends on."""
    project.makepyfile(
        f"""
        import sys
        def test_loaded():
            heavy = [name for name in {HEAVY} if name in sys.modules]
            ours = sorted(name for name in sys.modules if name.startswith("recode"))
            assert (heavy, ours) == ([], ["recode_runtime", "recode_runtime.pytest_plugin"])
        """
    )
    run(project).assert_outcomes(passed=1)


def test_the_plugin_takes_less_than_five_milliseconds_to_import(project: pytest.Pytester) -> None:
    """Processor time, the best of five starts; pytest itself is there already."""
    code = (
        "import time, pytest; start = time.process_time(); import recode_runtime.pytest_plugin; "
        "print(time.process_time() - start)"
    )
    spent = [float(project.run(sys.executable, "-c", code).outlines[0]) for _ in range(5)]
    assert 0 < min(spent) < 0.005, spent


def test_the_plugin_can_be_switched_off(project: pytest.Pytester) -> None:
    """`-p no:recode` leaves no option behind."""
    result = run(project, "-p", "no:recode", "--recode", rows(project, CLEAN))
    assert result.ret == pytest.ExitCode.USAGE_ERROR


# The fixture


def test_the_fixture_judges_by_the_configuration_of_the_project(project: pytest.Pytester) -> None:
    """`[tool.recode]` gives policy, primitives, variables, outputs; a call may say otherwise."""
    project.makefile(".toml", own='extends = "strict"\n[grammar]\nRC110 = "off"\n')
    project.makepyprojecttoml(
        '[tool.recode]\npolicy = "own.toml"\nprimitives = ["go"]\nvariables = ["cup"]\n'
        'outputs = ["x"]\n'
    )
    project.makepyfile(
        """
        def test_configuration(recode):
            loop = "x = go(cup)\\nfor i in [1]:\\n    tidy(i)"
            assert recode.assert_program(loop).ok
            assert recode.check("x = 1").ok
            assert not recode.check(loop, policy="strict").ok
            assert recode.check("x = run('a')", primitives=["run"]).ok
            assert (recode.primitives, recode.outputs) == (("go",), ("x",))
            assert recode.assert_program("```python\\nx = 1\\n```", repaired="x = 1").repairs
        """
    )
    run(project).assert_outcomes(passed=1)


def test_a_failure_of_the_fixture_is_the_text_and_the_line_of_the_test(
    project: pytest.Pytester,
) -> None:
    """No frame of ours is shown."""
    project.makepyfile("def test_it(recode):\n    recode.assert_program('for i in []:\\n  do(i)')")
    result = run(project)
    result.stdout.fnmatch_lines(
        [
            ">*recode.assert_program(*",
            "E*ProgramRefused: RC110: the program is outside the grammar (policy strict)",
            "E*>    2 |   do(i)",
            "E*       | RC110 the placeholder do stands in a loop",
            "test_*.py:2: ProgramRefused",
        ]
    )
    result.stdout.no_fnmatch_line("*def assert_program*")
    result.stdout.no_fnmatch_line("*def demand*")


def test_a_wrong_configuration_is_told_without_a_traceback(project: pytest.Pytester) -> None:
    """The message names the file, the key and the one that was meant."""
    project.makepyprojecttoml('[tool.recode]\npolcy = "strict"\n')
    result = run(project, "--recode", rows(project, CLEAN))
    assert result.ret != 0
    text = result.stdout.str() + result.stderr.str()
    assert "pyproject.toml: unknown key polcy; did you mean 'policy'?" in text
    assert "Traceback" not in text


# One test a reply


def test_every_reply_is_a_test_named_by_its_id_or_its_line(project: pytest.Pytester) -> None:
    """Names are unique and fit on a command line; empty lines are no tests."""
    nameless = {"reply": "run('a')"}
    odd = {"id": "a::b/c\n\x1b" + "d" * 200, "reply": "run('a')"}
    path = rows(project, CLEAN, "", nameless, CLEAN, {"id": 7} | nameless, odd, "[]")
    result = run(project, "--recode", path, "--collect-only", "-q")
    assert names(result) == [
        "replies.jsonl::clean",
        "replies.jsonl::line-3",
        "replies.jsonl::clean-line-4",
        "replies.jsonl::7",
        "replies.jsonl::a:b|c\\n\\x1b" + "d" * 72,
        "replies.jsonl::line-7",
    ]


def test_a_reply_passes_if_a_run_would_take_it(project: pytest.Pytester) -> None:
    """With the repairs of the policy; a failure is the annotated program and nothing else."""
    result = run(project, "--recode", rows(project, CLEAN, FENCED, LOOP))
    result.assert_outcomes(passed=2, failed=1)
    section = result.stdout.str().split("_ loop _")[1].split("= short test summary")[0]
    assert section.strip("_=\n ") == (
        "replies.jsonl:3: RC110: the program is outside the grammar (policy strict)\n"
        "\n"
        "     1 | for i in [1]:\n"
        ">    2 |     tidy(i)\n"
        "       |     ^^^^^^^\n"
        "       | RC110 the placeholder tidy stands in a loop\n"
        "       | use instead: call one placeholder for all rounds, outside the loop, and pass it "
        "the whole list\n"
        "\n"
        "no safe repair is known"
    )


def test_a_row_may_say_which_program_comes_out(project: pytest.Pytester) -> None:
    """The field `program`: a regression test of a prompt, or of a repair."""
    right, wrong = FENCED | {"program": "run('b')\n"}, FENCED | {"program": "run('c')"}
    result = run(project, "--recode", rows(project, right, wrong, FENCED | {"program": 5}))
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "replies.jsonl:2: the program is not the expected one",
            "-run('c')",
            "+run('b')",
            "replies.jsonl:3: the field 'program' is not text; it says what the reply becomes",
        ]
    )


def test_a_row_may_say_what_it_is_judged_by(project: pytest.Pytester) -> None:
    """Each reply of a run has its own variables, outputs and primitives."""
    own = {"reply": "x = go(cup)\ntidy(cup)", "primitives": ["go"], "variables": {"cup": 1}}
    path = rows(project, own | {"outputs": ["x"]}, own | {"outputs": ["y"]})
    result = run(project, "--recode", path)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["RC120 the promised output y is never assigned"])


def test_rows_that_cannot_be_used_fail_and_say_why(project: pytest.Pytester) -> None:
    """Each is an item of its own: the other rows are still tested."""
    path = rows(project, "no json", "[" * 100_000, {"text": "run('a')"}, {"reply": 5}, CLEAN)
    path.write_bytes(path.read_bytes() + b'{"reply": "\xff"}\n')
    result = run(project, "--recode", path)
    result.assert_outcomes(passed=1, failed=5)
    no_json = "the row is not JSON; a JSONL file has one JSON object a line"
    result.stdout.fnmatch_lines(
        [
            f"replies.jsonl:1: {no_json}",
            f"replies.jsonl:2: {no_json}",
            "replies.jsonl:3: there is no field 'reply'*(the row has: text)*",
            "replies.jsonl:4: the field 'reply' is not text",
            "replies.jsonl:6: the row is not UTF-8 text",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_field_of_the_reply_can_be_named(project: pytest.Pytester) -> None:
    """Dotted, through objects and lists, as recorded by chat servers."""
    recorded = {"choices": [{"message": {"content": "run('a')"}}]}
    path = rows(project, recorded)
    field = "choices.0.message.content"
    run(project, "--recode", path, "--recode-field", field).assert_outcomes(passed=1)
    project.makepyprojecttoml(f'[tool.recode]\nfield = "{field}"\n')
    run(project, "--recode", path).assert_outcomes(passed=1)


def test_files_are_added_to_the_paths_that_are_given_and_else_stand_alone(
    project: pytest.Pytester,
) -> None:
    """Several files, each once, beside ordinary tests or without them."""
    project.makepyfile(test_own="def test_own():\n    pass")
    one, two = rows(project, CLEAN), rows(project, FENCED, name="more.jsonl")
    options = ("--recode", one.name, "--recode", two, "--recode", one, "--collect-only", "-q")
    replies = ["replies.jsonl::clean", "more.jsonl::fenced"]
    assert names(run(project, *options)) == replies
    assert names(run(project, "test_own.py", *options)) == ["test_own.py::test_own", *replies]
    everything = names(run(project, ".", *options))
    assert sorted(everything) == sorted(["test_own.py::test_own", *replies])


def test_a_file_that_is_not_there_or_no_jsonl_is_wrong_usage(project: pytest.Pytester) -> None:
    """As for any path on pytest's command line; a program would be imported as a test module."""
    result = run(project, "--recode", "nix.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --recode: there is no file *nix.jsonl"])
    project.makepyfile(plan="obs = run('look')")
    result = run(project, "--recode", "plan.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --recode reads JSONL; recode check judges *plan.py"])


def test_replies_are_chosen_as_tests_are(project: pytest.Pytester) -> None:
    """`-k`, a node id, and `-x`."""
    path = rows(project, LOOP, CLEAN, FENCED)
    run(project, "--recode", path, "-k", "clean or fenced").assert_outcomes(passed=2, deselected=1)
    run(project, "--recode", path, "-x").assert_outcomes(failed=1)
    run(project, "--recode", path, f"{path}::clean").assert_outcomes(passed=1)
    run(project, "--recode", path, f"{path.name}::clean").assert_outcomes(passed=1)
    deselect = ("--deselect", f"{path.name}::loop")
    run(project, "--recode", path, *deselect).assert_outcomes(passed=2, deselected=1)
    chosen = names(run(project, "--recode", path, "-k", "loop", "--collect-only", "-q"))
    assert chosen == ["replies.jsonl::loop"]


def test_replies_are_shared_out_by_xdist(project: pytest.Pytester) -> None:
    """The workers see the same rows under the same names."""
    given = [{"id": f"reply-{number}"} | {"reply": "run('a')"} for number in range(6)]
    result = run(project, "--recode", rows(project, *given, LOOP), "-p", "xdist", "-n", "2", "-v")
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["replies.jsonl:7: RC110: the program is outside*"])


def test_a_report_of_the_run_points_at_the_row(project: pytest.Pytester) -> None:
    """Tools that read locations, as CI annotations do, find the line of the reply."""
    project.makeconftest("def pytest_runtest_logreport(report):\n    print('AT', report.location)")
    result = run(project, "--recode", rows(project, CLEAN, LOOP), "-s")
    result.stdout.fnmatch_lines(["*AT ('replies.jsonl', 0, 'clean')"])
    result.stdout.fnmatch_lines(["*AT ('replies.jsonl', 1, 'loop')"])
