"""A finding with its source line, underlined, and the rule's advice."""

from __future__ import annotations

from recode_runtime.linting.formats.concise_format import head
from recode_runtime.linting.formats.paint import Paint
from recode_runtime.linting.units import Located, Result
from recode_runtime.wording import visible

# Cells of a source line that are shown, and how many of them stand before the finding.
_SHOWN, _BEFORE = 110, 40
_CUT = "..."


def render(result: Result, *, colour: bool) -> str:
    """All findings, in the order of the files."""
    paint = Paint(colour)
    return "".join(f"{_block(one, paint)}\n" for one in result.located)


def _block(one: Located, paint: Paint) -> str:
    number = str(one.finding.line or one.row)
    gutter = " " * len(number)
    place = f"{visible(one.path)}:{one.line}:{one.column}"
    lines = [head(one, paint), f"{gutter}{paint.frame('-->')} {place}"]
    if one.finding.line:
        bar = paint.frame(f"{gutter} |")
        source, underline = _excerpt(one)
        lines += [bar, f"{paint.frame(f'{number} |')} {source}".rstrip()]
        lines += [f"{bar} {paint.code(underline, one.finding.level)}", bar]
    if one.finding.advice:
        lines.append(f"{gutter} {paint.frame('=')} help: {visible(one.finding.advice)}")
    return "\n".join(lines) + "\n"


def _excerpt(one: Located) -> tuple[str, str]:
    """The line with what is under it; of a long line the part round the finding."""
    line, finding = one.excerpt, one.finding
    start = min(finding.column, len(line))
    one_line = finding.end_line == finding.line
    end = min(finding.end_column, len(line)) if one_line else len(line)
    first = max(0, start - _BEFORE) if len(line) > _SHOWN else 0
    last = min(len(line), first + _SHOWN)
    ahead = (_CUT if first else "") + _shown(line[first:start])
    under = _shown(line[start : max(start, min(end, last))])
    rest = _shown(line[max(start, min(end, last)) : last]) + (_CUT if last < len(line) else "")
    carets = "^" * max(1, _cells(under))
    return ahead + under + rest, " " * _cells(ahead) + carets


def _shown(line: str) -> str:
    """A source line as it is printed: tabs as four spaces, the rest `visible`."""
    return visible(line.replace("\t", "    "))


def _cells(text: str) -> int:
    """How many cells of a terminal a visible text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # most lines do without it

    return cell_len(text)
