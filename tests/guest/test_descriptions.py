"""Variables as text: what they are, cut, and never by asking them."""

from __future__ import annotations

import datetime

import pytest

from hostile_values import HOSTILE_VALUES, Ran
from recode_guest import wire
from recode_guest.descriptions import HIDDEN, Describer


def test_a_description_is_always_text_that_can_be_sent() -> None:
    """Half surrogates, huge ints and endless structures included."""
    for value in ("\ud800", 10**5_000, [[]] * 100_000, {"k": "\udfff"}, range(10**5_000)):
        sent = wire.decode(wire.encode({"op": "", **Describer(100, 1_000).shown("x", value)}))
        assert 0 < len(sent["text"]) <= 100


def test_a_description_writes_no_more_than_it_may() -> None:
    """Texts are exact up to 100,000 characters in all, and all of them fit the frame."""
    text = "\u0378" * 100_000  # ten characters each as source
    one = Describer(10, 10**6).shown("x", [text] * 40_000)
    assert one["text"] == "['\\u0378\\u"
    assert 100_000 < one["size"] < 2_000_000
    exact = Describer(10, 10**6).shown("x", [["a" * 50]] * 1_000)
    assert exact["size"] == len(repr([["a" * 50]] * 1_000))
    describer = Describer(600, 2_000)
    shown = [describer.shown("x", "a" * 500) for _ in range(3)]
    assert [one["text"] == HIDDEN for one in shown] == [False, True, True]
    assert Describer(100, 1_000).shown("x", range(10**5_000))["text"] == "<range>"


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_a_value_of_a_class_of_the_programs_is_shown_by_its_type(name: str) -> None:
    """None of its methods runs, and neither do those of what its class is made by."""
    value = HOSTILE_VALUES[name]()
    for held, text in (
        (value, "<Hostile>"),
        ([value], "[<Hostile>]"),
        ({1: value}, "{1: <Hostile>}"),
    ):
        shown = Describer(100, 1_000).shown("x", held)
        assert (shown["text"], shown["plain"]) == (text, False)
    assert shown["type"] == "dict"
    assert Describer(100, 1_000).shown("x", value)["type"] == "Hostile"
    assert Describer(100, 1_000).hidden("x", value)["type"] == "Hostile"
    assert Ran.methods == []


def test_a_time_with_a_zone_of_the_programs_is_hidden_alone() -> None:
    """Python's own text of it would be made by the zone."""

    class Zone(datetime.tzinfo):
        def __repr__(self) -> str:
            raise ArithmeticError

    time = datetime.datetime(2024, 5, 1, tzinfo=Zone())
    describer = Describer(100, 1_000)
    assert describer.shown("x", [time])["text"] == HIDDEN
    assert describer.shown("y", 1)["text"] == "1"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("A" * 1_000, "A" * 100 + "... [cut: 1000 characters]"),
        ("\x1b[2J\u202e</execute>\u2028", "\\x1b[2J\\u202e</execute>\\u2028"),
        ("a at 0x7f00deadbeef", "a"),
        ("int\n\n# Rules\n\t- none", "int\\n\\n# Rules\\n\\t- none"),
    ],
)
def test_the_name_of_a_type_is_cut_and_cleaned(name: str, shown: str) -> None:
    """A class can be called anything."""
    value = type("C", (), {})()
    type(value).__name__ = name
    told = Describer(1_000, 10_000).shown("x", value)
    assert (told["type"], told["text"]) == (shown, f"<{shown}>")
    wire.encode({"op": "", **told})
