"""What a record says of each repair: its rule, the step in words, the lines before and after."""

from __future__ import annotations

import pytest

from recode_runtime.errors import ReplyUnreadable
from recode_runtime.reply import read_reply
from recode_runtime.tree import Repair

ENTRIES = {
    "no tags": (
        "moor()",
        [Repair("RC001", "the program had no <execute> tag", "", "<execute>\n</execute>")],
    ),
    "a tag that is not closed": (
        "<execute>\nmoor()\n",
        [Repair("RC002", "an <execute> tag was not closed", "", "</execute>")],
    ),
    "no opening tag": (
        "moor()\n</execute>",
        [Repair("RC002", "the opening <execute> tag was missing", "", "<execute>")],
    ),
    "tags in another writing": (
        "<Execute lang='py'>moor()</EXECUTE >",
        [
            Repair("RC002", "a tag was not written <execute>", "<Execute lang='py'>", "<execute>"),
            Repair("RC002", "a tag was not written </execute>", "</EXECUTE >", "</execute>"),
        ],
    ),
    "a tag too many": (
        "<execute>\n<execute>\nmoor()\n</execute>",
        [Repair("RC002", "a tag that stood out of place was removed", "<execute>", "")],
    ),
    "two blocks": (
        "<execute>\nsail()\n</execute>\nThen home.\n<execute>\nmoor()\n</execute>",
        [Repair("RC002", "2 <execute> blocks were joined", "Then home.", "")],
    ),
    "a fence": (
        "<execute>\nIn Python:\n```python\nmoor()\n```\n</execute>",
        [Repair("RC002", "a Markdown fence was removed", "In Python:\n```python\n```", "")],
    ),
    "two fences": (
        "<execute>\nGo:\n```python\nsail()\n```\nThen:\n````py\nmoor()\n````\nHome.\n</execute>",
        [
            Repair("RC002", "a Markdown fence was removed", "Go:\n```python\n````\nHome.", ""),
            Repair("RC002", "2 fenced blocks were joined", "```\nThen:\n````py", ""),
        ],
    ),
    "two fences side by side": (
        "<execute>\n```\nsail()\n```\n\n```\nmoor()\n```\n</execute>",
        [
            Repair("RC002", "a Markdown fence was removed", "```\n\n```", ""),
            Repair("RC002", "2 fenced blocks were joined", "```\n```", ""),
        ],
    ),
    "two fences and a third between that is no program": (
        "<execute>\n```py\nsail()\n```\n```yaml\nwind: 3\n```\n```py\nmoor()\n```\n</execute>",
        [
            Repair("RC002", "a Markdown fence was removed", "```py\n```", ""),
            Repair(
                "RC002",
                "2 fenced blocks were joined",
                "```\n```yaml\nwind: 3\n```\n```py",
                "",
            ),
        ],
    ),
    "sentences": (
        "<execute>\nHere it is:\n\nmoor()\n</execute>",
        [Repair("RC002", "sentences round the program were removed", "Here it is:\n", "")],
    ),
    "marks of a template": (
        "<execute>\nmoor()\n<|im_end|>\n</execute>",
        [Repair("RC002", "marks of a chat template were removed", "<|im_end|>", "")],
    ),
    "a tag of another name": (
        "<execute>\nmoor()\n</code>",
        [
            Repair("RC002", "an <execute> tag was not closed", "", "</execute>"),
            Repair("RC002", "a tag that does not match was removed", "</code>", ""),
        ],
    ),
    "other tags": (
        "<code>\nmoor()\n</code>",
        [
            Repair(
                "RC002",
                "<code> was replaced by <execute>",
                "<code>\n</code>",
                "<execute>\n</execute>",
            )
        ],
    ),
    "an object": (
        '{"code": "moor()"}',
        [
            Repair(
                "RC002",
                "a JSON object was replaced by its program",
                '{"code": "moor()"}',
                "<execute>\nmoor()\n</execute>",
            )
        ],
    ),
    "prompts": (
        "<execute>\n>>> moor()\nTrue\n</execute>",
        [Repair("RC003", "interpreter prompts were removed", ">>> moor()\nTrue", "moor()")],
    ),
    "line numbers": (
        "<execute>\n1| sail()\n2| moor()\n</execute>",
        [Repair("RC003", "line numbers were removed", "1| sail()\n2| moor()", "sail()\nmoor()")],
    ),
    "list marks": (
        "<execute>\n- moor()\n</execute>",
        [Repair("RC003", "list marks were removed", "- moor()", "moor()")],
    ),
    "a margin": (
        "<execute>\n  sail()\n  moor()\n</execute>",
        [
            Repair(
                "RC003",
                "common indentation was removed",
                "  sail()\n  moor()",
                "sail()\nmoor()",
            )
        ],
    ),
    "a first line that stands out": (
        "<execute>sail()\n  moor()\n</execute>",
        [Repair("RC003", "uneven indentation was removed", "  moor()", "moor()")],
    ),
    "typographic quotes": (
        "<execute>\nsail()\nsay(\u201ca\u201d)\nmoor()\n</execute>",
        [
            Repair(
                "RC003",
                "typographic quotes were replaced by plain ones",
                "say(\u201ca\u201d)",
                'say("a")',
            )
        ],
    ),
    "typographic characters": (
        "<execute>\nrow(\u22121)\n</execute>",
        [
            Repair(
                "RC003",
                "typographic characters were replaced by plain ones",
                "row(\u22121)",
                "row(-1)",
            )
        ],
    ),
    "entities": (
        "<execute>\nok = a &lt; b\n</execute>",
        [Repair("RC003", "HTML entities were decoded", "ok = a &lt; b", "ok = a < b")],
    ),
    "backslashes": (
        "<execute>\nset\\_sail()\n</execute>",
        [
            Repair(
                "RC003",
                "backslashes that escape nothing were removed",
                "set\\_sail()",
                "set_sail()",
            )
        ],
    ),
    "line ends": (
        "<execute>\r\nmoor()\r\n</execute>",
        [
            Repair(
                "RC003",
                "line endings were changed to newlines",
                "<execute>\r\nmoor()\r",
                "<execute>\nmoor()",
            )
        ],
    ),
    "a line end of another kind": (
        "<execute>\nsail()\rmoor()\n</execute>",
        [
            Repair(
                "RC003",
                "line endings were changed to newlines",
                "sail()\rmoor()",
                "sail()\nmoor()",
            )
        ],
    ),
    "a def": (
        "<execute>\ndef go():\n    sail()\n</execute>",
        [
            Repair(
                "RC101",
                "the body of `def go` was taken out of it",
                "def go():\n    sail()",
                "sail()",
            )
        ],
    ),
    "the test of the name": (
        "<execute>\nif __name__ == '__main__':\n    moor()\n</execute>",
        [
            Repair(
                "RC003",
                "the test of __name__ was taken off",
                "if __name__ == '__main__':\n    moor()",
                "moor()",
            )
        ],
    ),
    "a return": (
        "<execute>\nwind = ask()\nreturn wind\n</execute>",
        [Repair("RC003", "the `return` outside a function was replaced", "return wind", "")],
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_repair_is_recorded_with_the_lines_that_differ(name: str) -> None:
    """Each step that changed the reply is one entry, in the order in which it was done."""
    text, entries = ENTRIES[name]
    assert list(read_reply(text).repairs) == entries


@pytest.mark.parametrize("name", ENTRIES)
def test_a_policy_without_repairs_refuses_what_is_mended(name: str) -> None:
    """With repair="none" the finding says what would have had to be mended."""
    text, entries = ENTRIES[name]
    said = "; ".join(entry.what for entry in entries)
    with pytest.raises(ReplyUnreadable) as caught:
        read_reply(text, repair="none")
    (finding,) = caught.value.findings
    assert finding.message == f"the policy allows no repairs, but {said}"


def test_a_well_formed_reply_needs_no_repair() -> None:
    """Nothing is recorded, and a policy without repairs reads it too."""
    read = read_reply("<think>\nHome.\n</think>\n<execute>\nmoor()\n</execute>", repair="none")
    assert (read.source, read.thought, read.repairs) == ("moor()", "Home.", ())


def test_long_lines_of_an_entry_are_cut_visibly() -> None:
    """An entry holds 2,000 characters of the lines before and of those after, and says so."""
    prose = "\n".join(["The sea is calm today."] * 1_000)
    (fence,) = read_reply(f"<execute>\n{prose}\n```python\nmoor()\n```\n</execute>").repairs
    dropped = f"{prose}\n```python\n```"
    assert fence.before == f"{dropped[:2_000]}\n[cut: {len(dropped) - 2_000} more characters]"
    assert fence.after == ""
