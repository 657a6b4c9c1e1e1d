"""The ways that `Flow` sees, against Python itself: programs are made, and run in every way."""

from __future__ import annotations

import ast
import contextlib
import itertools

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recode_runtime.grammar import ALL_RULES, judge
from recode_runtime.grammar.flow import Flow
from recode_runtime.policy import Policy

STRICT = Policy.named("strict")
UNMOVABLE = [rule.code for rule in ALL_RULES if rule.always]
NAMES = ("n", "m")
CHOICES = 4


class Trial:
    """One way through a program: answers its questions in turn, and notes what was reached."""

    def __init__(self, answers: tuple[bool, ...]) -> None:
        self._answers = itertools.chain(answers, itertools.repeat(False))
        self._steps = 0
        self.reached: set[int] = set()
        self.ended = False

    def ask(self) -> bool:
        """The next answer; endless loops are ended by an exception that nobody catches."""
        self._steps += 1
        if self._steps > 50:
            raise KeyboardInterrupt
        return next(self._answers)

    def some(self) -> list[int]:
        """What a loop runs over: nothing, one thing, or two."""
        return [1, 2][: self.ask() + self.ask()]

    def mark(self, line: int) -> bool:
        """That a statement was reached."""
        self.reached.add(line)
        return self.ask() and False


SIMPLE = st.sampled_from(
    ["{n} = 1", "del {n}", "x = [{n} := 1]", "ask() and ({n} := 1)", "mark(0)", "pass"]
).flatmap(lambda text: st.sampled_from(NAMES).map(lambda name: [text.format(n=name)]))
LEAVING = st.sampled_from([["break"], ["continue"], ["raise ValueError"], ["assert False"]])


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _under(*heads: str) -> object:
    """Compound statements with one block under each head."""

    def made(blocks: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
        parts = st.tuples(*[blocks] * len(heads))
        return parts.map(
            lambda bodies: [
                line
                for head, body in zip(heads, bodies, strict=True)
                for line in (head, *_indented(body))
            ]
        )

    return made


COMPOUND = [
    _under("if ask():"),
    _under("if ask():", "else:"),
    _under("if True:", "else:"),
    _under("if 0:", "else:"),
    _under("for i in some():"),
    _under("for i in [1, 2]:", "else:"),
    _under("while ask():"),
    _under("while True:"),
    _under("while ask():", "else:"),
    _under("try:", "except ValueError:"),
    _under("try:", "except ValueError:", "else:"),
    _under("try:", "finally:"),
    _under("try:", "except (ValueError, NameError, AssertionError):", "finally:"),
]


def _blocks(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    compound = st.one_of(*(make(inner) for make in COMPOUND))  # type: ignore[operator]
    pieces = st.lists(st.one_of(SIMPLE, SIMPLE, LEAVING, compound), min_size=1, max_size=3)
    return pieces.map(lambda parts: [line for part in parts for line in part])


PROGRAMS = st.recursive(SIMPLE, _blocks, max_leaves=12).map("\n".join)


def _compiled(source: str) -> ast.Module | None:
    """The program with a mark before every statement; None for `break` outside a loop."""
    try:
        compile(source, "<program>", "exec")
    except SyntaxError:
        return None
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                marked = [[_mark(one.lineno), one] for one in block]
                setattr(node, name, [one for pair in marked for one in pair])
    return ast.fix_missing_locations(tree)


def _mark(line: int) -> ast.stmt:
    return ast.parse(f"mark({line})").body[0]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(PROGRAMS)
def test_python_goes_no_way_that_flow_does_not_see(source: str) -> None:
    """What is called bound is bound at every end, and what is called unreachable is not reached."""
    tree = _compiled(source)
    if tree is None:
        return
    flow = Flow(ast.parse(source))
    dead = {one.lineno for one in flow.unreachable}
    code = compile(tree, "<program>", "exec")
    for answers in itertools.product([False, True], repeat=CHOICES):
        trial = Trial(answers)
        names = {"ask": trial.ask, "some": trial.some, "mark": trial.mark}
        stopped = (ValueError, NameError, AssertionError, KeyboardInterrupt)
        with contextlib.suppress(*stopped):
            exec(code, names)
            trial.ended = True
        assert not dead & trial.reached
        if trial.ended:
            assert flow.bound is not None
            assert {name for name in flow.bound if name in NAMES} <= names.keys()


QUIET = STRICT.but(
    grammar={rule.code: "off" for rule in ALL_RULES if rule.code not in ("RC305", *UNMOVABLE)},
    limits={"try_depth": 50},
)
DEEP = "raise ValueError\n" + "".join(
    f"{' ' * n}try:\n{' ' * n} n = 1\n{' ' * n}except ValueError:\n" for n in range(5)
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@example(DEEP + " " * 5 + "n = 1")
@given(PROGRAMS)
def test_the_rule_misses_nothing_that_flow_sees(source: str) -> None:
    """It follows the ways only where a block may be left early, and then says all of it."""
    if _compiled(source) is None:
        return
    verdict = judge(source, policy=QUIET, primitives=[], variables=["ask", "some", "mark"])
    lines = {one.line for one in verdict.findings if one.code == "RC305"}
    assert lines == {one.lineno for one in Flow(ast.parse(source)).unreachable}
