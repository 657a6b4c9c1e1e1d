"""RC308."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rule import Case, Cases, Changes, Rewrite, Rule


class SeveralOnALine(Rule):
    """Several statements stand on one line.

    ## What it does
    Warns of a line with two or more statements, separated by semicolons.

    ## Why
    Each statement is one node of the tree, and a failure is shown with its line: two on one line
    cannot be told apart.

    ## Example
        obs = run('open drawer'); obs = run('take cup')

    ## Use instead
        obs = run('open drawer')
        obs = run('take cup')
    """

    code = "RC308"
    title = "several statements on one line"
    level: ClassVar[Level] = "warning"
    advice = "write each statement on a line of its own"
    VALID: ClassVar[Cases] = {
        "one a line": "obs = run('a')\nobs = run('b')",
        "semicolon at the end": "obs = run('a');",
        "branch on one line": "if flag: obs = run('a')",
        "semicolon in a text": "obs = run('a; b')",
    }
    INVALID: ClassVar[Cases] = {
        "two": Case("obs = run('a'); obs = run('b')", "obs = run('a')\nobs = run('b')"),
        "three, with comments": Case(
            "# first\na = 1 ; b = 2;c = 3  # last\nrun(a)",
            "# first\na = 1\nb = 2\nc = 3  # last\nrun(a)",
        ),
        "in a block": Case(
            "if flag:\n    # go\n    a = 1; b = 2\n    run(a)",
            "if flag:\n    # go\n    a = 1\n    b = 2\n    run(a)",
        ),
        "behind a colon": Case(
            "if flag: a = 1; b = 2  # both\nrun('go')",
            "if flag:\n    a = 1\n    b = 2  # both\nrun('go')",
        ),
    }

    def _look(self, node: libcst.SimpleStatementLine | libcst.SimpleStatementSuite) -> None:
        if len(node.body) > 1:
            rewrite = Rewrite("each statement on a line of its own", lambda: _apart(node))
            message = f"{len(node.body)} statements stand on one line"
            self.report(node.body[1], message, rewrite=rewrite)

    visit_SimpleStatementLine = visit_SimpleStatementSuite = _look


def _apart(node: libcst.SimpleStatementLine | libcst.SimpleStatementSuite) -> Changes:
    alone = [one.with_changes(semicolon=libcst.MaybeSentinel.DEFAULT) for one in node.body]
    lines = [libcst.SimpleStatementLine([one]) for one in alone]
    lines[-1] = lines[-1].with_changes(trailing_whitespace=node.trailing_whitespace)
    if isinstance(node, libcst.SimpleStatementSuite):
        return {node: libcst.IndentedBlock(lines)}
    lines[0] = lines[0].with_changes(leading_lines=node.leading_lines)
    return {node: libcst.FlattenSentinel(lines)}
