from __future__ import annotations

import random

import pytest

from recode_runtime.errors import ReplyUnreadable
from recode_runtime.reply import MOST_CHARACTERS, ReplyRead, read_reply

ATTRIBUTES = "a tag was not written <execute>"
ENDING = "a tag was not written </execute>"
TAG = "the program had no <execute> tag"
FENCE = "a Markdown fence was removed"
OPEN = "an <execute> tag was not closed"
INDENT = "common indentation was removed"
CRLF = "line endings were changed to newlines"
THOUGHT = "the program was taken from the thought"
SOLVE = "the body of `def solve` was taken out of it"


def _said(
    source: str, thought: str = "", words: tuple[str, ...] = ()
) -> tuple[str, str, tuple[str, ...]]:
    return source, thought, words


READ = {
    "the format that is asked for": (
        "<think>\nlook first\n</think>\n<execute>\nobs = run('look')\n</execute>",
        _said("obs = run('look')", "look first"),
    ),
    "prose is the thought where there is no other": (
        "I look first.\n<execute>run('look')</execute>\nDone.",
        _said("run('look')", "I look first."),
    ),
    "a sentence about waiting": (
        "<execute>run('a')</execute>\nThen we wait for the kettle.",
        _said("run('a')"),
    ),
    "programs that follow each other": (
        "<execute>run('a')</execute>\nHere is the second part:\n<execute>run('b')</execute>",
        _said("run('a')\nrun('b')", "", ("2 <execute> blocks were joined",)),
    ),
    "tags in capitals and with a space": (
        "<THINK>a</THINK><Execute >run('a')</EXECUTE>",
        _said("run('a')", "a", (ATTRIBUTES, ENDING)),
    ),
    "a thought whose beginning the server cut off": (
        "look first\n</think>\n<execute>\nrun('look')\n</execute>",
        _said("run('look')", "look first"),
    ),
    "a thought that is not closed": (
        "<think>look first\n<execute>\nrun('look')\n</execute>",
        _said("run('look')", "look first"),
    ),
    "a tag that is not closed": (
        "<execute>\nrun('a')\nrun('b')\n",
        _said("run('a')\nrun('b')", "", (OPEN,)),
    ),
    "a tag that is closed by another opening tag": (
        "<execute>\nrun('a')\n<execute>",
        _said("run('a')", "", (OPEN,)),
    ),
    "a tag that is only mentioned": (
        "I write it in <execute> tags.\n<execute>\nrun('a')\n</execute>",
        _said("run('a')", "I write it in"),
    ),
    "two blocks": (
        "<execute>\nrun('a')\n</execute>\nthen\n<execute>\nrun('b')\n</execute>",
        _said("run('a')\nrun('b')", "", ("2 <execute> blocks were joined",)),
    ),
    "a fence inside the tag": (
        "<execute>\n```python\nrun('a')\n```\n</execute>",
        _said("run('a')", "", (FENCE,)),
    ),
    "a fence inside the tag that is not closed": (
        "<execute>\n```python\nrun('a')\n</execute>",
        _said("run('a')", "", (FENCE,)),
    ),
    "a fence alone": (
        "Here:\n```python\nrun('a')\n```\nDone.",
        _said("run('a')", "", (FENCE, TAG)),
    ),
    "a fence without a language": ("```\nrun('a')\n```", _said("run('a')", "", (FENCE, TAG))),
    "a fence of tildes": ("~~~py\nrun('a')\n~~~", _said("run('a')", "", (FENCE, TAG))),
    "a fence in another language is prose": (
        "```json\n{}\n```\n```python\nrun('a')\n```",
        _said("run('a')", "", (FENCE, TAG)),
    ),
    "two fences": (
        "```python\nrun('a')\n```\nthen\n```python\nrun('b')\n```",
        _said("run('a')\nrun('b')", "", (FENCE, "2 fenced blocks were joined", TAG)),
    ),
    "backticks in a string are no fence": (
        "<execute>\ntext = '''\n```\n'''\n</execute>",
        _said("text = '''\n```\n'''"),
    ),
    "a program without any tag": (
        "obs = run('look')\n",
        _said("obs = run('look')", "", (TAG,)),
    ),
    "a call without any tag": ("run('look')", _said("run('look')", "", (TAG,))),
    "a program in the thought alone": (
        "<think>so:\n<execute>\nrun('a')\n</execute>\n</think>",
        _said("run('a')", "so:\n<execute>\nrun('a')\n</execute>", (THOUGHT,)),
    ),
    "a program in the thought is not the program": (
        "<think>no: <execute>run('x')</execute></think><execute>run('a')</execute>",
        _said("run('a')", "no: <execute>run('x')</execute>"),
    ),
    "common indentation": (
        "<execute>\n    if a:\n        run('a')\n    run('b')\n</execute>",
        _said("if a:\n    run('a')\nrun('b')", "", (INDENT,)),
    ),
    "common indentation round a long string": (
        "<execute>\n  a = '''x\n  y'''\n  run(a)\n</execute>",
        _said("a = '''x\n  y'''\nrun(a)", "", (INDENT,)),
    ),
    "spaces after the tag": ("<execute> run('a') </execute>", _said("run('a')")),
    "line endings": (
        "<execute>\r\nrun('a')\r\nrun('b')\r\n</execute>",
        _said("run('a')\nrun('b')", "", (CRLF,)),
    ),
    "a closing tag in a string": (
        "<execute>\nrun('say </execute> now')\nrun('b')\n</execute>",
        _said("run('say </execute> now')\nrun('b')"),
    ),
    "a closing tag in a comment": (
        "<execute>\n# ends with </execute>\nrun('b')\n</execute>",
        _said("# ends with </execute>\nrun('b')"),
    ),
    "an opening tag in a string": (
        "<execute>\nrun('<execute>')\nrun('<think>')\n</execute>",
        _said("run('<execute>')\nrun('<think>')"),
    ),
    "what is not Python stays as it is, for the grammar to judge": (
        "<execute>\nif a\n  run('a')\n</execute>",
        _said("if a\n  run('a')"),
    ),
    "a def round the program": (
        "<execute>\ndef solve(task, obs):\n    run('a')\n    run('b')\n</execute>",
        _said("run('a')\nrun('b')", "", (SOLVE,)),
    ),
    "a def in a fence": (
        "```python\ndef solve(task):\n    run('a')\n```",
        _said("run('a')", "", (FENCE, TAG, SOLVE)),
    ),
    "a def with a docstring and comments": (
        '<execute>\ndef solve(a: str) -> None:\n    """D"""\n    # b\n    run(a)  # c\n</execute>',
        _said("# b\nrun(a)  # c", "", (SOLVE,)),
    ),
    "a def on one line": (
        "<execute>def solve(): run('a'); run('b')</execute>",
        _said("run('a'); run('b')", "", (SOLVE,)),
    ),
    "a def with a long string": (
        "<execute>\ndef solve():\n    a = '''x\n    y'''\n    run(a)\n</execute>",
        _said("a = '''x\n    y'''\nrun(a)", "", (SOLVE,)),
    ),
    "a def that returns nothing": (
        "<execute>\ndef solve():\n    run('a')\n    return\n</execute>",
        _said("run('a')", "", (SOLVE,)),
    ),
    "a return that nobody waits for": (
        "<execute>\ndef solve():\n    obs = run('a')\n    return obs, True\n</execute>",
        _said("obs = run('a')", "", (SOLVE,)),
    ),
    "a return that acts": (
        "<execute>\ndef solve():\n    return run('a')\n</execute>",
        _said("run('a')", "", (SOLVE,)),
    ),
    "an early return": (
        "<execute>\ndef solve():\n    if a:\n        return 1\n    run('a')\n</execute>",
        _said("def solve():\n    if a:\n        return 1\n    run('a')"),
    ),
    "a def with a default": (
        "<execute>\ndef solve(a=1):\n    run('a')\n</execute>",
        _said("def solve(a=1):\n    run('a')"),
    ),
    "a def beside other statements": (
        "<execute>\ndef f():\n    run('a')\nf()\nrun('b')\n</execute>",
        _said("def f():\n    run('a')\nf()\nrun('b')"),
    ),
    "an async def": (
        "<execute>\nasync def solve():\n    run('a')\n</execute>",
        _said("run('a')", "", (SOLVE,)),
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_reply_is_read_as_exactly_this_program(name: str) -> None:
    """Each form of a reply gives the program, the thought and the repairs that stand here."""
    text, (source, thought, words) = READ[name]
    read = read_reply(text)
    assert (read.source, read.thought, _words(read)) == (source, thought, words)


def _words(read: ReplyRead) -> tuple[str, ...]:
    return tuple(repair.what for repair in read.repairs)


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
    assert _words(read) == (SOLVE,)


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
    "an example in the thought": (
        "<think>For example <execute>run('a')</execute></think>\nThat is how it is done.",
        "RC001",
        "there is no program in the reply",
    ),
    **{
        name: (text, "RC002", "it is not clear which program is meant")
        for name, text in {
            "a program in a sentence": "<think>I say <execute>run('a')</execute> but it is bad",
            "taken back": "<execute>run('a')</execute>\nWait, that is wrong.",
            "taken back at once": "<execute>run('a')</execute>\nNo! Ignore the above.",
            "taken back in a thought": (
                "<execute>run('a')</execute><think>No, wrong.</think><execute>run('b')</execute>"
            ),
            "a thought about what was never seen": (
                "<execute>run('a')</execute><think>It is open, now take it.</think>"
                "<execute>run('b')</execute>"
            ),
            "an observation of its own": (
                "<execute>run('a')</execute>\nThe door opened. Now in.\n<execute>run('b')</execute>"
            ),
            "what it sees": (
                "<execute>run('a')</execute>\nAfter that I see a mug.\n<execute>run('b')</execute>"
            ),
            "a word as the answer": (
                "```python\nrun('a')\n```\n```\nok\n```\n```python\nrun('b')\n```"
            ),
            "a sentence as the answer": (
                "```python\nrun('a')\n```\n```\nIt is open.\n```\n```python\nrun('b')\n```"
            ),
            "an answer that names its kind": (
                "```python\nrun('a')\n```\n```json\n{}\n```\n```python\nrun('b')\n```"
            ),
            "a wrong and a right way": (
                "```python\n# wrong\nrun('a')\n```\n```python\n# right\nrun('b')\n```"
            ),
        }.items()
    },
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


def test_reading_a_reply_twice_gives_the_same() -> None:
    """Reading has no memory: replies in any order give what they give alone."""
    names = list(READ)
    first = {name: read_reply(READ[name][0]) for name in names}
    random.Random(1).shuffle(names)
    assert [read_reply(READ[name][0]) for name in names] == [first[name] for name in names]
