"""Values as they leave the guest."""

from __future__ import annotations

from typing import Any

import pytest

from recode_guest import failure, wire
from recode_guest.values import NotPlain, described, plain


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
    for value in ("\ud800", 10**5_000, [[]] * 100_000, {"k": "\udfff"}):
        wire.encode({"op": "", **described("x", value, 100, 1_000)})


def test_messages_are_capped_and_neutralised() -> None:
    """No control character, no address, at most 2,000 characters of it."""
    assert failure.clean("a\x1b[2J\u202eb <function f at 0x7f00deadbeef>\tc\nd") == (
        "a\\x1b[2J\\x202eb <function f>\tc\nd"
    )
    assert failure.clean("x" * 3_000) == "x" * 2_000 + "... [cut: 3000 characters]"
    text = failure.Text("a = 1\fb", 3, "<p>")
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    told = failure.of_exception(ValueError(deep), text, "error")
    assert told["message"] == "ValueError: (its text cannot be shown)"
    assert text.marked(1) == "line 3, in the program\n-->  a = 1\\x0cb"
