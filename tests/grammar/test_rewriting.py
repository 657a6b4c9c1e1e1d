"""What stands where after a rewrite: order of evaluation, names, lines, comments."""

from __future__ import annotations

import libcst
import pytest

from recode_runtime.grammar import judge
from recode_runtime.grammar.evaluation import Evaluation, Weight
from recode_runtime.grammar.rewriting import snake_case
from recode_runtime.grammar.scene import Scene
from recode_runtime.policy import Mending, Policy

STRICT = Policy.named("strict")
VARIABLES = ["obs", "items", "d"]


def mended(source: str, kind: Mending = "safe", outputs: tuple[str, ...] = ()) -> str:
    """The program after its repairs."""
    return judge(
        source,
        policy=STRICT,
        primitives=["run"],
        variables=VARIABLES,
        outputs=outputs,
        repair=kind,
        thorough=True,
    ).source


# In each, `HERE()` is the node that is asked about.
NOTHING_BEFORE = [
    *(
        "HERE()",
        "x = HERE()",
        "x = y = HERE()",
        "x: int = HERE()",
        "(x := HERE())",
        "x[a] = HERE()",
    ),
    *(
        "HERE() + run()",
        "run(HERE())",
        "run(1, 's', HERE())",
        "run(k=1, m=HERE())",
        "HERE()(run())",
    ),
    *("run(k=run(), *HERE())", "HERE()[run()]", "HERE().a.b(run())", "x = -HERE()", "not HERE()"),
    *(
        "HERE() and run()",
        "1 if HERE() else 2",
        "HERE() < run()",
        "1 < HERE()",
        "[1, HERE(), run()]",
    ),
    *("{1: HERE()}", "{HERE(): 1}", "{**HERE()}", "[*HERE()]", "{HERE()}", "f'{HERE():{run()}}'"),
    *("'a' f'b {HERE()}'", "[x for x in HERE() if run()]", "{x: 1 for x in HERE()}", "[1][HERE()]"),
    *(
        "assert HERE(), run()",
        "raise ValueError from HERE()",
        "lambda a, b=HERE(), *, c=run(): run()",
    ),
    *("if HERE():\n    run()", "for x in HERE():\n    run()"),
    *(
        "', '.join(HERE())",
        "b'a'.join(HERE())",
        "(lambda: run(), HERE())",
        "-1 + HERE()",
        "a; HERE()",
    ),
    *("len(HERE())", "del HERE()[a]", "raise HERE()", "run(True, None, len, HERE())"),
]
READS_BEFORE = [
    *(
        "a + HERE()",
        "x += HERE()",
        "x[0] += HERE()",
        "a.b(HERE())",
        "a[HERE()]",
        "a[0][HERE():run()]",
    ),
    *("d[HERE()] = 1", "del d[HERE()]", "f'{a}{HERE()}'", "f'{a:{HERE()}}'", "[*a, HERE()]"),
    *("{**a, 'k': HERE()}", "{a: HERE()}", "run(*a, k=HERE())", "a < HERE()", "'a'.b(HERE())"),
    *("b'a'.encode(HERE())", "1 + 1 + HERE()", "(1 if a else 2) + HERE()", "(not 1, HERE())"),
    *("run(k=HERE(), *a)", "lambda x=a, y=HERE(): 1", "{1: {2: 3}, 4: HERE()}", "-a + HERE()"),
]
CALLS_BEFORE = [
    *("run() + HERE()", "run(run(), HERE())", "run(k=HERE(), *run())", "run()[HERE()]"),
    *("d[HERE()] = run()", "run().a(HERE())", "[x for x in a] + HERE()", "(x := 1) + HERE()"),
    *("x[run()] += HERE()", "(1 if a else run()) + HERE()", "f'{run()}{HERE()}'"),
    *("lambda x=run(), y=HERE(): 1", "(lambda x=run(): 1, HERE())", "(i for i in a), HERE()"),
]
NOT_SURELY_ONCE = [
    "with HERE() as x:\n    run()",
    *(
        "a and HERE()",
        "a or b or HERE()",
        "HERE() if a else 1",
        "1 if a else HERE()",
        "1 < a < HERE()",
    ),
    *(
        "lambda: HERE()",
        "[HERE() for x in a]",
        "[x for x in a if HERE()]",
        "[x for x in a for y in HERE()]",
    ),
    *("while HERE():\n    pass", "if a:\n    HERE()", "if a:\n    pass\nelif HERE():\n    pass"),
    *("for x in a:\n    pass\nelse:\n    HERE()", "try:\n    HERE()\nfinally:\n    pass"),
    *("with a:\n    HERE()", "with a, HERE():\n    pass", "assert a, HERE()", "f'{HERE()=}'"),
    *("def f(a=HERE()):\n    pass", "x: HERE() = 1", "x, d[HERE()] = 1, 2", "x = d[HERE()] = 1"),
    *(
        "for d[HERE()] in a:\n    pass",
        "del x, d[HERE()]",
        "if a: HERE()",
        "class A(HERE()):\n    pass",
    ),
]
ORDER = {
    Weight.NOTHING: NOTHING_BEFORE,
    Weight.READS: READS_BEFORE,
    Weight.ACTS: CALLS_BEFORE,
    None: NOT_SURELY_ONCE,
}


