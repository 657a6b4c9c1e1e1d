"""What compiles in the restricted language: every form of binding, every name that is not free."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from recode_guest.guards import Printed, builtins_of, guards_of, importer_of
from recode_guest.restricted import NotAllowed, compiled, names_bound, parsed

PRIMITIVES = frozenset({"run"})
BINDINGS = """
{} = 1
{} = a = 1
a = {} = 1
{}: int = 1
{} += 1
{}, a = 1, 2
a, *{} = 1, 2
[a, {}] = 1, 2
a, (b, [c, {}]) = 1, (2, (3, 4))
a, (*{}, b) = 1, (2, 3)
a = b, {} = 1, 2
({} := 1)
[({} := a) for a in [1]]
(lambda: ({} := 1))
lambda {}: 1
lambda {}, /: 1
lambda a, *, {}: 1
lambda *{}: 1
lambda **{}: 1
lambda a={{}}, /, {}=1: 1
for {} in []: pass
for a, {} in []: pass
for [a, (b, *{})] in []: pass
[1 for {} in []]
[1 for a, {} in []]
{{1 for a in [] for {} in []}}
{{1: 2 for [{}] in []}}
list(1 for *{}, a in [])
with a as {}: pass
with a as (b, {}): pass
with a as [b, (c, {})]: pass
with a as b, c as {}: pass
try: pass<>except ValueError as {}: pass
import {}
import a as {}
from a import {}
from a import b as {}
del {}
del a, ({}, [b])
"""
# Those that nothing may be bound by.
REFUSED_BINDINGS = """
def {}(): pass
def f({}): pass
async def {}(): pass
class {}: pass
class A({}=1): pass
try: pass<>except* ValueError as {}: pass
match a:<>    case {}: pass
match a:<>    case [*{}]: pass
match a:<>    case {{'k': {}}}: pass
match a:<>    case {{**{}}}: pass
match a:<>    case int() as {}: pass
match a:<>    case A({}): pass
for {}.a in []: pass
{}.a = 1
{}.a += 1
del {}.a
async for {} in []: pass
async with a as {}: pass
[1 async for {} in []]
(1 async for {} in [])
nonlocal {}
def f[{}](): pass
def f[*{}](): pass
def f[**{}](): pass
class A[{}]: pass
type {} = int
type A[{}] = int
from {} import *
from . import {}
from .a import b as {}
"""
FREE = ("name", "_")
TAKEN = (
    "run", "_getattr_", "_getitem_", "_getiter_", "_write_", "_inplacevar_", "_apply_", "_print_",
    "_print", "_exception_", "_inplaceitem_", "_unpack_sequence_", "_tmp0", "__builtins__",
    "__import__", "__name__", "print", "printed",
    "\uff52\uff55\uff4e", "_\uff47etattr_",  # which CPython reads as `run` and `_getattr_`
)  # fmt: skip


def forms(text: str, names: tuple[str, ...]) -> list[str]:
    """Each form of binding with each name."""
    lines = text.strip().replace("<>", "\0").splitlines()
    pairs = itertools.product(lines, names)
    return [line.format(*[name] * line.count("{}")).replace("\0", "\n") for line, name in pairs]


def problem_of(source: str) -> Exception | None:
    """Why the program does not compile; None if it does."""
    try:
        for statement in parsed(source, "<program>"):
            compiled(statement, "<program>", PRIMITIVES)
    except (NotAllowed, SyntaxError) as problem:
        return problem
    return None


@pytest.mark.parametrize("source", forms(BINDINGS, FREE))
def test_a_free_name_can_be_bound(source: str) -> None:
    """In every form that the language has."""
    assert problem_of(source) is None


@pytest.mark.parametrize("source", forms(BINDINGS, TAKEN))
def test_primitives_and_guards_keep_their_names(source: str) -> None:
    """Whatever form of binding is tried, and however the name is written."""
    assert isinstance(problem_of(source), NotAllowed)


@pytest.mark.parametrize("source", forms(REFUSED_BINDINGS, (*FREE, "run", "_getattr_")))
def test_other_forms_of_binding_are_not_in_the_language(source: str) -> None:
    """On older versions some of them are not Python either."""
    assert problem_of(source) is not None


@pytest.mark.parametrize("name", TAKEN)
def test_an_import_of_a_module_in_a_package_binds_the_package(name: str) -> None:
    """So that the package has no name that is taken."""
    assert problem_of("import package.a") is None
    assert isinstance(problem_of(f"import {name}.a"), NotAllowed)


@pytest.mark.parametrize("name", TAKEN[:-2])
def test_a_taken_name_cannot_be_declared_global_to_be_bound(name: str) -> None:
    """The declaration itself binds nothing."""
    assert isinstance(problem_of(f"global {name}\n{name} = 1"), NotAllowed)


UNREADABLE = """
x._y
x.__class__
x._\uff43lass_
x.gi_frame
x.tb_frame
x.f_globals
f'{x.__class__}'
f'{x!r:{y.__class__}}'
(lambda: x.__globals__)
[y for y in x.__dict__]
_getattr_
__builtins__
__import__('os')
exec('1')
eval('1')
await x
(yield)
[await y for y in x]
"""


@pytest.mark.parametrize("source", UNREADABLE.strip().splitlines())
def test_what_cannot_even_be_read(source: str) -> None:
    """Names and attributes with an underscore before them, and those of frames."""
    assert isinstance(problem_of(source), NotAllowed | SyntaxError)


def ran(source: str) -> dict[str, Any]:
    """The names that a program leaves, run with the guards in this process."""
    namespace = guards_of(Printed(100, 10), builtins_of(["list", "iter", "range"], importer_of({})))
    own = set(namespace)
    for statement in parsed(source, "<program>"):
        exec(compiled(statement, "<program>", PRIMITIVES), namespace)
    return {name: value for name, value in namespace.items() if name not in own}


UNPACKING = {
    "a, (b, *c), *d = 1, (2, 3, 4), 5, 6": {"a": 1, "b": 2, "c": [3, 4], "d": [5, 6]},
    "*a, (b, [c, *d]) = 0, 1, (2, (3, 4))": {"a": [0, 1], "b": 2, "c": 3, "d": [4]},
    "[a, (b, [c])] = iter([1, (2, [3])])": {"a": 1, "b": 2, "c": 3},
    "r = [a for [a, *_] in [(1, 2)]] + [b for _, (b,) in [(1, (2,))]]": {"r": [1, 2]},
    "(a, b), c = q = (1, 2), 3": {"a": 1, "b": 2, "c": 3, "q": ((1, 2), 3)},
    "d = [0, 0]\nd[0], d[1:] = 1, (2, 3)": {"d": [1, 2, 3]},
    "d = {}\nfor d['k'] in range(3): pass": {"d": {"k": 2}},
    "d = [1]\nd[0] += 1\nd[-1] *= 5": {"d": [10]},
    "d = [[1]]\nd[0] += [2]": {"d": [[1, 2]]},
    "x = ...": {"x": ...},
}


@pytest.mark.parametrize("source", UNPACKING)
def test_values_are_unpacked_as_in_python(source: str) -> None:
    """Lists, tuples, stars and items as targets, nested."""
    found = ran(source)
    assert {name: found[name] for name in UNPACKING[source]} == UNPACKING[source]


def test_no_more_is_unpacked_than_there_are_targets() -> None:
    """An iterator without end is one item too long, not too long to wait for."""
    for target in ("a, b", "[a, b]", "(a, b), *c"):
        with pytest.raises(ValueError, match="too many values to unpack"):
            ran(
                f"{target} = iter(lambda: (0, 0), 1), 2"
                if "*" in target
                else f"{target} = iter(list, 1)"
            )


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b, c as d", ["a", "d"]),
        ("for i, (j, *k) in x: m = (n := 1)", ["i", "j", "k", "m", "n"]),
        ("a[0], b.c = 1, 2", []),
        ("x = [i for i in y if (z := i)]", ["x", "z"]),
        ("f = lambda i: i", ["f"]),
    ],
)
def test_the_names_that_a_statement_binds(source: str, names: list[str]) -> None:
    """In the order of the text; those of comprehensions and lambdas stay inside."""
    assert names_bound(parsed(source, "<program>")[0]) == names
