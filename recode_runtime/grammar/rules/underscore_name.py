"""RC202."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import libcst
from RestrictedPython.transformer import FORBIDDEN_FUNC_NAMES, INSPECT_ATTRIBUTES

from recode_runtime.errors import Level
from recode_runtime.grammar.rewriting import fresh, places_to_rename, renamed
from recode_runtime.grammar.rule import Case, Cases, Context, Rewrite, Rule
from recode_runtime.grammar.scene import below

_KEPT = FORBIDDEN_FUNC_NAMES - {"print"}  # which RC203 judges
_UNREAD = _KEPT - {"printed"}


class UnderscoreName(Rule):
    """A name or an attribute is reserved for Python's own machinery.

    ## What it does
    Refuses names, attributes, parameters and keywords that begin with an underscore, names that
    end in `__roles__`, attributes of frames, tracebacks and code, and the names that
    RestrictedPython keeps for itself. The bare `_` may be assigned and read.

    ## Why
    Underscore attributes lead from any value to the interpreter (`().__class__.__base__`), and
    underscore names are those of the sandbox's own guards.

    ## Example
        _count = 0

    ## Use instead
        count = 0
    """

    code = "RC202"
    title = "underscore name or attribute"
    advice = "use names that do not begin with an underscore"
    in_words = "Names and attributes must not begin with an underscore (a bare `_` may)."
    VALID: ClassVar[Cases] = {
        "inner underscore": "item_count = 0",
        "trailing underscore": "class_ = 'cup'",
        "thrown away": "for _ in range(3):\n    run('wait')",
        "unpacked and thrown away": "_, last = items",
        "attribute": "words = obs.split()",
    }
    INVALID: ClassVar[Cases] = {
        "name": Case("_count = 0", repaired="count = 0"),
        "name, while a placeholder is expanded": Case(
            "_count = 0\nclean(obs)\nrun(_count)",
            repaired="count = 0\nclean(obs)\nrun(count)",
            unsafe=True,
        ),
        "dunder attribute": "kind = obs.__class__",
        "method": "obs._secret()",
        "bare underscore as attribute": "n = obs._",
        "parameter": Case("f = lambda _x: 1", repaired="f = lambda x: 1"),
        "keyword": "run(_key='look')",
        "loop variable": Case(
            "for _item in items:\n    run('wait')", repaired="for item in items:\n    run('wait')"
        ),
        "handler": Case(
            "try:\n    run('go')\nexcept ValueError as _error:\n    pass",
            repaired="try:\n    run('go')\nexcept ValueError as error:\n    pass",
        ),
        "import": Case("import math as _math", repaired="import math as math_2"),
        "walrus": Case("print(_n := 3)", repaired="print(n := 3)"),
        "in an f-string": "text = f'{obs.__class__}'",
        "frame": "frame = obs.gi_frame",
        "roles": "obs__roles__ = 1",
        "reserved by the sandbox": "printed = 1",
        "reserved by the sandbox, read": "n = builtins",
        "reserved by the sandbox, as keyword": "clean(printed=1)",
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._rewrites: dict[str, Rewrite | None] = {}

    def visit_Name(self, node: libcst.Name) -> None:
        """Every name in the text: variables, attributes, parameters, keywords."""
        name, role = node.value, self.context.role(node)
        reserved = (name.startswith("_") and name != "_") or name.endswith("__roles__")
        if role == "use" and name in self.context.reading.forbidden:
            return  # RC205
        if reserved or (role == "binding" and name in _KEPT) or (role == "use" and name in _UNREAD):
            self.report(node, f"the name {name} is reserved", rewrite=self._rewrite(name))

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        """Attributes that lead to frames and code, and the bare `_`."""
        name = node.attr.value
        if name == "_" or (name in INSPECT_ATTRIBUTES and not name.startswith("_")):
            self.report(node.attr, f"the attribute {name} is reserved")

    def _rewrite(self, name: str) -> Rewrite | None:
        if name not in self._rewrites:
            self._rewrites[name] = self._renaming(name)
        return self._rewrites[name]

    def _renaming(self, name: str) -> Rewrite | None:
        """A variable of the program loses its underscores, in all places at once.

        It is not safe where a placeholder is expanded while the variable is in use: its expansion
        would not have bound the one name, and may bind the other.
        """
        better = name.lstrip("_")
        if not better.isidentifier() or name.endswith("__") or not name.startswith("_"):
            return None
        places = places_to_rename(self.context, name)
        if not any(map(self._binds, places)):
            return None
        better = fresh(self.context, better)
        safe = not self._spans_placeholder(places)
        what = f"the variable {name} was renamed {better}"
        return Rewrite(what, lambda: renamed(places, better), safe=safe)

    def _binds(self, node: libcst.Name) -> bool:
        """Whether the program binds a variable of this name, or here in a scope of its own."""
        above = [node, *self.context.scene.above(node)]
        return node.value in self.context.reading.bound or any(
            isinstance(parent, libcst.Param)
            or (isinstance(parent, libcst.CompFor) and child is parent.target)
            for child, parent in pairwise(above)
        )

    def _spans_placeholder(self, places: list[libcst.Name]) -> bool:
        """Whether a placeholder is expanded between the first and the last place."""
        first, last = map(self._number_of_piece, (places[0], places[-1]))
        edges = self._goals[first], self._goals[last]
        return "part" in edges or any(self._goals[first + 1 : last])

    def _number_of_piece(self, place: libcst.Name) -> int:
        above = (self._numbers.get(one) for one in self.context.scene.above(place))
        return next(number for number in above if number is not None)

    @cached_property
    def _numbers(self) -> dict[libcst.CSTNode, int]:
        return {piece: number for number, piece in enumerate(self.context.scene.pieces())}

    @cached_property
    def _goals(self) -> list[str]:
        """For each statement, whether a placeholder is a "part" of it, or the "whole", or none."""
        names = {one.name for one in self.context.reading.calls if one.kind == "placeholder"}
        found = []
        for piece in self._numbers:
            calls = [one for one in below(piece) if isinstance(one, libcst.Call)]
            goals = [one for one in calls if getattr(one.func, "value", "") in names]
            whole = goals == [getattr(piece, "value", None)]
            found.append(("whole" if whole else "part") if goals else "")
        return found
