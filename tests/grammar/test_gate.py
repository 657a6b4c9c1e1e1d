"""The killers of libcst and of CPython's compiler, one after the other in the same process."""

# ruff: noqa: RUF001  (letters that look like others are what is tested)
from __future__ import annotations

import ast
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import examples
from recode_runtime.errors import Finding
from recode_runtime.grammar import Verdict, judge
from recode_runtime.grammar.gate import frames_left, pass_gate
from recode_runtime.policy import Policy

STRICT = Policy.named("strict")
ROOMY = STRICT.but(limits={"source_bytes": 200_000, "source_lines": 200_000})


def judged(source: object, policy: Policy = STRICT) -> Verdict:
    """The verdict on anything at all."""
    return judge(source, policy=policy, primitives=["run"], variables=["obs"])  # type: ignore[arg-type]


def refusal(source: object, policy: Policy = STRICT) -> Finding:
    """The one reason for which it is refused."""
    verdict = judged(source, policy)
    assert verdict.program is None
    (finding,) = verdict.findings
    return finding


def nested(opening: str, middle: str, closing: str, count: int) -> str:
    """Brackets in brackets."""
    return opening * count + middle + closing * count


def blocks(head: str, count: int, tail: str = "") -> str:
    """Blocks in blocks, each with its tail."""
    opened = "".join(" " * level + head + "\n" for level in range(count))
    closed = "".join(" " * level + tail + "\n" for level in reversed(range(count)) if tail)
    return opened + " " * count + "pass\n" + closed


KILLERS = {
    "and": lambda n: "x = " + "1 and " * n + "1",
    "or": lambda n: "x = " + "1 or " * n + "1",
    "elif": lambda n: "if 1: pass\n" + "elif 1: pass\n" * n,
    "lambda": lambda n: "x = " + "lambda: " * n + "1",
    "not": lambda n: "x = " + "not " * n + "1",
    "minus": lambda n: "x = " + "-" * n + "1",
    "sum": lambda n: "x = " + "1+" * n + "1",
    "power": lambda n: "x = " + "1**" * n + "1",
    "comparison": lambda n: "x = " + "1<" * n + "1",
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls": lambda n: "x = f" + "()" * n,
    "subscripts": lambda n: "x = a" + "[0]" * n,
    "conditional": lambda n: "x = " + "1 if 1 else " * n + "1",
    "targets": lambda n: "x = " * n + "1",
    "parentheses": lambda n: "x = " + nested("(", "1", ")", n),
    "open parentheses": lambda n: "(" * n,
    "lists": lambda n: "x = " + nested("[", "", "]", n),
    "tuples": lambda n: "x = " + nested("(", "1,", "),", n),
    "dictionaries": lambda n: "x = " + nested("{1:", "1", "}", n),
    "sets": lambda n: "x = " + nested("{", "1", "}", n),
    "nested calls": lambda n: "x = " + nested("f(", "1", ")", n),
    "nested subscripts": lambda n: "x = " + nested("f[", "1", "]", n),
    "nested comprehensions": lambda n: "x = " + nested("[a for a in ", "b", "]", n),
    "clauses": lambda n: "x = [0" + " for a in b" * n + "]",
    "conditions of a clause": lambda n: "x = [0 for a in b" + " if a" * n + "]",
    "walrus": lambda n: nested("(x:=", "1", ")", n),
    "adjacent strings": lambda n: "x = " + "''\"\"" * n,
    "adjacent strings in brackets": lambda n: "x = (" + "'a' # b\n" * n + ")",
    "adjacent strings in an f-string": lambda n: 'x = f"{' + "'a' " * n + '}"',
    "fields of an f-string": lambda n: "x = f'" + "{a}" * n + "'",
    "nested if": lambda n: blocks("if 1:", min(n, 150)),
    "nested try": lambda n: blocks("try:", min(n, 20), "finally: pass"),
    "decorators": lambda n: "@a\n" * n + "def f(): pass",
    "statements": lambda n: "x=1;" * n,
    "list": lambda n: "x = [" + "1," * n + "]",
    "arguments": lambda n: "f(" + "a," * n + ")",
    "names": lambda n: "import a" + ",a" * n,
    "except": lambda n: "try: pass\n" + "except a: pass\n" * n,
    "newlines": lambda n: "\n" * n + "x = 1",
    "backslashes": lambda n: "x = " + "\\\n" * n + "1",
    "comments": lambda n: "#\n" * n + "x = 1",
    "decimal integer": lambda n: "x = " + "9" * n,
    "hexadecimal integer": lambda n: "x = 0x" + "f" * n,
    "long name": lambda n: "a" * n + " = 1",
    "long string": lambda n: "x = '" + "a" * n + "'",
    "indentation": lambda n: "if 1:\n" + " " * n + "x = 1",
}


