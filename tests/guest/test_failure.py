"""Why a statement failed, in words: cut, cleaned, and whatever the exception makes of itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest

from recode_guest import failure, wire
from recode_guest.failure import Text


def test_messages_are_capped_and_neutralised() -> None:
    """No control character, no address, at most 2,000 characters of it."""
    assert failure.clean("a\x1b[2J\u202eb <function f at 0x7f00deadbeef>\tc\nd") == (
        "a\\x1b[2J\\u202eb <function f>\tc\nd"
    )
    for hidden in (
        *("\x00", "\x0b", "\x7f", "\x9f", "\xad", "\u034f", "\u061c", "\u180e", "\u200b", "\u200f"),
        *("\u2028", "\u202e", "\u2060", "\u206f", "\ufe00", "\ufe0f", "\ufeff", "\ud800", "\udfff"),
        *("\U000e0000", "\U000e0041", "\U000e01ef"),
    ):
        shown = hidden.encode("unicode_escape", "surrogatepass").decode()
        assert failure.clean(f"a{hidden}b") == f"a{shown}b"
    assert failure.clean("é\t\n\u4e2d\U0001f600") == "é\t\n\u4e2d\U0001f600"
    assert failure.clean("x" * 3_000) == "x" * 2_000 + "... [cut: 3000 characters]"
    text = failure.Text("a = 1\fb", 3, "<p>")
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    told = failure.of_exception(ValueError(deep), text, "error")
    assert told["message"] == "ValueError: (its text cannot be shown)"
    assert text.marked(1) == "line 3, in the program\n-->  a = 1\\x0cb"


def test_lines_are_those_of_the_tokenizer() -> None:
    """Any of the three line ends, and no other character."""
    text = Text("a = 1\rb = 2\r\nc = '\x0c\u2028'\nd", 1, "<p>")
    shown = [text.marked(line).partition("-->  ")[2] for line in (1, 2, 3, 4, 5, -1)]
    assert shown == ["a = 1", "b = 2", "c = '\\x0c\\u2028'", "d", "", ""]
    assert [text.number(line) for line in (2, 0, -(2**31))] == [2, 0, 0]


PROGRAM = Text("first\nraise problem\n", 5, "<program 1>")


def failed(problem: BaseException, source: str = "\nraise problem") -> dict[str, Any]:
    """What is told of a program that raises the exception in its second line."""
    try:
        exec(compile(source, PROGRAM.filename, "exec"), {"problem": problem})
    except BaseException as raised:  # noqa: BLE001  (whatever a program raises)
        told = failure.of_exception(raised, PROGRAM, "error")
    wire.encode({"op": "", **told})
    assert len(told["message"]) < 2_200
    assert len(told["traceback"]) < 4_000
    return told


def made(name: str = "E", base: type[BaseException] = Exception, **members: Any) -> BaseException:
    """An exception of a class with those members."""
    return type(name, (base,), members)("text")


def raising(problem: type[BaseException]) -> Any:
    """A method that raises."""

    def method(*_args: object) -> Any:
        raise problem

    return method


class Text2(str):
    """A text that is none where its methods are asked."""

    __format__ = __getitem__ = __len__ = __eq__ = raising(ArithmeticError)  # type: ignore[assignment]
    __hash__ = str.__hash__


HIDDEN = "E: (its text cannot be shown)"
EXCEPTIONS: dict[str, tuple[Callable[[], BaseException], str]] = {
    "str raises": (lambda: made(__str__=raising(ValueError)), HIDDEN),
    "str exits": (lambda: made(__str__=raising(SystemExit)), HIDDEN),
    "str interrupts": (lambda: made(__str__=raising(KeyboardInterrupt)), HIDDEN),
    "str is no text": (lambda: made(__str__=lambda _: 3), HIDDEN),
    "str is a text of a class": (lambda: made(__str__=lambda _: Text2("said")), "E: said"),
    "str is huge": (
        lambda: made(__str__=lambda _: "x" * 10**7),
        "E: " + "x" * 1_997 + "... [cut: 10000003 characters]",
    ),
    "args raise in their repr": (lambda: KeyError(made(__repr__=raising(ValueError))), ""),
    "str is hidden": (lambda: made(__str__=lambda _: "\x1b]\x00\u2066"), "E: \\x1b]\\x00\\u2066"),
    "str has half a character": (lambda: ValueError("\ud83d"), "ValueError: \\ud83d"),
    "class lies": (lambda: made(__class__=property(lambda _: SyntaxError)), "E: text"),
    "class raises": (lambda: made(__class__=property(raising(ValueError))), "E: text"),
    "traceback lies": (lambda: made(__traceback__=property(raising(ValueError))), "E: text"),
    "attributes raise": (lambda: made(__getattribute__=raising(ValueError)), "E: text"),
    "equality raises": (lambda: made(__eq__=raising(ValueError)), "E: text"),
    "truth raises": (lambda: made(__bool__=raising(ValueError)), "E: text"),
    "name is huge": (lambda: made("N" * 10**6), "N" * 100 + "... [cut: 1000000 characters]: text"),
    "name is hidden": (lambda: made("\x1b[2J\u202e"), "\\x1b[2J\\u202e: text"),
    "no Exception": (lambda: made(base=BaseException), "E: text"),
    "an exit": (lambda: SystemExit(3), "SystemExit: 3"),
    "an interrupt": (KeyboardInterrupt, "KeyboardInterrupt"),
    "a group": (
        lambda: ExceptionGroup("a", [ValueError()] * 9), "ExceptionGroup: a (9 sub-exceptions)",
    ),
    "a syntax error": (
        lambda: SyntaxError("no", ("<program 1>", 10**100, 1, "x")), "SyntaxError: no",
    ),
    "a syntax error of a class": (
        lambda: made(base=SyntaxError, msg=property(raising(ValueError)), lineno=-1), HIDDEN,
    ),
    "a syntax error without words": (SyntaxError, "SyntaxError"),
    "a syntax error with a list": (lambda: SyntaxError([1]), "SyntaxError: [1]"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_told_whatever_its_class_makes_of_it(name: str) -> None:
    """With the line that raised it, as kind `error`: the program has run."""
    make, message = EXCEPTIONS[name]
    told = failed(make())
    assert (told["kind"], told["line"]) == ("error", 6)
    assert told["message"] == (message or "KeyError: (its text cannot be shown)")
    assert told["traceback"] == f"line 6, in the program\n-->  raise problem\n{told['message']}"


def test_a_chain_of_exceptions_is_not_followed() -> None:
    """However long it is, and also if it comes back to itself."""
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    first.__notes__ = ["note" * 10**6]  # type: ignore[attr-defined]
    assert failed(first)["message"] == "ValueError: first"
    deep: Exception = ValueError()
    for _ in range(5_000):
        deep = ExceptionGroup("g", [deep])
    assert failed(deep)["message"] == "ExceptionGroup: g (1 sub-exception)"


def test_of_a_long_traceback_the_ends_are_shown() -> None:
    """The first line and the last five; lines that are not there have no number."""
    link: TracebackType | None = None
    for _ in range(100_000):
        link = TracebackType(link, sys._getframe(), 0, 1)
    told = failed(ValueError("long").with_traceback(link))
    assert told["line"] == 6
    source = "def f(n):\n    g(n - 1) if n else 1 / 0\ng = f\nf(50)"
    told = failed(ValueError(), source)
    assert told["traceback"].count("in the program") == 6


def test_what_the_compiler_says_is_a_refusal() -> None:
    """At its line; a program that raises a SyntaxError itself has run, and is not refused."""
    told = failed(ValueError(), "x = 1\ny = = 2")
    assert (told["kind"], told["message"], told["line"]) == (
        "refused",
        "SyntaxError: invalid syntax",
        6,
    )
    told = failed(ValueError(), "if 1:\nx = 1")
    assert (told["kind"], told["line"]) == ("refused", 6)
    told = failed(ValueError(), "\neval('1 +')")
    assert (told["kind"], told["message"], told["line"]) == (
        "error",
        "SyntaxError: invalid syntax",
        6,
    )
