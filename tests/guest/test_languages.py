"""The two languages of a session."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pytest

from hostile_values import Ran, hostile_class
from recode_guest.guards import LanguageError, Printed
from recode_guest.languages import Restricted, Unfiltered
from recode_guest.restricted import NotAllowed


def unfiltered(monkeypatch: pytest.MonkeyPatch) -> tuple[Unfiltered, Printed]:
    """The whole language, and where its output goes; this process has its own back afterwards."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    printed = Printed(1_000, 10)
    return Unfiltered(printed), printed


def ran(language: Unfiltered | Restricted, source: str) -> dict[str, Any]:
    """The namespace after the program."""
    for statement in ast.parse(source).body:
        exec(language.compiled(statement, "<program>", {"run"}), language.namespace)
    return language.namespace


def test_python_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Definitions, classes, every builtin, every module that is loaded; no text is judged."""
    language, printed = unfiltered(monkeypatch)
    program = (
        "import sys\nclass A:\n    def f(self): return type(self).__name__\n"
        "x = A().f() + __name__\nprint(x, file=sys.stderr)"
    )
    assert ran(language, program)["x"] == "A__main__"
    assert printed.take() == "A__main__\n"
    assert language.is_filtered is False
    assert language.given["open"] is open


def test_output_is_a_text_file_of_sorts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is given is text, whatever a class of the program's makes of it."""
    language, printed = unfiltered(monkeypatch)
    assert sys.stdout.write("abc") == 3
    assert sys.stdout.write(hostile_class(str)("def")) == 3
    with pytest.raises(TypeError):
        sys.stdout.write(3)  # type: ignore[arg-type]
    ran(language, "print('g', end='', flush=True)")
    assert printed.take() == "abcdefg"
    assert Ran.methods == []


def test_the_restricted_language_is_made_of_what_a_policy_lists() -> None:
    """No more builtins, no more names of modules; a slip is refused at once."""
    language = Restricted(["len"], {"math": ["pi"]}, Printed(100, 10))
    assert ran(language, "from math import pi\nx = len([pi])")["x"] == 1
    assert language.is_filtered is True
    for source in ("sum([1])", "import json", "import math\nmath.e"):
        with pytest.raises((NameError, ImportError, AttributeError)):
            ran(language, source)
    with pytest.raises(NotAllowed):
        ran(language, "run = 1")
    for builtins, facades in ((["open"], {}), ([], {"json": ["codecs"]})):
        with pytest.raises(LanguageError):
            Restricted(builtins, facades, Printed(100, 10))
