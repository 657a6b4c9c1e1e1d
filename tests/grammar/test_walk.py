"""The walk that all rules share: complete, in the order of the text, and never silent."""

from __future__ import annotations

import dataclasses
import inspect
import io
import keyword
import tokenize
from dataclasses import dataclass

import libcst
import pytest

from recode_runtime.grammar.walk import PARTS, Plan, plan_for

# Blanks, punctuation and line ends: no rule could want to see them.
PUNCTUATION = {
    *("AssignEqual", "Asynchronous", "BaseParenthesizableWhitespace", "Colon", "Comma", "Comment"),
    *("Dot", "EmptyLine", "LeftCurlyBrace", "LeftParen", "LeftSquareBracket", "Newline"),
    *("ParamSlash", "ParenthesizedWhitespace", "RightCurlyBrace", "RightParen"),
    *("RightSquareBracket", "Semicolon", "SimpleWhitespace", "TrailingWhitespace"),
}
# Syntax of Pythons to come, left out on purpose: what nobody has looked at is refused.
UNKNOWN = {"LazyImport", "LazyImportFrom", "StarredDictComp"}

EVERYTHING = """\
a, *b = c[d:e:f], g.h
i = j if k else l
m: n = o
p += (q := r)
t = [u for v in w if x for y in z]
aa = {bb: cc for dd in ee}
ff = {gg: hh, **ii}
jj = kk and ll or not mm
nn < oo <= pp
qq(rr, *ss, tt=uu, **vv)
ww = lambda xx, /, yy=zz, *ab, ac, ad=ae, **af: ag
ah = f'{ai:>{aj}} {ak}' f'{al}'
assert am, an
raise ao from ap
del aq, ar
import at as au
from av import aw as ax
global ay
for az in ba:
    bb
else:
    bc
while bd:
    be
else:
    bf
if bg:
    bh
elif bi:
    bj
else:
    bk
try:
    bl
except bm as bn:
    bo
else:
    bp
finally:
    bq
with br as bs, bt:
    bu
@bv
def bw(bx: by = bz, *ca, cb) -> cc:
    return cd
@ce
class cf(cg, ch=ci):
    cj
match ck:
    case cl.cm(cn, co=cp) | [cq, *cr] | {cs.ct: cu, **cv} if cw:
        cx
    case -1 as cy:
        cz
"""
CLASSES = [
    name
    for name, kind in inspect.getmembers(libcst, inspect.isclass)
    if issubclass(kind, libcst.CSTNode) and dataclasses.is_dataclass(kind)
    if not inspect.isabstract(kind) and not name.startswith("Base")
]


@dataclass
class Names:
    """A visitor that notes every name."""

    seen: list[str] = dataclasses.field(default_factory=list)

    def visit_Name(self, node: libcst.Name) -> None:
        """Every name."""
        self.seen.append(node.value)


def test_names_are_seen_in_the_order_of_the_text() -> None:
    """Each name of a text with all of Python's syntax, once, from top to bottom."""
    visitor = Names()
    plan_for((Names,)).walk(libcst.parse_module(EVERYTHING), [visitor])
    tokens = tokenize.generate_tokens(io.StringIO(EVERYTHING).readline)
    soft = {"match", "case"}
    written = [
        part
        for token in tokens
        for part in _names_in(token)
        if not keyword.iskeyword(part) and part not in soft
    ]
    assert visitor.seen == written


def _names_in(token: tokenize.TokenInfo) -> list[str]:
    if token.type == tokenize.NAME:
        return [token.string]
    if token.string.startswith("f'"):  # one token, before Python 3.12
        return [part for part in ("ai", "aj", "ak", "al") if part in token.string]
    return []


@pytest.mark.parametrize("name", CLASSES)
def test_every_kind_of_node_has_one_line_or_is_refused(name: str) -> None:
    """What libcst can make is a part of the walk, punctuation, or unknown on purpose."""
    places = [name in PARTS, name in PUNCTUATION, name in UNKNOWN]
    assert places.count(True) == 1


@pytest.mark.parametrize("name", sorted(set(PARTS) - {"MaybeSentinel"}))
def test_a_line_names_the_parts_of_its_kind(name: str) -> None:
    """A part that libcst does not know would be an error in the middle of a walk."""
    fields = {field.name for field in dataclasses.fields(getattr(libcst, name))}
    assert set(PARTS[name]) <= fields


@dataclass
class Watcher:
    """A visitor that notes when each of its methods is called."""

    said: list[str] = dataclasses.field(default_factory=list)

    def visit_For(self, node: libcst.For) -> None:
        """Before its parts."""
        self.said.append("for")

    def visit_For_body(self, node: libcst.For) -> None:
        """Before the body."""
        self.said.append("body")

    def visit_Name(self, node: libcst.Name) -> None:
        """Every name."""
        self.said.append(node.value)

    def leave_For_body(self, node: libcst.For) -> None:
        """After the body."""
        self.said.append("body ends")

    def leave_For(self, node: libcst.For) -> None:
        """After its parts."""
        self.said.append("for ends")

    def visit_unknown(self, node: libcst.CSTNode) -> None:
        """What has no line."""
        self.said.append(f"unknown {type(node).__name__}")


def test_methods_are_called_round_the_part_they_name() -> None:
    """Target, iterable, body and else, with the methods of the body round the body alone."""
    watcher = Watcher()
    tree = libcst.parse_module("for a in b:\n    c\nelse:\n    d")
    plan_for((Watcher,)).walk(tree, [watcher])
    assert watcher.said == ["for", "a", "b", "body", "c", "body ends", "d", "for ends"]


def test_all_visitors_see_a_node_before_its_parts_are_seen() -> None:
    """In the order in which they are given."""
    first, second = Watcher(), Names()
    first.said = second.seen
    plan_for((Watcher, Names)).walk(libcst.parse_module("a\nb"), [first, second])
    assert second.seen == ["a", "a", "b", "b"]


class Strange(libcst.Tuple):
    """An expression that Python may have one day."""


def test_a_node_without_a_line_is_shown_as_unknown() -> None:
    """And nothing below it is walked: what is inside is refused with it."""
    watcher = Watcher()
    strange = Strange([libcst.Element(libcst.Name("a"))])
    Plan((Watcher,)).walk(libcst.Expr(strange), [watcher])
    assert watcher.said == ["unknown Strange"]
