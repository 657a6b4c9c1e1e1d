"""Values as they leave the guest."""

from __future__ import annotations

from typing import Any

import pytest

from hostile_values import HOSTILE_VALUES, Ran
from recode_guest import wire
from recode_guest.values import Copier, NotPlain, kind_of, plain, small_ones, weight


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


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_nothing_is_asked_of_a_value_that_is_not_exactly_plain(name: str) -> None:
    """Whatever its class or its metaclass defines, none of it runs; it is told by its type."""
    value = HOSTILE_VALUES[name]()
    for held in (value, [value], {"k": (value,)}):
        assert weight(held, 1_000) > 1_000
        assert small_ones({"x": held}) == {}
        with pytest.raises(NotPlain, match=r"^a Hostile is not plain data$"):
            plain(held, 1_000)
    with pytest.raises(NotPlain, match=r"^a Hostile that cannot be had$"):
        Copier(1_000).hidden("x", value)
    assert Ran.methods == []


def test_a_type_with_a_metaclass_is_as_good_as_none() -> None:
    """Its hash and its `==` might be anything."""
    assert kind_of(HOSTILE_VALUES["of a metaclass"]()) is object
    assert [kind_of(value) for value in (1, "", [], None)] == [int, str, list, type(None)]


def test_a_hostile_key_is_no_text() -> None:
    """A dict of plain values has keys that are exactly str."""
    key = type("Hostile", (str,), {})("k")
    with pytest.raises(NotPlain, match=r"^a dict key is a Hostile, not a str$"):
        plain({key: 1}, 1_000)
