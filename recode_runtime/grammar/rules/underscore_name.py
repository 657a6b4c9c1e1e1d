"""RC202."""

from __future__ import annotations

from typing import ClassVar

import libcst
from RestrictedPython.transformer import FORBIDDEN_FUNC_NAMES, INSPECT_ATTRIBUTES

from recode_runtime.grammar.rule import Cases, Rule

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
        "name": "_count = 0",
        "dunder attribute": "kind = obs.__class__",
        "method": "obs._secret()",
        "bare underscore as attribute": "n = obs._",
        "parameter": "f = lambda _x: 1",
        "keyword": "run(_key='look')",
        "loop variable": "for _item in items:\n    run('wait')",
        "handler": "try:\n    run('go')\nexcept ValueError as _error:\n    pass",
        "import": "import math as _math",
        "walrus": "print(_n := 3)",
        "in an f-string": "text = f'{obs.__class__}'",
        "frame": "frame = obs.gi_frame",
        "roles": "obs__roles__ = 1",
        "reserved by the sandbox": "printed = 1",
        "reserved by the sandbox, read": "n = builtins",
        "reserved by the sandbox, as keyword": "clean(printed=1)",
    }

    def visit_Name(self, node: libcst.Name) -> None:
        """Every name in the text: variables, attributes, parameters, keywords."""
        name, role = node.value, self.context.role(node)
        reserved = (name.startswith("_") and name != "_") or name.endswith("__roles__")
        if role == "use" and name in self.context.reading.forbidden:
            return  # RC205
        if reserved or (role == "binding" and name in _KEPT) or (role == "use" and name in _UNREAD):
            self.report(node, f"the name {name} is reserved")

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        """Attributes that lead to frames and code, and the bare `_`."""
        name = node.attr.value
        if name == "_" or (name in INSPECT_ATTRIBUTES and not name.startswith("_")):
            self.report(node.attr, f"the attribute {name} is reserved")