def _here(scene: Scene) -> libcst.CSTNode:
    return scene.parents[scene.names["HERE"][0]]


@pytest.mark.parametrize(
    ("expected", "source"), [(weight, one) for weight, some in ORDER.items() for one in some]
)
def test_what_is_done_before_a_part_is_known(expected: Weight | None, source: str) -> None:
    """In Python's own order of evaluation; None where the part may be passed over or repeated."""
    scene = Scene(libcst.parse_module(source))
    settled = {"run", "len", "HERE", "ValueError"}
    assert Evaluation(scene, settled).before(_here(scene)) == expected


NAMES = {
    "findApple": "find_apple",
    "HTTPFetch": "http_fetch",
    "FIND_APPLE": "find_apple",
    "find__apple": "find_apple",
    "getHTTP2Page": "get_http2_page",
    "_Find": "find",
    "Apple": "apple",
    "go_": "go_",
    "_": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_words_of_a_name_are_told_apart(name: str) -> None:
    """Capitals in a row are one word."""
    assert snake_case(name) == NAMES[name]


TAKEN = {
    "variable of the program": "find_result = 1\nrun(find(obs))",
    "keyword of a call": "run(find(obs), find_result=1)",
    "attribute": "run(find(obs).find_result)",
    "used later": "run(find(obs))\nrun(lambda find_result: 1)",
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_new_name_stands_nowhere_in_the_program(name: str) -> None:
    """Not even where it would do no harm."""
    assert "find_result_2 = find(obs)\n" in mended(TAKEN[name])


def test_a_new_name_means_nothing_outside_the_program() -> None:
    """Variables of the namespace, promised outputs, and what has been named in the same round."""
    source = "run(find(obs))\nrun(find(items))\nfind_result_2 = 1"
    assert mended(source, outputs=("find_result",)).split("\n") == [
        "find_result_3 = find(obs)",
        "run(find_result_3)",
        "find_result_4 = find(items)",
        "run(find_result_4)",
        "find_result_2 = 1",
    ]


LINES = {
    "several on a line": (
        "a = 1; run(find(obs)); b = 2  # both",
        "a = 1\nfind_result = find(obs)\nrun(find_result)\nb = 2  # both",
    ),
    "first on a line": (
        "a = 1\n# why\nrun(find(obs)); b = 2;",
        "a = 1\nfind_result = find(obs)\n# why\nrun(find_result)\nb = 2",
    ),
    "second on a line": (
        "\n# why\nb = 2; run(find(obs))",
        "\n# why\nb = 2\nfind_result = find(obs)\nrun(find_result)",
    ),
    "blank lines and comments": (
        "a = 1\n\n\n# here\n\n# there\nrun(find(obs))  # so\n",
        "a = 1\n\n\nfind_result = find(obs)\n# here\n\n# there\nrun(find_result)  # so\n",
    ),
    "header": (
        "# head\n\nrun(find(obs))",
        "# head\n\nfind_result = find(obs)\nrun(find_result)",
    ),
    "compound statement": (
        "a = 1\n\n# each\nfor x in find(obs):  # of them\n\trun(x)\n",
        "a = 1\n\nfind_result = find(obs)\n# each\nfor x in find_result:  # of them\n\trun(x)\n",
    ),
    "over several lines": (
        "x = (\n    'a'  # first\n    + find(\n        obs,\n    )\n)",
        "find_result = find(\n        obs,\n    )\nx = (\n    'a'  # first\n    + find_result\n)",
    ),
    "name and arguments on two lines": (
        "run(find\n(obs))",
        "find_result = find(obs)\nrun(find_result)",
    ),
    "argument on two lines": (
        "find(obs\n  .a)",
        "find_argument = (obs\n  .a)\nfind(find_argument)",
    ),
    "generator without parentheses": (
        "find(i for i in obs)",
        "find_argument = (i for i in obs)\nfind(find_argument)",
    ),
    "no blank before a keyword": (
        "x = 1 if find(obs)else 2",
        "find_result = find(obs)\nx = 1 if (find_result)else 2",
    ),
    "no blank after a keyword": (
        "assert(find(obs))",
        "find_result = find(obs)\nassert(find_result)",
    ),
    "parentheses that are not needed": (
        "run((find(obs)), (x := 1))",
        "find_result = find(obs)\nrun(find_result, (x := 1))",
    ),
    "quotes in an f-string": (
        "run(f\"{find('a')!r:>9}\")",
        "find_result = find('a')\nrun(f\"{find_result!r:>9}\")",
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_comments_and_blanks_stay_where_they_belong(name: str) -> None:
    """A comment stays with its statement, blank lines stay in front, each statement gets a line."""
    source, expected = LINES[name]
    assert mended(source) == expected


STEPS = {
    "inner first or last": (
        "run(a(b(obs)))",
        "b_result = b(obs)\na_result = a(b_result)\nrun(a_result)",
    ),
    "nested, then computed": (
        "run(find(obs[0]))",
        "find_argument = obs[0]\nfind_result = find(find_argument)\nrun(find_result)",
    ),
    "nested and misnamed": (
        "run(findRoom(obs))",
        "find_room_result = find_room(obs)\nrun(find_room_result)",
    ),
    "target and argument": (
        "d['k'] = find(obs[0], 1, where=run('x'))",
        (
            "find_argument = obs[0]\nfind_argument_2 = run('x')\n"
            "find_result = find(find_argument, 1, where=find_argument_2)\nd['k'] = find_result"
        ),
    ),
    "walrus in a test": ("if (x := find(obs)):\n    run(x)", "x = find(obs)\nif x:\n    run(x)"),
    "chained, the first no name": (
        "d[0] = b = find(obs)",
        "find_result = find(obs)\nd[0] = b = find_result",
    ),
    "chained, three": ("a = b = c = find(obs)", "a = find(obs)\nb = c = a"),
    "list of one": ("[a] = find(obs)", "find_result = find(obs)\n[a] = find_result"),
    "two modules": (
        "# head\n\nx = math.sqrt(2)\ny = json.loads(obs)",
        "# head\n\nimport json\nimport math\nx = math.sqrt(2)\ny = json.loads(obs)",
    ),
    "one name in two spellings": (
        "findCup(obs)\nrun('x')\nx = FindCup(items)\nfind_cup(x)",
        "find_cup(obs)\nrun('x')\nx = find_cup(items)\nfind_cup(x)",
    ),
    "underscores in every scope": (
        "_n = 0\nf = lambda _x: _x + _n\nx = [_i for _i in items if _i > _n]\nrun(f(x))",
        "n = 0\nf = lambda x_2: x_2 + n\nx = [i for i in items if i > n]\nrun(f(x))",
    ),
    "output with an underscore": ("_cup = find(obs)\nrun(_cup)", "cup = find(obs)\nrun(cup)"),
    "module with an underscore": (
        "import math as _m\nrun(_m.sqrt(2))",
        "import math as m\nrun(m.sqrt(2))",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_repairs_build_on_each_other(name: str) -> None:
    """Several in one statement, by several rules, all of them safe."""
    source, expected = STEPS[name]
    assert mended(source) == expected


LEFT = [
    *("run('x') + find(obs)", "run(obs and find(obs))", "while find(obs):\n    run('x')"),
    *("run(f'{find(obs)=}')", "run(obs.a() + find(obs))", "run([find(i) for i in items])"),
    *("run(x + (x := find(obs)))", "find(*items)", "find(obs[0], **items)", "find(x := 1)"),
    *("find(run, obs[0])", "a, b, a = find(obs)", "() = find(obs)"),
    *("obs.x = find(obs)", "x: run('a') = find(obs)", "d[run('x')] += find(obs)"),
    *("Run(obs)", "Print(obs)", "Obs(1)", "x = Apple(obs)\napple = 1", "print(f'{goFar(obs)=}')"),
    *(
        "x = math.nothing(2)",
        "x = math.sqrt.a(2)",
        "x = math.sqrt(2)\nmath = 1",
        "x = kitchen.go()",
    ),
    *("f = lambda _x: _x\nf(_x=1)", "_find(obs)", "x = _secret", "clean(_x=obs)", "__x__ = 1"),
    *("print(f'{(_x := 1)=}')", "_2 = 1", "import _thread", "run = 1", "del list"),
    *("sum += 1", "n = len(obs)\nlen = 3", "list = list(obs)", "for max in items:\n    pass"),
    "_a, _a = find(obs[0], nothing)",
]


@pytest.mark.parametrize("source", LEFT)
def test_nothing_is_repaired_by_a_guess(source: str) -> None:
    """Not even as an unsafe repair, where order, meaning or reach would be a guess."""
    before_repair = judge(source, policy=STRICT, primitives=["run"], variables=VARIABLES)
    codes = {one.code for one in before_repair.findings if one.repair}
    assert codes <= {"RC202"} if source.startswith("_a") else not codes
