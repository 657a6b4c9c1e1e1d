"""RC201."""

from __future__ import annotations

from typing import ClassVar

import libcst
from libcst.helpers import get_full_name_for_node

from recode_runtime.grammar.rule import Cases, Rule


class ImportNotAllowed(Rule):
    """Something is imported that the language does not have.

    ## What it does
    Accepts `import module` and `from module import name` for the modules and names in the
    policy's `[language.facades]`, also with `as`. Refuses every other module or name, dotted
    modules, relative imports and `import *`.

    ## Why
    A program sees a module as a few chosen functions. The rest of a module leads out of the
    sandbox's language: `json.codecs.open`, `statistics.sys`.

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
    }

    def visit_Import(self, node: libcst.Import) -> None:
        """Each module of `import a, b`."""
        for alias in node.names:
            name = alias.evaluated_name
            if name not in self.context.policy.language.facades:
                self.report(alias, f"the module {name} may not be imported")

    def visit_ImportFrom(self, node: libcst.ImportFrom) -> None:
        """The module, then each name of `from a import b, c`."""
        name = get_full_name_for_node(node.module) if node.module else ""
        offered = self.context.policy.language.facades.get(name or "")
        if node.relative or offered is None:
            dots = "." * len(node.relative)
            self.report(node, f"the module {dots}{name} may not be imported")
        elif isinstance(node.names, libcst.ImportStar):
            self.report(node, f"`import *` from {name} is not allowed")
        else:
            for alias in node.names:
                if alias.evaluated_name not in offered:
                    self.report(alias, f"{name} has no {alias.evaluated_name} here")
