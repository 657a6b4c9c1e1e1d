"""Replies that no repair was written for, with the program in each, or None where one must ask."""

from __future__ import annotations

import pytest

from recode_runtime.errors import ReplyUnreadable
from recode_runtime.reply import read_reply

MENDED = {
    "a tag with a language": (
        '<think>Dry soil.</think>\n<execute type="python" v=1>\nwater("fern")\n</execute>',
        'water("fern")',
    ),
    "blanks in the tags": ("< execute >\nprune(rose)\n< / execute >", "prune(rose)"),
    "a backslash for the slash": ("<execute>\nprune(rose)\n<\\execute>", "prune(rose)"),
    "tags in bold": ("**<execute>**\nprune(rose)\n**</execute>**", "prune(rose)"),
    "tags in one another": (
        "<execute>\n<execute>\ndig(3)\n</execute>\n</execute>",
        "dig(3)",
    ),
    "the closing tag of a thought": ("<execute>\nplant(seed)\n</think>", "plant(seed)"),
    "a closing tag cut off": ("<execute>\nplant(seed)\n</exec", "plant(seed)"),
    "a closing tag of another name": (
        "<execute>\nplant(seed)\n</script>\nThe seed is in.",
        "plant(seed)",
    ),
    "no opening tag": ("<think>In spring.</think>\nplant(seed)\n</execute>", "plant(seed)"),
    "an opening tag cut off": ("<execute\nplant(seed)\n</execute>", "plant(seed)"),
    "tags of another name": ("Now:\n<python>\nplant(seed)\n</python>", "plant(seed)"),
    "square brackets": ("[EXECUTE]\nplant(seed)\n[/EXECUTE]", "plant(seed)"),
    "the tags named before they are used": (
        "It goes between <execute> and </execute>.\n<execute>\nplant(seed)\n</execute>",
        "plant(seed)",
    ),
    "a thought in the program": (
        "<execute>\n<think>The bulb first.</think>\nplant(bulb)\n</execute>",
        "plant(bulb)",
    ),
    "the whole reply escaped": (
        "&lt;execute&gt;\nif wet &lt; 3:\n    water(&#39;a &amp;amp; b&#39;)\n&lt;/execute&gt;",
        "if wet < 3:\n    water('a &amp; b')",
    ),
    "an entity outside strings": (
        "<execute>\nif wet < 3 and dry &gt; 1:\n    say('a &gt; b')\n</execute>",
        "if wet < 3 and dry > 1:\n    say('a &gt; b')",
    ),
    "a fence in a fence": ("````\n```python\nsail(north)\n```\n````", "sail(north)"),
    "a fence with a title": ('```python title="sail.py"\nsail(north)\n```', "sail(north)"),
    "a fence behind a sentence": ("I sail: ```python\nsail(north)\n```\nDone.", "sail(north)"),
    "a fence closed on the last line": ("```py\nsail(north)\nmoor()```", "sail(north)\nmoor()"),
    "a fence that only ends": ("<execute>\nsail(north)\n```\n</execute>", "sail(north)"),
    "a fence round a string with a fence": (
        "~~~python\nlog = '''\n~~~\nwind\n~~~\n'''\nwrite(log)\n~~~",
        "log = '''\n~~~\nwind\n~~~\n'''\nwrite(log)",
    ),
    "a fence on one line": ("```python moor()```", "moor()"),
    "single backticks": ("<execute>`moor()`</execute>", "moor()"),
    "the name of the language left behind": ("<execute>python\nmoor()\n</execute>", "moor()"),
    "two fences in order": (
        "First:\n```python\nsail(north)\n```\nThen:\n```python\nmoor()\n```",
        "sail(north)\nmoor()",
    ),
    "what was printed, in a fence of its own": (
        "```python\nsail(north)\n```\nIt shows:\n```text\nahoy\n```",
        "sail(north)",
    ),
    "sentences at both ends": (
        "Of course! Here we go:\n\nwind = ask_wind(port)\nsail(wind)\n\nThat brings us home.",
        "wind = ask_wind(port)\nsail(wind)",
    ),
    "a list of the reasons in the tags": (
        "<execute>\nsail(north)\n\n## Reasons\n- Fair wind today.\n</execute>",
        "sail(north)",
    ),
    "an indented block of Markdown": (
        "The course is this:\n\n    wind = ask_wind(port)\n    sail(wind)\n",
        "wind = ask_wind(port)\nsail(wind)",
    ),
    "the marks of a template": (
        "<|im_start|>assistant\nsail(north)<|im_end|>",
        "sail(north)",
    ),
    "a mark behind an open tag": ("<execute>\nsail(north)\n</s>", "sail(north)"),
    "a turn that the model made up": (
        "<execute>\nsail(north)\n</execute>\n</s>\n[INST] On? [/INST]\n<execute>row()</execute>",
        "sail(north)",
    ),
    "prompts with answers": (
        "<execute>>>> n = len(sails)\n>>> n\n3\n>>> for i in range(n):\n...     hoist(i)\nup",
        "n = len(sails)\nn\nfor i in range(n):\n    hoist(i)",
    ),
    "prompts without blanks": (
        "<execute>\n>>>hoist(1)\n>>>hoist(2)\n</execute>",
        "hoist(1)\nhoist(2)",
    ),
    "numbers in a column": (
        "<execute>\n 9 | if calm:\n10 |     row(2)\n11 |\n12 | moor()\n</execute>",
        "if calm:\n    row(2)\n\nmoor()",
    ),
    "a numbered list": ("1. hoist(1)\n2. hoist(2)", "hoist(1)\nhoist(2)"),
    "a list with marks": ("<execute>\n- hoist(1)\n- hoist(2)\n</execute>", "hoist(1)\nhoist(2)"),
    "numbers that could be Python": (
        "<execute>\n1| hoist(1)\n2| hoist(2)\n</execute>",
        "hoist(1)\nhoist(2)",
    ),
    "an entity that could be Python": (
        "<execute>\nlow = tide &lt; 3\nsay('a &lt; b')\n</execute>",
        "low = tide < 3\nsay('a < b')",
    ),
    "typographic quotes": (
        "<execute>say(\u201cit\u2019s calm\u201d, \u2018row\u2019)\nsay('\u201cb\u201d')</execute>",
        "say(\"it\u2019s calm\", 'row')\nsay('\u201cb\u201d')",
    ),
    "one typographic quote": ('<execute>\nsay("calm\u201d)\n</execute>', 'say("calm")'),
    "German quotes": ("<execute>\nsay(\u201eruhig\u201c)\n</execute>", 'say("ruhig")'),
    "a quote of the other kind inside": (
        "<execute>\nsay(\u201ca \u2018b\u2019 c\u201d)\n</execute>",
        'say("a \u2018b\u2019 c")',
    ),
    "spaces of typesetting": (
        "<execute>\nif\u00a0calm:\n\u00a0\u00a0row(\u22121, 'a\u00a0b')\n</execute>",
        "if calm:\n  row(-1, 'a\u00a0b')",
    ),
    "characters that do not show": ("\ufeff<execute>\n\u200bmoor()\u200b\n</execute>", "moor()"),
    "underscores of Markdown": ("<execute>\nset\\_sail(wind)\n</execute>", "set_sail(wind)"),
    "line ends written out": (
        "<execute>hoist(1)\\nsay('a\\nb')</execute>",
        "hoist(1)\nsay('a\\nb')",
    ),
    "an object with a plan": (
        '{"plan": "Home.", "program": "wind = ask_wind()\\nsail(wind)"}',
        "wind = ask_wind()\nsail(wind)",
    ),
    "a margin, and strings that have their own": (
        "<execute>\n    song = '''\n  heave\n    ho\n'''\n    sing(song)\n</execute>",
        "song = '''\n  heave\n    ho\n'''\nsing(song)",
    ),
    "a margin round typographic quotes and a long string": (
        "<execute>\n    song = '''\n  ho\n'''\n    sing(\u201cone\u201d, song)\n</execute>",
        "song = '''\n  ho\n'''\nsing(\"one\", song)",
    ),
    "the first line behind the tag": (
        "<execute>hoist(1)\n    hoist(2)\n    moor()</execute>",
        "hoist(1)\nhoist(2)\nmoor()",
    ),
    "several at once": (
        "Sure:\r\n```Python\r\n>>> say(\u201cahoy\u201d)\r\n>>> moor()\r\n```<|eot_id|>",
        'say("ahoy")\nmoor()',
    ),
}

