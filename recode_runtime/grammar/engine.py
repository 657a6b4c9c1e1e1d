"""All rules in one walk over the concrete syntax tree; places are looked up only for findings.

Looking up places costs several times the visit itself, and most programs have no finding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst
from libcst.metadata import CodeRange

from recode_runtime.errors import Finding, Level, PolicyError
from recode_runtime.grammar import gate
from recode_runtime.grammar.names import CalledName
from recode_runtime.grammar.places import places
from recode_runtime.grammar.rule import Context, Report, Role, Rule
from recode_runtime.grammar.scene import Scene
from recode_runtime.grammar.walk import plan_for
from recode_runtime.policy import Policy
from recode_runtime.wording import did_you_mean

# A comment that hides nothing: only the linter reads comments.
IDLE_COMMENT = "RC310"


def levels_of(policy: Policy, rules: Sequence[type[Rule]]) -> dict[str, Level]:
    """The level of every rule by its code: the policy's word, else the rule's own.

    Raises:
        PolicyError: `[grammar]` names a code that no rule has, or turns down one that may not be.
    """
    levels = {rule.code: rule.level for rule in rules}
    fixed = {*gate.TEXT_CODES, *(rule.code for rule in rules if rule.always)}
    for code, level in policy.grammar.items():
        if code in fixed and level != "error":
            raise PolicyError(f"policy {policy.name}: [grammar] {code} is always an error")
        if code == IDLE_COMMENT:
            raise PolicyError(
                f"policy {policy.name}: [grammar] {code} is the linter's; its setting is `ignore`"
            )
        if code not in levels and code not in fixed:
            hint = did_you_mean(code, levels, quotes=False)
            raise PolicyError(f"policy {policy.name}: [grammar] knows no rule {code}{hint}")
        levels[code] = level
    return levels


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the rules say of a program, with both its trees, or the problem why there are none."""

    problem: Finding | None = None
    reports: tuple[Report, ...] = ()
    scene: Scene | None = None
    tree: ast.Module | None = None

    @property
    def refuses(self) -> bool:
        """Whether there is an error; its place is not looked up for that."""
        return bool(self.problem) or any(report.level == "error" for report in self.reports)

    def findings(self) -> tuple[Finding, ...]:
        """What was found, with its places, in the order of the lines."""
        if self.problem:
            return (self.problem,)
        return tuple(
            sorted(
                (_finding(report, place) for report, place in self._placed()),
                key=lambda one: (one.line, one.column, one.code),
            )
        )

    def _placed(self) -> Iterator[tuple[Report, CodeRange | None]]:
        nodes = [report.node for report in self.reports if report.node]
        found = places(self.scene, self.tree, nodes) if nodes and self.scene and self.tree else {}
        return ((report, found[report.node] if report.node else None) for report in self.reports)


def inspect(
    source: str, context: Context, rules: Sequence[type[Rule]], levels: Mapping[str, Level]
) -> Inspection:
    """What the rules say about a program that passed the gate."""
    module = _parsed(source)
    if isinstance(module, Finding):
        return Inspection(module)
    context.scene = Scene(module)
    guide = _Guide(context)
    active = [rule(context, levels[rule.code]) for rule in rules]
    try:
        plan_for((_Guide, *rules)).walk(module, [guide, *active])
    except _ViewsDiffer:
        return Inspection(Finding(gate.SYNTAX, "two parsers read this program differently"))
    if guide.foreign:
        return Inspection(gate.foreign_name(guide.foreign))
    reports = tuple(report for rule in active for report in rule.reports)
    return Inspection(reports=reports, scene=context.scene, tree=context.reading.tree)


def _parsed(source: str) -> libcst.Module | Finding:
    try:
        return libcst.parse_module(source)
    except RecursionError:
        raise
    except BaseException as problem:  # a panic of the native parser is no Exception
        if isinstance(problem, KeyboardInterrupt | SystemExit):
            raise
        why = str(problem).partition("\n")[0][:200]
        return Finding(gate.SYNTAX, f"the program cannot be read: {why}")


def _finding(report: Report, place: CodeRange | None) -> Finding:
    rewrite = report.rewrite
    return Finding(
        report.code,
        report.message,
        place.start.line if place else 0,
        place.start.column if place else 0,
        report.advice,
        report.level,
        place.end.line if place else 0,
        place.end.column if place else 0,
        ("safe" if rewrite.safe else "unsafe") if rewrite else "",
    )


