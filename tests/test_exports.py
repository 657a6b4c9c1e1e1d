"""What is public, and that importing it costs next to nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import recode_runtime

PUBLIC = {
    "BundleMissing",
    "Box",
    "Environment",
    "EnvironmentUnavailable",
    "ExtraMissing",
    "Finding",
    "LimitExceeded",
    "ModelUnavailable",
    "Node",
    "Outcome",
    "Policy",
    "PolicyError",
    "RecodeError",
    "ReplyUnreadable",
    "Report",
    "Result",
    "SandboxUnavailable",
    "ScriptedModel",
    "Tree",
    "check",
    "open_sandbox",
    "run",
    "run_sync",
}


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_public_names_are_these() -> None:
    """At most 25, each loads, and `dir` shows them."""
    assert set(recode_runtime.__all__) == PUBLIC
    assert len(PUBLIC) <= 25
    for name in PUBLIC:
        assert getattr(recode_runtime, name).__doc__
    assert set(dir(recode_runtime)) >= PUBLIC


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    assert not hasattr(recode_runtime, "nothing")


def test_importing_the_package_imports_nothing_heavy() -> None:
    """No parser, no client, no terminal library until a name is used."""
    loaded = _python("import sys, recode_runtime; print(*sorted(sys.modules))").split()
    heavy = {"asyncio", "libcst", "msgspec", "openai", "RestrictedPython", "rich", "structlog"}
    assert heavy & set(loaded) == set()


def test_type_checkers_see_the_same_names() -> None:
    """The imports for type checkers and the table of homes cannot drift apart."""
    source = Path(recode_runtime.__file__).read_text(encoding="utf-8")
    shown = set(re.findall(r"^    from \S+ import (\w+) as \1$", source, re.MULTILINE))
    assert shown == PUBLIC
