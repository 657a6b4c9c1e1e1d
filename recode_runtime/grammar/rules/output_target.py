"""RC117."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import libcst

from recode_runtime.grammar.evaluation import Weight, weight
from recode_runtime.grammar.rewriting import assigned, placeholder_lifted, restated, result_name
from recode_runtime.grammar.rule import Case, Cases, Changes, Rewrite, Rule
from recode_runtime.grammar.statements import outputs_of

_OTHER_NAME = "name every output without an underscore in front, or leave it out"


class OutputTarget(Rule):
    """What a placeholder gives is not assigned to plain names.

    ## What it does
    Accepts `name(args)`, `a = name(args)` and `a, b = name(args)`. Refuses attributes, items,
    list and starred targets, `+=`, annotations, `:=`, chained assignments, a name that stands
    there twice, and, whatever the policy says, names that begin with an underscore.

    ## Why
    The names left of the `=` are the promise that the expansion must keep by assigning them;
    anything else has no name to promise. Names that begin with an underscore are not kept: no
    later statement could rely on them.

    ## Example
        rooms['kitchen'] = describe_room(obs)

    ## Use instead
        kitchen = describe_room(obs)
        rooms['kitchen'] = kitchen
    """

    code = "RC117"
    title = "output target not a plain name"
    advice = "assign the placeholder to plain names, and use them in the next statement"
    VALID: ClassVar[Cases] = {
        "no output": "clean(obs)",
        "one output": "cup = find_cup(obs)",
        "two outputs": "cup, room = find_cup(obs)",
        "other targets without a placeholder": "items[0] = run('look')\nflag += 1",
    }
    INVALID: ClassVar[Cases] = {
        "item": Case(
            "items[0] = find_cup(obs)",
            repaired="find_cup_result = find_cup(obs)\nitems[0] = find_cup_result",
        ),
        "item of an attribute": Case(
            "obs.cups[0] = find_cup(obs)",
            repaired="find_cup_result = find_cup(obs)\nobs.cups[0] = find_cup_result",
        ),
        "augmented": Case(
            "flag += count_cups(obs)",
            repaired="count_cups_result = count_cups(obs)\nflag += count_cups_result",
            unsafe=True,
        ),
        "annotated": Case("cup: str = find_cup(obs)", repaired="cup = find_cup(obs)"),
        "walrus": Case("(cup := find_cup(obs))", repaired="cup = find_cup(obs)"),
        "walrus in a call": Case(
            "print(cup := find_cup(obs))", repaired="cup = find_cup(obs)\nprint(cup)"
        ),
        "chained": Case("a = b = find_cup(obs)", repaired="a = find_cup(obs)\nb = a"),
        "starred": Case(
            "a, *b = find_cups(obs)",
            repaired="find_cups_result = find_cups(obs)\na, *b = find_cups_result",
        ),
        "list": Case("[a, b] = find_cups(obs)", repaired="a, b = find_cups(obs)"),
        "nested": Case(
            "a, (b, c) = find_cups(obs)",
            repaired="find_cups_result = find_cups(obs)\na, (b, c) = find_cups_result",
        ),
        "empty": "() = find_cups(obs)",
        "twice": "a, b, a = find_cups(obs)",
        "underscore": Case("_ = find_cup(obs)", always=True),
        "one of two an underscore": Case("cup, _ = find_cup(obs)", always=True),
    }

    def visit_Call(self, node: libcst.Call) -> None:
        """Every placeholder that is the whole value of a statement or of `:=`."""
        call = self.placeholder(node)
        if not call or not call.statement or call.place not in ("statement", "expression"):
            return
        outputs = outputs_of(call.statement)
        if outputs is None:
            message = f"what {call.name} gives is not assigned to plain names"
            self.report(node, message, rewrite=self._rewrite(node, call.name))
            return
        for name, times in Counter(outputs).items():
            if name.startswith("_"):
                message = f"the output {name} of {call.name} begins with an underscore"
                self.report(node, message, _OTHER_NAME, always=True)
            elif times > 1:
                self.report(node, f"the output {name} of {call.name} stands there {times} times")

    def _rewrite(self, node: libcst.Call, name: str) -> Rewrite | None:
        """The placeholder is assigned to a plain name first."""
        context, statement = self.context, self.context.scene.parents[node]
        if isinstance(statement, libcst.NamedExpr):
            return placeholder_lifted(context, node)
        most = context.evaluation.before_moving(node)
        if most is None or not _can_be_kept(statement):
            return None

        def make() -> Changes:
            instead = _plainly_assigned(statement, node)
            if instead:
                return restated(context.scene, statement, (), instead)
            result = result_name(context, name)
            changes: Changes = {node: libcst.Name(result)}
            return restated(context.scene, statement, [assigned(result, node)], changes=changes)

        what = f"what {name} gives was assigned to a plain name"
        return Rewrite(what, make, safe=most == Weight.NOTHING)


def _targets(statement: libcst.CSTNode) -> list[libcst.BaseExpression]:
    if isinstance(statement, libcst.Assign):
        return [one.target for one in statement.targets]
    if isinstance(statement, libcst.AugAssign | libcst.AnnAssign):
        return [statement.target]
    return []


def _can_be_kept(statement: libcst.CSTNode) -> bool:
    """Whether the language has all that stands left of the `=`, and it makes sense there."""
    simple: list[libcst.BaseExpression] = []
    for target in _targets(statement):
        parts = list(_parts(target))
        names = [one.value for one in parts if isinstance(one, libcst.Name)]
        if not parts or len(names) > len(set(names)):
            return False
        simple += parts
    annotation = getattr(statement, "annotation", None)
    return all(isinstance(one, libcst.Name | libcst.Subscript) for one in simple) and (
        annotation is None or weight(annotation.annotation, ()) < Weight.ACTS
    )


def _parts(target: libcst.BaseExpression) -> Iterator[libcst.BaseExpression]:
    """What is assigned to in the end; an empty tuple or list is a part of its own."""
    if isinstance(target, libcst.Tuple | libcst.List) and target.elements:
        for element in target.elements:
            yield from _parts(element.value)
    else:
        yield target


def _plainly_assigned(
    statement: libcst.CSTNode, call: libcst.Call
) -> list[libcst.BaseSmallStatement]:
    """The statements that assign the call to names at once, where these stand there already."""
    match statement:
        case libcst.AnnAssign(target=libcst.Name(value=name)):
            return [assigned(name, call)]
        case libcst.Assign(targets=[libcst.AssignTarget(target=libcst.List() as target)]):
            parts = [one.value for one in target.elements]
            plain = [libcst.Element(one) for one in parts]
            if len(parts) > 1 and all(isinstance(one, libcst.Name) for one in parts):
                return [assigned(libcst.Tuple(plain, lpar=[], rpar=[]), call)]
        case libcst.Assign(
            targets=[libcst.AssignTarget(target=libcst.Name(value=name)), second, *more]
        ):
            if name != "_":
                again = statement.with_changes(targets=[second, *more], value=libcst.Name(name))
                return [assigned(name, call), again]
    return []
