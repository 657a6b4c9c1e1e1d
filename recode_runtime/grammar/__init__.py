"""The grammar: program text in, a `Program` or findings out.

`judge` is the way of a reply's source, stage by stage:

- `gate` bounds the text, with `shape` for the tree that `ast` makes of it;
- `reader` says what each name is, in the values of `names`; `bindings` and `order` help it,
  `statements` cuts the program as the supervisor runs it;
- `engine` parses with libcst and asks the `rules` (each a `rule.Rule`) in one `walk`; they look at
  `flow` (the ways through a program), `constructs` (what has a line) and `ties` (the other view);
- `places` finds where a report stands;
- `repair` mends in rounds what rules offer to rewrite; rewrites are made with `rewriting`, on a
  `scene`, by what `evaluation` says is done first.

`pages` is what people read of all that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from recode_runtime.errors import Finding, Level
from recode_runtime.grammar import engine
from recode_runtime.grammar.engine import Inspection
from recode_runtime.grammar.gate import frames_left, pass_gate, too_deep
from recode_runtime.grammar.names import Reading
from recode_runtime.grammar.reader import read_names
from recode_runtime.grammar.repair import Choice, Look, mended
from recode_runtime.grammar.rule import Case, Context, Rule
from recode_runtime.grammar.rules import ALL_RULES
from recode_runtime.policy import Mending, Policy
from recode_runtime.primitive import Primitive
from recode_runtime.program import Placeholder, Program
from recode_runtime.tree import Repair

__all__ = ["ALL_RULES", "Case", "Rule", "Verdict", "judge", "rules_in_words"]

# More than any text within the limits of the strict policy needs once it has passed the gate.
_FRAMES = 700


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the grammar says; `program` is None exactly if a finding has the level "error".

    `source` is the text that the findings speak of: the one that was given, after the `repairs`.
    """

    program: Program | None
    findings: tuple[Finding, ...] = ()
    source: str = ""
    repairs: tuple[Repair, ...] = ()


def judge(
    source: str,
    *,
    policy: Policy,
    primitives: Collection[str] | Mapping[str, Primitive | None],
    variables: Collection[str] | None,
    outputs: Sequence[str] = (),
    depth_left: int | None = None,
    parent: Placeholder | None = None,
    returned: Sequence[str] | None = None,
    repair: Mending = "none",
    thorough: bool = False,
) -> Verdict:
    """The program in a text, or why there is none.

    Args:
        source: untrusted text of any size and kind.
        policy: gives the limits, the language, and the level of each rule.
        primitives: names that the program may call, or a mapping from names to what is known of
            each; `declared_primitives` makes one of texts and functions.
        variables: names bound in the namespace before it runs; None if that is not known, and
            then every name that it reads without binding it counts as bound, if it is not called.
        outputs: names that it must bind.
        depth_left: how many levels of placeholders may follow; 0 allows none, None any number.
        parent: the placeholder that the program expands.
        returned: all names left of the `=` of that placeholder, if `outputs` are those that are
            still to be bound; a repair gives them what a `return` at the end returns.
        repair: which repairs are made to a text that has findings of level error. They are kept
            only if they lead to a program: else the findings are about the text as it was given.
        thorough: mend warnings too, and keep all repairs, as a linter does.

    Raises:
        PolicyError: `[grammar]` names a code that no rule has, or turns down one that may not be.
        RecursionError: the caller's own stack is nearly used up; no text is to blame for that.
    """
    known = primitives if isinstance(primitives, Mapping) else dict.fromkeys(primitives)
    all_outputs = outputs if returned is None else returned
    look = _Judge(
        policy,
        engine.levels_of(policy, ALL_RULES),
        lambda tree: read_names(
            tree,
            primitives=known,
            variables=variables,
            builtin_names=policy.language.builtins,
            modules=policy.language.facades,
        ),
        lambda reading: Context(
            policy,
            reading,
            outputs,
            depth_left,
            parent,
            primitives=known,
            variables=reading.variables,
            returned=all_outputs,
        ),
    )
    first = look(source)
    if repair == "none" or not (thorough or first.program is None):
        return _verdict(first, ())
    choice = Choice(unsafe=repair == "unsafe", warnings=thorough)
    try:
        last, repairs = mended(first, look, choice)
    except RecursionError:
        if frames_left() < _FRAMES:
            raise
        return _verdict(first, ())
    kept = thorough or last.program is not None
    return _verdict(last, repairs) if kept else _verdict(first, ())


def _verdict(look: Look, repairs: Sequence[Repair]) -> Verdict:
    try:
        return Verdict(look.program, look.inspection.findings(), look.source, tuple(repairs))
    except RecursionError:
        if frames_left() < _FRAMES:
            raise
        return Verdict(None, (too_deep(),), look.source, tuple(repairs))


@dataclass(frozen=True, slots=True)
class _Judge:
    """All that stays the same while a text is judged, mended, and judged again."""

    policy: Policy
    levels: Mapping[str, Level]
    read: Callable[[ast.Module], Reading]
    context: Callable[[Reading], Context]

    def __call__(self, source: str) -> Look:
        tree = pass_gate(source, self.policy.limits)
        if isinstance(tree, Finding):
            return Look(source, None, Inspection(tree))
        try:
            reading = self.read(tree)
            inspection = engine.inspect(source, self.context(reading), ALL_RULES, self.levels)
            program = None if inspection.refuses else reading.program(source)
            return Look(source, program, inspection)
        except RecursionError:
            if frames_left() < _FRAMES:
                raise
            return Look(source, None, Inspection(too_deep()))


def rules_in_words(policy: Policy) -> tuple[str, ...]:
    """The sentences that state the policy's rules to a model, made by the rules themselves.

    Raises:
        PolicyError: as for `judge`.
    """
    levels = engine.levels_of(policy, ALL_RULES)
    return tuple(
        rule.in_words for rule in ALL_RULES if rule.in_words and levels[rule.code] != "off"
    )
