"""RC201."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

import libcst
from libcst.helpers import get_full_name_for_node

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Case, Cases, Context, Rule

_SHOWN = 12  # names of a module in an advice
_NO_FOLDER = "write `import module`, without dots: a program lies in no folder"


class ImportNotAllowed(Rule):
    """Something is imported that the language does not have.

    ## What it does
    Accepts `import module` and `from module import name` for the modules and names in the
    policy's `[language.facades]`, also with `as`. Refuses every other module or name, dotted
    modules, relative imports and `import *`, and attributes of an imported module that are not
    among its names.

    ## Why
    A program sees a module as a few chosen functions. The rest of a module leads out of the
    sandbox's language: `json.codecs.open`, `statistics.sys`. After `import *` nobody can say which
    names are bound, and so which calls are placeholders; a relative import needs a folder.

    ## Example
        import os

    ## Use instead
        files = run('list files')
    """

    code = "RC201"
    title = "import not allowed"
    advice = "do it with primitives, or with the modules that may be imported"
    in_words = "Import nothing but the modules that may be imported."
    VALID: ClassVar[Cases] = {
        "module": "import math\nn = math.sqrt(2)",
        "renamed": "import math as m\nn = m.sqrt(2)",
        "names": "from math import sqrt, pi as p\nn = sqrt(p)",
        "two modules": "import math, json",
        "attribute of what a module holds": (
            "import datetime\nday = datetime.date(2024, 1, 31).isoformat()"
        ),
        "variable of the name of a module": "import math\nmath = obs\nn = math.size",
        "bound before, and perhaps again": Case(
            "if flag:\n    import math\nn = math.size", variables=("flag", "math")
        ),
    }
    INVALID: ClassVar[Cases] = {
        "module": "import os",
        "one of two": "import math, os",
        "name of another module": "from os import path",
        "name that is not offered": "from json import codecs",
        "dotted": "import os.path",
        "dotted from": "from collections.abc import Mapping",
        "relative": "from . import math",
        "relative module": "from .math import sqrt",
        "star": "from math import *",
        "attribute that is not offered": "import math\nn = math.nothing",
        "attribute of a renamed module": "import json as j\nj.codecs.open('file')",
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._modules: dict[str, str] = {}

    def visit_Import(self, node: libcst.Import) -> None:
        """Each module of `import a, b`."""
        for alias in node.names:
            name = alias.evaluated_name
            if name not in self.context.policy.language.facades:
                self.report(alias, f"the module {name} may not be imported")
            else:
                self._modules[alias.evaluated_alias or name] = name

    def visit_ImportFrom(self, node: libcst.ImportFrom) -> None:
        """The module, then each name of `from a import b, c`."""
        name = get_full_name_for_node(node.module) if node.module else ""
        offered = self.context.policy.language.facades.get(name or "")
        if node.relative:
            self.report(
                node, f"`{'.' * len(node.relative)}{name}` is relative to nothing", _NO_FOLDER
            )
        elif offered is None:
            self.report(node, f"the module {name} may not be imported")
        elif isinstance(node.names, libcst.ImportStar):
            advice = f"name what is needed: from {name} import {', '.join(offered[:3])}"
            self.report(node, f"`import *` from {name} does not say what it binds", advice)
        else:
            for alias in node.names:
                if alias.evaluated_name not in offered:
                    self.report(alias, f"{name} has no {alias.evaluated_name} here")

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        """What is read of an imported module, where the name can mean nothing else."""
        name = node.value.value if isinstance(node.value, libcst.Name) else ""
        module, label = self._modules.get(name), node.attr.value
        offered = self.context.policy.language.facades[module] if module else ()
        if not module or label in offered or label.startswith("_"):  # of which RC202 speaks
            return
        if self._is_module(name):
            more = f" and {len(offered) - _SHOWN} more" if len(offered) > _SHOWN else ""
            advice = f"use what {module} has here: {', '.join(offered[:_SHOWN])}{more}"
            self.report(node, f"{module} has no {label} here", advice)

    def _is_module(self, name: str) -> bool:
        binding = [one for one in ast.walk(self.context.reading.tree) if name in _bound(one)]
        return name not in self.context.variables and len(binding) == 1


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds or unbinds itself."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name
        case ast.ExceptHandler(name=str() as name):
            yield name
