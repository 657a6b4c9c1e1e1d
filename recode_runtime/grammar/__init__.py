"""The grammar: program text in, a `Program` or findings out.

`judge` is the way of a reply's source: the gate bounds it, `names` says what each name is, the
rules say what is outside ReCode's grammar or the policy's language.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from recode_runtime.errors import Finding
from recode_runtime.grammar import engine
from recode_runtime.grammar.gate import frames_left, pass_gate, too_deep
from recode_runtime.grammar.names import read_names
from recode_runtime.grammar.rule import Case, Context, Rule
from recode_runtime.grammar.rules import ALL_RULES
from recode_runtime.policy import Policy
from recode_runtime.program import Placeholder, Program

__all__ = ["ALL_RULES", "Case", "Rule", "Verdict", "judge", "rules_in_words"]

# More than any text within the limits of the strict policy needs once it has passed the gate.
_FRAMES = 700


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the grammar says; `program` is None exactly if a finding has the level "error"."""

    program: Program | None
    findings: tuple[Finding, ...] = ()


def judge(
    source: str,
    *,
    policy: Policy,
    primitives: Collection[str],
    variables: Collection[str],
    outputs: Sequence[str] = (),
    depth_left: int | None = None,
    parent: Placeholder | None = None,
) -> Verdict:
    """The program in a text, or why there is none.

    Args:
        source: untrusted text of any size and kind.
        policy: gives the limits, the language, and the level of each rule.
        primitives: names that the program may call.
        variables: names bound in the namespace before it runs.
        outputs: names that it must bind.
        depth_left: how many levels of placeholders may follow; 0 allows none, None any number.
        parent: the placeholder that the program expands.

    Raises:
        PolicyError: `[grammar]` names a code that no rule has, or turns down one that may not be.
        RecursionError: the caller's own stack is nearly used up; no text is to blame for that.
    """
    levels = engine.levels_of(policy, ALL_RULES)
    tree = pass_gate(source, policy.limits)
    if isinstance(tree, Finding):
        return Verdict(None, (tree,))
    try:
        reading = read_names(
            tree,
            primitives=primitives,
            variables=variables,
            builtin_names=policy.language.builtins,
        )
        context = Context(policy, reading, outputs, depth_left, parent)
        findings = engine.inspect(source, context, ALL_RULES, levels)
        refused = any(finding.level == "error" for finding in findings)
        return Verdict(None if refused else reading.program(source), findings)
    except RecursionError:
        if frames_left() < _FRAMES:
            raise
        return Verdict(None, (too_deep(),))


def rules_in_words(policy: Policy) -> tuple[str, ...]:
    """The sentences that state the policy's rules to a model, made by the rules themselves.

    Raises:
        PolicyError: as for `judge`.
    """
    levels = engine.levels_of(policy, ALL_RULES)
    return tuple(
        rule.in_words for rule in ALL_RULES if rule.in_words and levels[rule.code] != "off"
    )