ASK = {
    "two options": (
        "Option 1:\n<execute>\nsail(north)\n</execute>\nOption 2:\n<execute>\nrow(2)\n</execute>"
    ),
    "a plan for the worst": (
        "```python\nsail(north)\n```\nIf there is no wind:\n```python\nrow(2)\n```"
    ),
    "a second thought": (
        "<execute>\nsail(north)\n</execute>\nWait, better:\n<execute>\nrow(2)\n</execute>"
    ),
    "an answer made up between two programs": (
        "<execute>\nsail(north)\n</execute>\nObservation: at sea.\n<execute>\nmoor()\n</execute>"
    ),
    "the same twice": "<execute>\nrow(2)\n</execute>\n<execute>\nrow(2)\n</execute>",
    "the same fence twice": "```python\nrow(2)\n```\n```python\nrow(2)\n```",
    "the last attempt": "My previous program was this:\n```python\nrow(2)\n```",
    "what not to do": "Do not do this:\n```python\nrow(2)\n```",
    "statements outside the fence": "```python\nhoist(1)\n```\nrow(2)",
    "a draft in an open thought": "<think>Maybe\n```python\nrow(2)\n```\nno,",
    "an answer that could be a statement": "<execute>\n>>> hoist(1)\nrow(2)\n</execute>",
    "cut in a name": "<execute>\nwind = ask_wind()\ncourse = win",
    "cut behind a name": "<execute>\nwind = ask_wind()\nwind",
    "cut in a call": "<execute>\nwind = ask_wind()\nsail(wind",
    "cut in a string": "<execute>\nsail('nor",
    "numbers that do not count up": "<execute>\n1. hoist(1)\n3. hoist(2)\n</execute>",
    "a lost block": "<execute>\nhoist(1)\n    row(2)\nmoor()\n</execute>",
    "dots for the rest": "<execute>\nhoist(1)\n...  # and so on\n</execute>",
    "a word": "<execute>\nDone\n</execute>",
    "an annotation that is a sentence": "Note: sail(north)",
    "a tool call": '{"code": "hoist(1)", "timeout": 3}',
    "a sentence with a call": "I would call hoist(1) first.",
    "a call in the last sentence": "hoist(1)\n\nThen row(2).",
    "a sentence between statements": "hoist(1)\nThen the oars.\nrow(2)",
    "entities that may be meant": "<execute>\nif a < 1 and:\n    say('&lt;')\n</execute>",
    "backslashes that may be meant": "<execute>\nset\\_sail('a\\_b')\n</execute>",
    "wide brackets": "<execute>\nsail\uff08north\uff09\n</execute>",
}


