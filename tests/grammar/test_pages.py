"""The pages of the codes: what the command line prints and what `docs/rules/` holds."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from recode_runtime.errors import RecodeError
from recode_runtime.grammar import ALL_RULES, judge
from recode_runtime.grammar.gate import TEXT_CODES
from recode_runtime.grammar.pages import Line, UnknownCode, all_codes, index, page
from recode_runtime.policy import Policy
from recode_runtime.primitive import declared_primitives
from recode_runtime.program import Placeholder

ROOT = Path(__file__).parent.parent.parent


def test_every_code_has_a_line_in_order() -> None:
    """Those of the reply and of the gate, of the rules, and of the linter's own comments."""
    codes = [line.code for line in all_codes()]
    assert codes == sorted(set(codes))
    assert codes[:5] == list(TEXT_CODES) == ["RC001", "RC002", "RC003", "RC004", "RC005"]
    assert set(codes[5:]) == {"RC310", *(rule.code for rule in ALL_RULES)}


def test_a_line_says_level_and_repair() -> None:
    """The rule's own level; the repairs are those that its cases show."""
    lines = {line.code: line for line in all_codes()}
    assert lines["RC103"] == Line("RC103", "lambda", "off", "")
    assert lines["RC308"] == Line("RC308", "several statements on one line", "warning", "safe")
    assert lines["RC121"].level == "error"


@pytest.mark.parametrize("line", all_codes(), ids=lambda line: line.code)
def test_a_page_has_all_that_a_reader_needs(line: Line) -> None:
    """Heading, level, and the four sections; code in closed fences, no line cut off unmarked."""
    text = page(line.code)
    assert text.startswith(f"# {line.code}: {line.title}\n\nLevel: {line.level}.")
    headings = [one for one in text.split("\n") if one.startswith("## ")]
    assert headings[:4] == ["## What it does", "## Why", "## Example", "## Use instead"]
    assert text.count("```") % 2 == 0
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_a_page_is_the_rules_own() -> None:
    """The whole page of a small rule, word for word."""
    assert page("RC308").split("## Accepted")[0] == '''\
# RC308: several statements on one line

Level: warning. Repair: safe.

Several statements stand on one line.

## What it does

Warns of a line with two or more statements, separated by semicolons.

## Why

Each statement is one node of the tree, and a failure is shown with its line: two on one line
cannot be told apart.

## Example

```python
obs = run('open drawer'); obs = run('take cup')
```

## Use instead

```python
obs = run('open drawer')
obs = run('take cup')
```

## Advice

Write each statement on a line of its own.

## Found

two:

```python
obs = run('a'); obs = run('b')
```

after the safe repair:

```python
obs = run('a')
obs = run('b')
```

three, with comments:

```python
# first
a = 1 ; b = 2;c = 3  # last
run(a)
```

after the safe repair:

```python
# first
a = 1
b = 2
c = 3  # last
run(a)
```

in a block:

```python
if flag:
    # go
    a = 1; b = 2
    run(a)
```

after the safe repair:

```python
if flag:
    # go
    a = 1
    b = 2
    run(a)
```

behind a colon:

```python
if flag: a = 1; b = 2  # both
run('go')
```

after the safe repair:

```python
if flag:
    a = 1
    b = 2  # both
run('go')
```

'''  # fmt: skip


def test_circumstances_of_a_case_are_said() -> None:
    """What a case is judged with, where that is not the usual."""
    assert "no level left (0 levels left):" in page("RC121")
    assert "the same call (expanding `tidy(obs, 'kitchen', speed=2)`):" in page("RC122")
    assert "never assigned (promised `cup`):" in page("RC120")
    assert "missing (primitives `go(place: str, turns: int = 1, *, fast" in page("RC307")


