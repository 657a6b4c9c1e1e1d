"""Texts and the cases of the rules' pages, judged by the default policy or by another."""

from __future__ import annotations

from recode_runtime.errors import Finding
from recode_runtime.grammar import Case, Rule, Verdict, judge
from recode_runtime.policy import Mending, Policy
from recode_runtime.primitive import declared_primitives

STRICT = Policy.named("strict")
# As deep as a policy may be.
DEEPEST = STRICT.but(
    limits={"syntax_depth": 90, "chain_length": 90, "indentation_levels": 60, "pattern_depth": 4}
)


def judged(source: object, policy: Policy = STRICT) -> Verdict:
    """The verdict on anything at all."""
    return judge(source, policy=policy, primitives=["run"], variables=["obs"])  # type: ignore[arg-type]


def refusal(source: object, policy: Policy = STRICT) -> Finding:
    """The one reason for which it is refused."""
    verdict = judged(source, policy)
    assert verdict.program is None
    (finding,) = verdict.findings
    return finding


def verdict_on_case(
    case: Case | str, policy: Policy = STRICT, *, repair: Mending = "none", thorough: bool = False
) -> Verdict:
    """The verdict on a case of a page, by the facts that it states; a text states the usual."""
    case = case if isinstance(case, Case) else Case(case)
    return judge(
        case.source,
        policy=policy,
        primitives=declared_primitives(case.primitives),
        variables=case.variables,
        outputs=case.outputs,
        depth_left=case.depth_left,
        parent=case.parent,
        repair=repair,
        thorough=thorough,
    )


def policy_for(rule: type[Rule], level: str = "") -> Policy:
    """The strict policy, with a rule that is off by default switched on."""
    level = level or ("error" if rule.level == "off" else "")
    return STRICT.but(grammar={rule.code: level}) if level else STRICT


def is_refused(verdict: Verdict) -> bool:
    """Whether a finding stands in the way of a program."""
    return any(finding.level == "error" for finding in verdict.findings)