class _ViewsDiffer(Exception):
    """libcst and `ast` do not see the same calls."""


class _Guide:
    """Goes ahead of the rules: ties calls to their reading, and tells uses of names from labels."""

    def __init__(self, context: Context) -> None:
        self.foreign = ""
        self._calls: Iterator[CalledName] = iter(context.reading.calls)
        self._context = context

    def _mark(self, node: libcst.CSTNode | None, role: Role) -> None:
        match node:
            case libcst.Name():
                self._context.roles[node] = role
            case libcst.Tuple() | libcst.List():
                self._context.roles[node] = role
                for element in node.elements:
                    self._mark(element.value, role)
            case libcst.StarredElement():
                self._mark(node.value, role)
            case libcst.Attribute() if role == "label":
                self._mark(node.value, role)
            case libcst.Attribute():
                self._context.roles[node] = role

    def visit_Name(self, node: libcst.Name) -> None:
        if not node.value.isascii():
            self.foreign = self.foreign or node.value

    def visit_Call(self, node: libcst.Call) -> None:
        reading = next(self._calls, None)
        if reading is None or not _same_name(node.func, reading.node.func):
            raise _ViewsDiffer
        self._context.calls[node] = reading
        if reading.kind == "placeholder" and reading.place != "definition":
            for argument in node.args:  # a parameter is a variable of the expansion
                self._mark(argument.keyword, "binding")

    def leave_Module(self, original_node: libcst.Module) -> None:
        if next(self._calls, None) is not None:
            raise _ViewsDiffer

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        self._mark(node.attr, "label")

    def visit_Arg(self, node: libcst.Arg) -> None:
        if node.keyword not in self._context.roles:
            self._mark(node.keyword, "label")

    def visit_ImportAlias(self, node: libcst.ImportAlias) -> None:
        plain = isinstance(node.name, libcst.Name) and not node.asname
        self._mark(node.name, "binding" if plain else "label")

    def visit_ImportFrom(self, node: libcst.ImportFrom) -> None:
        self._mark(node.module, "label")

    def visit_AsName(self, node: libcst.AsName) -> None:
        self._mark(node.name, "binding")

    def visit_Param(self, node: libcst.Param) -> None:
        self._mark(node.name, "binding")

    def visit_AssignTarget(self, node: libcst.AssignTarget) -> None:
        self._mark(node.target, "binding")

    def _target(self, node: libcst.AugAssign | libcst.AnnAssign | libcst.NamedExpr) -> None:
        self._mark(node.target, "binding")

    visit_AugAssign = visit_AnnAssign = visit_NamedExpr = _target

    def visit_For(self, node: libcst.For) -> None:
        self._mark(node.target, "binding")

    def visit_CompFor(self, node: libcst.CompFor) -> None:
        self._mark(node.target, "binding")

    def visit_Del(self, node: libcst.Del) -> None:
        self._mark(node.target, "binding")

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        self._mark(node.name, "binding")

    def visit_ClassDef(self, node: libcst.ClassDef) -> None:
        self._mark(node.name, "binding")

    def visit_NameItem(self, node: libcst.NameItem) -> None:
        self._mark(node.name, "label")

    def visit_MatchKeywordElement(self, node: libcst.MatchKeywordElement) -> None:
        self._mark(node.key, "label")

    def visit_MatchAs(self, node: libcst.MatchAs) -> None:
        self._mark(node.name, "binding")

    def visit_MatchStar(self, node: libcst.MatchStar) -> None:
        self._mark(node.name, "binding")


def _same_name(concrete: libcst.BaseExpression, abstract: ast.expr) -> bool:
    """Whether the two views agree on what is called."""
    match concrete, abstract:
        case libcst.Name(value=name), ast.Name(id=other):
            return name == other or not name.isascii()  # reported as a foreign name
        case libcst.Attribute(attr=label), ast.Attribute(attr=other):
            return label.value == other or not label.value.isascii()
        case (libcst.Name() | libcst.Attribute(), _) | (_, ast.Name() | ast.Attribute()):
            return False
        case _:
            return True
