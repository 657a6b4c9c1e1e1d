"""Python files, Markdown fences, JSONL of replies, whole replies: where each finding is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from checked import checked, written
from command_line import RECODE, Answer

BAD = "x = lookUp(1)"


def concise(folder: Path, *arguments: str | Path, stdin: str | bytes = b"") -> Answer:
    """Findings in one line each, without a summary."""
    return checked(folder, *arguments, "--output-format", "concise", "-q", stdin=stdin)


def places(answer: Answer) -> list[str]:
    """`line:column code` of each finding."""
    rows = (line.split(" ") for line in answer.out.splitlines())
    return [f"{':'.join(row[0].split(':')[1:3])} {row[1]}" for row in rows]


MARKDOWN = f"""\
# Plans

```python
y = 1
{BAD}
```

- in a list

  ~~~py
  for a in items:
      {BAD}
  ~~~

> ```python title="quoted"
> {BAD}
> ```

```python no-recode
{BAD}
```

```
{BAD}
```

```sh
{BAD}
```

    ```python
    {BAD}
    ```

```python
```

``` {{.python .no-recode}}
{BAD}
```

```Python3
{BAD}
"""


def test_each_python_fence_is_a_program(tmp_path: Path) -> None:
    """In lists and quotes too; not those of another language, nor those that say no-recode."""
    written(tmp_path, {"plans.md": MARKDOWN})
    answer = concise(tmp_path, "plans.md")
    assert places(answer) == [
        "5:5 RC114",
        "12:11 RC110",
        "12:11 RC114",
        "16:7 RC114",
        "35:1 RC005",
        "43:5 RC114",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_markdown_end_as_they_end(tmp_path: Path, end: str) -> None:
    """The line of a finding is that which an editor shows, whatever ends the lines."""
    text = f"# A\n\n```python\n{BAD}\n```\n".replace("\n", end)
    written(tmp_path, {"plans.md": text})
    assert places(concise(tmp_path, "plans.md")) == ["4:5 RC114"]
    checked(tmp_path, "plans.md", "--fix")
    assert (tmp_path / "plans.md").read_bytes() == text.replace("lookUp", "look_up").encode()


def rows(*values: object) -> str:
    """A JSONL file."""
    return "".join(f"{json.dumps(value)}\n" for value in values)


def test_each_row_of_jsonl_holds_a_reply(tmp_path: Path) -> None:
    """The line of the file, and the line of the reply in words; empty lines are no rows."""
    replies = rows(
        {"reply": f"<think>hm</think>\n<execute>\ny = 1\n{BAD}\n</execute>"},
        {"reply": "<execute>\nx = 1\n</execute>"},
        {"reply": "I cannot do that."},
        {"reply": f"Look:\n```python\n  {BAD}\n```"},
    )
    written(tmp_path, {"replies.jsonl": "\n" + replies})
    assert concise(tmp_path, "replies.jsonl").out == (
        "replies.jsonl:2:1: RC114 the placeholder name lookUp is not snake_case"
        " (line 4 of the reply)\n"
        "replies.jsonl:4:1: RC001 there is no program in the reply\n"
        "replies.jsonl:5:1: RC114 the placeholder name lookUp is not snake_case"
        " (line 3 of the reply)\n"
    )


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("text", {"text": BAD}),
        ("a.b", {"a": {"b": BAD}}),
        ("a.b", {"a.b": BAD}),
        ("choices.0.message", {"choices": [{"message": BAD}]}),
        ("messages.-1.content", {"messages": [{"content": "x = 1"}, {"content": BAD}]}),
    ],
)
def test_the_field_may_be_a_path(tmp_path: Path, field: str, row: object) -> None:
    """Through objects and lists, from their ends too; a key with dots in it is found as well."""
    written(tmp_path, {"replies.jsonl": rows(row)})
    assert places(concise(tmp_path, "replies.jsonl", "--field", field)) == ["1:1 RC114"]


def test_a_row_may_bring_its_context(tmp_path: Path) -> None:
    """Its primitives, variables and outputs stand for those of the settings, unless told not to."""
    row = {
        "reply": "<execute>\nn = goTo(obs)\n</execute>",
        "primitives": ["goTo(place)"],
        "variables": {"obs": "a room"},
        "outputs": ["n"],
    }
    written(tmp_path, {"replies.jsonl": rows(row, row | {"outputs": ["m"]})})
    assert places(concise(tmp_path, "replies.jsonl")) == ["2:1 RC120"]
    others = ("--no-row-context", "--variable", "other")
    assert places(concise(tmp_path, "replies.jsonl", *others)) == [
        "1:1 RC114",
        "1:1 RC116",
        "2:1 RC114",
        "2:1 RC116",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("garbage", "the row is not JSON; a JSONL file has one JSON object a line"),
        ("[" * 100_000, "the row is not JSON; a JSONL file has one JSON object a line"),
        ("9" * 10_000, "the row is not JSON; a JSONL file has one JSON object a line"),
        ("[1]", "the row is not a JSON object"),
        (
            '{"a": 1, "b": 2}',
            "there is no field 'reply'; choose one with --field (the row has: a, b)",
        ),
        ('{"reply": null}', "the field 'reply' is not text but null"),
        ('{"reply": 1}', "the field 'reply' is not text (and"),
        (
            '{"reply": [{"text": "x = 1"}]}',
            "the field 'reply' is not text but a list; one step further in is --field reply.0",
        ),
        (
            '{"reply": {"content": "x = 1"}}',
            "the field 'reply' is not text but an object; one step further in is --field reply.co",
        ),
        ('{"reply": "x = 1", "outputs": "n"}', "the field 'outputs' is not a list of texts; --no-"),
        ('{"reply": "x = 1", "primitives": ["a b"]}', "the field 'primitives': "),
        (b'{"reply": "\xff"}', "the row is not UTF-8 text"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_problem(
    tmp_path: Path, row: str | bytes, message: str
) -> None:
    """Exit code 2, a line with what to do; the other rows are checked all the same."""
    line = row if isinstance(row, bytes) else row.encode()
    good = rows({"reply": BAD}).encode()
    written(tmp_path, {"replies.jsonl": b"\n".join([good.strip(), line, line, good])})
    answer = concise(tmp_path, "replies.jsonl")
    assert answer.code == 2
    assert answer.err.startswith(f"recode: replies.jsonl:2: {message}")
    assert answer.err.endswith(" (and 1 more row)\n")
    assert places(answer) == ["1:1 RC114", "4:1 RC114"]


@pytest.mark.parametrize(
    ("field", "here"),
    [
        ("choices.0.text", "'choices.0' has: index, message"),
        ("choices.1.text", "'choices' is a list of 1"),
        ("choices.first", "'choices' is a list of 1"),
        ("id.text", "'id' is no object and no list"),
        ("choices.0.message.text", "'choices.0.message' has: none"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_up_to_where_it_leads(
    tmp_path: Path, field: str, here: str
) -> None:
    """So that the next try is no guess."""
    row = {"id": 1, "choices": [{"index": 0, "message": {}}]}
    written(tmp_path, {"replies.jsonl": rows(row)})
    assert concise(tmp_path, "replies.jsonl", "--field", field) == Answer(
        2,
        "",
        f"recode: replies.jsonl:1: there is no field '{field}'; choose one with --field ({here})\n",
    )


def test_a_text_file_is_a_reply(tmp_path: Path) -> None:
    """With its lines and columns, where the program stands in it as it is."""
    reply = f"Sure:\n\n    <execute>\n    y = 1\n    {BAD}\n    </execute>\n"
    written(tmp_path, {"reply.txt": reply})
    assert places(concise(tmp_path, "reply.txt")) == ["5:9 RC114"]


def test_a_program_that_a_reply_does_not_hold_as_such_has_lines_of_its_own(tmp_path: Path) -> None:
    """Where it was put together or unwrapped, the line is that of the program, in words."""
    reply = f"```python\ny = 1\n```\nand\n```python\n{BAD}\n```\n"
    written(tmp_path, {"reply.txt": reply})
    assert concise(tmp_path, "reply.txt").out == (
        "reply.txt:1:1: RC114 the placeholder name lookUp is not snake_case"
        " (line 2 of the program)\n"
    )


@pytest.mark.parametrize(
    ("options", "name", "place"),
    [
        ((), "<stdin>", "1:5"),
        (("--stdin-filename", "plans/a.py"), "plans/a.py", "1:5"),
        (("--stdin-as", "reply"), "<stdin>", "1:5"),
        (("--stdin-as", "markdown"), "<stdin>", ""),
        (("--stdin-filename", "a.md"), "a.md", ""),
    ],
)
def test_standard_input_is_what_one_says(
    tmp_path: Path, options: tuple[str, ...], name: str, place: str
) -> None:
    """By --stdin-as, else by the suffix of --stdin-filename, else Python."""
    answer = concise(tmp_path, "-", *options, stdin=BAD + "\n")
    message = "RC114 [*] the placeholder name lookUp is not snake_case\n"
    message = message if "reply" not in options else message.replace(" [*]", "")
    assert answer == Answer(1 if place else 0, f"{name}:{place}: {message}" if place else "", "")


def test_a_pasted_reply_that_is_no_python_is_told_how_to_be_read(tmp_path: Path) -> None:
    """If nobody has said what standard input is."""
    reply = f"<execute>\n{BAD}\n</execute>\n"
    hint = "recode: it was read as Python; for a model's reply, say --stdin-as reply\n"
    answer = checked(tmp_path, "-", stdin=reply)
    assert (answer.code, answer.err) == (1, hint)
    assert answer.out.startswith("RC003 this is not Python")
    assert checked(tmp_path, "-", "--stdin-as", "python", stdin=reply).err == ""
    assert checked(tmp_path, "-", stdin=BAD).err == ""


def test_standard_input_that_is_closed_is_empty(tmp_path: Path) -> None:
    """As for other commands, and no traceback."""
    command = f"exec {RECODE} check - --output-format concise -q <&-"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "<stdin>:1:1: RC005 the program has no statement\n"


def test_rows_may_come_from_standard_input(tmp_path: Path) -> None:
    """As JSONL, in as many parts as it takes."""
    many = rows(*[{"reply": "x = run('a')"}] * 450, {"reply": BAD})
    answer = concise(tmp_path, "-", "--stdin-as", "jsonl", stdin=many)
    assert places(answer) == ["451:1 RC114"]


def test_standard_input_has_the_settings_of_its_name(tmp_path: Path) -> None:
    """The configuration above --stdin-filename counts."""
    written(tmp_path, {"plans/recode.toml": 'ignore = ["RC114"]\n'})
    assert concise(tmp_path, "-", "--stdin-filename", "plans/a.py", stdin=BAD).code == 0
    assert concise(tmp_path, "-", stdin=BAD).code == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.py", b"\x7fELF\0\0", "cannot be read: it is a binary file (it holds NUL bytes)"),
        ("a.py", b"x = '\xe9'\n", "cannot be read: invalid or missing encoding declaration"),
        ("a.md", b"\xe9\n", "cannot be read: it is not utf-8 (byte 0xe9 at 0); save it as UTF-8"),
        ("a.py", "x = 1".encode("utf-16"), "cannot be read: it is UTF-16 or UTF-32; save it as"),
        ("a.py", b"# coding: nonsense\n", "cannot be read: unknown encoding: nonsense; save it as"),
        ("a.py", b"# coding: rot13\n", "cannot be read: its encoding rot13 is none for text; save"),
        ("a.py", b"# coding: utf-7\nx = '+AGE-'\n", "cannot be read: "),
        ("a.exe", b"x", "is no kind of file that is checked (.py, .md, .markdown, .jsonl, "),
    ],
)
def test_a_file_that_is_no_text_is_a_problem(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """Exit code 2 and a line with what to do, never a traceback."""
    written(tmp_path, {name: content})
    answer = concise(tmp_path, name)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"recode: {name}: {message}")
    assert answer.err.count("\n") == 1


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """And the others are checked."""
    written(tmp_path, {"a.py": BAD})
    answer = concise(tmp_path, "nowhere.py", "a.py")
    assert answer.code == 2
    assert answer.err == "recode: nowhere.py: there is no such file or folder\n"
    assert places(answer) == ["1:5 RC114"]
    assert "; 1 program in 1 file checked.\n" in checked(tmp_path, "nowhere.py", "a.py").out
    long = "a" * 300
    assert concise(tmp_path, long).err == f"recode: {long}: cannot be read: File name too long\n"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f"\ufeff{BAD}\n".encode(), "1:5 RC114"),
        (b"# coding: latin-1\ny = '\xe9'\n", "1:11 RC003"),
    ],
)
def test_python_files_are_decoded_as_python_does(tmp_path: Path, content: bytes, code: str) -> None:
    """A byte order mark is no part of the program; a coding line is believed, and is a finding."""
    written(tmp_path, {"a.py": content})
    assert places(concise(tmp_path, "a.py")) == [code]