@pytest.mark.parametrize("name", MENDED)
def test_a_reply_nobody_prepared_for_is_mended_into_its_program(name: str) -> None:
    """The repairs know forms, not texts: each of these gives exactly this program, and says how."""
    text, program = MENDED[name]
    assert read_reply(text).source == program


@pytest.mark.parametrize("name", ASK)
def test_a_reply_that_needs_a_guess_gives_no_program(name: str) -> None:
    """What may mean two things is unreadable, or is left as it is and no Python."""
    try:
        source = read_reply(ASK[name]).source
    except ReplyUnreadable:
        return
    with pytest.raises(SyntaxError):
        compile(source, "reply", "exec")


UNTOUCHED = [
    "say('</execute>')\nsay('<execute>')\nsay('<think>')",
    "say('``' + '`')\nnote = '''\n```python\nx\n```\n'''",
    "note = '''\n>>> a\n... b\n'''",
    "say('\u201ca\u201d \u2018b\u2019 \u2013 \u00a0c')",
    "say('&lt;b&gt; &amp;')\nif a & b:\n    say(1)",
    "say('<|im_end|> </s> [/INST]')",
    "note = '''\n    a\n  b\n1. c\n2. d\n'''",
    "say('Here is the program:')  # Here is the program: say()",
    "say('a\\_b\\n')",
    'say(\'{"code": "x"}\')',
    "x = {'code': 'say()'}\nsay(x)",
    "say('def f(): return 1')",
    "n = -say(1)\nm = n - 1",
    "rows = [...]\nsay(rows[..., 0])",
]


@pytest.mark.parametrize("program", UNTOUCHED)
def test_a_program_in_its_tags_is_left_alone(program: str) -> None:
    """What only looks like a slip, in a string or a comment, is not mended."""
    read = read_reply(f"<think>\nAs asked.\n</think>\n<execute>\n{program}\n</execute>")
    assert (read.source, read.repairs) == (program, ())


@pytest.mark.parametrize("name", MENDED)
def test_a_mended_program_needs_no_second_repair(name: str) -> None:
    """In its tags, the program that was found reads as itself."""
    program = MENDED[name][1]
    read = read_reply(f"<execute>\n{program}\n</execute>", repair="none")
    assert (read.source, read.repairs) == (program, ())
