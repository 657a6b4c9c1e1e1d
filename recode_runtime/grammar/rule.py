"""What a rule is: one page (docstring, cases, advice) and a visitor over the concrete syntax tree.

The page has ruff's headings: What it does, Why, Example, Use instead. Tests are generated from
`VALID` and `INVALID`; the prompt's rules are generated from `in_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.evaluation import Evaluation
from recode_runtime.grammar.flow import Flow
from recode_runtime.grammar.names import CalledName, Reading
from recode_runtime.grammar.scene import Scene
from recode_runtime.policy import Policy
from recode_runtime.primitive import Primitive
from recode_runtime.program import Placeholder

Role = Literal["use", "binding", "label"]


@dataclass(frozen=True, slots=True)
class Case:
    """A program with what it is judged by, as a rule's page shows it.

    `always` marks what the rule refuses whatever level a policy gives it. `repaired` is the program
    that the rule's own repair makes of it, and `unsafe` says that only `--unsafe-fixes` does so.
    `warns` marks what is a warning though the rule's level is "error". `primitives` are names, or
    texts like `go(place: str) -> str`.
    """

    source: str
    repaired: str = ""
    unsafe: bool = False
    primitives: Sequence[str] = ("run",)
    variables: Sequence[str] = ("obs", "items", "flag")
    outputs: Sequence[str] = ()
    depth_left: int | None = None
    parent: Placeholder | None = None
    always: bool = False
    warns: bool = False


Cases = Mapping[str, Case | str]


@dataclass(slots=True)
class Context:
    """What rules know besides the node they visit.

    `calls` and `role` answer for nodes of the concrete tree that was or is being visited; they are
    filled by the engine ahead of the rules; `scene` is that tree. `primitives` holds what is known
    of each by its name, `variables` the names bound before the program runs, `returned` all names
    left of the `=` of the placeholder, of which `outputs` are those that are still to be bound.
    `imports` keeps by its name the rewrite that imports a module, or None where there is none, for
    all findings about that name.
    """

    policy: Policy
    reading: Reading
    outputs: Sequence[str] = ()
    depth_left: int | None = None
    parent: Placeholder | None = None
    calls: dict[libcst.Call, CalledName] = field(default_factory=dict)
    imports: dict[str, Rewrite | None] = field(default_factory=dict)
    roles: dict[libcst.CSTNode | None, Role] = field(default_factory=dict)
    primitives: Mapping[str, Primitive | None] = field(default_factory=dict)
    variables: Collection[str] = ()
    returned: Sequence[str] = ()
    scene: Scene = field(init=False)
    _flow: Flow | None = None
    _evaluation: Evaluation | None = None

    @property
    def evaluation(self) -> Evaluation:
        """What is done before what; looked up once, and only if a rule asks."""
        if self._evaluation is None:
            self._evaluation = Evaluation(self.scene, self._settled())
        return self._evaluation

    @property
    def flow(self) -> Flow:
        """The ways through the program; followed once, and only if a rule asks."""
        if self._flow is None:
            self._flow = Flow(self.reading.tree)
        return self._flow

    def role(self, node: libcst.Name | libcst.Attribute | libcst.Tuple | libcst.List) -> Role:
        """Whether it is read (`use`), assigned or deleted (`binding`), or no variable (`label`)."""
        return self.roles.get(node, "use")

    def _settled(self) -> Collection[str]:
        """The names that no expansion may bind: those of primitives, builtins and placeholders."""
        bound = {*self.reading.bound, *self.variables}
        goals = {one.name for one in self.reading.calls if one.kind == "placeholder"}
        return self.reading.primitives | ({*self.policy.language.builtins, *goals} - bound)


Replacement = libcst.CSTNode | libcst.FlattenSentinel[libcst.BaseStatement] | libcst.RemovalSentinel
Changes = Mapping[libcst.CSTNode, Replacement]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A repair that a rule offers with a report.

    `make` gives what stands in place of which node; it is asked only when the repair is made.
    `safe` is kept for what cannot change the meaning of the program, nor the order of its effects.
    """

    what: str
    make: Callable[[], Changes]
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule said; `node` is None where it speaks of the whole program."""

    code: str
    node: libcst.CSTNode | None
    message: str
    advice: str
    level: Level
    rewrite: Rewrite | None = None


class Rule:
    """The base of every rule; a subclass has a page and visiting methods that call `report`.

    The methods are those of libcst: `visit_Call`, `leave_Call`, `visit_For_body`, `leave_For_body`;
    and `visit_unknown` for kinds of nodes that have no line in `walk.PARTS`.

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
        self.context = context
        self.reports: list[Report] = []
        self._level = level

    def report(
        self,
        node: libcst.CSTNode | None,
        message: str,
        advice: str = "",
        *,
        always: bool = False,
        mild: bool = False,
        rewrite: Rewrite | None = None,
    ) -> None:
        """Say that the rule is broken at this node; the engine finds the place.

        With `always` it is an error even if the policy has turned the rule down or off; with `mild`
        it is a warning unless the policy gives the rule a level.
        """
        level: Level = "error" if always else self._level
        if mild and level == "error" and self.code not in self.context.policy.grammar:
            level = "warning"
        if level != "off":
            words = advice or self.advice
            self.reports.append(Report(self.code, node, message, words, level, rewrite))

    def placeholder(self, node: libcst.Call) -> CalledName | None:
        """The reading of a call, if it is a placeholder outside a definition."""
        call = self.context.calls[node]
        wanted = call.kind == "placeholder" and call.place != "definition"
        return call if wanted else None
