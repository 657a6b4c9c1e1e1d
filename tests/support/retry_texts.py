"""What a model is told for one broken program of every code; run as a program, it keeps the texts.

`python tests/support/retry_texts.py` writes `tests/snapshots/retry_text.txt` anew. No test does so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.grammar import ALL_RULES, Case, Rule, judge
from recode_runtime.policy import Policy
from recode_runtime.primitive import declared_primitives
from recode_runtime.prompt import retry_text
from recode_runtime.reply import read_reply

KEPT = Path(__file__).parents[1] / "snapshots" / "retry_text.txt"
STRICT = Policy.named("strict")
# What the gate and the reader of replies say has no page of a rule.
REPLIES = {
    "RC001": "I will look around first.",
    "RC002": "<execute>\n" * 1_001,
}
BEFORE_THE_RULES = {
    "RC003": "obs = run('look'\nrun('go')",
    "RC004": "x = " + "1 and " * 200 + "1",
    "RC005": "# nothing yet",
}


def findings_of(rule: type[Rule], case: Case | str) -> tuple[tuple[Finding, ...], str]:
    """What a rule says of a case of its page, and of which text; one that is off is switched on."""
    policy = STRICT.but(grammar={rule.code: "error"}) if rule.level == "off" else STRICT
    findings, source = judged(case, policy)
    return tuple(one for one in findings if one.code == rule.code), source


def judged(case: Case | str, policy: Policy = STRICT) -> tuple[tuple[Finding, ...], str]:
    """What a policy says of a text, and of which."""
    case = case if isinstance(case, Case) else Case(case)
    verdict = judge(
        case.source,
        policy=policy,
        primitives=declared_primitives(case.primitives),
        variables=case.variables,
        outputs=case.outputs,
        depth_left=case.depth_left,
        parent=case.parent,
    )
    return verdict.findings, verdict.source


def samples() -> Iterator[tuple[str, tuple[Finding, ...], str]]:
    """A title, the findings and their text, for every code in the order of the codes."""
    for code, reply in REPLIES.items():
        try:
            read_reply(reply)
        except ReplyUnreadable as unreadable:
            yield f"{code} reply", unreadable.findings, ""
    for code, source in BEFORE_THE_RULES.items():
        yield f"{code} gate", *judged(source)
    for rule in ALL_RULES:
        name, case = next(iter(rule.INVALID.items()))
        yield f"{rule.code} {name}", *findings_of(rule, case)


def rendered() -> str:
    """The whole file: a heading and the text for each sample."""
    return "\n\n".join(
        f"=== {title}\n" + "\n".join(retry_text(findings, source))
        for title, findings, source in samples()
    )


if __name__ == "__main__":
    KEPT.write_text(rendered() + "\n", encoding="utf-8")
