"""A way becomes stages: cut where the score changes, halved where it is long, well named."""

from __future__ import annotations

import pytest

from recode_runtime.environments.stages import Stage, stages_of


def test_a_stage_ends_where_the_score_changes() -> None:
    """Up or down; what follows the last change is a stage too."""
    stages = stages_of(["go", "take", "drop", "go", "wait"], [0.0, 0.5, 0.25, 0.25, 0.25])
    assert stages == (
        Stage(1, "take", ("go", "take")),
        Stage(2, "drop", ("drop",)),
        Stage(3, "wait", ("go", "wait")),
    )


def test_a_stage_of_six_actions_is_whole_and_of_seven_is_halved() -> None:
    """The halves carry the next numbers, and the second says that it finishes the stage."""
    six, seven = [f"step {n}" for n in range(6)], [f"step {n}" for n in range(7)]
    assert stages_of(six, [0, 0, 0, 0, 0, 1]) == (Stage(1, "step_5", tuple(six)),)
    first = Stage(2, "step_2", tuple(seven[:3]))
    second = Stage(3, "finish_step_6", tuple(seven[3:]))
    stages = stages_of(seven, [0, 0, 0, 0, 0, 0, 1])
    assert stages == (Stage(1, "step_6", tuple(seven), (first, second)),)


def test_numbers_are_unique_and_the_parts_make_the_whole() -> None:
    """However deep the halving goes: one number a stage, and nothing is lost or doubled."""
    actions = ["move north"] * 40
    stages = stages_of(actions, [0.0] * 29 + [0.5] * 10 + [1.0])
    every = [stage for top in stages for stage in top.walk()]
    assert [stage.number for stage in every] == list(range(1, len(every) + 1))
    leaves = [stage for stage in every if not stage.parts]
    assert [action for leaf in leaves for action in leaf.actions] == actions
    assert max(len(leaf.actions) for leaf in leaves) <= 6
    assert all(
        stage.actions == stage.parts[0].actions + stage.parts[1].actions
        for stage in every
        if stage.parts
    )


def test_no_way_has_no_stages() -> None:
    """An empty way is empty."""
    assert stages_of([], []) == ()


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("take black pepper", "take_black_pepper(stage=1)"),
        ("Put 19ml of Milk in box!", "put_19ml_of_milk_in_box(stage=1)"),
        ("open", "do_open(stage=1)"),
        ("run", "do_run(stage=1)"),
        ("import", "do_import(stage=1)"),
        ("match", "do_match(stage=1)"),
        ("2 steps", "do_2_steps(stage=1)"),
        ("stage", "do_stage(stage=1)"),
        ("é!", "act(stage=1)"),
    ],
)
def test_a_name_is_fit_for_a_placeholder(action: str, call: str) -> None:
    """What Python, the run or its primitives call something is never the name of a stage."""
    assert stages_of([action], [1.0])[0].call == call
