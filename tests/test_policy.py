"""A policy is TOML in, one frozen value out, and every mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from recode_runtime.errors import PolicyError
from recode_runtime.policy import Policy, shipped_names


def _written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_policies_all_load() -> None:
    """Every file in policies/ is a policy."""
    assert shipped_names() == ["paper", "strict"]
    assert [Policy.named(name).name for name in shipped_names()] == ["paper", "strict"]


def test_paper_has_the_numbers_of_the_paper() -> None:
    """Depth 10, five rewrites after the first program, one or two primitives as a hint."""
    paper = Policy.named("paper")
    assert paper.supervisor.depth == 10
    assert paper.supervisor.attempts == 6
    assert paper.prompt.primitives_hint == (1, 2)


def test_a_policy_extends_another_and_says_only_what_differs(tmp_path: Path) -> None:
    """The nearest value wins; all the rest is the base's."""
    path = _written(tmp_path, 'extends = "strict"\n[limits]\nstatement_seconds = 1.5\n')
    policy = Policy.load(path)
    strict = Policy.named("strict")
    assert policy.name == "mine"
    assert policy.limits.statement_seconds == 1.5
    assert policy.limits.memory_mib == strict.limits.memory_mib
    assert policy.language == strict.language


def test_a_policy_extends_a_file_beside_it(tmp_path: Path) -> None:
    """A name that ends in .toml is a path, seen from the extending file."""
    _written(tmp_path, 'extends = "strict"\n[supervisor]\ndepth = 3\n', "base.toml")
    path = _written(tmp_path, 'extends = "base.toml"\n')
    assert Policy.load(path).supervisor.depth == 3


def test_grammar_levels_are_merged_by_code(tmp_path: Path) -> None:
    """`[grammar]` is a table of codes, and a policy may add to its base's."""
    path = _written(tmp_path, 'extends = "strict"\n[grammar]\nRC101 = "warning"\n')
    assert Policy.load(path).grammar["RC101"] == "warning"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'extends = "strict"\n[limits]\nstatment_seconds = 1.0\n',
            "unknown key [limits] statment_seconds; did you mean 'statement_seconds'?",
        ),
        (
            'extends = "strict"\n[limts]\nmemory_mib = 1\n',
            "unknown key limts; did you mean 'limits'?",
        ),
        (
            'extends = "strict"\n[limits]\nmemory_mib = 0\n',
            "Expected `int` >= 1 - at `$.limits.memory_mib`",
        ),
        (
            'extends = "strict"\n[grammar]\nRC101 = "loud"\n',
            "Invalid enum value 'loud' - at `$.grammar[...]`",
        ),
        ("[limits]\nmemory_mib = 64\n", "missing required field"),
        ('extends = "strickt"\n', "there is no policy called 'strickt'; shipped are paper, strict"),
        ("extends = 3\n", "extends must be the name or the path of a policy"),
        ("not toml", "is not TOML"),
        ('extends = "mine.toml"\n', "it extends itself"),
    ],
)
def test_a_wrong_policy_is_named(tmp_path: Path, text: str, message: str) -> None:
    """What is wrong, where, and what was probably meant."""
    with pytest.raises(PolicyError) as caught:
        Policy.load(_written(tmp_path, text))
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(PolicyError, match=r"nothere\.toml: cannot be read"):
        Policy.load(tmp_path / "nothere.toml")


def test_of_takes_what_people_write(tmp_path: Path) -> None:
    """A policy, a shipped name, a path, or the path as text."""
    strict = Policy.named("strict")
    path = _written(tmp_path, 'extends = "strict"\n')
    assert Policy.of(strict) is strict
    assert Policy.of("strict") == strict
    assert Policy.of(path) == Policy.of(str(path))


def test_but_changes_some_keys_and_checks_them() -> None:
    """A changed policy is checked like a loaded one; the original stays."""
    strict = Policy.named("strict")
    assert strict.but(limits={"statement_seconds": 1.0}).limits.statement_seconds == 1.0
    assert strict.limits.statement_seconds == 5.0
    with pytest.raises(PolicyError, match="did you mean 'depth'"):
        strict.but(supervisor={"dept": 2})
