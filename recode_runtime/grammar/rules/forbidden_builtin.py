"""RC205."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Case, Cases, Rule
from recode_runtime.grammar.rules.swallowing_handler import is_signal


class ForbiddenBuiltin(Rule):
    """A builtin of Python is used that the language does not have.

    ## What it does
    Refuses names that are builtins in Python, are not in the policy's `[language] builtins`, and
    are bound nowhere: called, passed on, or caught. `eval` and `exec` cannot be called even where
    a variable has that name.

    ## Why
    Such a name is no sub-goal, though it is bound nowhere: the model means Python's own. What is
    left out of the language reaches files, code, or attributes by their names.

    ## Example
        n = eval(obs)

    ## Use instead
        n = int(obs)
    """

    code = "RC205"
    title = "forbidden builtin"
    advice = "do it with primitives, or with the builtins of the language"
    in_words = (
        "These and other unsafe builtins do not exist: open, input, eval, exec, compile, getattr, "
        "setattr, vars, dir, globals, locals."
    )
    VALID: ClassVar[Cases] = {
        "allowed builtin": "n = int(obs)",
        "variable of that name": "for object in items:\n    run(object)",
        "variable of the namespace": Case("run(input)", variables=("input",)),
        "method of that name": "obs.open()",
        "keyword of that name": "run(input=1)",
    }
    INVALID: ClassVar[Cases] = {
        "eval": "n = eval(obs)",
        "open": "text = open('file')",
        "import function": "os = __import__('os')",
        "getattr": "f = getattr(obs, 'split')",
        "passed on": "names = map(vars, items)",
        "assigned": "e = eval",
        "caught": "try:\n    run('go')\nexcept OSError:\n    pass",
        "in a loop": "for item in items:\n    print(globals())",
        "of the interactive Python": "exit()",
        "method of one": "text = open.read()",
        "call of a variable of that name": "f = lambda eval: eval(1)",
        "dunder variable": "if __name__ == 'solve':\n    run('go')",
    }

    _caught: libcst.BaseExpression | None = None

    def visit_ExceptHandler(self, node: libcst.ExceptHandler | libcst.ExceptStarHandler) -> None:
        """What is caught: of the signals that stop a program RC207 speaks."""
        self._caught = node.type

    visit_ExceptStarHandler = visit_ExceptHandler

    def visit_Name(self, node: libcst.Name) -> None:
        """Every name that is read."""
        name = node.value
        if name not in self.context.reading.forbidden or self.context.role(node) != "use":
            return
        if not is_signal(self._caught, node):
            self.report(node, f"the builtin {name} is not part of the language")

    def visit_Call(self, node: libcst.Call) -> None:
        """Calls that the sandbox knows by their name alone."""
        name = node.func.value if isinstance(node.func, libcst.Name) else ""
        if name in ("eval", "exec") and name not in self.context.reading.forbidden:
            self.report(node, f"nothing that is called {name} can be called", "use another name")
