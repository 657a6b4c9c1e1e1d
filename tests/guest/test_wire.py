"""Frames: what is one, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import examples
from recode_guest import wire

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@pytest.mark.fuzz
@settings(max_examples=examples(100), deadline=1_000)
@given(st.lists(PLAIN, max_size=4), st.integers(1, 50))
def test_frames_come_out_as_they_went_in_however_the_bytes_arrive(
    values: list[object], step: int
) -> None:
    """Any cut of the stream gives the same frames."""
    frames = [{"op": "x", "value": value} for value in values]
    stream = b"".join(wire.pack(wire.encode(frame), 100_000) for frame in frames)
    splitter = wire.Splitter(100_000)
    bodies = [b for i in range(0, len(stream), step) for b in splitter.feed(stream[i : i + step])]
    assert [wire.decode(body) for body in bodies] == frames
    assert not splitter.is_inside


@pytest.mark.parametrize("data", [b"\0\0\0\0", b"\0\0\0\x0b", b"\xff\xff\xff\xff{}"])
def test_a_header_is_judged_before_anything_is_read(data: bytes) -> None:
    """Nothing, or more than the limit, is no frame."""
    with pytest.raises(wire.WireError, match="1 to 10 are allowed"):
        wire.Splitter(10).feed(data)
    with pytest.raises(wire.WireError, match="over the limit of 10"):
        wire.pack(b"x" * 11, 10)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"op":1}',
        b'{"op":"x","v":NaN}',
        b'{"op":"x","v":1e999}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_frame_is_refused(body: bytes) -> None:
    """Only an object with an op, of finite numbers, is one."""
    with pytest.raises(wire.WireError):
        wire.decode(body)


@pytest.mark.parametrize("value", [{1, 2}, float("inf"), "\ud800", b"x", 10**5000], ids=range(5))
def test_what_is_not_plain_data_is_never_sent(value: object) -> None:
    """Encoding refuses it, so that no frame can be half written."""
    with pytest.raises(wire.WireError, match="cannot cross the wall"):
        wire.encode({"op": "x", "value": value})


def test_reset_forgets_half_a_frame() -> None:
    """After it, the next bytes are a header again."""
    splitter = wire.Splitter(100)
    assert splitter.feed(b"\0\0\0\x09{") == []
    assert splitter.is_inside
    splitter.reset()
    assert splitter.feed(wire.pack(b"{}", 100)) == [b"{}"]
