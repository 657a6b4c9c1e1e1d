"""What the campaigns came to, at the end of a run."""

from __future__ import annotations

import pytest

from soaking import MOMENTS, SUMMARY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each campaign, and one for the moments that were tried one by one."""
    for line in SUMMARY:
        terminalreporter.write_line(f"soak: {line}")
    if MOMENTS:
        terminalreporter.write_line(f"soak: {MOMENTS.total()} moments, {dict(MOMENTS)}")
