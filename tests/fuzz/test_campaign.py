"""The whole grammar against generated texts: every one gets an answer, within a second.

All inputs of a run are answered in one process. What must hold of every answer is in `answers`.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers import answer, answer_to_reply
from fuzzing import LEDGER, WHOLE, examples
from judging import DEEPEST, STRICT
from programs import mutated, replied, written
from recode_runtime.grammar import ALL_RULES, Case
from shapes import FORMS, composed, sized

pytestmark = pytest.mark.fuzz

WORDS = """
run obs x find_cup _ __class__ for while if elif else in not and or is lambda try except finally
with as import from def class return yield await async match case global del pass break continue
raise assert None True ( ) [ ] { } , : ; . = == += := * ** - + < > @ ~ -> ... # é ｒ $ ? ! \\
1 0x1f 1e9 1j 'a' "b" '''c''' f'{x}' f'{run(1)!r:>{x}}' b'd' rb'e'
"""  # noqa: RUF001
TOKENS = [*WORDS.split(), "\x0c", "\u2028", "\u200b", "\n", "\n    ", "\n", " "]
NO_HURRY = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def cases() -> list[str]:
    """The programs of every rule's page."""
    pages = [case for rule in ALL_RULES for case in (*rule.VALID.values(), *rule.INVALID.values())]
    return [page.source if isinstance(page, Case) else page for page in pages]


@settings(max_examples=examples(200), deadline=None, suppress_health_check=NO_HURRY)
@given(st.lists(st.sampled_from(TOKENS), max_size=40))
def test_rows_of_tokens_get_an_answer(tokens: list[str]) -> None:
    """Texts from a grammar of tokens."""
    answer(" ".join(tokens).replace(" \n ", "\n"))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=NO_HURRY)
@given(st.text(max_size=100))
def test_any_text_gets_an_answer(text: str) -> None:
    """Texts that are not even nearly Python."""
    answer(text)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=NO_HURRY)
@given(st.randoms(use_true_random=False))
def test_generated_programs_get_an_answer(chance: random.Random) -> None:
    """Programs from a grammar of Python, made smaller if one fails."""
    answer(written(chance, statements=3))


def test_many_generated_programs_get_an_answer() -> None:
    """More of them, always the same ones; a part is accepted, so that the checks of both bite."""
    chance = random.Random(11)
    verdicts = [answer(written(chance)).program is not None for _ in range(examples(400))]
    assert 0.02 < sum(verdicts) / len(verdicts) < 0.9


def test_mutations_of_programs_get_an_answer() -> None:
    """The programs of the rules' pages and generated ones, damaged; always the same ones."""
    chance = random.Random(7)
    seeds = cases()
    for number in range(examples(800)):
        seed = chance.choice(seeds) if number % 2 else written(chance)
        answer(mutated(chance, seed))


def test_shapes_in_shapes_get_an_answer() -> None:
    """Two or three constructs one in the other, round the limits of both policies."""
    chance = random.Random(3)
    for number in range(examples(300)):
        answer(composed(chance), DEEPEST if number % 2 else STRICT)


def test_replies_get_an_answer() -> None:
    """From a reply to a verdict: the reader and the grammar, with outputs that are promised."""
    chance = random.Random(5)
    seeds = cases()
    for number in range(examples(200)):
        program = chance.choice(seeds) if number % 2 else written(chance, statements=3)
        program = mutated(chance, program) if chance.random() < 0.5 else program
        answer_to_reply(replied(chance, program), chance.choice([(), ("x",), ("x", "y")]))


SIZES = [0, 1, 3, 40, 49, 50, 51, 59, 60, 61, 62, 89, 90, 91, 100, 198, 200, 202, 1_000, 8_000]
VAST = [20_000, 100_000, 1_000_000, 3_000_000]


@pytest.mark.parametrize("name", FORMS)
def test_every_shape_gets_an_answer_at_every_size(name: str) -> None:
    """At, below and above the limits, and up to megabytes."""
    for size in [*SIZES, *VAST, *range(1, 260, 3)] if WHOLE else SIZES[::4]:
        answer(sized(name, size))
        answer(sized(name, size), DEEPEST)


if WHOLE:  # a slice has no size of its own

    def test_the_whole_campaign_answered_what_it_promises() -> None:
        """In this one process; those of the coverage-guided one come on top."""
        assert LEDGER.inputs >= 200_000
