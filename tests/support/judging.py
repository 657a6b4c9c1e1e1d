"""Texts judged by two policies: the default one, and one as deep as a policy may be."""

from __future__ import annotations

from recode_runtime.errors import Finding
from recode_runtime.grammar import Verdict, judge
from recode_runtime.policy import Policy

STRICT = Policy.named("strict")
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


def is_refused(verdict: Verdict) -> bool:
    """Whether a finding stands in the way of a program."""
    return any(finding.level == "error" for finding in verdict.findings)
