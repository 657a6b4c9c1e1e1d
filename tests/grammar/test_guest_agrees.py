"""What the grammar lets pass, a real guest does not refuse: the model hears it before it acts."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest

from recode_runtime.grammar import ALL_RULES, Case, Verdict, judge
from recode_runtime.policy import Policy
from sessions import opened

STRICT = Policy.named("strict")
VARIABLES = {"obs": "a b", "items": ["a", "b"], "flag": True}


def blocks(head: str, count: int) -> str:
    """Blocks in blocks."""
    return "".join(f"{' ' * level}{head}\n" for level in range(count)) + " " * count + "pass"


# Quality is the grammar's own affair; the guest runs what is only warned of.
REFUSING = STRICT.but(grammar={one.code: "off" for one in ALL_RULES if one.level == "warning"})


def verdict_on(source: str) -> Verdict:
    """What the grammar says with the variables of this module, warnings apart."""
    return judge(source, policy=REFUSING, primitives=["run"], variables=list(VARIABLES))


async def refused(programs: Iterable[list[str]]) -> list[str]:
    """The statements that a guest calls outside its language, of programs in one session."""
    found = []
    async with opened() as session:
        for program in programs:
            await session.bind(VARIABLES)
            for source in program:
                failure = (await session.execute(source)).failure
                if failure and failure.kind == "refused":
                    found.append(f"{source}: {failure.message}")
                if failure:
                    break
    return found


async def test_no_page_calls_valid_what_the_guest_refuses() -> None:
    """The statements of every VALID case, placeholders apart, which never reach the guest."""
    cases = [case for rule in ALL_RULES for case in rule.VALID.values()]
    sources = [case.source if isinstance(case, Case) else case for case in cases]
    programs = [verdict.program for verdict in map(verdict_on, sources) if verdict.program]
    assert len(programs) > 60
    plain = [[one.source for one in p.statements if not one.placeholder] for p in programs]
    assert await refused(plain) == []


BOTH_ACCEPT = [
    *("print(n := 3)", "(n := 3)", "x = f'{(n := 3)}'", "f = lambda a=(n := 2): a"),
    *("a, *b = items", "*a, = items", "[a, *b] = items", "[] = []", "() = ()", "x, x = 1, 2"),
    *("x = *items,", "x = [*items]", "x = {**{'a': 1}, 'b': 2}", "x = {*items}"),
    *("x = 1 < 2 < 3 != 4", "x = True == 1", "x = obs is None", "x = not flag", "x = ~1"),
    *("with obs as o, obs:\n    pass", "with obs as (a, b):\n    pass"),
    *("with obs as items[0]:\n    pass", "for items[0] in items:\n    pass"),
    *("items[0]: str = 'a'", "x: int", "x: nowhere", "x: 'nowhere' = 1", "items[0] += 'a'"),
    *("items[0:1] = ['q']", "del items[0:1]", "x = items[::-1]", "x = obs[1:2, ...]", "x = ..."),
    *("x = y = z = 1", "x = y, z = 1, 2", "x = items[0] = 'a'", "del items[0], items[:]"),
    *("x = [[i for i in j] for j in [[1]]]", "x = [i for i in range(3) for j in range(i) if j]"),
    *("x = {i: j for i, j in {'a': 1}.items()}", "x = sum(i for i in range(3))"),
    *("x = [lambda: (i := 1) for _ in items]", "x = [j for i in items if (j := i)]"),
    *("f = lambda a, b=1, *c, d=2, **e: a", "f = lambda a, /, b, *, c: a", "x = (lambda: 1)()"),
    *("x = f'{obs!r:>{10}}'", "x = f'{f\"{obs}\"}'", "x = f'{obs=}'", "x = 'a' f'{obs}' \"b\""),
    *("run(*items, *items, a=1, **{'b': 2})", "run(**{'a': 1}, b=2)", "run(list=1, print=2)"),
    *("print", "x = print", "print('a', end='', sep='')", "print >> obs", "x = printed"),
    *("assert flag, 'no'", "raise ValueError(obs) from None", "raise ValueError from KeyError()"),
    *("import math as m", "import math, json", "from math import (sqrt as r, pi)"),
    *("from collections import Counter as _", "import math as _", "if flag:\n    import math"),
    "try:\n    pass\nexcept Exception:\n    pass",
    "try:\n    1 / 0\nexcept (ValueError, ArithmeticError) as e:\n    del e\nelse:\n    1",
    "try:\n    1\nexcept ValueError:\n    2\nfinally:\n    3",
    "for i in items:\n    for j in items:\n        pass\n    else:\n        break",
    *("x = obs.a_", "x = obs.a__", "x = obs.tb_lineno", "x = obs.printed", "x = obs.exec(1)"),
    *("_ = run('q')\nx = _\nrun(_)", "for _ in range(3):\n    run(_)", "_, x = 1, 2\nprint(_)"),
    *("x = [_ for _ in items]", "f = lambda _: _", "_: int = 1", "_ = 1\n_ += 1", "_ = 1\ndel _"),
    *("'docstring'", "-1", "[]", "x = 1; y = 2;", "x = 0x_ff", "x = 2 ** -1", "x = '\\d'"),
    *(blocks("for i in []:", 20), blocks("while 0:", 20), blocks("if flag:", 50)),
    *(
        f"with {', '.join(['obs'] * 20)}:\n    pass",
        f"f = lambda {', '.join(map('a{}'.format, range(300)))}: 1",
    ),
]


async def test_what_the_grammar_accepts_the_guest_does_not_refuse() -> None:
    """Every kind of syntax that programs may use: it may fail, but is inside the language."""
    findings = {source: list(map(str, verdict_on(source).findings)) for source in BOTH_ACCEPT}
    assert {source: found for source, found in findings.items() if found} == {}
    assert await refused([source] for source in BOTH_ACCEPT) == []


BOTH_REFUSE = {
    "RC003": ["x = (*items)", "True = 1", "x = obs.True", "*a, b: int = 1"],
    "RC101": ["def f():\n    pass", "async def f():\n    pass"],
    "RC102": ["class A:\n    pass"],
    "RC201": ["from math import *", "if flag:\n    from math import *"],
    "RC202": [
        *("_x = 1", "x__roles__ = 1", "x = x__roles__", "x = obs.a__roles__", "x = obs._x"),
        *("x = obs.tb_frame", "x = obs.gi_code", "x = obs.f_locals", "x = obs.cr_await"),
        *("printed = 1", "breakpoint = 1", "import math as printed", "x = builtins"),
        *("f = lambda printed: 1", "f = lambda builtins: 1", "x = [printed for printed in items]"),
        *("with obs as printed:\n    pass", "(printed := 1)", "del printed", "__debug__ = 1"),
    ],
    "RC203": ["run = 1", "del run", "import math as run", "print = 1", "f = lambda run: 1"],
    "RC204": [
        *("obs.x = 1", "obs.x += 1", "del obs.x", "obs.x: int = 1", "(obs.a, b) = 1, 2"),
        *("for obs.x in items:\n    pass", "with obs as obs.x:\n    pass", "run.x = 1"),
        *("return", "return 1", "break", "continue", "f = lambda: (yield)", "x = yield"),
        *("if flag:\n    break", "while 0:\n    pass\nelse:\n    continue", "nonlocal x"),
        *("for i in items:\n    f = lambda: 1\nbreak", "x = [await i for i in items]"),
        *("match obs:\n    case 1:\n        pass", "try:\n    pass\nexcept* ValueError:\n    pass"),
        *("await obs", "async for i in obs:\n    pass", "x = [i async for i in obs]"),
    ],
    "RC205": ["x = eval('1')", "x = exec('1')", "f = lambda exec: exec(1)"],
    "RC206": [
        *("*a = items", "x = *items", "*items", "for *a in items:\n    pass", "a, *b, *c = items"),
        *(
            "x: int = *items",
            "a, *items[0], *items[1] = items",
        ),
        *("x = [i for i in (y := items)]", "x = [(i := 1) for i in items]"),
        *("x = [i for i in [j for j in [lambda: (y := 1)]]]", "f = lambda a, a: 1"),
        *("f = lambda *a, **a: 1", "run(a=1, a=2)", "x = f'{run(a=1, a=2)}'", "go(x=1, x=2)"),
        f"{'a, ' * 300}*b = items",
    ],
}
# CPython 3.13 compiles these, older ones do not; the grammar is the same for all.
DEEP_BLOCKS = [
    *(blocks("for i in []:", 21), blocks("while 0:", 21), blocks("with obs:", 21)),
    f"with {', '.join(['obs'] * 21)}:\n    pass",
]


@pytest.mark.parametrize("code", BOTH_REFUSE)
async def test_what_the_guest_refuses_the_grammar_has_refused(code: str) -> None:
    """Each by the rule that has advice for it, and by no other."""
    sources = BOTH_REFUSE[code]
    found = {source: {one.code for one in verdict_on(source).findings} for source in sources}
    assert found == {source: {code} for source in sources}
    assert len(await refused([source] for source in sources)) == len(sources)


def _compiles(source: str) -> bool:
    try:
        compile(source, "<program>", "exec")
    except SyntaxError:
        return False
    return True


async def test_deep_blocks_are_refused_by_the_grammar_whatever_the_interpreter() -> None:
    """The guest refuses them exactly where this interpreter does."""
    found = [{one.code for one in verdict_on(source).findings} for source in DEEP_BLOCKS]
    assert found == [{"RC206"}] * 4
    uncompilable = [source for source in DEEP_BLOCKS if not _compiles(source)]
    assert len(await refused([source] for source in DEEP_BLOCKS)) == len(uncompilable)
    assert len(uncompilable) == (0 if sys.version_info >= (3, 13) else 4)
