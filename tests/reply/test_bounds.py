from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import examples
from pace import within
from recode_runtime.errors import ReplyUnreadable
from recode_runtime.reply import MOST_CHARACTERS, read_reply

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
    "quotes after backslashes": "<execute>x = " + '"\\' * 16_000 + "</execute>",
    "long quotes after backslashes": "<execute>x \u201c = " + "\\'''" * 8_000 + "</execute>",
    "typographic apostrophes": "<execute>x = " + "a\u2019" * 16_000 + "</execute>",
    "typographic quotes": "<execute>x = " + "\u201c" * 32_000 + "</execute>",
    "entities": "&lt;execute&gt;" + "&amp;" * 52_000,
    "ampersands": "<execute>" + "&#" * 16_000 + "&lt;</execute>",
    "prompts": ">>> a\n" * 40_000,
    "prompts of no program": "<execute>" + ">>> a(\n" * 4_600 + "</execute>",
    "line numbers": "<execute>" + "".join(f"{i}: a b\n" for i in range(4_000)) + "</execute>",
    "list marks": "- a b\n" * 40_000,
    "sentences": "This is a sentence.\n" * 13_000,
    "a long sentence": "<execute>" + "this is it " * 2_900 + ".</execute>",
    "stray tags": "<execute>" + "a()\n</a\n" * 4_000,
    "tags cut off": "<execute " * 29_000,
    "code tags": "<code>" * 40_000,
    "an object that does not end": '{"code":"' + "x" * (SIZE - 9),
    "deep objects": '{"code":' * (SIZE // 8),
    "fences with code": "```python\na()\n```\nthen\n" * 10_000,
    "fences with no program": "```python\na(\n```\n" * 14_000,
    "fences behind sentences": ("a" * 200 + ": ```python\n") * 1_200,
    "marks of turns": "<|im_end|>" * 26_000,
    "definitions": "<execute>" + "def f(): a()\n" * 2_400 + "</execute>",
    "a long definition": "<execute>def f():\n" + " a()\n" * 6_000 + " return a\nf()</execute>",
    "a deep test of a name": "<execute>if " + "a." * 15_000 + "a == 1:\n a()</execute>",
    "a deep call": "<execute>def f(): a()\n" + "f." * 15_000 + "f()</execute>",
    "blocks": "<execute>a()</execute>then" * 450,
    "statements": "<execute>\n" + "x=1\n" * 7_900 + "</execute>'\n" * 7,
    "carriage returns": "\r" * SIZE,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reply_gets_its_answer_within_a_second(name: str) -> None:
    """Whatever the reply, it is read or unreadable, and the work is bounded."""
    within(1.0, lambda: _read_or_refuse(HOSTILE[name]))


PARTS = st.sampled_from(
    [
        *("<think>", "</think>", "<execute>", "</execute>", "```", "```python", "\n", "    ", " "),
        *("def f():", "return a, b", "run('a')", "'", '"""', "a = 1", "#", ";", "\\", "é", "\r\n"),
        *("\x0c", "(", "if a:", ">>> ", "... ", "1. ", "- ", "\u201c", "\u2019", "&lt;", "&quot;"),
        *(
            "\u00a0",
            "\u2013",
            "<|im_end|>",
            "</s>",
            "[INST]",
            "<code>",
            "</code>",
            "~~~",
            "`",
            "**",
        ),
        *("Then I go on.", "Here it is:", "f()", "async ", "await ", "return", "...", "<execute"),
        *(
            "if __name__ == '__main__':",
            "import asyncio\n",
            '{"code": "a()"}',
            "\\n",
            "&lt;execute&gt;",
        ),
    ]
)


@pytest.mark.fuzz
@settings(max_examples=examples(300), deadline=None)
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
    within(1.0, lambda: _read_or_refuse(text))
