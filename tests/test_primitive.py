"""A primitive is an ordinary function: its signature and docstring are prompt text and check."""

from __future__ import annotations

import asyncio
import dataclasses
import threading

import pytest

from recode_runtime.primitive import Primitive, primitives_of


def boil(litres: float, *, slowly: bool = False) -> str:
    """Boil water.

    Litres are at most 2.
    """
    return f"{litres} boiled, slowly={slowly}"


async def pour(cup: str) -> list[str]:
    """Pour it into a cup."""
    return [cup]


def test_the_text_is_signature_and_docstring() -> None:
    """The prompt shows what `help()` would."""
    assert Primitive.of("boil", boil).text == (
        "boil(litres: float, *, slowly: bool = False) -> str\n"
        "    Boil water.\n    \n    Litres are at most 2."
    )


def test_a_function_without_docstring_has_its_signature_only() -> None:
    """No docstring is no empty line."""
    assert Primitive.of("look", lambda place="here": place).text == "look(place=here)"


async def test_a_plain_function_runs_in_a_thread_of_its_own() -> None:
    """A slow primitive never blocks the event loop."""
    homes = []
    primitive = Primitive.of("where", lambda: homes.append(threading.current_thread()))
    assert await primitive() is None
    assert homes[0] is not threading.main_thread()


async def test_an_async_function_runs_on_the_loop() -> None:
    """It may use what belongs to the loop."""

    async def where() -> bool:
        return asyncio.current_task() is not None

    assert await Primitive.of("where", where)() is True
    assert await Primitive.of("pour", pour)("mug") == ["mug"]


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "boil() missing a required argument: 'litres'"),
        ((1, 2), {}, "boil() too many positional arguments"),
        ((1,), {"quick": True}, "boil() got an unexpected keyword argument 'quick'"),
    ],
)
async def test_arguments_that_do_not_fit(args: tuple, kwargs: dict, message: str) -> None:
    """The error is about the call, names the signature, and nothing acted."""
    with pytest.raises(TypeError) as caught:
        await Primitive.of("boil", boil)(*args, **kwargs)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("; it is boil(litres: float, *, slowly: bool = False) -> str")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("lots",), "boil() argument 'litres': Expected `float`, got `str`; it is boil("),
        ((1.5,), None),
        ((1,), None),
    ],
)
async def test_arguments_have_the_types_that_are_written(args: tuple, message: str | None) -> None:
    """An annotation of plain data is a check; an int is a float where one is wanted."""
    call = Primitive.of("boil", boil)(*args)
    if message is None:
        assert await call == f"{float(args[0])} boiled, slowly=False"
        return
    with pytest.raises(TypeError) as caught:
        await call
    assert str(caught.value).startswith(message)


async def test_only_annotations_of_plain_data_are_checked() -> None:
    """Others are the function's own affair, and so is one that means nothing."""

    def take(cup: threading.Thread, many: list[int] | None, *rest: int) -> list[object]:
        return [cup, many, *rest]

    def odd(thing: Undefined) -> int:  # noqa: F821
        return thing

    primitive = Primitive.of("take", take)
    assert list(primitive.hints) == ["many"]
    assert await primitive(1, [2], "x") == [1, [2], "x"]
    assert await Primitive.of("odd", odd)(3) == 3
    assert Primitive.of("odd", odd).hints == {}


async def test_results_are_plain_data() -> None:
    """Tuples become lists, dataclasses dicts; what is no data is an error that says so."""

    @dataclasses.dataclass
    class Cup:
        litres: float

    cups = Primitive.of("cups", lambda: (Cup(0.2), {3: "x"}))
    assert await cups() == [{"litres": 0.2}, {"3": "x"}]
    with pytest.raises(TypeError, match=r"thing\(\) returned a object, which is not plain data"):
        await Primitive.of("thing", object)()
    with pytest.raises(TypeError, match="Out of range float values are not JSON compliant"):
        await Primitive.of("nothing", lambda: float("nan"))()


def test_primitives_come_from_functions_or_a_mapping() -> None:
    """Functions go by their own name, a mapping names them."""
    assert list(primitives_of([boil, pour])) == ["boil", "pour"]
    assert primitives_of({"heat": boil})["heat"].name == "heat"
    again = primitives_of([boil])
    assert primitives_of(again) == again


@pytest.mark.parametrize("name", ["print", "eval", "class", "instruction"])
def test_a_name_of_the_language_is_refused(name: str) -> None:
    """A call of it would never reach the primitive."""
    with pytest.raises(ValueError, match=f"a primitive cannot be called '{name}'"):
        primitives_of({name: boil})


@pytest.mark.parametrize("name", ["_private", "two words", "", "größe"])
def test_a_name_must_be_plain(name: str) -> None:
    """What a program could not call is refused at once."""
    with pytest.raises(ValueError, match="a primitive needs a plain ASCII name"):
        primitives_of({name: boil})


def test_two_of_one_name_are_refused() -> None:
    """Nothing is shadowed silently."""
    with pytest.raises(ValueError, match="two primitives are called 'boil'"):
        primitives_of([boil, boil])


def test_what_is_no_function_is_refused() -> None:
    """The value is shown, so that the mistake can be found."""
    with pytest.raises(TypeError, match="a primitive is a function, not 3"):
        primitives_of([3])
