"""Comments for the linter: what they hide, what they must not hide, and when they are idle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checked import checked, written
from recode_runtime import check
from recode_runtime.grammar import judge
from recode_runtime.policy import Policy

WRONG = "x = lookUp(1)"
HIDDEN = f"{WRONG}  # recode: ignore[RC114]"


def codes_of(folder: Path, source: str, *options: str) -> list[str]:
    """Line and code of each finding in a Python file."""
    written(folder, {"plan.py": source})
    answer = checked(folder, "plan.py", "--output-format", "concise", "--quiet", *options)
    assert answer.err == ""
    return [
        " ".join(re.findall(r"^plan.py:(\d+):\d+: (\w+)", line)[0])
        for line in answer.out.splitlines()
    ]


@pytest.mark.parametrize(
    "source",
    [
        HIDDEN,
        f"{WRONG}  # recode: ignore",
        f"{WRONG}  #recode:ignore[RC114]",
        f"{WRONG}  # a reason  # recode: ignore[RC114]",
        f"{WRONG}  # recode: ignore[RC114] for a reason",
        f"# recode: ignore-file[RC114]\n{WRONG}",
        f"#!/usr/bin/env python\n\n# recode: ignore-file\n{WRONG}",
        "x = lookUp(  # recode: ignore[RC114]\n    1,\n)",
        "x = lookUp(\n    1,\n)  # recode: ignore[RC114]",
    ],
)
def test_a_comment_hides_a_finding_of_its_statement(tmp_path: Path, source: str) -> None:
    """By code or in general, for a line, a logical line or a file."""
    assert codes_of(tmp_path, source) == []


@pytest.mark.parametrize(
    "source",
    [
        f"# recode: ignore[RC114]\n{WRONG}",
        f"y = 1  # recode: ignore[RC114]\n{WRONG}",
        f"y = 1\n# recode: ignore-file[RC114]\n{WRONG}",
        f"{WRONG}  # recode: ingore[RC114]",
        f"{WRONG}  # recode: ignore[RC110]",
    ],
)
def test_a_comment_elsewhere_hides_nothing_and_is_found(tmp_path: Path, source: str) -> None:
    """A comment that is of no use is a finding of its own."""
    found = codes_of(tmp_path, source)
    assert sorted(one.split()[1] for one in found) == ["RC114", "RC310"]


def test_a_string_is_no_comment(tmp_path: Path) -> None:
    """What only looks like a comment is neither obeyed nor found idle."""
    source = "x = lookUp('# recode: ignore')\ny = '''\n# recode: ignore-file\n'''"
    assert codes_of(tmp_path, source) == ["1 RC114"]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignore", "there is nothing to ignore here"),
        ("ignore[RC110, RC111]", "there is no RC110 or RC111 to ignore here"),
        ("ignore[RC1100]", "there is no rule RC1100; did you mean RC110?"),
        ("ignore[]", "there is no rule without a code; see: recode rules"),
        ("ignore[RC003]", "RC003 is always an error and cannot be ignored"),
        ("ingore", "the comment says 'ingore'; did you mean 'ignore'?"),
        ("off", "the comment says 'off'; known are ignore and ignore-file"),
    ],
)
def test_an_idle_comment_says_why(tmp_path: Path, comment: str, message: str) -> None:
    """A warning at the place of the comment; the exit code stays 0."""
    written(tmp_path, {"plan.py": f"x = 1  # recode: {comment}\n"})
    answer = checked(tmp_path, "plan.py", "--output-format", "concise", "-q")
    assert answer.code == 0
    first = answer.out.splitlines()[0].replace("[*] ", "")
    assert first.startswith(f"plan.py:1:8: RC310 warning: {message}")


def test_ignore_file_below_a_statement_says_where_it_counts(tmp_path: Path) -> None:
    """It would be easy to overlook in the middle of a program."""
    written(tmp_path, {"plan.py": "x = 1\n# recode: ignore-file\n"})
    answer = checked(tmp_path, "plan.py", "--output-format", "concise", "-q")
    assert answer.out == (
        "plan.py:2:1: RC310 warning: ignore-file counts above the first statement only\n"
    )


def test_what_is_not_looked_for_is_not_idle(tmp_path: Path) -> None:
    """With --select or --ignore, comments about other codes are left in peace."""
    source = "x = 1  # recode: ignore[RC114]\ny = 2  # recode: ignore"
    assert codes_of(tmp_path, source) == ["1 RC310", "2 RC310"]
    assert codes_of(tmp_path, source, "--ignore", "RC114") == []
    assert codes_of(tmp_path, source, "--select", "RC110,RC310") == []
    assert codes_of(tmp_path, source, "--ignore", "RC310") == []


def test_what_is_no_program_cannot_be_hidden(tmp_path: Path) -> None:
    """A comment counts up to where the text stops being Python, and hides no syntax error."""
    assert codes_of(tmp_path, "x = (  # recode: ignore\n") == ["1 RC003"]


def test_fix_takes_out_what_is_idle(tmp_path: Path) -> None:
    """The comment, or the codes in it that are of no use; words behind it stay."""
    source = (
        "a = 1  # recode: ignore[RC110]\n"
        "# recode: ignore[RC112]\n"
        f"{WRONG}  # recode: ignore[RC114, RC110]\n"
        "b = 1  # recode: ignore because\n"
        "c = 1  # recode: ignore[RC999]\n"
    )
    written(tmp_path, {"plan.py": source})
    checked(tmp_path, "plan.py", "--fix")
    assert (tmp_path / "plan.py").read_text() == (
        f"a = 1\n{HIDDEN}\nb = 1  # because\nc = 1  # recode: ignore[RC999]\n"
    )


def test_fix_leaves_alone_what_a_comment_hides(tmp_path: Path) -> None:
    """The code that is hidden somewhere in a program is not mended anywhere in it."""
    source = f"{HIDDEN}\ny = findOut(x)\n"
    written(tmp_path, {"plan.py": source})
    assert checked(tmp_path, "plan.py", "--fix").code == 1
    assert (tmp_path / "plan.py").read_text() == source


def test_a_model_cannot_switch_a_rule_off(tmp_path: Path) -> None:
    """Neither at run time nor in a file of replies do such comments mean anything."""
    verdict = judge(HIDDEN, policy=Policy.named("strict"), primitives=["run"], variables=[])
    assert [one.code for one in verdict.findings] == ["RC114"]
    assert [one.code for one in check("# recode: ignore-file\nimport os").findings] == ["RC201"]
    written(tmp_path, {"reply.txt": f"<execute>\n# recode: ignore-file\n{HIDDEN}\n</execute>"})
    answer = checked(tmp_path, "reply.txt", "--output-format", "concise", "-q")
    assert answer.out.startswith("reply.txt:3:5: RC114 ")
    assert answer.out.count("\n") == 1


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [("z = (1\n", "RC003"), (f"z = '{'a' * 20_000}'\n", "RC004")],
)
def test_no_comment_is_idle_where_no_rule_has_looked(
    tmp_path: Path, spoilt: str, code: str
) -> None:
    """A slip while typing must not cost the comments of the file, not with `--fix` either."""
    source = (
        f"{HIDDEN}\nfor x in [1]:\n    put(x)  # recode: ignore[RC110]\nw = 1  # recode: ignore\n"
    )
    written(tmp_path, {"plan.py": source + spoilt})
    answer = checked(tmp_path, "plan.py", "--fix", "--output-format", "concise", "-q")
    assert (answer.code, answer.out.count("\n")) == (1, 1)
    assert f" {code} " in answer.out
    assert (tmp_path / "plan.py").read_text() == source + spoilt
