from __future__ import annotations

import contextlib
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import examples
from recode_runtime.errors import ReplyUnreadable
from recode_runtime.reply import MOST_CHARACTERS, ReplyRead, read_reply

TAG = "the program had no <execute> tag"
FENCE = "a Markdown fence was removed"
OPEN = "an <execute> tag was not closed"
INDENT = "common indentation was removed"
CRLF = "line endings were changed to newlines"
THOUGHT = "the program was taken from the thought"
SOLVE = "the body of `def solve` was taken out of it"

READ = {
    "the format that is asked for": (
        "<think>\nlook first\n</think>\n<execute>\nobs = run('look')\n</execute>",
        ReplyRead("obs = run('look')", "look first"),
    ),
    "prose is the thought where there is no other": (
        "I look first.\n<execute>run('look')</execute>\nDone.",
        ReplyRead("run('look')", "I look first."),
    ),
    "tags in capitals and with a space": (
        "<THINK>a</THINK><Execute >run('a')</EXECUTE>",
        ReplyRead("run('a')", "a"),
    ),
    "a thought whose beginning the server cut off": (
        "look first\n</think>\n<execute>\nrun('look')\n</execute>",
        ReplyRead("run('look')", "look first"),
    ),
    "a thought that is not closed": (
        "<think>look first\n<execute>\nrun('look')\n</execute>",
        ReplyRead("run('look')", "look first"),
    ),
    "a tag that is not closed": (
        "<execute>\nrun('a')\nrun('b')\n",
        ReplyRead("run('a')\nrun('b')", "", (OPEN,)),
    ),
    "a tag that is closed by another opening tag": (
        "<execute>\nrun('a')\n<execute>",
        ReplyRead("run('a')", "", (OPEN,)),
    ),
    "a tag that is only mentioned": (
        "I write it in <execute> tags.\n<execute>\nrun('a')\n</execute>",
        ReplyRead("run('a')", "I write it in"),
    ),
    "two blocks": (
        "<execute>\nrun('a')\n</execute>\nthen\n<execute>\nrun('b')\n</execute>",
        ReplyRead("run('a')\nrun('b')", "", ("2 <execute> blocks were joined",)),
    ),
    "a fence inside the tag": (
        "<execute>\n```python\nrun('a')\n```\n</execute>",
        ReplyRead("run('a')", "", (FENCE,)),
    ),
    "a fence inside the tag that is not closed": (
        "<execute>\n```python\nrun('a')\n</execute>",
        ReplyRead("run('a')", "", (FENCE,)),
    ),
    "a fence alone": (
        "Here:\n```python\nrun('a')\n```\nDone.",
        ReplyRead("run('a')", "", (FENCE, TAG)),
    ),
    "a fence without a language": ("```\nrun('a')\n```", ReplyRead("run('a')", "", (FENCE, TAG))),
    "a fence of tildes": ("~~~py\nrun('a')\n~~~", ReplyRead("run('a')", "", (FENCE, TAG))),
    "a fence in another language is prose": (
        "```json\n{}\n```\n```python\nrun('a')\n```",
        ReplyRead("run('a')", "", (FENCE, TAG)),
    ),
    "two fences": (
        "```python\nrun('a')\n```\nthen\n```python\nrun('b')\n```",
        ReplyRead("run('a')\nrun('b')", "", (FENCE, "2 fenced blocks were joined", TAG)),
    ),
    "backticks in a string are no fence": (
        "<execute>\ntext = '''\n```\n'''\n</execute>",
        ReplyRead("text = '''\n```\n'''"),
    ),
    "a program without any tag": (
        "obs = run('look')\n",
        ReplyRead("obs = run('look')", "", (TAG,)),
    ),
    "a call without any tag": ("run('look')", ReplyRead("run('look')", "", (TAG,))),
    "a program in the thought alone": (
        "<think>so:\n<execute>\nrun('a')\n</execute>\n</think>",
        ReplyRead("run('a')", "so:\n<execute>\nrun('a')\n</execute>", (THOUGHT,)),
    ),
    "a program in the thought is not the program": (
        "<think>no: <execute>run('x')</execute></think><execute>run('a')</execute>",
        ReplyRead("run('a')", "no: <execute>run('x')</execute>"),
    ),
    "common indentation": (
        "<execute>\n    if a:\n        run('a')\n    run('b')\n</execute>",
        ReplyRead("if a:\n    run('a')\nrun('b')", "", (INDENT,)),
    ),
    "common indentation round a long string": (
        "<execute>\n  a = '''x\n  y'''\n  run(a)\n</execute>",
        ReplyRead("a = '''x\n  y'''\nrun(a)", "", (INDENT,)),
    ),
    "spaces after the tag": ("<execute> run('a') </execute>", ReplyRead("run('a')")),
    "line endings": (
        "<execute>\r\nrun('a')\r\nrun('b')\r\n</execute>",
        ReplyRead("run('a')\nrun('b')", "", (CRLF,)),
    ),
    "a closing tag in a string": (
        "<execute>\nrun('say </execute> now')\nrun('b')\n</execute>",
        ReplyRead("run('say </execute> now')\nrun('b')"),
    ),
    "a closing tag in a comment": (
        "<execute>\n# ends with </execute>\nrun('b')\n</execute>",
        ReplyRead("# ends with </execute>\nrun('b')"),
    ),
    "an opening tag in a string": (
        "<execute>\nrun('<execute>')\nrun('<think>')\n</execute>",
        ReplyRead("run('<execute>')\nrun('<think>')"),
    ),
    "what is not Python stays as it is, for the grammar to judge": (
        "<execute>\nif a\n  run('a')\n</execute>",
        ReplyRead("if a\n  run('a')"),
    ),
    "a def round the program": (
        "<execute>\ndef solve(task, obs):\n    run('a')\n    run('b')\n</execute>",
        ReplyRead("run('a')\nrun('b')", "", (SOLVE,)),
    ),
    "a def in a fence": (
        "```python\ndef solve(task):\n    run('a')\n```",
        ReplyRead("run('a')", "", (FENCE, TAG, SOLVE)),
    ),
    "a def with a docstring and comments": (
        '<execute>\ndef solve(a: str) -> None:\n    """D"""\n    # b\n    run(a)  # c\n</execute>',
        ReplyRead("# b\nrun(a)  # c", "", (SOLVE,)),
    ),
    "a def on one line": (
        "<execute>def solve(): run('a'); run('b')</execute>",
        ReplyRead("run('a'); run('b')", "", (SOLVE,)),
    ),
    "a def with a long string": (
        "<execute>\ndef solve():\n    a = '''x\n    y'''\n    run(a)\n</execute>",
        ReplyRead("a = '''x\n    y'''\nrun(a)", "", (SOLVE,)),
    ),
    "a def that returns nothing": (
        "<execute>\ndef solve():\n    run('a')\n    return\n</execute>",
        ReplyRead("run('a')", "", (SOLVE,)),
    ),
    "a return that nobody waits for": (
        "<execute>\ndef solve():\n    obs = run('a')\n    return obs, True\n</execute>",
        ReplyRead("obs = run('a')", "", (SOLVE,)),
    ),
    "a return that acts": (
        "<execute>\ndef solve():\n    return run('a')\n</execute>",
        ReplyRead("run('a')", "", (SOLVE,)),
    ),
    "an early return": (
        "<execute>\ndef solve():\n    if a:\n        return 1\n    run('a')\n</execute>",
        ReplyRead("def solve():\n    if a:\n        return 1\n    run('a')"),
    ),
    "a def with a default": (
        "<execute>\ndef solve(a=1):\n    run('a')\n</execute>",
        ReplyRead("def solve(a=1):\n    run('a')"),
    ),
    "a def beside other statements": (
        "<execute>\ndef f():\n    run('a')\nf()\n</execute>",
        ReplyRead("def f():\n    run('a')\nf()"),
    ),
    "an async def": (
        "<execute>\nasync def solve():\n    run('a')\n</execute>",
        ReplyRead("async def solve():\n    run('a')"),
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_reply_is_read_as_exactly_this_program(name: str) -> None:
    """Each form of a reply gives the program, the thought and the repairs that stand here."""
    text, expected = READ[name]
    assert read_reply(text) == expected


RETURNS = {
    "one": (("x",), "return a", "x = a"),
    "two": (("x", "y"), "return a, b", "x, y = a, b"),
    "a pair as a whole": (("x", "y"), "return pair", "x, y = pair"),
    "in parentheses over two lines": (
        ("x", "y"),
        "return (a,\n            b)",
        "x, y = (a,\n        b)",
    ),
    "a constant": (("x",), "return True", "x = True"),
    "a placeholder": (("x",), "return find_cup(a)", "x = find_cup(a)"),
    "after a semicolon": (("x",), "b = 'é return'; return b", "b = 'é return'; x = b"),
    "nothing where something was promised": (("x",), "return", ""),
}


@pytest.mark.parametrize("name", RETURNS)
def test_a_final_return_becomes_an_assignment_to_the_promised_outputs(name: str) -> None:
    """`return a, b` of a wrapping def means the promised outputs, in their order."""
    outputs, line, expected = RETURNS[name]
    read = read_reply(f"<execute>\ndef solve(o):\n    run('a')\n    {line}\n</execute>", outputs)
    assert read.source == f"run('a')\n{expected}".rstrip()
    assert read.repairs == (SOLVE,)


def test_a_return_in_a_def_on_one_line_is_assigned_too() -> None:
    """The place of the `return` is found by its column, not by looking for the word."""
    read = read_reply("<execute>def solve(): a = 'return'; return a</execute>", ("x",))
    assert read.source == "a = 'return'; x = a"


UNREADABLE = {
    "nothing": ("", "RC001", "there is no program in the reply"),
    "blanks": (" \n\t\n", "RC001", "there is no program in the reply"),
    "a word": ("Okay", "RC001", "there is no program in the reply"),
    "a sentence": ("I will open the drawer.", "RC001", "there is no program in the reply"),
    "a sentence that parses": ("Sure (definitely)", "RC001", "there is no program in the reply"),
    "a word and a call": ("Okay\nrun('a')", "RC001", "there is no program in the reply"),
    "a number": ("42", "RC001", "there is no program in the reply"),
    "only a thought": ("<think>run('a')</think>", "RC001", "there is no program in the reply"),
    "a fence in another language": ("```sh\nls\n```", "RC001", "there is no program in the reply"),
    "an empty block": ("<execute>\n\n</execute>", "RC005", "the program is empty"),
    "an empty fence in a block": (
        "<execute>\n```\n```\n</execute>",
        "RC005",
        "the program is empty",
    ),
    "too long": (
        "x" * (MOST_CHARACTERS + 1),
        "RC002",
        "the reply has 262145 characters; 262144 are read",
    ),
    "too many tags": ("<execute>" * 1_001, "RC002", "the reply has more than 1000 tags"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_reply_without_a_program_is_unreadable(name: str) -> None:
    """Prose is never taken for a program; the finding says what was seen and what to send."""
    text, code, message = UNREADABLE[name]
    with pytest.raises(ReplyUnreadable) as caught:
        read_reply(text)
    (finding,) = caught.value.findings
    assert (finding.code, finding.message) == (code, message)
    assert finding.advice == "Reply with one program between <execute> and </execute>."


def test_a_reply_that_is_not_text_is_unreadable() -> None:
    """Also what a broken model adapter hands over gets an answer."""
    with pytest.raises(ReplyUnreadable, match="RC002 the reply is not text but NoneType"):
        read_reply(None)  # type: ignore[arg-type]


SIZE = MOST_CHARACTERS
HOSTILE = {
    "open tags": "<execute>" * 900,
    "pairs of tags": "<execute>a</execute>" * 450,
    "thoughts that do not end": "<think><execute>" * 450,
    "closing tags": "<execute>'" + "</execute>" * 900,
    "blocks of blanks": ("<execute>" + " " * 500 + "</execute>") * 450,
    "long blocks": ("<execute>" + "x " * 60_000) + "</execute>" * 900,
    "spaces in a tag": "<think" + " " * (SIZE - 10),
    "spaces after a fence": "```" + " " * (SIZE - 10) + "!",
    "backticks": "`" * SIZE,
    "fences": "```\n" * (SIZE // 4),
    "brackets": "(" * SIZE,
    "brackets in a block": "<execute>" + "(" * 60_000 + "</execute>",
    "operators": "<execute>x = " + "-" * 60_000 + "1</execute>",
    "sum": "<execute>x = " + "1+" * 30_000 + "1</execute>",
    "indentation": "<execute>\n"
    + "".join(" " * i + "if 1:\n" for i in range(1, 350))
    + "</execute>",
    "surrogate and zero": "<execute>\ud800\x00</execute>",
    "surrogate in a def": "<execute>def f(): run('\ud800')</execute>",
    "newlines": "\n" * SIZE,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reply_gets_its_answer_within_a_second(name: str) -> None:
    """Whatever the reply, it is read or unreadable, and the work is bounded."""
    start = time.perf_counter()
    _read_or_refuse(HOSTILE[name])
    assert time.perf_counter() - start < 1.0


PARTS = st.sampled_from(
    [
        *("<think>", "</think>", "<execute>", "</execute>", "```", "```python", "\n", "    ", " "),
        *("def f():", "return a, b", "run('a')", "'", '"""', "a = 1", "#", ";", "\\", "é", "\r\n"),
        *("\x0c", "(", "if a:"),
    ]
)


@pytest.mark.fuzz
@settings(max_examples=examples(300), deadline=1_000)
@given(st.lists(PARTS, max_size=30).map("".join) | st.text(max_size=80))
def test_no_reply_raises_anything_else(text: str) -> None:
    """The only exception of the reader is ReplyUnreadable, and a program is never blank."""
    _read_or_refuse(text)


def _read_or_refuse(text: str) -> None:
    with contextlib.suppress(ReplyUnreadable):
        assert read_reply(text, ("x", "y")).source.strip()


@pytest.mark.parametrize("lines", [8_000, 16_000, 60_000])
def test_an_f_string_of_many_lines_is_read_in_a_moment(lines: int) -> None:
    """Its pieces all span the whole string, which must not count for each."""
    text = "<execute>\n  x = f'''" + "{x}\n" * lines + "'''\n</execute>"
    began = time.perf_counter()
    _read_or_refuse(text)
    assert time.perf_counter() - began < 1


def test_reading_a_reply_twice_gives_the_same() -> None:
    """Reading has no memory: replies in any order give what they give alone."""
    names = list(READ)
    random.Random(1).shuffle(names)
    assert [read_reply(READ[name][0]) for name in names] == [READ[name][1] for name in names]
