"""What programs may write, and what it comes to, seen through a real guest."""

from __future__ import annotations

import pytest

from sessions import Acts, opened

NAMED = "\\N{LATIN SMALL LETTER E WITH ACUTE}"
PROGRAMS = {
    "import stays bound": ("import math", "x = math.sqrt(16)", 4.0),
    "from import": ("from math import floor as f", "x = f(2.5)", 2),
    "lambda stays bound": ("f = lambda a, b=2: a * b", "x = f(4)", 8),
    "lambda of an earlier statement prints": ("f = lambda: print('hi')", "x = f()", None),
    "item += ": ("d = {'k': 1}", "d['k'] += 1\nx = d['k']", 2),
    "item += evaluates the owner once": (
        "n = [0]\nf = lambda: n.append(1) or [5]",
        "f()[0] += 1\nx = len(n)",
        2,
    ),
    "slice +=": ("a = [1, 2, 3]", "a[1:] += [4]\nx = a", [1, 2, 3, 4]),
    "every operator in place": (
        (
            "a = 7\na += 1\na -= 2\na *= 6\na //= 5\na **= 2\na %= 30\na <<= 2\n"
            "a >>= 1\na |= 8\na &= 15\na ^= 3"
        ),
        "a /= 1\nx = a",
        13.0,
    ),
    "annotated": ("x: int = 3", "y: 'nowhere.to.be.found'", 3),
    "unpacking": ("a, (b, *c) = 1, (2, 3, 4)", "x = [a, b, c]", [1, 2, [3, 4]]),
    "several targets": ("q = a, b = 1, 2", "x = [q, a, b]", [[1, 2], 1, 2]),
    "loop": ("x = 0", "for i, v in enumerate([3, 4, 5]):\n    x += i * v", 14),
    "while, break, else": ("x = 0", "while x < 5:\n    x += 1\nelse:\n    x = 50", 50),
    "comprehensions": (
        "x = [v * 2 for v in range(3) if v]",
        "x = x + [k for k in {'a': 1}]",
        [2, 4, "a"],
    ),
    "f-string": ("n = 3.14159", "x = f'{n:.2f} {n!r:>8} {1 + 1=}'", "3.14  3.14159 1 + 1=2"),
    "try, else, finally": (
        "x = []",
        (
            "try:\n    int('q')\nexcept ValueError as e:\n    x.append(str(e)[:7])\n"
            "finally:\n    x.append('end')"
        ),
        ["invalid", "end"],
    ),
    "star call": (
        "f = lambda *a, **k: [list(a), k]",
        "x = f(*[1, 2], **{'z': 3})",
        [[1, 2], {"z": 3}],
    ),
    "deque and counter items": (
        "from collections import Counter, deque, defaultdict",
        (
            "c = Counter('aab')\nc['a'] += 5\nq = deque([1])\nq[0] = 9\n"
            "d = defaultdict(list)\nd['k'].append(1)\n"
            "x = [c['a'], q[0], d['k']]"
        ),
        [7, 9, [1]],
    ),
    "strptime": (
        "from datetime import datetime",
        "x = datetime.strptime('2024-05', '%Y-%m').month",
        5,
    ),
    "strftime": (
        "import datetime",
        "n = datetime.datetime(2024, 5, 1, 7)\nx = [n.strftime('%Y'), f'{n:%H}']",
        ["2024", "07"],
    ),
    "strptime and today": (
        "import datetime\na = datetime.datetime.strptime('2024', '%Y').date()",
        "x = datetime.date.today() > a",
        True,
    ),
    "names of characters": ("x = 'é'.encode('ascii', 'namereplace').decode()", "pass", NAMED),
    "flush": ("print('a', flush=True)", "x = 1", 1),
    "seeded random, over checkpoints": (
        "import random\nrandom.seed(7)\na = [random.random() for _ in range(2)]",
        "random.seed(7)\nb = [random.random()]\nb.append(random.random())\nx = a == b",
        True,
    ),
    "type and isinstance": (
        "x = [type(1) is int, isinstance(1, (str, int))]",
        "pass",
        [True, True],
    ),
    "delete": ("a = [1, 2]\nb = 1", "del a[0], b\nx = a", [2]),
    "walrus": ("x = 0", "if (n := len('abc')) > 2:\n    x = n", 3),
    "sorted with a key": ("x = sorted(['b', 'A'], key=lambda s: s.lower())", "pass", ["A", "b"]),
    "json": ("import json", "x = json.loads(json.dumps({'a': [1, None]}))", {"a": [1, None]}),
    "errors of modules": (
        "import json, re",
        "try:\n    json.loads('{')\nexcept (re.error, json.JSONDecodeError) as e:\n    x = e.colno",
        2,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_program_means_what_python_says(name: str) -> None:
    """What two statements leave in `x` is what CPython would leave there."""
    first, second, expected = PROGRAMS[name]
    async with opened() as session:
        assert (await session.execute(first)).failure is None
        outcome = await session.execute(second, want=["x"])
        assert outcome.failure is None
        assert outcome.variables == {"x": expected}


REFUSED = {
    "def f():\n    pass": "def statements are not allowed.",
    "class A:\n    pass": "class statements are not allowed.",
    "f = lambda: (yield)": "yield is not allowed.",
    "a = []\na.b = 1": "Attributes cannot be assigned or deleted.",
    "run = 1": '"run" is a primitive; a program cannot bind that name.',
    "import math as run": '"run" is a primitive; a program cannot bind that name.',
    "for i, (j, run) in []:\n    pass": '"run" is a primitive; a program cannot bind that name.',
    "f = lambda run: 1": '"run" is a primitive; a program cannot bind that name.',
    "try: pass\nexcept ValueError as run: pass": (
        '"run" is a primitive; a program cannot bind that name.'
    ),
    "del run": '"run" is a primitive; a program cannot bind that name.',
    "async def f(): pass": "AsyncFunctionDef statements are not allowed.",
    "match 1:\n    case 1: pass": "Match statements are not allowed.",
    "x = 1 +": "SyntaxError: invalid syntax",
    "return 1": "SyntaxError: 'return' outside function",
    "x = " + "not " * 1_000 + "1": "The statement is nested too deeply.",
    "x = 1" + " " * 16_384: "The source is 16389 bytes long; 16384 are allowed.",
    "x = 1\n" * 300: "The program has more than 200 statements.",
    "x = '\x00'": "The program holds a null character.",
}


@pytest.mark.parametrize("source", REFUSED, ids=range(len(REFUSED)))
async def test_what_is_outside_the_language_is_refused_with_the_reason(source: str) -> None:
    """The failure is of kind `refused`, says why, and the session goes on."""
    async with opened() as session:
        failure = (await session.execute(source)).failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("refused", REFUSED[source])
        assert (await session.execute("x = 2", want=["x"])).variables == {"x": 2}


@pytest.mark.parametrize("count", [2_000, 4_000])
async def test_no_nesting_is_too_deep_to_be_refused(count: int) -> None:
    """How deep the parser itself can go differs from version to version."""
    async with opened() as session:
        failure = (await session.execute("x = " + "not " * count + "1")).failure
        assert failure is not None
        assert failure.kind == "refused"
        assert failure.message.endswith("is nested too deeply.")
        assert (await session.execute("x = 2")).ok


async def test_a_bare_except_does_not_swallow_the_end_of_the_episode() -> None:
    """Only `Exception` is caught by `except:`, and a `finally` cannot hide the stop either."""
    from recode_runtime.primitive import EpisodeEnded

    calls = []

    async def run(action: str) -> str:
        calls.append(action)
        raise EpisodeEnded("you won")

    async with opened({"run": run}) as session:
        for source in (
            "try:\n    run('a')\nexcept:\n    run('b')",
            "for i in range(3):\n    try:\n        run('a')\n    finally:\n        continue",
            "while True:\n    try:\n        run('a')\n    finally:\n        continue",
            "try:\n    run('a')\nfinally:\n    1 / 0",
            "try:\n    run('a')\nfinally:\n    run('b')",
        ):
            failure = (await session.execute(source)).failure
            assert failure is not None
            assert (failure.kind, failure.message) == ("ended", "you won")
    assert calls == ["a"] * 5


async def test_a_value_with_several_targets_is_computed_once() -> None:
    """`a = (b, c) = run()` acts once."""
    acts = Acts()
    async with opened({"run": acts}) as session:
        outcome = await session.execute("a = (b, c) = [run('x'), 1]", want=["a", "b"])
        assert outcome.failure is None
        assert outcome.variables == {"a": ["ok x", 1], "b": "ok x"}
    assert len(acts.calls) == 1


async def test_what_is_printed_comes_back_also_after_an_exception_and_is_cut_visibly() -> None:
    """`printed` holds this source's output only, at most as many bytes as the policy says."""
    async with opened(printed_bytes=100) as session:
        assert (
            await session.execute("print('a', 1)\nprint(*[2, 3], sep='-', end='!')")
        ).printed == "a 1\n2-3!"
        failed = await session.execute("print('before')\nprint([x for x in 'é'])\n1/0")
        assert failed.failure is not None
        assert failed.printed == "before\n['é']\n"
        assert (await session.execute("x = 1")).printed == ""
        cut = await session.execute("for i in range(1000):\n    print('é' * 10)")
        mark = "\n[cut: the program printed more than 100 bytes]\n"
        assert cut.printed.endswith(mark)
        assert len(cut.printed.removesuffix(mark).encode()) in (99, 100)
        raw = await session.execute("print('\\x1b[2J\\u202e', run)")
        assert raw.printed == "\\x1b[2J\\u202e <primitive run>\n"


async def test_a_failure_shows_the_programs_own_lines_under_its_own_numbers() -> None:
    """`line` is the number of the source's first line; only lines of the program are shown."""
    async with opened() as session:
        await session.execute("f = lambda s: int(s)")
        outcome = await session.execute("a = 1\ng = lambda s: int(s)\nn = g('q')", line=5)
        assert outcome.failure is not None
        assert outcome.failure.line == 6
        assert outcome.failure.traceback == (
            "line 7, in the program\n-->  n = g('q')\n"
            "line 6, in the program\n-->  g = lambda s: int(s)\n"
            "ValueError: invalid literal for int() with base 10: 'q'"
        )
        assert outcome.bound == ("a", "g")
        earlier = (await session.execute("n = f('q')")).failure
        assert earlier is not None
        assert earlier.traceback.startswith("line 1, in the program\n-->  n = f('q')\nValueError")
        unknown = (await session.execute("nowhere")).failure
        assert unknown is not None
        assert (unknown.kind, unknown.message) == (
            "error",
            "NameError: name 'nowhere' is not defined",
        )
