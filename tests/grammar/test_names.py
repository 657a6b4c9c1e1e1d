from __future__ import annotations

import ast
import json
from pathlib import Path

import libcst
import pytest

from recode_runtime.grammar import judge
from recode_runtime.grammar.names import PYTHON_BUILTINS
from recode_runtime.grammar.order import calls_in_order
from recode_runtime.grammar.reader import read_names
from recode_runtime.policy import Policy
from recode_runtime.program import Placeholder, Program, Statement

STRICT = Policy.named("strict")


def program(source: str, **known: object) -> Program:
    """The program that all rules accept without a word, but on several statements a line."""
    arguments = {"primitives": ["run"], "variables": ["obs", "task"], "policy": STRICT} | known
    verdict = judge(source, **arguments)  # type: ignore[arg-type]
    assert [one for one in verdict.findings if one.code != "RC308"] == []
    assert verdict.program is not None
    return verdict.program


def kinds(source: str, *variables: str) -> list[tuple[str, str, str]]:
    """Name, kind and place of each call, in the order of the text."""
    reading = read_names(
        ast.parse(source),
        primitives=["run"],
        variables=variables,
        builtin_names=STRICT.language.builtins,
    )
    return [(call.name, call.kind, call.place) for call in reading.calls]


def test_two_statements_on_one_line_are_two() -> None:
    """Statements are those of the syntax tree, so each acts exactly once."""
    assert program("run('a'); run('b')") == Program(
        "run('a'); run('b')", (Statement("run('a')", 1), Statement("run('b')", 1))
    )


def test_a_place_behind_letters_beyond_ascii_is_found() -> None:
    """`ast` counts bytes; what is cut out are characters."""
    assert [(one.source, one.line) for one in program("a = 1  #é\nb = 'é'; c = 2").statements] == [
        ("a = 1", 1),
        ("b = 'é'", 2),
        ("c = 2", 2),
    ]


def test_statements_keep_their_text_and_first_line() -> None:
    """Compound statements, long strings and comments stay as they were written."""
    source = (
        "\n# note\nfor i in obs:\n    # inner\n    run(i)\n\n"
        "text = '''a\n  b'''  # end\nx = (\n  1)\n"
    )
    assert program(source).statements == (
        Statement("for i in obs:\n    # inner\n    run(i)", 3),
        Statement("text = '''a\n  b'''", 7),
        Statement("x = (\n  1)", 9),
    )


def test_a_placeholder_is_taken_apart() -> None:
    """Outputs, arguments as they are written, keywords, and the variables among them."""
    source = "cup, room = find_cup(obs, \"it's\", [1, 'a'], where=task, n=-1, who=obs)"
    (statement,) = program(source).statements
    assert statement.kind == "placeholder"
    assert statement.placeholder == Placeholder(
        "find_cup",
        ("cup", "room"),
        ("obs", '"it\'s"', "[1, 'a']"),
        {"where": "task", "n": "-1", "who": "obs"},
        ("obs", "task"),
    )


def test_an_argument_over_several_lines_is_written_on_one() -> None:
    """A placeholder's text is one line, so that it can be shown as one."""
    (statement,) = program("clean([\n  'a',  # first\n  'b\\n',\n], '''x\ny''')").statements
    assert statement.placeholder is not None
    assert statement.placeholder.arguments == ("['a', 'b\\n']", "'x\\ny'")
    assert statement.placeholder.source == "clean(['a', 'b\\n'], 'x\\ny')"


def test_kinds_of_called_names() -> None:
    """Each kind that a called name can be."""
    source = "run(1)\nact(1)\nlen(1)\nopen(1)\nfind(1)\nfind.it(1)\nact.it(1)\n(1)(1)"
    assert [(name, kind) for name, kind, _ in kinds(source, "act")] == [
        ("run", "primitive"),
        ("act", "bound"),
        ("len", "builtin"),
        ("open", "forbidden"),
        ("find", "placeholder"),
        ("find", "attribute"),
        ("act", "other"),
        ("", "other"),
    ]