@pytest.mark.parametrize("size", [40, 60, 150, 1_000, 10_000, 100_000])
@pytest.mark.parametrize("name", KILLERS)
def test_every_shape_gets_an_answer_within_a_second(name: str, size: int) -> None:
    """Deep, long and wide forms of every construct, at the limits and far beyond them."""
    source = KILLERS[name](size)
    start = time.perf_counter()
    verdict = judged(source)
    assert time.perf_counter() - start < 1.0
    assert (verdict.program is None) == bool(verdict.findings)


@pytest.mark.parametrize("name", sorted(set(KILLERS) - {"long name", "long string", "indentation"}))
def test_without_the_cap_on_bytes_the_shape_is_still_bounded(name: str) -> None:
    """The cap on bytes is not the only thing between a deep text and libcst."""
    start = time.perf_counter()
    judged(KILLERS[name](3_000), ROOMY)
    assert time.perf_counter() - start < 2.0


def test_fifty_megabytes_are_refused_before_they_are_read() -> None:
    """The length is known without looking; nothing is done that takes time with it."""
    source = "x" * 50_000_000
    start = time.perf_counter()
    finding = refusal(source)
    assert time.perf_counter() - start < 0.01
    assert str(finding) == (
        "RC004 the program has 50000000 characters; the limit source_bytes is 16384"
    )


