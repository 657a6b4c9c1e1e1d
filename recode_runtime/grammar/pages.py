"""The page of each code as Markdown: what `recode rules CODE` prints and `docs/rules/` holds.

A rule's page is its docstring with its cases. RC001 to RC005 are said before any rule is asked, by
the reader of replies and by the gate, and RC310 by the linter; their pages stand here.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable
from typing import NamedTuple

from recode_runtime.errors import Level, RecodeError
from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.grammar.rules import ALL_RULES
from recode_runtime.wording import did_you_mean

_FIXED = "No policy can turn it down."
_REPLY_CODES = ("RC001", "RC002")  # whose examples are replies, not programs
_MENDED_IN_REPLIES = ("RC101",)  # by the reader, before the rule is asked
# Of a case, in characters and lines; what is cut off is more of the same.
_WIDEST, _LONGEST = 96, 24


class Line(NamedTuple):
    """One code in the list of all: `repair` is "", "safe", "unsafe", or "safe, unsafe"."""

    code: str
    title: str
    level: Level
    repair: str


class _Text(NamedTuple):
    """A page about a text as such: its line and what would be a rule's docstring."""

    line: Line
    body: str


class UnknownCode(RecodeError, KeyError):
    """There is no page for a code; the message names the nearest."""

    def __str__(self) -> str:
        """The message as it is; a KeyError would show it in quotes."""
        return str(self.args[0])


_TEXTS = (
    _Text(
        Line("RC001", "no program in the reply", "error", "safe"),
        """\
A reply holds no program.

## What it does
Refuses a reply in which nothing can be read as a program. What stands between `<execute>` and
`</execute>` is taken; else a fenced block, or a bare program. That the tags were missing is
recorded as a safe repair with this code.

## Why
Prose cannot be run, and guessing at a program in it would run what nobody wrote.

## Example
    I would first open the drawer.

## Use instead
    <execute>
    obs = run('open drawer')
    </execute>
""",
    ),
    _Text(
        Line("RC002", "unreadable reply", "error", "safe"),
        """\
A reply cannot be read.

## What it does
Refuses a reply that is not text, that is longer than any reply has reason to be, that has more
tags than can be told apart, that breaks off, that leaves a part out (`...`), or that offers several
programs without saying which. Fences, unclosed or repeated tags, prompts and the like are mended,
and recorded as safe repairs with this code; where the policy allows none, they are refused.

## Why
A reply is untrusted: reading it must end soon, whatever is in it. And where only a guess would make
a program of it, the one who wrote it is asked again.

## Example
    <execute><execute><execute> ... a thousand more

## Use instead
    <execute>
    obs = run('look')
    </execute>
""",
    ),
    _Text(
        Line("RC003", "not Python", "error", "safe"),
        """\
The text is not Python that every reader sees alike.

## What it does
Refuses text that Python does not parse, control and bidirectional characters, names outside ASCII,
and coding lines that name anything but UTF-8. In a reply, quotes, blanks and entities that a chat
put in the place of Python's own are mended first.

## Why
What cannot be parsed cannot be judged. A name in full-width letters is one name to a person and
another to Python, so the program that was judged would not be the one that runs.

## Example
    obs = run('look'

## Use instead
    obs = run('look')
""",
    ),
    _Text(
        Line("RC004", "too large or too deep", "error", ""),
        """\
A program is larger, longer or more deeply nested than the policy allows.

## What it does
Refuses a program that passes a limit of the policy's `[limits]` table: bytes, lines, tokens,
statements, nodes, levels of nesting, links of a chain, length of a literal. The message names it.

## Why
Small texts of some shapes crash or stall the parsers, so text is bounded before they see it. No
policy can turn this off.

## Example
    n = --------------------------------------------------------1

## Use instead
    n = 1
""",
    ),
    _Text(
        Line("RC005", "empty program", "error", ""),
        """\
A program has no statement.

## What it does
Refuses a program that is empty, or has nothing but comments.

## Why
A placeholder that expands to nothing would be done with nothing done.

## Example
    # the drawer is open already

## Use instead
    obs = run('open drawer')
""",
    ),
    _Text(
        Line("RC310", "comment that ignores nothing", "warning", "safe"),
        """\
A comment `# recode: ignore[...]` has nothing to ignore.

## What it does
Finds comments for the linter in which a code, or the whole comment, is of no effect: nothing of
that code is found there, no rule has the code, or the code is always an error. Only
`recode check` says so, and only in files that people write; at run time such comments mean
nothing.

## Why
A comment that is left behind hides the next real finding, and says something that is not true.

## Example
    obs = run('look')  # recode: ignore[RC110]

## Use instead
    obs = run('look')
""",
    ),
)


def all_codes() -> tuple[Line, ...]:
    """Every code there is with its title, its own level and its repair, in order."""
    rules = (Line(rule.code, rule.title, rule.level, _repair(rule)) for rule in ALL_RULES)
    return tuple(sorted((*(text.line for text in _TEXTS), *rules)))


