"""Which lines are sentences, which texts are programs, and what sentences say of programs."""

from __future__ import annotations

import ast
import re

from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import Trial, without_borders

_CODE = "RC002"

_WORD = r"[A-Za-z][A-Za-z'\u2019-]*"
_MARKER = r"(?:(?:[-*\u2022>]|#{1,6})[ \t]+|\d{1,2}[.)][ \t]+|\*\*|__)?"
# A sentence begins with a word and a blank or a stop, never with a call, an assignment or the like.
_CAPITAL = re.compile(
    rf"{_MARKER}[A-Z\u00c0-\u00de][A-Za-z'\u2019-]*[,:;!.?*]*(?=\s|$)(?!\s*[=(\[])"
)
_KEYWORDS = re.compile(
    r"(?:if|elif|else|for|while|with|try|except|finally|def|class|return|import|from|del|pass"
    r"|break|continue|raise|assert|global|nonlocal|async|await|yield|lambda|match|case|print"
    r"|not|True|False|None)\b"
)
_LOWER = re.compile(
    rf"{_MARKER}(?!{_KEYWORDS.pattern}){_WORD},? {_WORD}[,;]? {_WORD}(?=[\s,;.:!?])"
)
# Words that a sentence may begin with, and a statement in no language in particular too.
_PSEUDO = re.compile(
    rf"{_MARKER}(?:True|False|None|Print|Return|Set|Call|Assign|Repeat|Loop|Else|End|Break)\b"
)
# A sentence with one of these may say what is still to be done; it is not dropped.
_CALL = re.compile(r"\b[a-z_]\w*\(|\s=\s")
_HEADING = re.compile(r"#{2,6}[ \t]")
_RULE = re.compile(r"[-*_=]{3,}")  # across a page
_DENIALS = (
    r"alternativ\w*|options?|either|instead|otherwise|whichever|versions?|choose|pick|previous"
    r"|previously|earlier|last (?:time|attempt|program|reply)|do not|don['\u2019]t|never|not|wrong"
    r"|fail(?:s|ed)?|mistakes?|wait|actually|scratch|examples?|e\.g\.|such as|cannot"
    r"|can['\u2019]t|unless"
)
_DENIES = re.compile(rf"\b(?:{_DENIALS})\b", re.IGNORECASE)
_DOUBTS = re.compile(
    rf"\b(?:{_DENIALS}|or|correct(?:ed|ion)|fix(?:ed)?|revised?|better|improved?|simpler|maybe"
    r"|perhaps|could|might|would|if|outputs?|prints|results?|observ\w*|you (?:see|are)|user|human"
    r"|environment|feedback|I (?:see|am|have|got|found)|(?:is|are|was|were)(?: now)? (?:\w+ed|open)"
    r"|(?:opened|closed|appeared|worked|succeeded|said))\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\b(?:then|next|now|after(?:wards?)?|second(?:ly)?|third(?:ly)?|finally|lastly|and|also"
    r"|continu\w*|follow\w*|part|step)\b",
    re.IGNORECASE,
)


def is_prose(line: str) -> bool:
    """Whether a line is a sentence or a heading that no one could take for a statement."""
    text = line.strip()
    if not text or _CALL.search(text) or _PSEUDO.match(text):
        return False
    if _RULE.fullmatch(text):
        return True
    if _CAPITAL.match(text):
        return text[0] == "#" or not text[-1].isalnum() or text.count(" ") > 1
    return text[-1] in ".:!?*" and bool(_LOWER.match(text))


# A sentence behind a program that wants it undone.
_TAKES_BACK = re.compile(
    r"\bwait(?=\s*[,.!:;\u2026\u2014-])|\b(?:wrong|mistaken?"
    r"|ignore|disregard|scratch that|never ?mind|start over"
    r"|(?:do not|don['\u2019]t) (?:run|execute|use) (?:it|this|that))\b",
    re.IGNORECASE,
)


def takes_back(prose: str) -> bool:
    """Whether what is said behind a program says that it was wrong."""
    return bool(_TAKES_BACK.search(prose))


def denies(prose: str) -> bool:
    """Whether sentences round a program may say that it is not, or not alone, what is meant."""
    return bool(_DENIES.search(prose))


def goes_on(prose: str) -> bool:
    """Whether the text between two programs says that the second follows the first."""
    return not prose.strip() or bool(_GOES_ON.search(prose) and not _DOUBTS.search(prose))


def without_prose(text: str, trial: Trial) -> Change | None:
    """The lines between the sentences at both ends, if the sentences leave no doubt of them."""
    lines = text.split("\n")
    last = len(lines)
    first = 0
    while first < last and _is_outside(lines[first], trial):
        first += 1
    while last > first and _is_outside(lines[last - 1], trial):
        last -= 1
    said = "\n".join(lines[:first] + lines[last:])
    if not said.strip() or first == last or denies(said):
        return None
    what = "sentences round the program were removed"
    return Change(_CODE, what, without_borders("\n".join(lines[first:last])))


def _is_outside(line: str, trial: Trial) -> bool:
    text = line.strip()
    if not text or _HEADING.match(text):
        return True
    return is_prose(text) and trial.parse(text) is None


def is_program(tree: ast.Module, source: str) -> bool:
    """Whether a text that parses means to be a program: `Okay` and `Sure (why not)` do not."""
    bare = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    calls = [value for value in bare if isinstance(value, ast.Call)]
    if not tree.body or len(calls) < len(bare):
        return False
    if any(isinstance(node, ast.AnnAssign) and node.value is None for node in tree.body):
        return False
    lines = [line.encode() for line in source.split("\n")]
    tight = all(
        lines[(one.func.end_lineno or 1) - 1][one.func.end_col_offset :].startswith(b"(")
        for one in calls
    )
    return tight and any(isinstance(node, _DOES) for node in ast.walk(tree))


_DOES = (ast.Call, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.FunctionDef, ast.AsyncFunctionDef)


def breaks_off(tree: ast.Module, source: str) -> bool:
    """Whether a program without an end may have been cut in its last word.

    A word that the program binds before, or a keyword, is taken to be whole.
    """
    word = re.search(r"[A-Za-z_]\w*\Z|\d\Z", source)
    if word is None or word[0] in ("True", "False", "None", "pass", "break", "continue", "return"):
        return False
    line = source[source.rfind("\n") + 1 :]
    if "#" in line or line.strip() == word[0]:
        return "#" not in line
    return word[0] not in {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def is_idle(tree: ast.Module) -> bool:
    """Whether every statement is a value that is thrown away, and none of them calls anything."""
    return all(isinstance(node, ast.Expr) for node in tree.body) and not any(
        isinstance(node, ast.Call | ast.Await | ast.NamedExpr) for node in ast.walk(tree)
    )


def leaves_out(tree: ast.Module) -> bool:
    """Whether three dots stand in the place of a statement."""
    return any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and node.value.value is ...
        for node in ast.walk(tree)
    )
