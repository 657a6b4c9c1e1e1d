"""What a campaign cost, at the end of a run that answered fuzzed inputs."""

from __future__ import annotations

import pytest

from fuzzing import LEDGER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each process: how many inputs, the memory, the slowest input and its time."""
    if LEDGER.inputs:
        for line in (str(LEDGER), *LEDGER.elsewhere):
            terminalreporter.write_line(f"fuzz: {line}")
