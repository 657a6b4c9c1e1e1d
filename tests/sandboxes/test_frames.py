"""The guest's frames, read strictly: how much a frame may hold once it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recode_guest import values, wire
from recode_runtime.sandboxes import frames
from recode_runtime.sandboxes.frames import VALUES, Call, Done, Variables, Violation

# As the text of one value, and how many values that is.
SHAPES: dict[str, tuple[str, int]] = {
    "numbers": ("1", 1),
    "empty lists": ("[]", 1),
    "empty objects": ("{}", 1),
    "lists of one text": ('["é"]', 2),
    "lists of lists": ("[[],[]]", 3),
    "objects": ('{"":0}', 2),
    "texts of commas and brackets": (json.dumps(',[{"\\,[{\\"'), 1),
    "texts that end in a backslash": (json.dumps("a\\"), 1),
}


def body(value: str, count: int) -> bytes:
    """A frame with so many of a value."""
    items = ",".join([value] * count)
    return f'{{"op":"done","id":1,"variables":{{"x":[{items}]}}}}'.encode()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_frame_holds_so_many_values_and_no_more(shape: str) -> None:
    """Whatever they are; what only looks like a value, within a text, is none."""
    value, each = SHAPES[shape]
    most = (VALUES - 10) // each  # beside what every frame holds
    fits = frames.decoded(body(value, most))
    assert isinstance(fits, Done)
    assert len(fits.variables["x"]) == most
    with pytest.raises(Violation, match=r"^more than 250000 values in a frame$"):
        frames.decoded(body(value, most + 20))


def test_names_count_as_texts() -> None:
    """A key is an object of the host's too."""
    items = ",".join(f'"{number}":0' for number in range(VALUES + 1))
    with pytest.raises(Violation, match="more than 250000 values"):
        frames.decoded(f'{{"op":"done","id":1,"variables":{{{items}}}}}'.encode())


def test_what_is_no_frame_in_the_end_is_counted_before_it_is_built() -> None:
    """A decoder would have built all of it before it came to the end."""
    with pytest.raises(Violation, match="more than 250000 values"):
        frames.decoded(body("[]", VALUES + 5)[:-3] + b"!")
    with pytest.raises(Violation, match="more than 250000 values"):
        frames.decoded(body("[]", VALUES + 5) + b'"')


def test_a_text_may_be_as_long_as_a_frame() -> None:
    """It is one value, whatever it consists of."""
    text = ',[]{}"\\' * 200_000
    frame = frames.decoded(wire.encode({"op": "done", "id": 1, "variables": {"x": text}}))
    assert isinstance(frame, Done)
    assert frame.variables == {"x": text}


def test_all_that_a_guest_sends_is_few_enough() -> None:
    """The most values that it copies, in an answer, in a call, and beside their descriptions."""
    names = [f"v{number}" for number in range(4_000)]
    lists: list[Any] = [[[]] * (values.NODES - 1)] * 4
    assert sum(len(one) + 1 for one in lists) == values.NODES_IN_ALL
    done = {
        "op": "done",
        "id": 1,
        "bound": names,
        "variables": dict(zip("abcd", lists, strict=True)),
    }
    assert isinstance(frames.decoded(wire.encode(done)), Done)
    call = {
        "op": "call",
        "id": 1,
        "call": 1,
        "name": "run",
        "args": lists[0],
        "kwargs": {"k": lists[1]},
    }
    assert isinstance(frames.decoded(wire.encode(call)), Call)
    told = {"type": "list", "text": "'[{,'", "size": 9, "plain": True}
    described = [{**told, "name": name, "value": None} for name in names]
    described += [{**told, "name": "large", "value": one} for one in lists]
    read = {"op": "variables", "id": 1, "variables": described}
    assert isinstance(frames.decoded(wire.encode(read)), Variables)


@pytest.mark.parametrize(
    ("depth", "is_too_deep"), [(frames.DEPTH - 4, False), (frames.DEPTH + 4, True)]
)
def test_a_frame_is_so_deep_and_no_deeper(depth: int, is_too_deep: bool) -> None:
    """In variables, in arguments, and in what describes a variable."""
    value = json.loads("[" * depth + "]" * depth)
    told = {"name": "x", "type": "list", "text": "", "size": 0, "plain": True, "value": value}
    for frame in (
        {"op": "done", "id": 1, "variables": {"x": value}},
        {"op": "call", "id": 1, "call": 1, "name": "run", "args": [value], "kwargs": {}},
        {"op": "variables", "id": 1, "variables": [told]},
    ):
        if is_too_deep:
            with pytest.raises(Violation, match="a value nested more than 64 levels deep"):
                frames.decoded(wire.encode(frame))
        else:
            frames.decoded(wire.encode(frame))