LIMITS = {
    "source_bytes": ({"source_bytes": 20}, "x = 'ééééééééé'", 0, 0, "24 bytes", 20),
    "source_lines": ({"source_lines": 2}, "a = 1\nb = 2\nc = 3\n", 0, 0, "3 lines", 2),
    "statements": ({"statements": 2}, "a = 1\nb = 2\nc = 3", 3, 0, "3 statements or more", 2),
    "syntax_nodes": ({"syntax_nodes": 5}, "a = 1\nb = 2", 2, 0, "6 syntax nodes or more", 5),
    "syntax_depth": ({"syntax_depth": 4}, "a = [[[1]]]", 1, 7, "5 levels of nesting", 4),
    "try_depth": (
        {"try_depth": 1},
        "try:\n  try: pass\n  finally: pass\nfinally: pass",
        2,
        2,
        "2 nested try statements",
        1,
    ),
    "chain_length": ({"chain_length": 2}, "x = obs.a.b.c", 1, 4, "a chain of 3", 2),
    "integer_digits": (
        {"integer_digits": 9},
        "n = 0xffffffffff",
        1,
        4,
        "an integer of 12 digits",
        9,
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_finding_names_the_limit_its_value_and_the_place(limit: str) -> None:
    """Each limit of the policy that bounds the text fires, and says which it is and where."""
    changed, source, line, column, found, allowed = LIMITS[limit]
    finding = refusal(source, STRICT.but(limits=changed))
    message = f"the program has {found}; the limit {limit} is {allowed}"
    assert (finding.code, finding.message) == ("RC004", message)
    assert (finding.line, finding.column) == (line, column)
    assert finding.advice


WIDE = {
    "and": "x = 1 and 1 and 1 and 1",
    "comparison": "x = 1 < 1 < 1 < 1",
    "targets": "a = b = c = d = 1",
    "clauses": "x = [1 for a in b for c in d for e in f for g in h]",
    "fields": "x = f'{1}{1}{1}{1}'",
    "elif": "if 1: pass\nelif 1: pass\nelif 1: pass\nelif 1: pass\nelif 1: pass",
    "sum": "x = 1 + 1 + 1 + 1 + 1",
    "adjacent strings": "x = 'a' 'b' 'c' 'd'",
}


@pytest.mark.parametrize("name", WIDE)
def test_a_chain_is_also_what_stands_side_by_side(name: str) -> None:
    """`ast` keeps these flat where libcst nests them."""
    finding = refusal(WIDE[name], STRICT.but(limits={"chain_length": 3}))
    assert (finding.code, "the limit chain_length is 3" in finding.message) == ("RC004", True)


@pytest.mark.parametrize("name", WIDE)
def test_a_chain_at_its_limit_passes(name: str) -> None:
    """The limit is the last number that is allowed."""
    assert judged(WIDE[name], STRICT.but(limits={"chain_length": 4})).program is not None


@pytest.mark.parametrize("digits", [4_299, 4_300, 4_400, 16_000])
def test_a_long_decimal_integer_is_refused_by_the_name_of_its_limit(digits: int) -> None:
    """CPython refuses to read it as well; the finding is ours."""
    verdict = judged("n = " + "9" * digits)
    if digits <= 4_300:
        assert verdict.program is not None
    else:
        assert "the limit integer_digits is 4300" in verdict.findings[0].message


CHARACTERS = {
    "NUL": ("x = 1\nb = '\x00'", 2, 5, "U+0000"),
    "carriage return": ("x = 1\r\ny = 2", 1, 5, "U+000D"),
    "form feed": ("x = 1 #\x0crun('hidden')", 1, 7, "U+000C"),
    "next line": ("x = 1 #\x85run('hidden')", 1, 7, "U+0085"),
    "escape": ("x = '\x1b[2J'", 1, 5, "U+001B"),
    "byte order mark": ("\ufeffx = 1", 1, 0, "U+FEFF"),
    "right to left override": ("x = '\u202e'", 1, 5, "U+202E"),
    "isolate": ("x = 1 # \u2066", 1, 8, "U+2066"),
    "lone surrogate": ("x = '\ud800'", 1, 5, "U+D800"),
}


@pytest.mark.parametrize("name", CHARACTERS)
def test_characters_that_do_not_show_are_refused(name: str) -> None:
    """What a reader sees is what the interpreter reads."""
    source, line, column, character = CHARACTERS[name]
    finding = refusal(source)
    message = f"the character {character} may not stand in a program"
    assert (finding.code, finding.message) == ("RC003", message)
    assert (finding.line, finding.column) == (line, column)


FOREIGN = {
    "full-width letters": "ｒｕｎ = 1",
    "subscript letter": "ru\u2099 = 1",
    "long s": "\u017fetattr(obs, 'a', 1)",
    "attribute": "x = ()._\uff3fclass_\uff3f",
    "keyword": "run(ｋ=1)",
    "parameter": "f = lambda ａ: 1",
    "import": "import ｏｓ",
    "umlaut": "größe = 1",
    "in an f-string": "x = f'{ｒｕｎ(1)}'",
    "attribute in an f-string": "x = f'{obs.ｓplit()}'",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_names_outside_ascii_are_refused(name: str) -> None:
    """CPython would read them as other names than libcst does."""
    finding = refusal(FOREIGN[name])
    assert finding.code == "RC003"
    assert finding.message.endswith("is not plain ASCII")


def test_text_outside_ascii_may_stand_in_strings_and_comments() -> None:
    """Observations are in any language."""
    source = "x = 'größe 苹果 🍎'  # größe\ny = f'{x} größe'"
    assert judged(source).program is not None


@pytest.mark.parametrize("source", ["", " \n\t\n", "# only a comment\n"])
def test_a_program_without_statements_is_refused(source: str) -> None:
    """Nothing to run is said in its own words."""
    assert str(refusal(source)) == "RC005 the program has no statement"


@pytest.mark.parametrize("source", [None, 3, b"x = 1", ["x = 1"]])
def test_what_is_not_text_is_refused(source: object) -> None:
    """No bytes: a coding line would let the bytes mean something else than they show."""
    expected = f"RC003 the program is not text but {type(source).__name__}"
    assert str(refusal(source)) == expected


def test_a_syntax_error_has_its_place() -> None:
    """The words and the place are CPython's own."""
    finding = refusal("x = 1\nif x\n  run('a')")
    assert str(finding) == "line 2: RC003 this is not Python: expected ':'"
    assert finding.column == 4


@pytest.mark.parametrize(
    "source",
    ["x = 1\n  y = 2", "if 1:\n\tx = 1\n        y = 2", "x = '", "x = 1 $ 2", "x = (", "t''x"],
)
def test_text_that_is_not_python_is_a_finding(source: str) -> None:
    """Indentation, mixed tabs, open strings and brackets: never an exception."""
    assert refusal(source).code == "RC003"


def test_what_libcst_alone_refuses_is_a_finding() -> None:
    """`ast.parse` lets pass what the compiler would refuse; libcst has words for some of it."""
    finding = refusal("try:\n    pass\nexcept:\n    pass\nexcept ValueError:\n    pass")
    assert finding == Finding(
        "RC003",
        "the program cannot be read: The bare except: handler must be the last one.",
    )


def test_an_invalid_escape_is_silent() -> None:
    """CPython warns of it while it parses; the host's log is not the model's."""
    assert judged("x = '\\d'").program is not None


def test_a_coding_line_changes_nothing() -> None:
    """Text is text, whatever it says of itself."""
    assert judged("# -*- coding: utf-7 -*-\nx = '+AGE-'").program is not None


def test_the_gate_gives_the_tree_of_what_passes() -> None:
    """The tree is that of `ast.parse`."""
    tree = pass_gate("x = 1", STRICT.limits)
    assert isinstance(tree, ast.Module)
    assert ast.unparse(tree) == "x = 1"


SMALL = {
    "program": ("x = 1\nrun('a')", set()),
    "refused program": ("for i in obs:\n    clean(i)", {"RC110"}),
    "program at the limits": ("x = " + nested("f[", "1", "]", 50), set()),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_caller_that_stands_deep_is_not_told_that_the_text_is_deep(name: str) -> None:
    """At every depth of the caller's own recursion: the right answer, or its RecursionError."""
    source, expected = SMALL[name]

    def codes_below(depth: int) -> set[str]:
        if depth:
            return codes_below(depth - 1)
        return {finding.code for finding in judged(source).findings}

    room, overflows = frames_left(), 0
    for depth in (*range(0, room, 25), *range(room - 60, room)):
        try:
            assert codes_below(depth) == expected
        except RecursionError:
            overflows += 1
    assert overflows > 20


def test_a_third_of_the_stack_is_enough_for_the_caller() -> None:
    """Whatever passes the gate of the strict policy is judged in the other two thirds."""

    def judged_below(frames: int, source: str) -> Verdict:
        if frames_left() > frames:
            return judged_below(frames, source)
        return judged(source)

    for make in KILLERS.values():
        for size in (20, 30, 50, 58):
            source = make(size)
            verdict = judged_below(700, source)
            assert verdict == judged(source)
            assert not any("too deeply" in one.message for one in verdict.findings)


def test_text_that_is_too_deep_for_the_stack_is_a_finding() -> None:
    """The parser overflows before there is a tree to count; with room to spare, the text did it."""
    message = "the program is nested too deeply to be read"
    assert refusal(KILLERS["minus"](10_000)).message == message


WORDS = """
run obs x find_cup _ __class__ for while if elif else in not and or is lambda try except finally
with as import from def class return yield await async match case global del pass break continue
raise assert None True ( ) [ ] { } , : ; . = == += := * ** - + < > @ ~ -> ... # é ｒ $ ? ! \\
1 0x1f 1e9 1j 'a' "b" '''c''' f'{x}' f'{run(1)!r:>{x}}' b'd' rb'e'
"""
TOKENS = [*WORDS.split(), "\x0c", "\u2028"]


@pytest.mark.fuzz
@settings(max_examples=examples(300), deadline=1_000)
@given(st.lists(st.sampled_from([*TOKENS, "\n", "\n    ", "\n", " "]), max_size=40))
def test_rows_of_tokens_get_an_answer(tokens: list[str]) -> None:
    """Either a program or findings with a code, whatever the text."""
    _answer(" ".join(tokens).replace(" \n ", "\n"))


@pytest.mark.fuzz
@settings(max_examples=examples(200), deadline=1_000)
@given(st.text(max_size=100))
def test_any_text_gets_an_answer(text: str) -> None:
    """The same for text that is not even nearly Python."""
    _answer(text)


@pytest.mark.fuzz
def test_mutations_of_programs_get_an_answer() -> None:
    """Programs with characters cut, doubled and swapped, always the same ones."""
    chance = random.Random(7)
    seeds = [make(30) for make in KILLERS.values()]
    for _ in range(examples(400)):
        text = list(chance.choice(seeds))
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(text))
            text[place : place + chance.randint(0, 3)] = chance.choice(
                ["", "(", "'", "\n", "x", ":"]
            )
            text = text or ["x"]
        _answer("".join(text))


def _answer(source: str) -> None:
    verdict = judged(source)
    refused = [finding for finding in verdict.findings if finding.level == "error"]
    assert (verdict.program is None) == bool(refused)
    assert all(finding.code.startswith("RC") for finding in verdict.findings)
