"""What can go wrong, sorted by who must act.

::

    RecodeError
      + PolicyError         the policy file is wrong                          (the user acts)
      + BundleMissing       the install is broken                             (the user acts)
      + ExtraMissing        an optional part is not installed                 (the user acts)
      + Refused             the program is outside the grammar; .findings     (the model acts)
      + ReplyUnreadable     there is no program in the reply                  (the model acts)
      + LimitExceeded       which, how much, whose; .tree so far              (the caller decides)
      + SandboxUnavailable  our machinery failed, not the program             (the operator acts)
      + ModelUnavailable    the transport gave up                             (the operator acts)
      + EnvironmentUnavailable  the task's world cannot be reached            (the operator acts)
      + OutcomeUnknown      a primitive was sent and no answer is recorded    (the operator acts)

A program that was refused or that failed is a value (`Finding`, `tree.Failure`); only our own
machinery failing is an exception that leaves the supervisor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recode_runtime.tree import Tree

Level = Literal["error", "warning", "off"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a grammar rule has to say about one place of a program.

    `line` and `column` count from 1 and 0, as `ast` does; 0 and 0 mean the text as a whole.
    `end_line` and `end_column` are just behind it, and 0 where only the beginning is known.
    `advice` is the rule's "Use instead", written to be sent back to the model. `repair` says
    whether the grammar can mend it by itself, and whether that keeps the meaning for certain.
    """

    code: str
    message: str
    line: int = 0
    column: int = 0
    advice: str = ""
    level: Level = "error"
    end_line: int = 0
    end_column: int = 0
    repair: Literal["", "safe", "unsafe"] = ""

    def __str__(self) -> str:
        """`line 3: RC102 message`, without the advice."""
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.code} {self.message}"


class RecodeError(Exception):
    """The base of every exception this package raises on purpose."""


class PolicyError(RecodeError):
    """The policy file is wrong; the message names the file, the key and the nearest known key."""


class BundleMissing(RecodeError):
    """Data files that ship with the package are not where they must be: the install is broken."""


class ExtraMissing(RecodeError):
    """An optional part is not installed; the message names the extra that brings it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed: pip install 'recode-runtime[{extra}]'")
        self.extra = extra


class Refused(RecodeError):
    """The program is outside the grammar of the policy."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class ReplyUnreadable(RecodeError):
    """There is no program in the model's reply; `findings` says what was seen instead."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class LimitExceeded(RecodeError):
    """A budget of the run is used up.

    `limit` is its name in the policy's `[supervisor]` table, `allowed` the most that could be
    spent, in that limit's own unit (counts, or seconds), `node` the node that wanted more, and
    `tree` all that happened until then.
    """

    tree: Tree | None = None

    def __init__(self, limit: str, allowed: float, node: str = "") -> None:
        self.limit = limit
        self.allowed = allowed
        self.node = node
        whose = f" (at node {node})" if node else ""
        super().__init__(f"the run's budget of {allowed:g} {limit} is used up{whose}")


class SandboxUnavailable(RecodeError):
    """The sandbox cannot be opened or broke its protocol: not the program's failure."""


class ModelUnavailable(RecodeError):
    """The model's transport gave up; the message says after what, and what to check."""


class EnvironmentUnavailable(RecodeError):
    """The task's world cannot be started or reached; the message says what is missing."""


class OutcomeUnknown(RecodeError):
    """A primitive was sent and its answer was never recorded: it may or may not have acted."""