def page(code: str) -> str:
    """All that there is to know about a code, as Markdown.

    Raises:
        UnknownCode: there is no such code; the message names the nearest.
    """
    for text in _TEXTS:
        if text.line.code == code:
            return _page(text.line, text.body, _FIXED if text.line.level == "error" else "")
    for rule in ALL_RULES:
        if rule.code == code:
            return _rule_page(rule)
    known = [line.code for line in all_codes()]
    hint = did_you_mean(code.upper(), known, quotes=False)
    raise UnknownCode(f"there is no rule {code}{hint}")


def index() -> str:
    """The list of all codes, as Markdown."""
    rows = (
        f"| [{one.code}]({one.code}.md) | {one.title} | {one.level} | {one.repair} |"
        for one in all_codes()
    )
    return "\n".join(
        [
            "# The rules",
            "",
            "Each code has a page; `recode rules CODE` prints it. The level is the rule's own: the",
            "`[grammar]` table of a policy sets another. A safe repair keeps the meaning of a",
            "program and the order of its effects; an unsafe one is made only where it is asked",
            "for.",
            "",
            "| code | what is wrong | level | repair |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _repair(rule: type[Rule]) -> str:
    cases = [one for one in rule.INVALID.values() if isinstance(one, Case) and one.repaired]
    kinds = {"unsafe" if one.unsafe else "safe" for one in cases}
    return ", ".join(sorted(kinds | ({"safe"} if rule.code in _MENDED_IN_REPLIES else set())))


def _rule_page(rule: type[Rule]) -> str:
    line = Line(rule.code, rule.title, rule.level, _repair(rule))
    fixed = _FIXED if rule.always else ""
    advice = f"{rule.advice[0].upper()}{rule.advice[1:]}."
    parts = [_page(line, inspect.getdoc(rule) or "", fixed), f"## Advice\n\n{advice}"]
    if rule.in_words:
        parts.append(f"## In words\n\n> {rule.in_words}")
    parts.append(_cases("Refused" if rule.level == "error" else "Found", _told(rule, warns=False)))
    if warned := _told(rule, warns=True):
        parts.append(_cases("Warned of", warned))
    parts.append(_cases("Accepted", rule.VALID))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _told(rule: type[Rule], *, warns: bool) -> Cases:
    cases = rule.INVALID.items()
    return {name: one for name, one in cases if getattr(one, "warns", False) is warns}


def _page(line: Line, body: str, fixed: str) -> str:
    facts = [f"Level: {line.level}.", fixed, f"Repair: {line.repair}." if line.repair else ""]
    head = [f"# {line.code}: {line.title}", "", " ".join(one for one in facts if one), ""]
    language = "text" if line.code in _REPLY_CODES else "python"
    return "\n".join([*head, *_fenced(body.splitlines(), language)]).rstrip("\n") + "\n"


def _fenced(lines: Iterable[str], language: str) -> list[str]:
    """The docstring with its indented examples as code."""
    out: list[str] = []
    example: list[str] = []
    for line in [*lines, "\n"]:
        if line.startswith("    ") or (example and not line):
            example.append(line)
            continue
        if example:
            out += [*_block("\n".join(example), language), ""]
            example = []
        out += [line, ""] if line.startswith("## ") else [line]
    return out


def _block(source: str, language: str = "python") -> list[str]:
    lines = textwrap.dedent(source).strip("\n").split("\n")
    shown = [line if len(line) <= _WIDEST else line[:_WIDEST] + " ..." for line in lines[:_LONGEST]]
    more = ["..."] if len(lines) > _LONGEST else []
    return [f"```{language}", *shown, *more, "```"]


def _cases(title: str, cases: Cases) -> str:
    parts = [f"## {title}"]
    for name, one in cases.items():
        case = one if isinstance(one, Case) else Case(one)
        parts += [f"{name}{_circumstances(case)}:", "\n".join(_block(case.source))]
        if case.repaired:
            kind = "unsafe" if case.unsafe else "safe"
            parts += [f"after the {kind} repair:", "\n".join(_block(case.repaired))]
    return "\n\n".join(parts)


def _circumstances(case: Case) -> str:
    """What a case takes for granted besides `run` and three variables."""
    usual = Case("")
    facts = []
    if tuple(case.primitives) != tuple(usual.primitives):
        facts.append("primitives " + ", ".join(f"`{one}`" for one in case.primitives))
    if tuple(case.variables) != tuple(usual.variables):
        facts.append("variables " + ", ".join(f"`{one}`" for one in case.variables))
    if case.outputs:
        facts.append("promised " + ", ".join(f"`{one}`" for one in case.outputs))
    if case.depth_left is not None:
        facts.append(f"{case.depth_left} level{'s' * (case.depth_left != 1)} left")
    if case.always:
        facts.append("at any level")
    if case.parent:
        facts.append(f"expanding `{case.parent.source}`")
    return f" ({'; '.join(facts)})" if facts else ""