BINDINGS = {
    "assignment": "f = 1\nf()",
    "unpacking": "a, (f, *b) = 1\nf()",
    "augmented": "f += 1\nf()",
    "annotated": "f: int = 1\nf()",
    "walrus": "print(f := 1)\nf()",
    "walrus in a comprehension": "[(f := i) for i in ()]\nf()",
    "import": "import f\nf()",
    "import as": "import math as f\nf()",
    "dotted import": "import f.g\nf()",
    "import from": "from math import f\nf()",
    "loop": "for f in ():\n    pass\nf()",
    "with": "with 1 as f:\n    pass\nf()",
    "handler": "try:\n    pass\nexcept ValueError as f:\n    f()",
    "try, before it is deleted": "f = 1\ntry:\n    run()\n    del f\nexcept ValueError:\n    f()",
    "try, while it is there": "try:\n    f = 1\n    run()\n    del f\nexcept ValueError:\n    f()",
    "try, on the way out": "f = 1\ntry:\n    run()\n    del f\nfinally:\n    f()",
    "handler, on the way out": (
        "try:\n    pass\nexcept ValueError:\n    f = 1\n    run()\n    del f\nfinally:\n    f()"
    ),
    "at the end": "f = 1\ntry:\n    del f\nfinally:\n    f = 1\nf()",
    "branch": "if 1:\n    f = 1\nf()",
    "other branch": "if 1:\n    pass\nelse:\n    f = 1\nf()",
    "lambda": "g = lambda f: f()",
    "comprehension": "g = [f() for f in ()]",
    "second clause": "g = [1 for f in () for i in f()]",
    "function": "def f():\n    pass\nf()",
    "class": "class f:\n    pass\nf()",
    "parameter": "def g(f):\n    f()",
    "match": "match 1:\n    case f:\n        f()",
    "match star": "match 1:\n    case [*f]:\n        f()",
    "match rest": "match 1:\n    case {**f}:\n        f()",
}


@pytest.mark.parametrize("name", BINDINGS)
def test_a_name_that_was_bound_earlier_is_a_variable(name: str) -> None:
    """Every way in which Python binds a name counts."""
    assert {kind for called, kind, _ in kinds(BINDINGS[name]) if called == "f"} == {"bound"}


NO_BINDINGS = {
    "later": "f()\nf = 1",
    "by itself": "f = f()",
    "annotation alone": "f: int\nf()",
    "comprehension variable": "g = [f for f in ()]\nf()",
    "first iterable": "g = [f for f in f()]",
    "lambda parameter": "g = lambda f: 1\nf()",
    "deleted": "f = 1\ndel f\nf()",
    "deleted in a try": "f = 1\ntry:\n    del f\nfinally:\n    run()\nf()",
    "deleted at the end": "f = 1\ntry:\n    run()\nfinally:\n    del f\nf()",
    "name of a handler": "try:\n    run()\nexcept ValueError as f:\n    run()\nfinally:\n    f()",
    "in the other branch": "if 1:\n    f = 1\nelse:\n    f()",
    "inside a function": "def g():\n    f = 1\nf()",
    "attribute": "g = 1\ng.f = 1\nf()",
}


@pytest.mark.parametrize("name", NO_BINDINGS)
def test_a_name_that_is_bound_elsewhere_is_a_placeholder(name: str) -> None:
    """Order and scope count, not whether the name occurs."""
    found = {kind for called, kind, _ in kinds(NO_BINDINGS[name]) if called == "f"}
    assert found == {"placeholder"}


def test_forbidden_builtins_do_not_depend_on_how_python_was_started() -> None:
    """`exit` and `help` come from `site`, which a host may leave out."""
    assert {"exit", "quit", "help", "open", "eval", "__import__"} <= PYTHON_BUILTINS
    assert "_" not in PYTHON_BUILTINS


