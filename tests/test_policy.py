"""A policy is TOML in, one frozen value out, and every mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recode_runtime.errors import PolicyError
from recode_runtime.policy import Policy, shipped_names
from sessions import opened


def _written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_policies_all_load() -> None:
    """Every file in policies/ is a policy."""
    names = ["hardened", "paper", "portable", "strict"]
    assert shipped_names() == names
    assert [Policy.named(name).name for name in shipped_names()] == names


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
            "mine.toml: unknown key [limits] statment_seconds; did you mean 'statement_seconds'?",
        ),
        (
            'extends = "strict"\n[limts]\nmemory_mib = 1\n',
            "mine.toml: unknown key limts; did you mean 'limits'?",
        ),
        ('name = "x"\nextends = "strict"\n', "unknown key name; known are grammar, repair, "),
        ('extends = "strict"\n[isolation]\nwall = "process"\n', "unknown key [isolation] wall; "),
        ('extends = "strict"\n[language]\nmod = "python"\n', "unknown key [language] mod; did "),
        (
            'extends = "strict"\n[limits]\nmemory_mib = 0\n',
            "mine.toml: Expected `int` >= 1 - at `$.limits.memory_mib`",
        ),
        (
            'extends = "strict"\n[grammar]\nRC101 = "loud"\n',
            "Invalid enum value 'loud' - at `$.grammar[...]`",
        ),
        ("[limits]\nmemory_mib = 64\n", "missing required field"),
        (
            'extends = "strickt"\n',
            "there is no policy called 'strickt'; shipped are hardened, paper, ",
        ),
        (
            'extends = "strict"\n[limits]\nstatement_seconds = inf\n',
            "Expected `float` <= 31536000.0 - at `$.limits.statement_seconds`",
        ),
        (
            'extends = "strict"\n[supervisor]\nseconds = nan\n',
            "Expected `float` > 0.0 - at `$.supervisor.seconds`",
        ),
        (
            'extends = "strict"\n[supervisor]\ndepth = 65\n',
            "Expected `int` <= 64 - at `$.supervisor.depth`",
        ),
        (
            'extends = "strict"\n[limits]\nsyntax_depth = 91\n',
            "Expected `int` <= 90 - at `$.limits.syntax_depth`",
        ),
        (
            'extends = "strict"\n[limits]\nchain_length = 91\n',
            "Expected `int` <= 90 - at `$.limits.chain_length`",
        ),
        (
            'extends = "strict"\n[prompt]\nprimitives_hint = [3, 2]\n',
            "primitives_hint goes from 3 down to 2 - at `$.prompt`",
        ),
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
    assert str(caught.value).startswith(f"{tmp_path / 'mine.toml'}: ")


# Each key of the wall with a value just outside of what it may be, and what is said of it.
OUTSIDE = [
    ("language", 'mode = "Python"', "Invalid enum value 'Python' - at `$.language.mode`"),
    ("language", 'preload = "math"', "Expected `array`, got `str` - at `$.language.preload`"),
    ("language", "preload = [1]", "Expected `str`, got `int` - at `$.language.preload[0]`"),
    ("limits", "statement_cpu_seconds = 0.0", "Expected `float` > 0.0"),
    ("limits", "statement_cpu_seconds = inf", "Expected `float` <= 31536000.0"),
    ("limits", "memory_mib = 16_777_217", "Expected `int` <= 16777216 - at `$.limits.memory_mib`"),
    ("limits", "processes = 3", "Expected `int` >= 4 - at `$.limits.processes`"),
    ("limits", "processes = 8.5", "Expected `int`, got `float` - at `$.limits.processes`"),
    ("limits", "printed_lines = 0", "Expected `int` >= 1 - at `$.limits.printed_lines`"),
    ("isolation", 'level = "none"', "Invalid enum value 'none' - at `$.isolation.level`"),
    ("isolation", "ready = -1", "Expected `int` >= 0 - at `$.isolation.ready`"),
    ("isolation", "ready = 65", "Expected `int` <= 64 - at `$.isolation.ready`"),
    ("isolation", "control_groups = 1", "Expected `bool`, got `int`"),
]


@pytest.mark.parametrize(("table", "line", "message"), OUTSIDE)
def test_a_value_outside_of_what_a_key_may_be_is_refused(
    table: str, line: str, message: str, tmp_path: Path
) -> None:
    """The key, the bound and the file are named."""
    path = _written(tmp_path, f'extends = "strict"\n[{table}]\n{line}\n')
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("language", "mode", "python"),
        ("language", "preload", ["array", "zlib"]),
        ("limits", "statement_cpu_seconds", 0.25),
        ("limits", "processes", 4),
        ("limits", "printed_lines", 1),
        ("isolation", "ready", 0),
        ("isolation", "ready", 64),
        ("isolation", "control_groups", True),
    ],
)
def test_a_value_at_the_edge_of_what_a_key_may_be_is_taken(
    table: str, key: str, value: object
) -> None:
    """The bounds are those that are told."""
    policy = Policy.named("strict").but(**{table: {key: value}})
    taken = getattr(getattr(policy, table), key)
    assert (list(taken) if isinstance(taken, tuple) else taken) == value


@pytest.mark.parametrize(
    ("table", "given", "meant"),
    [
        ("language", "preloads", "preload"),
        ("limits", "statement_cpu_second", "statement_cpu_seconds"),
        ("limits", "process", "processes"),
        ("limits", "print_lines", "printed_lines"),
        ("isolation", "levels", "level"),
        ("isolation", "requires", "require"),
        ("isolation", "cgroups", "control_groups"),
    ],
)
def test_the_key_that_was_meant_is_told(table: str, given: str, meant: str, tmp_path: Path) -> None:
    """The nearest one of that table."""
    path = _written(tmp_path, f'extends = "strict"\n[{table}]\n{given} = 1\n')
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    assert str(caught.value) == (f"{path}: unknown key [{table}] {given}; did you mean {meant!r}?")


@pytest.mark.parametrize(
    ("isolation", "message"),
    [
        ('require = ["landlok"]', "require knows no layer 'landlok'; did you mean 'landlock'?"),
        ('require = ["x"]', "require knows no layer 'x'; known are empty-environment, closed-"),
        (
            'level = "portable"',
            "require names 'unprivileged-user', which level leaves out",
        ),
        (
            'require = ["rlimits", "pids-cgroup"]',
            "require names 'pids-cgroup', which control_groups leaves out",
        ),
    ],
)
def test_a_policy_cannot_require_what_it_never_has(
    isolation: str, message: str, tmp_path: Path
) -> None:
    """A layer that nobody knows, or that the policy itself leaves out: told with the file."""
    path = _written(tmp_path, f'extends = "strict"\n[isolation]\n{isolation}\n')
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith(" - at `$.isolation`")


def test_the_policies_of_the_wall_say_what_differs() -> None:
    """`hardened` and `portable` are the default policy in all but their isolation."""
    strict = Policy.named("strict")
    for name in ("hardened", "portable"):
        policy = Policy.named(name)
        assert msgspec.structs.replace(policy, name="strict", isolation=strict.isolation) == strict
    assert Policy.named("hardened").isolation.level == "full"
    assert Policy.named("hardened").isolation.control_groups
    assert Policy.named("portable").isolation.level == "portable"


def test_a_mistake_in_a_base_names_the_base(tmp_path: Path) -> None:
    """The file that has the unknown key, not the one that extends it."""
    base = _written(tmp_path, 'extends = "strict"\n[prompt]\nfew_shot = true\n', "base.toml")
    with pytest.raises(PolicyError) as caught:
        Policy.load(_written(tmp_path, 'extends = "base.toml"\n'))
    assert str(caught.value) == (
        f"{base}: unknown key [prompt] few_shot; did you mean 'few_shots'?"
    )


# What may be in one frame, as limits of which the last is the size of the frame it needs.
FRAMES = {
    "a call": {"value_bytes": 90_000, "frame_bytes": 335_536},
    "an answer": {"value_bytes": 60_000, "printed_bytes": 30_000, "frame_bytes": 425_536},
    "an observation": {"value_bytes": 10_000, "observation_bytes": 50_000, "frame_bytes": 365_536},
}
SMALL = {"source_bytes": 10_000, "printed_bytes": 1_000, "observation_bytes": 1_000}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_must_have_room_for_what_the_other_limits_allow(frame: str) -> None:
    """One byte less is refused, with the number that is needed."""
    limits = SMALL | FRAMES[frame]
    needed = limits["frame_bytes"]
    assert Policy.named("strict").but(limits=limits).limits.frame_bytes == needed
    with pytest.raises(PolicyError) as caught:
        Policy.named("strict").but(limits=limits | {"frame_bytes": needed - 1})
    assert str(caught.value) == (
        f"policy strict: frame_bytes is {needed - 1}, but value_bytes, observation_bytes, "
        f"printed_bytes and source_bytes need at least {needed} - at `$.limits`"
    )


async def test_whatever_fits_its_own_limit_fits_the_smallest_frame() -> None:
    """Floats weigh most on the wire and control characters are escaped; no session breaks."""
    received = []

    async def give(*numbers: float, **more: float) -> str:
        received.append(len(numbers) + len(more["more"]))  # type: ignore[arg-type]
        return "\x01" * 200_000

    floats = "[-2.2250738585072014e-308] * 4_280"
    async with opened({"give": give}, **SMALL, **FRAMES["a call"]) as session:
        called = await session.execute(f"more = {floats}\nseen = give(*more, more=more)")
        assert (called.failure, received) == (None, [8_560])
    async with opened({}, **SMALL | FRAMES["an answer"]) as session:
        source = "=".join(f"v{number}" for number in range(1_500)) + "= ''\n"
        source += "print('\\x01' * 29_999)\nmore = [-2.2250738585072014e-308] * 1_600"
        answered = await session.execute(source, want=None)
        assert answered.failure is None
        assert answered.printed == "\\x01" * 29_999 + "\n"
        assert len(answered.bound) == len(answered.variables) == 1_501
    async with opened({"give": give}, **SMALL | FRAMES["an observation"]) as session:
        seen = await session.execute("n = len(give(more=[]))", want=["n"])
        assert seen.failure is None
        assert seen.variables["n"] > 40_000


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
