"""Primitives known by their text only, and the ways to say which there are."""

from __future__ import annotations

import typing

import pytest

from recode_runtime import check
from recode_runtime.primitive import Primitive, declared_primitives


def go(place: str) -> str:
    """Go there."""
    return place


HINTS = {
    "go(a: str, b: int, c: float, d: bool)": {"a": str, "b": int, "c": float, "d": bool},
    "go(a: None, b: list, c: dict)": {"a": type(None), "b": list, "c": dict},
    "go(a: list[str], b: dict[str, int])": {"a": list[str], "b": dict[str, int]},
    "go(a: int | None, b: Optional[str])": {
        "a": int | None, "b": str | None,
    },
    "go(a: Union[int, str], b: typing.Any)": {"a": int | str, "b": typing.Any},
    "go(a: Literal['x', 1], b: 'str')": {"a": typing.Literal["x", 1], "b": str},
    "go(a: Path, b: list[Path], c: tuple[int], d: int | Path, *e: int, **f: int)": {},
    "go(a: list[str, int], b: dict[str], c: Literal[x], d: 'not python', e: [int])": {},
    "go(a, /, b: int = 1, *, c: str = 'x')": {"b": int, "c": str},
}  # fmt: skip


@pytest.mark.parametrize("text", HINTS)
def test_annotations_of_plain_data_are_hints(text: str) -> None:
    """The same types as those of a function; all others are nobody's affair."""
    assert Primitive.declared(text).hints == HINTS[text]


HEADS = [
    "go(place: str, *, fast: bool = False) -> str",
    "go()",
    "go(a, /, b: list[str] = [1], *c, d=None, **e) -> None",
    "go(a: Path = here()) -> Path",
]


@pytest.mark.parametrize("text", HEADS)
def test_the_text_is_kept(text: str) -> None:
    """As it is written, defaults that nobody evaluates too."""
    primitive = Primitive.declared(f"  {text} ")
    assert primitive.head == text
    assert primitive.text == text
    assert primitive.name == "go"


def test_whether_calls_have_a_value() -> None:
    """What is annotated, for texts and for functions; None where nothing says so."""
    texts = ("go() -> str", "go() -> None", "go()", "go")
    assert [Primitive.declared(text).returns for text in texts] == [True, False, None, None]
    assert Primitive.of("go", go).returns is True
    assert Primitive.of("go", lambda: None).returns is None


def test_a_name_alone_takes_anything() -> None:
    """Its signature is unknown, so nothing is against any call."""
    primitive = Primitive.declared("run")
    assert primitive.hints == {}
    assert primitive.misfit([1, 2], {"x": 3}, None, partly=False) == ""


def test_what_a_call_would_fail_with() -> None:
    """In the words of the call itself; values that are not known yet are not judged."""
    primitive = Primitive.declared("go(place: str, turns: int = 1)")
    unknown = object()
    misfits = {
        "missing a required argument: 'place'": ([], {}, False),
        "too many positional arguments": (["x", 1, 2], {}, False),
        "got an unexpected keyword argument 'far'": ([], {"far": 1}, True),
        "argument 'turns': Expected `int`, got `str`": (["x"], {"turns": "two"}, False),
    }
    for words, (args, kwargs, partly) in misfits.items():
        assert primitive.misfit(args, kwargs, unknown, partly=partly) == words
    assert primitive.misfit([unknown], {}, unknown, partly=False) == ""
    assert primitive.misfit([], {"turns": 2}, unknown, partly=True) == ""


async def test_it_cannot_act() -> None:
    """It has no function."""
    with pytest.raises(TypeError, match="this primitive is known by its text only"):
        await Primitive.declared("run")("look")


UNFIT = {
    "": "a primitive needs a plain ASCII name",
    "two words": "a primitive needs a plain ASCII name",
    "_go(x)": "a primitive needs a plain ASCII name",
    "print": "a primitive cannot be called 'print'",
    "eval(x)": "a primitive cannot be called 'eval'",
    "go(": r"the primitive 'go\(' cannot be read",
    "class(x)": r"the primitive 'class\(x\)' cannot be read",
    "go(a=1, b)": "cannot be read",
    "go(a, a)": "duplicate parameter name: 'a'",
    "go(): run()\ndef f()": "is more than the head of a function",
    "go(): 1\nif x(): ...\ndef f()": "is more than the head of a function",
    "go(x): import os; x": "cannot be read|is more than the head of a function",
    "go(" + "(" * 5_000 + ")" * 5_001: "cannot be read",
}


@pytest.mark.parametrize("text", UNFIT, ids=lambda text: text[:20])
def test_a_text_that_is_no_primitive(text: str) -> None:
    """What is wrong, and, where it was meant as a signature, how one is written."""
    with pytest.raises(ValueError, match=UNFIT[text]) as caught:
        Primitive.declared(text)
    if "(" in text and "ASCII" not in str(caught.value) and "called" not in str(caught.value):
        assert str(caught.value).endswith("; write a name, or name(parameter: type, ...) -> type")


def test_primitives_are_said_in_any_way() -> None:
    """Names, texts and functions together, or a mapping of whatever is known."""
    known = declared_primitives(["run", "boil(litres: float) -> str", go])
    assert {name: one and one.head for name, one in known.items()} == {
        "run": "run(*args, **kwargs)",
        "boil": "boil(litres: float) -> str",
        "go": "go(place: str) -> str",
    }
    assert declared_primitives(known) == known
    named = declared_primitives({"walk": go, "run": None})
    assert named["run"] is None
    assert named["walk"] is not None
    assert named["walk"].name == "walk"


def test_what_says_no_primitive() -> None:
    """Two of a name, a text in place of a collection, a number."""
    with pytest.raises(ValueError, match="two primitives are called 'run'"):
        declared_primitives(["run", "run(x)"])
    with pytest.raises(ValueError, match=r"primitives are a collection: write \['run'\]"):
        declared_primitives("run")
    with pytest.raises(TypeError, match="a primitive is a name, a text or a function, not 3"):
        declared_primitives([3])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "primitives",
    [["go(place: str) -> str"], [go], {"go": go}, (go,), {"go": Primitive.of("go", go)}],
)
def test_check_knows_signatures_from_texts_and_functions(primitives: object) -> None:
    """A call that would fail when it is reached is warned of before anything ran."""
    report = check("obs = go(3)", primitives=primitives)  # type: ignore[arg-type]
    assert report.ok
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("RC307", "warning")
    assert finding.message == (
        "go() argument 'place': Expected `str`, got `int`; it is go(place: str) -> str"
    )
    assert check("obs = go('shelf')", primitives=primitives).findings == ()  # type: ignore[arg-type]


def test_check_still_takes_names() -> None:
    """Of which nothing but the name is known."""
    assert check("obs = go(3)", primitives={"go"}).findings == ()
    with pytest.raises(ValueError, match="a primitive needs a plain ASCII name"):
        check("obs = go(3)", primitives=["go on"])
