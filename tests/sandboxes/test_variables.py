"""Reading and binding variables, and the parameters of expansions."""

from __future__ import annotations

import pytest

from recode_runtime.sandboxes import frames
from recode_runtime.tree import Variable
from sessions import opened


async def test_plain_variables_are_read_as_values_and_as_source() -> None:
    """`text` is Python source cut to the asked size, `size` the length of all of it."""
    async with opened() as session:
        await session.bind({"items": [1, {"a": None}], "obs": "it's é\n"})
        await session.execute("pair = (1,)\nnone = None")
        found = await session.read(["items", "obs", "pair", "none", "absent", "run"], chars=8)
        assert found == {
            "items": Variable("items", "list", "[1, {'a'", 16, True, [1, {"a": None}]),
            "obs": Variable("obs", "str", "\"it's é\\", 10, True, "it's é\n"),
            "pair": Variable("pair", "tuple", "(1,)", 4, True, [1]),
            "none": Variable("none", "NoneType", "None", 4, True, None),
        }


async def test_other_values_are_read_as_capped_text() -> None:
    """Nothing is too large, too deep or too often shared to be read, and none of it is run."""
    program = """
import collections, datetime, math
f = lambda x: x
s = {'b', 'a'}
e = set()
d = datetime.date(2024, 5, 1)
c = collections.Counter('a')
q = collections.deque([1, math])
n = 10**5000
nan = float('nan')
shared = []
for i in range(40): shared = [shared, shared]
deep = []
for i in range(100000): deep = [deep]
loop = []
loop.append(loop)
big = 'x' * 5_000_000
"""
    expected = {
        "f": "<function>",
        "s": "{'a', 'b'}",
        "e": "set()",
        "d": "datetime.date(2024, 5, 1)",
        "c": "Counter({'a': 1})",
        "q": "deque([1, <Facade>])",
        "n": "<int of 16610 bits>",
        "nan": "nan",
        "deep": "[" * 32 + "..." + "]" * 32,
        "loop": "[" * 32 + "..." + "]" * 32,
    }
    async with opened() as session:
        assert (await session.execute(program)).failure is None
        found = await session.read([*expected, "shared", "big"], chars=1_000)
        assert {name: found[name].text for name in expected} == expected
        assert [one.name for one in found.values() if one.plain] == []
        assert found["shared"].text.startswith("[[[[[[")
        assert len(found["shared"].text) == 1_000
        assert (len(found["big"].text), found["big"].size) == (1_000, 5_000_002)
        wanted = await session.execute("small = 1", want=["deep", "shared", "big", "small", "run"])
        assert wanted.variables == {"small": 1}


async def test_only_names_a_program_could_bind_are_bound() -> None:
    """Guards, primitives and odd names are refused before anything is sent."""
    async with opened() as session:
        for name in ("_getattr_", "__builtins__", "a b", "", "é"):
            with pytest.raises(ValueError, match="is not a plain public name"):
                await session.bind({name: 1})
        for name, kind in {"run": "primitive", "len": "builtin", "print": "builtin"}.items():
            with pytest.raises(ValueError, match=f"^{name}: a {kind} has that name$"):
                await session.bind({name: 1})
            with pytest.raises(ValueError, match=f"^{name}: a {kind} has that name$"):
                await session.enter({name: "1"})
            answer = await session._exchange(frames.Done, "enter", parameters={name: "1"})
            assert isinstance(answer, frames.Failed)
            assert answer.message == f"ValueError: '{name}' is no name for a parameter"
        with pytest.raises(TypeError, match="a set is not plain data"):
            await session.bind({"x": {1}})
        await session.bind({"x": 1})
        assert (await session.execute("x += 1", want=["x"])).variables == {"x": 2}


async def test_parameters_come_and_go_with_their_expansion() -> None:
    """Older values come back, absences too, unless the name is an output; changes in place stay."""
    async with opened() as session:
        await session.bind({"items": [1], "goal": "old", "done": False})
        entered = await session.enter({"goal": "items", "depth": "-3", "done": "True"})
        assert entered.failure is None
        inner = await session.enter({"goal": "['x', {'y': 1}]"})
        assert inner.ok
        assert (await session.execute("goal.append(depth)", want=["goal"])).variables == {
            "goal": ["x", {"y": 1}, -3]
        }
        await session.leave([])
        await session.execute("goal.append(2)\ndone = 'yes'")
        await session.leave(["done"])
        after = await session.execute("pass", want=["items", "goal", "depth", "done"])
        assert after.variables == {"items": [1, 2], "goal": "old", "done": "yes"}
        with pytest.raises(RuntimeError, match=r"leave\(\) without enter\(\)"):
            await session.leave([])


async def test_a_parameter_that_is_not_bound_changes_nothing() -> None:
    """The failure says which, and no `leave` is due."""
    async with opened() as session:
        await session.bind({"a": 1})
        for source, message in {
            "nowhere": "NameError: name 'nowhere' is not defined",
            "_getattr_": "NameError: name '_getattr_' is not defined",
            "run('x')": "ValueError: malformed node or string on line 1",
            "(": "SyntaxError: '(' was never closed",
        }.items():
            outcome = await session.enter({"a": "2", "b": source})
            assert outcome.failure is not None
            assert outcome.failure.message.startswith(message)
        assert (await session.execute("pass", want=["a", "b"])).variables == {"a": 1}
