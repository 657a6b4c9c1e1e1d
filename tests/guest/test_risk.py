"""Which statements run without a checkpoint, and why that is safe."""

from __future__ import annotations

import ast
import collections
import itertools
from typing import Any

import pytest

from recode_guest.guards import Facade, Primitive
from recode_guest.risk import Judge, Undo, is_freeable

NAMESPACE: dict[str, Any] = {
    "s": "text",
    "n": 3,
    "items": [1, 2],
    "d": {"k": 1},
    "it": iter([1]),
    "dd": collections.defaultdict(list),
    "big": "x" * 2_000_000,
    "long": "x" * 10_001,
    "some": "x" * 10_000,
    "many": list(range(1_001)),
    "lots": set(range(100_000)),
    "huge": [[0] * 1_000] * 6,
    "chain": map(int, []),
    "math": Facade("math", {"pi": 3.14}),
    "run": Primitive("run", lambda *_: None),
}

CHEAP_LINES = """
obs = run('look')
run(s, n, key=items)
x = y = [s, (n, None)]
x = {'a': items, s: 1}
x = items[0]
x = d['k']
x = s[1:n]
x = s + 'more' + f'{n:.2f} {s!r}'
n += 1
x = -n
x = len(items)
x = str(n) + s
x = math.pi
x = n > 2 and not items
x = s == 'text'
x = items == 1
x = 'k' in d
x = n in lots
x = s in some
x = some + some
x = long == n
x = long == s
x = some[1:]
run(some, [some, d], key=items[0:1])
x = s if n else None
f = lambda a: [a for _ in range(10**9)]
print(s, n, sep='-')
import math
from math import pi as p
x: int = 3
pass
"""

CHEAP = [
    *CHEAP_LINES.strip().splitlines(),
    "if n > 2:\n    obs = run('a')\nelif s:\n    pass\nelse:\n    x = 1",
]

RISKY_LINES = """
while True: pass
for i in items: pass
x = [i for i in items]
x = n ** n
x = s * n
x = n << n
x = s % n
x = len(it)
x = sorted(items)
x = math.pi()
items.append(1)
items[0] = 1
d['k'] += 1
items += [1]
s *= 2
del items
a, b = items
[a] = items
x = 1 in it
x = dd['missing']
x = [*items]
x = {**d}
x = {items}
x = f'{n:>{n}}'
x = f'{n:>100000000}'
x = f'{items}'
x = big + big
x = long + 'a'
x = f'{long}'
x = some in long
x = s in many
x = many[1:]
x = long[::-1]
x = big[0:1] == 'x'
run(huge)
run([some, {'k': huge}])
run(huge[0])
run(some, some, some, some, some, some, some, some, some, some)
run(math)
x = f'{f"{some!r}"!r}'
x = items < d
print(items)
x = (y := 1)
x = run(*items)
f = lambda a=[i for i in items]: a
chain = 1
with s: pass
assert s
raise s
import os, sys; x = 1 if [i for i in items] else 2
"""

RISKY = [
    *RISKY_LINES.strip().splitlines(),
    "try:\n    pass\nfinally:\n    pass",
    "if n:\n    s = run('a')\n    x = s + 'b'",
    "if n:\n    items.append(1)",
    "x = " + " + ".join("s" * 100),
]


def judged(source: str) -> bool:
    """The verdict on the last statement of the source."""
    return Judge(NAMESPACE, {"run"}).is_cheap(ast.parse(source).body[-1])


@pytest.mark.parametrize("source", CHEAP)
def test_bounded_statements_that_change_nothing_in_place_are_cheap(source: str) -> None:
    """These need no checkpoint."""
    assert judged(source) is True


@pytest.mark.parametrize("source", RISKY)
def test_everything_else_is_risky(source: str) -> None:
    """Loops, unknown calls, changes in place, unbounded operators and hostile values."""
    assert judged(source) is False


def test_a_cheap_statement_says_how_much_it_can_leave() -> None:
    """A padded number or a text for every other node: it is an upper bound."""
    judge = Judge(NAMESPACE, {"run"})
    assert judge.is_cheap(ast.parse("x = some + some").body[0])
    assert judge.growth > 2 * 4 * 10_000
    assert judge.growth < 1_000_000


def test_a_shadowed_builtin_is_an_unknown_call() -> None:
    """`len` and `print` are cheap only as the builtins they are."""
    shadowed = {**NAMESPACE, "len": lambda _: None, "print": lambda _: None}
    for source in ("x = len(items)", "print(s)"):
        assert Judge(NAMESPACE, set()).is_cheap(ast.parse(source).body[0]) is True
        assert Judge(shadowed, set()).is_cheap(ast.parse(source).body[0]) is False


def test_undo_puts_values_and_absences_back() -> None:
    """Names are as they were; those to keep are not touched."""
    namespace: dict[str, Any] = {"a": 1, "b": 2}
    undo = Undo(namespace, ["a", "b", "c", "d"])
    namespace |= {"a": 10, "b": 20, "c": 30, "d": 40}
    undo.undo(keeping=["b", "d"])
    assert namespace == {"a": 1, "b": 20, "d": 40}


def test_only_shallow_plain_values_are_sure_to_be_freed_in_peace() -> None:
    """Iterators and functions can be chained until freeing them ends the stack."""
    for value in (None, 1, "s", [1, {"a": (2,)}], {1, 2}, frozenset("a")):
        assert is_freeable(value)
    for value in (map(int, []), lambda: 0, [itertools.chain()], list(range(1_000)), [[]] * 400):
        assert not is_freeable(value)
