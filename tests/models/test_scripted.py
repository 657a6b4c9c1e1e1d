"""A scripted model answers from a list or a function and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from expansion_request import request_for
from recode_runtime.errors import ModelUnavailable
from recode_runtime.models.base import Completion
from recode_runtime.models.scripted import ScriptedModel
from recode_runtime.prompt import Request
from recode_runtime.tree import Usage


@pytest.mark.parametrize("replies", [["one", "two"], ("one", "two"), iter(["one", "two"])])
async def test_a_list_is_answered_in_order(replies: Iterable[str]) -> None:
    """Any iterable of texts is given one text a request, with no usage and no problem."""
    model = ScriptedModel(replies)
    given = [await model.complete(request_for()) for _ in range(2)]
    assert given == [Completion("one", Usage(), ""), Completion("two", Usage(), "")]


async def test_a_list_that_is_used_up_says_how_many_replies_there_were() -> None:
    """One request too many is an error that names the count and who asked, every time."""
    model = ScriptedModel(["one", "two"])
    for _ in range(2):
        await model.complete(request_for())
    for _ in range(2):
        with pytest.raises(ModelUnavailable) as caught:
            await model.complete(request_for("boil_water"))
        assert str(caught.value) == (
            "the script is used up: it held 2 replies, and boil_water asks for one more"
        )


async def test_a_function_answers_from_the_request() -> None:
    """A plain function gets the request itself and may answer any number of times."""
    model = ScriptedModel(lambda request: f"for {request.placeholder.name}")
    names = ["solve", "boil", "solve"]
    texts = [(await model.complete(request_for(name))).text for name in names]
    assert texts == ["for solve", "for boil", "for solve"]


async def test_a_function_may_be_asynchronous() -> None:
    """What an async function returns is awaited."""

    async def answer(request: Request) -> str:
        await asyncio.sleep(0)
        return f"later, {request.node}"

    assert (await ScriptedModel(answer).complete(request_for())).text == "later, 0"


async def test_what_a_function_raises_passes_through() -> None:
    """A script may play a model whose transport gave up."""

    def answer(request: Request) -> str:
        raise ModelUnavailable("the line is dead")

    with pytest.raises(ModelUnavailable, match=r"^the line is dead$"):
        await ScriptedModel(answer).complete(request_for())


async def test_requests_are_kept_in_order() -> None:
    """`requests` holds the very requests, the one without an answer too."""
    model = ScriptedModel(["only"])
    asked = [request_for("first"), request_for("second")]
    await model.complete(asked[0])
    with pytest.raises(ModelUnavailable):
        await model.complete(asked[1])
    assert len(model.requests) == 2
    assert all(kept is one for kept, one in zip(model.requests, asked, strict=True))


async def test_a_script_has_a_name_and_closes_twice() -> None:
    """The name is `scripted` unless given; `close` may be called again."""
    model = ScriptedModel([])
    assert model.name == "scripted"
    assert ScriptedModel([], name="demo").name == "demo"
    await model.close()
    await model.close()


def test_one_text_instead_of_a_list_is_refused() -> None:
    """A text would be given letter by letter, which nobody means."""
    with pytest.raises(TypeError) as caught:
        ScriptedModel("<execute>run('look')</execute>")
    assert str(caught.value) == "replies must be a list of texts or a function, not one text"
