"""Characters that a word processor or a web page put in the place of Python's own.

All of it is tried only on texts that cannot be read as they are.
"""

from __future__ import annotations

import html
import re

from recode_runtime.reply.literals import LONG, blanked, outside
from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import Trial

_CODE = "RC003"

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u00ad\u200b-\u200d\u2060\ufeff"
_SIGNS = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
}
_SLIP = re.compile(f"[{_SPACES}{_INVISIBLE}{''.join(_SIGNS)}]")

_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\uff02\u00ab\u00bb"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\uff07\u00b4`"
_APOSTROPHE = r"(?<=\w)['\u2019](?=\w)"
# What a quote opens runs to its end; without one, it takes the rest of the line with it.
_QUOTED = re.compile(
    rf"""
    (?P<kept>\#[^\n]*|{LONG}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    | [{_DOUBLE}"] (?P<double>[^{_DOUBLE}"\n]*) [{_DOUBLE}"]
    | [{_SINGLE}'] (?P<single>(?:[^{_SINGLE}'\n]|{_APOSTROPHE}){{0,200}}) [{_SINGLE}'] (?!\w)
    | ["'][^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTE = re.compile(f"[{_DOUBLE}{_SINGLE}]")

_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,6});")
_SIGN_ENTITY = re.compile(r"&(?:lt|gt|amp);")
_UNESCAPED = re.compile(rf"[<>]|&(?!{_ENTITY.pattern[1:]})")


def has_entities(text: str) -> bool:
    """Whether entities stand outside strings, where `a &lt; b` is Python too, but never meant."""
    return "&" in text and bool(_SIGN_ENTITY.search(blanked(text)))


def without_entities(text: str, trial: Trial) -> Change | None:
    """HTML entities as the characters they stand for.

    A text that was escaped as a whole holds no bare `<`, `>` or `&`. In any other text an entity
    in a string may be meant, so only those outside strings are decoded.
    """
    if not _ENTITY.search(text):
        return None
    whole = html.unescape(text)
    decoded = whole if not _UNESCAPED.search(text) else outside(text, html.unescape)
    if decoded == text or (decoded != whole and not trial.reads(decoded)):
        return None
    return Change(_CODE, "HTML entities were decoded", decoded)


def without_escapes(text: str, _trial: Trial) -> Change | None:
    r"""Plain underscores and line ends for those of Markdown and JSON: `\_` and `\n`.

    Where strings hold such a backslash too, it may be theirs or not.
    """
    changed = outside(text, lambda code: code.replace("\\n", "\n").replace("\\_", "_"))
    if changed == text or "\\_" in changed:
        return None
    return Change(_CODE, "backslashes that escape nothing were removed", changed)


def without_slips(text: str, _trial: Trial) -> Change | None:
    """Plain spaces and signs for those of typesetting, outside strings and comments."""
    changed = outside(text, lambda code: _SLIP.sub(_plain, code)) if _SLIP.search(text) else text
    if changed == text:
        return None
    return Change(_CODE, "typographic characters were replaced by plain ones", changed)


def _plain(slip: re.Match[str]) -> str:
    if slip[0] in _SIGNS:
        return _SIGNS[slip[0]]
    return "" if re.match(f"[{_INVISIBLE}]", slip[0]) else " "


def without_smart_quotes(text: str, _trial: Trial) -> Change | None:
    """Plain quotes for typographic ones that delimit a string; those inside strings stay."""
    if not _QUOTE.search(text):
        return None
    changed = _QUOTED.sub(_straight, text)
    if changed == text:
        return None
    return Change(_CODE, "typographic quotes were replaced by plain ones", changed)


def _straight(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind not in ("double", "single"):
        return found[0]
    marks = "\"'" if kind == "double" else "'\""
    fitting = next((mark for mark in marks if mark not in found[kind]), None)
    return f"{fitting}{found[kind]}{fitting}" if fitting else found[0]
