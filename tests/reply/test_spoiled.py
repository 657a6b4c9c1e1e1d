"""Good programs, spoiled in every way and in several that go together, come back as they were."""

from __future__ import annotations

import html
import itertools
import re
import textwrap
from collections.abc import Callable

import pytest

from recode_runtime.reply import read_reply

PROGRAMS = [
    'tide = ask_tide("harbour")\nif tide < 3 and tide > 0:\n    wait(tide)\nelse:\n    sail("out")',
    'fish = []\nfor net in nets:\n    fish += haul(net)\nsell(fish, "market & fair")',
    'note = read("log")',
]


def _prompted(program: str) -> str:
    lines = program.split("\n")
    return "\n".join(("... " if line[:1] in " e" else ">>> ") + line for line in lines)


def _numbered(program: str) -> str:
    return "\n".join(f"{at:>3}| {line}" for at, line in enumerate(program.split("\n"), start=1))


def _listed(program: str) -> str:
    return "\n".join(f"{at}. {line}" for at, line in enumerate(program.split("\n"), start=1))


def _quoted(program: str) -> str:
    return re.sub('"([^"]*)"', "\u201c\\1\u201d", program)


def _spaced(program: str) -> str:
    return program.replace("    ", "\u00a0" * 4).replace(" = ", "\u00a0= ")


def _indented(program: str) -> str:
    return textwrap.indent(program, "    ")


def _defined(program: str) -> str:
    return f"def solve(task):\n{_indented(program)}\n\nsolve(task)"


def _guarded(program: str) -> str:
    return f"if __name__ == '__main__':\n{_indented(program)}"


TEXTS: list[Callable[[str], str]] = [_prompted, _numbered, _listed, _quoted, _spaced, _indented]
FRAMES: list[Callable[[str], str]] = [_defined, _guarded, str]

REPLIES: dict[str, Callable[[str], str]] = {
    "tags": lambda text: f"<think>\nOut.\n</think>\n<execute>\n{text}\n</execute>",
    "tags in capitals": lambda text: f"<EXECUTE>\n{text}\n</EXECUTE>\nGood luck!",
    "an open tag": lambda text: f"Now:\n<execute>\n{text}\n",
    "a fence": lambda text: f"Here you are:\n\n```python\n{text}\n```\n\nThis takes us out.",
    "an open fence": lambda text: f"~~~\n{text}\n",
    "a fence in tags": lambda text: f"<execute>\n```py\n{text}\n```\n</execute>",
    "tags in a fence": lambda text: f"```\n<execute>\n{text}\n</execute>\n```",
    "sentences": lambda text: f"Sure, here it is:\n\n{text}\n\nLet me know how it goes.",
    "a turn": lambda text: f"<|im_start|>assistant\n<execute>\n{text}\n</execute><|im_end|>",
    "an end of turn": lambda text: f"{text}\n</s>",
    "carriage returns": lambda text: f"<execute>\n{text}\n</execute>".replace("\n", "\r\n"),
    "a page": lambda text: html.escape(f"<execute>\n{text}\n</execute>"),
}


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("spoil", [*TEXTS, str])
def test_a_spoiled_program_is_read_as_it_was(
    reply: str, frame: Callable[[str], str], spoil: Callable[[str], str]
) -> None:
    """What was done to the text, to its frame and to the reply is undone, all three at once."""
    for program in PROGRAMS:
        text = REPLIES[reply](spoil(frame(program)))
        assert read_reply(text).source == program, text


@pytest.mark.parametrize(
    ("first", "second"), [*itertools.permutations([_quoted, _spaced, _indented], 2)]
)
@pytest.mark.parametrize("last", [_numbered, html.escape])
def test_three_slips_in_one_text_are_mended(
    first: Callable[[str], str], second: Callable[[str], str], last: Callable[[str], str]
) -> None:
    """The steps work on what the steps before them left."""
    for program in PROGRAMS[:2]:
        text = f"<execute>\n{last(second(first(program)))}\n</execute>"
        assert read_reply(text).source == program, text
