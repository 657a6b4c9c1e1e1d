"""Values as they leave the guest."""

from __future__ import annotations

from typing import Any

import pytest

from recode_guest import failure, wire
from recode_guest.descriptions import HIDDEN, Describer
from recode_guest.values import Copier, NotPlain, plain, small_ones, weight


def test_plain_copies_and_never_shares() -> None:
    """A tuple becomes a list; what is returned is new."""
    inner = [1]
    value = {"a": (inner, None, True, "é")}
    copy = plain(value, 1_000)
    assert copy == {"a": [[1], None, True, "é"]}
    assert copy["a"][0] is not inner


@pytest.mark.parametrize("text", ["a" * 100, "\x00" * 100, "é" * 100, '"' * 100])
def test_the_weight_of_a_value_is_never_less_than_what_it_is_on_the_wire(text: str) -> None:
    """So that what is plain always fits into a frame."""
    value = [text, {text: 10**50}]
    size = len(wire.encode({"op": "", "v": value}))
    with pytest.raises(NotPlain, match="larger than"):
        plain(value, size - 20)
    assert plain(value, size + 20) == value


def test_a_value_of_too_many_parts_is_given_up() -> None:
    """However few bytes they are: each is an object for the host."""
    assert plain([0] * 49_999, 10**6) == [0] * 49_999
    with pytest.raises(NotPlain, match="it holds more than 50000 values"):
        plain([0] * 50_000, 10**6)


def test_what_cannot_be_copied_costs_work_but_no_room() -> None:
    """The bytes are there for the next value; the work is counted for all together."""
    copier = Copier(200_000)
    for _ in range(5):
        with pytest.raises(NotPlain):
            copier.shown("x", [0] * 60_000)
    with pytest.raises(NotPlain, match="it holds more than 50000 values"):
        copier.shown("x", [0])
    copier = Copier(1_000)
    with pytest.raises(NotPlain, match="larger than 1000 bytes"):
        copier.shown("x", ["a" * 900, "a" * 900])
    assert copier.shown("x", "a" * 900) == "a" * 900


def test_weight_grows_with_what_is_written_and_is_found_in_no_time() -> None:
    """Shared parts count each time; what is no plain data is over any bound."""
    assert weight("a" * 100, 1_000) == 120
    assert weight([1, {"k": None}], 1_000) < 300
    shared: Any = []
    for _ in range(60):
        shared = [shared, shared]
    loop: list[Any] = []
    loop.append(loop)
    for value in (shared, loop, 10**400, "a" * 1_000, [iter([])], [0] * 10**7, 1j, range(3)):
        assert weight(value, 1_000) > 1_000


def test_small_values_are_those_that_fit_together() -> None:
    """The first that does not fit is passed over, not the end."""
    values = {"a": "x" * 60_000, "b": "x" * 60_000, "c": [1], "d": range(2)}
    assert list(small_ones(values)) == ["a", "c"]


def test_shared_and_deep_values_are_given_up_quickly() -> None:
    """Counted as they would be written, not as they are stored."""
    shared: Any = []
    for _ in range(30):
        shared = [shared, shared]
    with pytest.raises(NotPlain, match="larger than 10000 bytes"):
        plain(shared, 10_000)
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotPlain, match="more than 32 levels deep"):
        plain(loop, 10_000)


def test_a_description_is_always_text_that_can_be_sent() -> None:
    """Half surrogates, huge ints and endless structures included."""
    for value in ("\ud800", 10**5_000, [[]] * 100_000, {"k": "\udfff"}, range(10**5_000)):
        wire.encode({"op": "", **Describer(100, 1_000).shown("x", value)})


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
