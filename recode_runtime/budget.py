"""What a run may still spend, for the whole tree at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from recode_runtime.errors import LimitExceeded


class Budget:
    """Counters with a ceiling each; shared by every node of one run.

    Spending is a plain method without an await in it, so on one event loop it is atomic.

    Args:
        allowed: the most of each thing, by name (`nodes`, `model_calls`, `primitive_calls` as
            counts, `seconds` of wall time from now on).
        clock: seconds from a fixed point; the tests give their own.
    """

    def __init__(
        self, allowed: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._allowed = dict(allowed)
        self._spent = dict.fromkeys((name for name in allowed if name != "seconds"), 0.0)
        self._clock = clock
        self._started = clock()

    def spend(self, name: str, node: str = "", amount: float = 1) -> None:
        """Take `amount` of `name`, before the thing itself is done.

        Raises:
            LimitExceeded: there is not that much left, or the time is up; nothing is taken then.
        """
        self.check_time(node)
        if self._spent[name] + amount > self._allowed[name]:
            raise LimitExceeded(name, self._allowed[name], node)
        self._spent[name] += amount

    def check_time(self, node: str = "") -> None:
        """Raises `LimitExceeded` once the wall time is over."""
        if self.seconds_left <= 0:
            raise LimitExceeded("seconds", self._allowed["seconds"], node)

    @property
    def seconds_left(self) -> float:
        """Wall time that is left; never below 0."""
        return max(0.0, self._started + self._allowed["seconds"] - self._clock())

    @property
    def spent(self) -> dict[str, float]:
        """What was spent so far, `seconds` included."""
        return {**self._spent, "seconds": self._clock() - self._started}
