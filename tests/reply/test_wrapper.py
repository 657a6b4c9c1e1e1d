"""Programs in a `def`, behind a test of the name, or with a `return` of their own."""

from __future__ import annotations

import pytest

from recode_runtime.reply import read_reply

OUT = {
    "a call of it follows": ("def go():\n    sail()\n\ngo()", "sail()"),
    "a call hands the variables on": (
        "def go(port, wind):\n    sail(port, wind)\n\ngo(port, wind=wind)",
        "sail(port, wind)",
    ),
    "the result goes where the call put it": (
        "def go(port):\n    ship = sail(port)\n    return ship.crew, 2\n\ncrew, n = go(port)",
        "ship = sail(port)\ncrew, n = ship.crew, 2",
    ),
    "the result has its name already": (
        "def go(port):\n    ship = sail(port)\n    return ship\n\nship = go(port)",
        "ship = sail(port)",
    ),
    "a main": (
        "def main():\n    sail()\n\nif __name__ == '__main__':\n    main()",
        "sail()",
    ),
    "a coroutine": (
        "import asyncio\n\nasync def main():\n    sail()\n\nasyncio.run(main())",
        "sail()",
    ),
    "imports stay before it": (
        "import math\n\ndef go():\n    sail(math.pi)\n\ngo()",
        "import math\n\nsail(math.pi)",
    ),
    "only the test of the name": (
        'import math\nif __name__ == "__main__":\n    sail(math.pi)\n    moor()',
        "import math\nsail(math.pi)\nmoor()",
    ),
    "comments round it": (
        "# home\ndef go():\n    # first\n    sail()\n# done",
        "# home\n# first\nsail()\n# done",
    ),
    "a string with a margin of its own": (
        "def go():\n    song = '''\n    heave\n  ho'''\n    sing(song)\n\ngo()",
        "song = '''\n    heave\n  ho'''\nsing(song)",
    ),
    "a global": ("def go():\n    global ship\n    ship = sail()", "global ship\nship = sail()"),
}


@pytest.mark.parametrize("name", OUT)
def test_a_program_is_taken_out_of_what_was_written_round_it(name: str) -> None:
    """The body stands at the margin, as it was written."""
    text, program = OUT[name]
    assert read_reply(f"<execute>\n{text}\n</execute>").source == program


KEPT = {
    "an early return": "def go():\n    if calm:\n        return\n    sail()",
    "a default": "def go(port=1):\n    sail(port)",
    "more arguments": "def go(*ports):\n    sail(ports)",
    "a decorator": "@cache\ndef go():\n    sail()",
    "a generator": "def go():\n    yield sail()",
    "a function in it": "def go():\n    def up():\n        hoist()\n    up()",
    "a call of itself": "def go():\n    if sail():\n        go()",
    "two functions": "def go():\n    sail()\n\ndef stop():\n    moor()\n\ngo()\nstop()",
    "two calls": "def go():\n    sail()\n\ngo()\ngo()",
    "another argument": "def go(port):\n    sail(port)\n\ngo(home)",
    "a literal argument": "def go(port):\n    sail(port)\n\ngo('home')",
    "crossed arguments": "def go(a, b):\n    sail(a, b)\n\ngo(b, a)",
    "a missing argument": "def go(port):\n    sail(port)\n\ngo()",
    "an unknown keyword": "def go():\n    sail()\n\ngo(port=port)",
    "a result that it does not give": "def go():\n    sail()\n\nship = go()",
    "a result for two names at once": "def go():\n    return sail()\n\na = b = go()",
    "a result for an item": "def go():\n    return sail()\n\na[0] = go()",
    "statements after it": "def go():\n    sail()\n\nmoor()",
    "only a docstring": 'def go():\n    """Home."""',
    "an else to the test of the name": (
        "if __name__ == '__main__':\n    sail()\nelse:\n    moor()"
    ),
    "a return in the middle": "if calm:\n    return 1\nsail()",
    "a return before the end": "return sail()\nmoor()",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_def_that_would_mean_something_else_outside_is_kept(name: str) -> None:
    """The grammar refuses it then, and the model is asked again."""
    read = read_reply(f"<execute>\n{KEPT[name]}\n</execute>", ("ship",))
    assert (read.source, read.repairs) == (KEPT[name], ())


RETURNED = {
    "a value": (("ship",), "return sail()", "ship = sail()"),
    "two values": (("ship", "crew"), "return sail(), 3", "ship, crew = sail(), 3"),
    "the output itself": (("ship",), "return ship", ""),
    "a mapping for one name": (("log",), "return {'a': 1}", "log = {'a': 1}"),
    "a value that nobody waits for": ((), "return ship, True", ""),
    "a call whose value nobody waits for": ((), "return sail()", "sail()"),
}


@pytest.mark.parametrize("name", RETURNED)
@pytest.mark.parametrize("form", ["def go():\n    hoist()\n    {}", "hoist()\n{}"])
def test_a_last_return_is_assigned_to_what_was_promised(name: str, form: str) -> None:
    """In a `def` as at the top level, where Python has no `return` at all."""
    outputs, line, expected = RETURNED[name]
    read = read_reply(f"<execute>\n{form.format(line)}\n</execute>", outputs)
    assert read.source == f"hoist()\n{expected}".rstrip()


NOT_RETURNED = {
    "too many values": (("a", "b"), "return 1, 2, 3"),
    "too few values": (("a", "b"), "return 1,"),
    "a mapping for two names": (("a", "b"), "return {'a': 1, 'b': 2}"),
    "a text for two names": (("a", "b"), "return 'ab'"),
}


@pytest.mark.parametrize("name", NOT_RETURNED)
@pytest.mark.parametrize("form", ["def go():\n    hoist()\n    {}", "hoist()\n{}"])
def test_a_return_that_cannot_be_what_was_promised_stays(name: str, form: str) -> None:
    """Unpacking it would fail, or take apart what was meant as a whole."""
    outputs, line = NOT_RETURNED[name]
    program = form.format(line)
    assert read_reply(f"<execute>\n{program}\n</execute>", outputs).source == program


def test_a_parameter_must_be_a_variable_outside() -> None:
    """With the variables known, a `def` is kept if its body reads a parameter that is none."""
    text = "<execute>\ndef go(port, crew):\n    sail(port)\n</execute>"
    kept = "def go(port, crew):\n    sail(port)"
    assert read_reply(text).source == "sail(port)"
    assert read_reply(text, variables=["port"]).source == "sail(port)"
    assert read_reply(text, variables=["crew"]).source == kept
