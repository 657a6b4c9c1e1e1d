"""All rules in one visit over the concrete syntax tree; places are looked up only for findings.

Looking up places costs several times the visit itself, and most programs have no finding.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider

from recode_runtime.errors import Finding, Level, PolicyError
from recode_runtime.grammar import gate
from recode_runtime.grammar.names import CalledName
from recode_runtime.grammar.rule import Context, Report, Role, Rule, Visitor
from recode_runtime.policy import Policy


def levels_of(policy: Policy, rules: Sequence[type[Rule]]) -> dict[str, Level]:
    """The level of every rule by its code: the policy's word, else the rule's own.

    Raises:
        PolicyError: `[grammar]` names a code that no rule has, or turns down one that may not be.
    """
    levels = {rule.code: rule.level for rule in rules}
    fixed = {*gate.GATE_CODES, *(rule.code for rule in rules if rule.always)}
    for code, level in policy.grammar.items():
        if code in fixed and level != "error":
            raise PolicyError(f"policy {policy.name}: [grammar] {code} is always an error")
        if code not in levels and code not in gate.GATE_CODES:
            raise PolicyError(_unknown(policy.name, code, levels))
        levels[code] = level
    return levels


def inspect(
    source: str, context: Context, rules: Iterable[type[Rule]], levels: Mapping[str, Level]
) -> tuple[Finding, ...]:
    """What the rules say about a program that passed the gate, in the order of its lines."""
    module = _parsed(source)
    if isinstance(module, Finding):
        return (module,)
    active = [rule(context, levels[rule.code]) for rule in rules]
    guide = _Guide(context)
    try:
        libcst.visit_batched(module, [guide, *active])
    except _ViewsDiffer:
        return (Finding(gate.SYNTAX, "two parsers read this program differently"),)
    if guide.foreign:
        return (gate.foreign_name(guide.foreign),)
    return _placed(module, [report for rule in active for report in rule.reports])


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


def _placed(module: libcst.Module, reports: Sequence[Report]) -> tuple[Finding, ...]:
    if not reports:
        return ()
    places = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    findings = []
    for report in reports:
        start = places[report.node].start if report.node else None
        line, column = (start.line, start.column) if start else (0, 0)
        findings.append(
            Finding(report.code, report.message, line, column, report.advice, report.level)
        )
    return tuple(sorted(findings, key=lambda one: (one.line, one.column, one.code)))


def _unknown(policy: str, code: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(code, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
    return f"policy {policy}: [grammar] knows no rule {code}{hint}"


class _ViewsDiffer(Exception):
    """libcst and `ast` do not see the same calls."""


class _Guide(Visitor):
    """Goes ahead of the rules: ties calls to their reading, and tells uses of names from labels."""

    def __init__(self, context: Context) -> None:
        super().__init__()
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
