"""One fuzzed input through the whole grammar, with all that must hold whatever the input is."""

from __future__ import annotations

import ast
import contextlib
import warnings
import zlib

import libcst

from fuzzing import LEDGER, shown
from judging import STRICT, is_refused
from recode_guest import restricted
from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.grammar import Verdict, judge
from recode_runtime.grammar.gate import pass_gate
from recode_runtime.grammar.shape import first_problem
from recode_runtime.policy import Mending, Policy
from recode_runtime.reply import read_reply
from views import names_by_ast, names_by_libcst, uses_by_ast, uses_by_libcst

PRIMITIVES = ["run"]
VARIABLES = ["obs", "items", "flag"]
_MENDING: tuple[Mending, ...] = ("none", "none", "safe", "unsafe")


def answer(source: str, policy: Policy = STRICT, outputs: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a text; half of the texts are repaired first.

    Raises:
        AssertionError: it came late, contradicts itself, or lets pass what does not compile.
    """
    drawn = zlib.crc32(source.encode("utf-8", "surrogatepass")) % len(_MENDING)
    mending = _MENDING[drawn]
    verdict = LEDGER.timed(
        source,
        lambda: judge(
            source,
            policy=policy,
            primitives=PRIMITIVES,
            variables=VARIABLES,
            outputs=outputs,
            repair=mending,
        ),
    )
    text = verdict.source if verdict.repairs else source
    try:
        _check_verdict(verdict, text)
        _check_views(verdict, text, policy)
    except Exception as problem:
        problem.add_note(f"the input ({mending}): {shown(source)}\nwhole: {source!r}")
        raise
    return verdict


def answer_to_reply(text: str, outputs: tuple[str, ...] = ()) -> Verdict | None:
    """The verdict on the program in a reply; None if there is none that can be read."""
    with contextlib.suppress(ReplyUnreadable):
        source = LEDGER.timed(text, lambda: read_reply(text, outputs)).source
        assert source.strip(), shown(text)
        return answer(source, outputs=outputs)
    return None


def _check_verdict(verdict: Verdict, text: str) -> None:
    assert (verdict.program is None) == is_refused(verdict)
    lines = text.count("\n") + 1
    for finding in verdict.findings:
        assert finding.code.startswith("RC")
        assert finding.message
        assert 0 <= finding.line <= lines + 1
        assert finding.column >= 0


def _check_views(verdict: Verdict, text: str, policy: Policy) -> None:
    """What passes the gate is the same to both parsers; what is accepted compiles, twice."""
    tree = pass_gate(text, policy.limits)
    if isinstance(tree, Finding):
        assert verdict.program is None
        return
    assert first_problem(tree, policy.limits) is None, "the cheap bounds let pass too much"
    _compare(tree, text, accepted=verdict.program is not None)
    if verdict.program is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(text, "<program>", "exec", dont_inherit=True)
        for statement in restricted.parsed(text, "<program>"):
            restricted.compiled(statement, "<program>", PRIMITIVES)
        parts = [ast.dump(ast.parse(one.source)) for one in verdict.program.statements]
    assert parts == [ast.dump(ast.Module([one], [])) for one in tree.body]


def _compare(tree: ast.Module, text: str, *, accepted: bool) -> None:
    try:
        module = libcst.parse_module(text)
    except Exception:  # noqa: BLE001  libcst has several kinds for what `ast` alone can read
        assert not accepted
        return
    if module.code != text:  # libcst loses spaces and backslashes at both ends of a text
        assert ast.dump(ast.parse(module.code)) == ast.dump(tree)
    assert names_by_libcst(module) == names_by_ast(tree)
    uses = uses_by_ast(tree)
    assert uses is None or uses == uses_by_libcst(module)
