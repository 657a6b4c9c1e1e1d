"""What a model is told for one broken program of every code; run as a program, it keeps the texts.

`python tests/support/retry_texts.py` writes `tests/snapshots/retry_text.txt` anew. No test does so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from judging import judged, policy_for, verdict_on_case
from recode_runtime.errors import Finding, ReplyUnreadable
from recode_runtime.grammar import ALL_RULES, Case, Rule
from recode_runtime.prompt import retry_text
from recode_runtime.reply import read_reply

KEPT = Path(__file__).parents[1] / "snapshots" / "retry_text.txt"
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
    verdict = verdict_on_case(case, policy_for(rule))
    return tuple(one for one in verdict.findings if one.code == rule.code), verdict.source


def samples() -> Iterator[tuple[str, tuple[Finding, ...], str]]:
    """A title, the findings and their text, for every code in the order of the codes."""
    for code, reply in REPLIES.items():
        try:
            read_reply(reply)
        except ReplyUnreadable as unreadable:
            yield f"{code} reply", unreadable.findings, ""
    for code, source in BEFORE_THE_RULES.items():
        yield f"{code} gate", judged(source).findings, source
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
