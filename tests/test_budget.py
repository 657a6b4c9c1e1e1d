"""A budget is spent before the thing is done, and never overspent."""

from __future__ import annotations

import pytest

from recode_runtime.budget import Budget
from recode_runtime.errors import LimitExceeded


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The seconds now."""
        return self.now


def test_the_last_unit_can_be_spent_and_no_more() -> None:
    """Three allowed are three, and the fourth takes nothing."""
    budget = Budget({"nodes": 3, "seconds": 10}, Clock())
    for _ in range(3):
        budget.spend("nodes")
    with pytest.raises(LimitExceeded) as caught:
        budget.spend("nodes", "0.4")
    assert (caught.value.limit, caught.value.allowed, caught.value.node) == ("nodes", 3, "0.4")
    assert str(caught.value) == "the run's budget of 3 nodes is used up (at node 0.4)"
    assert budget.spent == {"nodes": 3, "seconds": 0}


def test_an_amount_that_does_not_fit_takes_nothing() -> None:
    """Spending is whole or not at all."""
    budget = Budget({"nodes": 3, "seconds": 10}, Clock())
    with pytest.raises(LimitExceeded):
        budget.spend("nodes", amount=4)
    assert budget.spent["nodes"] == 0


def test_time_runs_out_by_the_clock() -> None:
    """The wall time counts from the making of the budget and blocks every spending."""
    clock = Clock()
    budget = Budget({"nodes": 3, "seconds": 10}, clock)
    clock.now += 9
    assert budget.seconds_left == 1
    budget.spend("nodes")
    clock.now += 1
    assert budget.seconds_left == 0
    with pytest.raises(LimitExceeded, match="budget of 10 seconds is used up"):
        budget.spend("nodes")
    with pytest.raises(LimitExceeded):
        budget.check_time()
