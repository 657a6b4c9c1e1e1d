"""RC301."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Case, Cases, Context, Rule

_TYPED = ("run(action: str) -> str",)


class ObservationDropped(Rule):
    """What a primitive returns is thrown away.

    ## What it does
    Warns of a call of a primitive that stands as a statement of its own, although the primitive
    returns something: its signature says so, or, where it has none, the same program uses what
    another of its calls returns. It says nothing of a primitive that is annotated `-> None`, and
    nothing of the last statement of a program that promises no output: nothing in the program
    comes after it that could look.

    ## Why
    The world answers every action. A later statement that reads `obs` would see what was true
    before, and the next placeholder would be expanded on old knowledge.

    ## Example
        obs = run('look')
        run('open drawer 1')
        take_from_drawer(obs)

    ## Use instead
        obs = run('look')
        obs = run('open drawer 1')
        take_from_drawer(obs)
    """

    code = "RC301"
    title = "observation thrown away"
    level: ClassVar[Level] = "warning"
    advice = "assign what the primitive returns, and use the newest observation"
    VALID: ClassVar[Cases] = {
        "assigned": Case("obs = run('look')\nprint(obs)", primitives=_TYPED),
        "returns nothing": Case(
            "wait(3)\nobs = run('look')", primitives=("wait(turns: int) -> None", *_TYPED)
        ),
        "last statement": Case("obs = run('look')\nrun('take cup')", primitives=_TYPED),
        "nothing says that it returns something": "run('open drawer')\nrun('take cup')",
        "used in an expression": Case("if 'cup' in run('look'):\n    pass", primitives=_TYPED),
        "in a comprehension": Case("seen = [run(item) for item in items]", primitives=_TYPED),
    }
    INVALID: ClassVar[Cases] = {
        "signature says so": Case("run('open drawer')\nobs = run('look')", primitives=_TYPED),
        "used elsewhere": "obs = run('look')\nrun('open drawer')\nprint(obs)",
        "in a loop": Case("for item in items:\n    run('take ' + item)", primitives=_TYPED),
        "last, with a promise to keep": Case(
            "obs = run('look')\nrun('take cup')", primitives=_TYPED, outputs=("obs",)
        ),
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._dropped: list[libcst.Call] = []

    def leave_Expr(self, node: libcst.Expr) -> None:
        """Every call that is a statement."""
        call = node.value
        if isinstance(call, libcst.Call) and self.context.calls[call].kind == "primitive":
            self._dropped.append(call)

    def leave_Module(self, node: libcst.Module) -> None:
        """What was dropped, once all calls are known."""
        if not self._dropped:
            return
        dropped = {id(self.context.calls[one]) for one in self._dropped}
        used = {one.name for one in self.context.reading.calls if id(one) not in dropped}
        last = None if self.context.outputs else self.context.reading.tree.body[-1]
        for call in self._dropped:
            read = self.context.calls[call]
            if (read.statement is None or read.statement is not last) and self._returns(
                read.name, used
            ):
                self.report(call, f"what {read.name} returns is thrown away")

    def _returns(self, name: str, used: set[str]) -> bool:
        primitive = self.context.primitives.get(name)
        known = primitive.returns if primitive else None
        return name in used if known is None else known
