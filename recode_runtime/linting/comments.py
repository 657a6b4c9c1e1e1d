"""`# recode: ignore[RC110]`: comments that switch rules off, here and nowhere else.

Only the linter reads them, and only in files that people write. What judges a model's program at
run time does not know them: a program must not be able to choose its rules.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from recode_runtime.errors import Finding
from recode_runtime.linting import codes
from recode_runtime.wording import did_you_mean

_DIRECTIVE = re.compile(r"#\s*recode:\s*([\w-]*)[ \t]*(?:\[([^\]]*)\])?")
_WORDS = ("ignore", "ignore-file")
_MOST_READ = 100_000  # characters; the gate refuses shorter texts already
_BLANK = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
_ADVICE = "remove the comment, or the codes in it that ignore nothing"


@dataclass(slots=True)
class Directive:
    """One comment: which codes (None: all) it ignores, on the lines `first` to `last`.

    It stands in its `line` from `column` to `end`; `top` says that no statement is above it.
    """

    word: str
    wanted: tuple[str, ...] | None
    line: int
    column: int
    end: int
    top: bool
    first: int
    last: int
    used: set[str] = field(default_factory=set)

    def ignores(self, finding: Finding) -> bool:
        """Whether it is about this finding; keeps in mind that it was of use."""
        fitting = self.wanted is None or finding.code in self.wanted
        if self.word == "ignore-file":
            fitting &= self.top
        else:
            fitting &= self.word == "ignore" and self.first <= finding.line <= self.last
        if fitting:
            self.used.add(finding.code)
        return fitting

    def idle(self, off: Collection[str]) -> tuple[str, ...]:
        """The codes it names that ignore nothing, though they are looked for."""
        wanted = self.wanted or ()
        return tuple(one for one in wanted if one not in self.used and one not in off)


def read_directives(source: str) -> list[Directive]:
    """The comments for the linter in a program.

    An `ignore` stands for its whole logical line, an `ignore-file` above the first statement for
    the program.
    """
    if "recode:" not in source or len(source) > _MOST_READ:
        return []
    found: list[Directive] = []
    waiting: list[Directive] = []
    begin, top = 0, True
    for token in _tokens(source):
        if token.type == tokenize.COMMENT:
            new = _directives(token, top=top)
            found += new
            waiting += new if begin else []
        elif token.type == tokenize.NEWLINE:
            for one in waiting:
                one.first, one.last = begin, token.start[0]
            waiting, begin = [], 0
        elif token.type not in _BLANK:
            begin, top = begin or token.start[0], False
    return found


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens up to where the text stops being Python."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(source).readline)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return


def _directives(token: tokenize.TokenInfo, *, top: bool) -> list[Directive]:
    match = _DIRECTIVE.search(token.string)
    if match is None:
        return []
    wanted = match[2]
    named = None if wanted is None else tuple(one.strip() for one in wanted.split(","))
    line, column = token.start
    places = (column + match.start(), column + match.end())
    return [Directive(match[1], named, line, *places, top, line, line)]


def applied(
    findings: Iterable[Finding], directives: Sequence[Directive], off: Collection[str]
) -> tuple[Finding, ...]:
    """The findings that no comment ignores, and one for each comment that ignores nothing.

    `off` are the codes that are not looked for: a comment about them is not idle.
    """
    if not directives:
        return tuple(findings)
    kept = [one for one in findings if not _ignored(one, directives)]
    if codes.UNUSED_IGNORE not in off:
        kept += [idle for one in directives if (idle := _idle(one, off))]
    return tuple(sorted(kept, key=lambda one: (one.line, one.column, one.code)))


def _ignored(finding: Finding, directives: Sequence[Directive]) -> bool:
    if finding.code in codes.fixed():
        return False
    # All are asked: two comments about one finding are both of use.
    answers = [one.ignores(finding) for one in directives]
    return any(answers)


def _idle(one: Directive, off: Collection[str]) -> Finding | None:
    complaints, repair = _complaints(one, off)
    if not complaints:
        return None
    return Finding(
        codes.UNUSED_IGNORE,
        "; ".join(complaints),
        one.line,
        one.column,
        _ADVICE,
        codes.known()[codes.UNUSED_IGNORE].level,
        one.line,
        one.end,
        "safe" if repair else "",
    )


def _complaints(one: Directive, off: Collection[str]) -> tuple[list[str], bool]:
    """What is wrong with a comment, and whether taking codes out of it mends something."""
    if one.word not in _WORDS:
        hint = did_you_mean(one.word, _WORDS, other=f"; known are {' and '.join(_WORDS)}")
        return [f"the comment says {one.word!r}{hint}"], False
    if one.word == "ignore-file" and not one.top:
        return ["ignore-file counts above the first statement only"], False
    if one.wanted is None:
        idle = not one.used and not off
        return (["there is nothing to ignore here"] if idle else []), idle
    strange = [code for code in one.idle(off) if code not in codes.known()]
    fixed = [code for code in one.idle(off) if code in codes.fixed()]
    rest = [code for code in one.idle(off) if code not in strange and code not in fixed]
    said = [f"there is no rule {code or 'without a code'}{codes.hint(code)}" for code in strange]
    said += [f"{code} is always an error and cannot be ignored" for code in fixed]
    said += [f"there is no {' or '.join(rest)} to ignore here"] if rest else []
    return said, bool(rest or fixed)


def tidied(source: str, directives: Sequence[Directive], off: Collection[str]) -> str:
    """The program without the codes, and the comments, that ignore nothing."""
    lines = source.split("\n")
    gone = set()
    for one in reversed(directives):
        if not _complaints(one, off)[1]:
            continue
        line = lines[one.line - 1]
        changed = (line[: one.column] + _rest(one, line[one.end :], off)).rstrip()
        lines[one.line - 1] = changed
        if not changed:
            gone.add(one.line - 1)
    return "\n".join(line for number, line in enumerate(lines) if number not in gone)


def _rest(one: Directive, behind: str, off: Collection[str]) -> str:
    """What is left of a comment; words behind it stay a comment."""
    idle = [code for code in one.idle(off) if code in codes.known()]
    kept = [code for code in one.wanted or () if code not in idle]
    if kept:
        return f"# recode: {one.word}[{', '.join(kept)}]{behind}"
    words = behind.strip()
    return words if words.startswith("#") or not words else f"# {words}"