SHAPES = {
    "solve again after an action": "obs = run('look')\nsolve(task, obs)",
    "two outputs": "obs = run('look')\ncup, room = find_cup(obs)\nrun('take ' + cup)",
    "loop over primitives": (
        "for i in range(3):\n    obs = run('go ' + str(i))\n    if 'cup' in obs:\n        break"
    ),
    "import that stays": "import math\nn = math.sqrt(2)",
    "items": "d = {'k': 1}\nd['k'] += 1",
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_the_paper_pass(name: str) -> None:
    """What ReCode's own prompts show is inside the grammar, also below its own placeholder."""
    parent = Placeholder("solve", (), ("task", "obs"), {}, ("task", "obs"))
    assert program(SHAPES[name], parent=parent).statements


def _standard_library() -> list[Path]:
    files = sorted(Path(json.__file__).parent.parent.glob("[a-d]*.py"))
    return [path for path in files if path.stat().st_size < 25_000]


class _Calls(libcst.CSTVisitor):
    def __init__(self) -> None:
        self.names: list[str] = []

    def visit_Call(self, node: libcst.Call) -> None:
        self.names.append(node.func.value if isinstance(node.func, libcst.Name) else "")


@pytest.mark.parametrize("path", _standard_library(), ids=lambda path: path.stem)
def test_both_trees_have_their_calls_in_the_same_order(path: Path) -> None:
    """The bridge from the concrete tree to the reading holds for all of Python's syntax."""
    source = path.read_text(encoding="utf-8")
    visitor = _Calls()
    libcst.parse_module(source).visit(visitor)
    calls = calls_in_order(ast.parse(source))
    names = [call.func.id if isinstance(call.func, ast.Name) else "" for call in calls]
    assert names == visitor.names


ORDERS = """\
x = {**a(), b(): c(), **d()}
x = e() if f() else g()
h(i(), *j(), k=l(), **m())
x = lambda n=o(), *p, q=r(), s: t()
x = {u(): v() for w in y() if z()}
@a()
def f(b: c(), d=e(), *f: g(), h: i() = j(), **k: l()) -> m(): n()
@a()
class A(b(), metaclass=c()): d()
x = f'{a()}{b():{c()}}' 'd' f'{e()}'
with a() as b[c()], d(): e()
for a[b()] in c(): d()
x: a() = b()
x[a() : b() : c()] = d()
try: a()
except b(): c()
else: d()
finally: e()
assert a(), b()
x = a() < b() < c() and d() or not e()
"""


def test_the_order_of_calls_is_that_of_the_text() -> None:
    """In every construct where `ast` keeps its children in another order."""
    visitor = _Calls()
    libcst.parse_module(ORDERS).visit(visitor)
    calls = calls_in_order(ast.parse(ORDERS))
    assert [call.func.id for call in calls if isinstance(call.func, ast.Name)] == visitor.names


UNKNOWN = {
    "obs = run('go to ' + place)\nclean(obs, cup)": set[str](),
    "count = count + 1\nwords = obs.split()": set[str](),
    "obs = run('go to ' + find_room(obs))": {"RC112"},
    "root = math.sqrt(2)": {"RC113"},
    "n = math.pi": {"RC118"},
    "text = string.lower() + string": set[str](),
    "statistics['a'] = 1": set[str](),
    "_count = _count + 1": {"RC202"},
}


@pytest.mark.parametrize("source", UNKNOWN)
def test_where_the_namespace_is_unknown_what_is_read_counts_as_bound(source: str) -> None:
    """Not what is called, nor a module, nor a name that no namespace keeps."""
    verdict = judge(source, policy=STRICT, primitives=["run"], variables=None)
    assert {one.code for one in verdict.findings if one.level == "error"} == UNKNOWN[source]
    assert (
        verdict.findings
        == judge(
            source,
            policy=STRICT,
            primitives=["run"],
            variables=["obs", "cup", "place", "count", "string", "statistics"],
        ).findings
    )
