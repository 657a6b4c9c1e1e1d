"""The worked examples in the prompts are programs that our own grammar accepts."""

from __future__ import annotations

import ast

import pytest

from recode_runtime import check
from recode_runtime.environments.base import HasFewShots
from recode_runtime.environments.crafting import Crafting
from recode_runtime.environments.textworld_express import TextWorldExpress


@pytest.mark.parametrize("environment", [Crafting(), TextWorldExpress()], ids=lambda one: one.name)
def test_an_example_would_be_accepted_as_it_stands(environment: object) -> None:
    """With the outputs and parameters of the placeholder it expands, and no repair."""
    assert isinstance(environment, HasFewShots)
    for shot in environment.few_shots:
        statement = ast.parse(shot.placeholder).body[0]
        assert isinstance(statement, ast.Assign)
        assert isinstance(statement.value, ast.Call)
        outputs = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        parameters = [keyword.arg for keyword in statement.value.keywords]
        report = check(shot.reply, variables=["obs", *parameters], outputs=outputs)
        assert report.findings == ()
        assert report.repairs == ()
        assert report.ok
