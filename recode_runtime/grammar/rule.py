"""What a rule is: one page (docstring, cases, advice) and a visitor over the concrete syntax tree.

The page has ruff's headings: What it does, Why, Example, Use instead. Tests are generated from
`VALID` and `INVALID`; the prompt's rules are generated from `in_words`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Literal

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.names import CalledName, Reading
from recode_runtime.policy import Policy
from recode_runtime.program import Placeholder

Role = Literal["use", "binding", "label"]


@dataclass(frozen=True, slots=True)
class Case:
    """A program with what it is judged by, as a rule's page shows it.

    `always` marks what the rule refuses whatever level a policy gives it.
    """

    source: str
    primitives: Sequence[str] = ("run",)
    variables: Sequence[str] = ("obs", "items", "flag")
    outputs: Sequence[str] = ()
    depth_left: int | None = None
    parent: Placeholder | None = None
    always: bool = False


Cases = Mapping[str, Case | str]


@dataclass(slots=True)
class Context:
    """What rules know besides the node they visit.

    `call` and `role` answer for nodes of the concrete tree that was or is being visited; they are
    filled by the engine ahead of the rules.
    """

    policy: Policy
    reading: Reading
    outputs: Sequence[str] = ()
    depth_left: int | None = None
    parent: Placeholder | None = None
    calls: dict[libcst.Call, CalledName] = field(default_factory=dict)
    roles: dict[libcst.CSTNode | None, Role] = field(default_factory=dict)

    def role(self, node: libcst.Name | libcst.Attribute | libcst.Tuple | libcst.List) -> Role:
        """Whether it is read (`use`), assigned or deleted (`binding`), or no variable (`label`)."""
        return self.roles.get(node, "use")


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule said; `node` is None where it speaks of the whole program."""

    code: str
    node: libcst.CSTNode | None
    message: str
    advice: str
    level: Level


class Visitor(libcst.BatchableCSTVisitor):
    """A visitor whose methods are found once a class, not once a program."""

    def get_visitors(self) -> Mapping[str, Any]:
        """The visiting methods by name; aliases included."""
        return {name: getattr(self, name) for name in visitor_names(type(self))}


class Rule(Visitor):
    """The base of every rule; a subclass has a page and `visit_*` methods that call `report`.

    With `always`, a policy cannot give the rule another level than "error".
    """

    code: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str]
    level: ClassVar[Level] = "error"
    always: ClassVar[bool] = False
    in_words: ClassVar[str] = ""
    VALID: ClassVar[Cases]
    INVALID: ClassVar[Cases]

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__()
        self.context = context
        self.reports: list[Report] = []
        self._level = level

    def report(
        self, node: libcst.CSTNode | None, message: str, advice: str = "", *, always: bool = False
    ) -> None:
        """Say that the rule is broken at this node; the engine finds the place.

        With `always` it is an error even if the policy has turned the rule down or off.
        """
        level: Level = "error" if always else self._level
        if level != "off":
            words = advice or self.advice
            self.reports.append(Report(self.code, node, message, words, level))

    def placeholder(self, node: libcst.Call) -> CalledName | None:
        """The reading of a call, if it is a placeholder outside a definition."""
        call = self.context.calls[node]
        wanted = call.kind == "placeholder" and call.place != "definition"
        return call if wanted else None


@cache
def visitor_names(kind: type[libcst.BatchableCSTVisitor]) -> tuple[str, ...]:
    """The names of the visiting methods that a class has of its own."""
    above = [base for base in kind.__mro__ if base not in libcst.BatchableCSTVisitor.__mro__]
    names = {name for base in above for name in vars(base)}
    return tuple(sorted(name for name in names if name.startswith(("visit_", "leave_"))))
