"""What the page about the wall says of lists that are elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from recode_runtime.audit.cases import shipped_corpus
from recode_runtime.isolation import LAYERS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "wall.md").read_text(encoding="utf-8")


def test_every_layer_is_on_the_page() -> None:
    """In the table, or between the first and the last of the namespaces."""
    named = set(re.findall(r"`([a-z-]+)`", PAGE))
    unnamed = {name for name in LAYERS if name.endswith("-namespace")}
    assert set(LAYERS) - named <= unnamed
    assert {"user-namespace", "cgroup-namespace"} <= named


def test_nothing_is_left_to_be_filled_in() -> None:
    """No mark stands where a figure should."""
    assert not re.search("@[A-Z]+@|TODO", PAGE)


def test_the_readme_counts_the_cases_of_the_corpus() -> None:
    """As many as there are."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"attack your policy: {len(shipped_corpus())} cases" in readme