def test_what_cannot_be_turned_down_says_so() -> None:
    """The gate, and the floor of the recursion."""
    fixed = [line.code for line in all_codes() if "No policy can turn it down." in page(line.code)]
    assert fixed == ["RC001", "RC002", "RC003", "RC004", "RC005", "RC121", "RC122"]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("RC11", "did you mean RC"),
        ("rc204", "did you mean RC204?"),
        ("F401", "known are RC001, RC"),
    ],
)
def test_an_unknown_code_names_the_nearest(code: str, hint: str) -> None:
    """An error of ours, and a KeyError to those who look things up."""
    with pytest.raises(UnknownCode) as caught:
        page(code)
    assert isinstance(caught.value, RecodeError)
    assert isinstance(caught.value, KeyError)
    assert str(caught.value).startswith(f"there is no rule {code}; {hint}")


def test_the_index_lists_all_pages() -> None:
    """One row a code, each with a link to its page."""
    for line in all_codes():
        row = f"| [{line.code}]({line.code}.md) | {line.title} | {line.level} | {line.repair} |"
        assert row in index().split("\n")


def _tool() -> ModuleType:
    spec = spec_from_file_location("rule_pages", ROOT / "tools" / "rule_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_in_the_documentation_are_up_to_date() -> None:
    """`python tools/rule_pages.py` makes them so."""
    assert _tool().stale(ROOT / "docs" / "rules") == []


def test_the_tool_writes_what_is_missing_and_takes_away_what_is_too_much(tmp_path: Path) -> None:
    """After that nothing is stale."""
    tool = _tool()
    (tmp_path / "RC999.md").write_text("of no rule")
    (tmp_path / "RC101.md").write_text("old")
    assert {"RC999.md", "RC101.md", "index.md"} <= set(tool.stale(tmp_path))
    tool.write(tmp_path)
    assert tool.stale(tmp_path) == []
    assert (tmp_path / "RC101.md").read_text() == page("RC101")
    assert not (tmp_path / "RC999.md").exists()


def test_the_tool_refuses_arguments_it_does_not_know() -> None:
    """With the exit code of a wrong call, and how it is called."""
    call = [sys.executable, str(ROOT / "tools" / "rule_pages.py"), "--chek"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "python tools/rule_pages.py [--check]" in done.stderr


SITUATION = re.compile(r"# for: (?:(?P<outputs>.*) = )?(?P<name>\w+)\((?P<arguments>.*)\)\n")
TOOL = re.compile(r"# (?P<text>go\(.*)\n")
NAMES = ("obs", "items", "item", "flag", "place", "places", "rooms", "task")


def judged_example(code: str, heading: str) -> set[str]:
    """The codes of what is found in an example of a page, in the situation that it states."""
    block = re.search(rf"## {heading}\n\n```python\n(.*?)\n```", page(code), re.DOTALL)
    assert block
    situation, tool = SITUATION.match(block[1]), TOOL.match(block[1])
    arguments = tuple(situation["arguments"].split(", ")) if situation else ()
    outputs = tuple((situation["outputs"] or "").split(", ")) if situation else ()
    outputs = tuple(filter(None, outputs))
    levels = {"RC103": "error"} if code == "RC103" else {}
    verdict = judge(
        block[1],
        policy=Policy.named("strict").but(grammar=levels),
        primitives=declared_primitives(["run", *([tool["text"]] if tool else [])]),
        variables=NAMES,
        outputs=outputs,
        parent=Placeholder(situation["name"], outputs, arguments, {}, arguments)
        if situation
        else None,
        depth_left=0 if code == "RC121" else None,
    )
    return {finding.code for finding in verdict.findings}


PROGRAMS = [line.code for line in all_codes() if line.code not in ("RC001", "RC002", "RC310")]


@pytest.mark.parametrize("code", PROGRAMS)
def test_the_example_of_a_page_is_what_the_page_is_about(code: str) -> None:
    """And what is to be used instead is free of it."""
    assert code in judged_example(code, "Example")
    assert code not in judged_example(code, "Use instead")
