"""RC207."""

from __future__ import annotations

from typing import ClassVar

import libcst

from recode_runtime.grammar.rule import Case, Cases, Changes, Rewrite, Rule

# Behind these a session's limits and its end reach a program.
SIGNALS = ("BaseException", "GeneratorExit", "KeyboardInterrupt", "SystemExit")
_EVERYTHING = "BaseException"

Handler = libcst.ExceptHandler | libcst.ExceptStarHandler


class SwallowingHandler(Rule):
    """A handler would catch the signal that stops a program.

    ## What it does
    Refuses `except:`, and handlers of BaseException, KeyboardInterrupt, SystemExit or
    GeneratorExit, alone or among others, and `break` and `continue` that leave a `finally`.

    ## Why
    A program that is out of time, or whose task is over, is stopped by an exception of this kind.
    One that catches it goes on where it has to end. `except Exception` catches every mistake that
    a program or a primitive can make. A `finally` that is left by `break` or `continue` forgets
    what was raised, whatever it is.

    ## Example
        try:
            obs = run('open drawer')
        except:
            obs = ''

    ## Use instead
        try:
            obs = run('open drawer')
        except Exception:
            obs = ''
    """

    code = "RC207"
    title = "handler that swallows the stop signal"
    advice = "catch `Exception`, or the exceptions that are expected"
    in_words = "Write `except Exception:`, never a bare `except:` and never BaseException."
    VALID: ClassVar[Cases] = {
        "one exception": "try:\n    n = int(obs)\nexcept ValueError:\n    n = 0",
        "several": "try:\n    n = int(obs)\nexcept (ValueError, TypeError) as e:\n    print(e)",
        "everything that may be caught": "try:\n    run('go')\nexcept Exception:\n    pass",
        "break in the body": (
            "for item in items:\n    try:\n        break\n    finally:\n        run('go')"
        ),
        "break of a loop inside finally": (
            "try:\n    run('go')\nfinally:\n    for item in items:\n        break"
        ),
    }
    INVALID: ClassVar[Cases] = {
        "bare": Case(
            "try:\n    run('go')\nexcept:\n    pass",
            "try:\n    run('go')\nexcept Exception:\n    pass",
        ),
        "bare, after another": Case(
            "try:\n    run('go')\nexcept ValueError:\n    pass\nexcept :  # all\n    1",
            "try:\n    run('go')\nexcept ValueError:\n    pass\nexcept Exception:  # all\n    1",
        ),
        "BaseException": Case(
            "try:\n    run('go')\nexcept BaseException as e:\n    print(e)",
            "try:\n    run('go')\nexcept Exception as e:\n    print(e)",
        ),
        "BaseException in parentheses": Case(
            "try:\n    run('go')\nexcept(BaseException):\n    pass",
            "try:\n    run('go')\nexcept Exception:\n    pass",
        ),
        "finally that is left": (
            "while flag:\n    try:\n        run('go')\n    finally:\n        continue"
        ),
        "finally that is left in a branch": (
            "for item in items:\n    try:\n        run(item)\n    finally:\n"
            "        if flag:\n            break"
        ),
        "KeyboardInterrupt": "try:\n    run('go')\nexcept KeyboardInterrupt:\n    pass",
        "SystemExit": "try:\n    run('go')\nexcept SystemExit as e:\n    print(e)",
        "among others": Case(
            "try:\n    run('go')\nexcept (ValueError, GeneratorExit, KeyError):\n    pass",
            "try:\n    run('go')\nexcept (ValueError, KeyError):\n    pass",
        ),
        "everything among others": Case(
            "try:\n    run('go')\nexcept (ValueError, BaseException):\n    pass",
            "try:\n    run('go')\nexcept Exception:\n    pass",
        ),
    }

    def _look(self, node: Handler) -> None:
        caught = _caught(node.type)
        signals = [one for one in caught if one in SIGNALS]
        if node.type is None:
            message = "a bare `except:` catches the signal that stops a program"
        elif signals:
            message = f"{signals[0]} is or includes the signal that stops a program"
        else:
            return
        self.report(node.type or node, message, rewrite=_rewrite(node, caught))

    visit_ExceptHandler = visit_ExceptStarHandler = _look

    _loops = 0  # that were entered since the last `finally`
    _outside: tuple[int, ...] = ()  # the same for each `finally` that is open

    def visit_Finally(self, node: libcst.Finally) -> None:
        """What leaves it to go on with a loop outside."""
        self._outside = (*self._outside, self._loops)
        self._loops = 0

    def leave_Finally(self, node: libcst.Finally) -> None:
        """Its end."""
        *outer, self._loops = self._outside
        self._outside = tuple(outer)

    def _enter_loop(self, node: libcst.For | libcst.While) -> None:
        self._loops += 1

    def _leave_loop(self, node: libcst.For | libcst.While) -> None:
        self._loops -= 1

    visit_For_body = visit_While_body = _enter_loop
    leave_For_body = leave_While_body = _leave_loop

    def visit_Break(self, node: libcst.Break | libcst.Continue) -> None:
        """One that leaves a `finally`."""
        if self._outside and not self._loops and any(self._outside):
            word = type(node).__name__.lower()
            message = f"`{word}` in `finally` drops the signal that stops a program"
            self.report(node, message, "move it behind the `try` statement")

    visit_Continue = visit_Break


def is_signal(node: libcst.BaseExpression | None, name: libcst.Name) -> bool:
    """Whether RC207 speaks of a name that stands in what a handler catches."""
    parts = node.elements if isinstance(node, libcst.Tuple) else ()
    return name.value in SIGNALS and (node is name or any(one.value is name for one in parts))


def _caught(node: libcst.BaseExpression | None) -> list[str]:
    """The plain names among what is caught."""
    if isinstance(node, libcst.Tuple):
        return [one.value.value for one in node.elements if isinstance(one.value, libcst.Name)]
    return [node.value] if isinstance(node, libcst.Name) else []


def _rewrite(node: Handler, caught: list[str]) -> Rewrite | None:
    """Nothing a program may raise is caught by one and not by the other.

    There is none for a handler that would then catch what it did not catch before.
    """
    if node.type is None:
        return Rewrite("`except:` catches Exception", lambda: _typed(node))
    if _EVERYTHING in caught:
        what = f"Exception in place of {_EVERYTHING}"
        return Rewrite(what, lambda: _typed(node))
    tuple_ = node.type
    if not isinstance(tuple_, libcst.Tuple) or set(caught) <= set(SIGNALS):
        return None
    return Rewrite("no stop signal among what is caught", lambda: {tuple_: _without(tuple_)})


def _typed(node: Handler) -> Changes:
    name = libcst.Name("Exception")
    space = libcst.SimpleWhitespace(" ")
    spaces = {} if node.whitespace_after_except.value else {"whitespace_after_except": space}
    return {node: node.with_changes(type=name, **spaces)}


def _without(node: libcst.Tuple) -> libcst.Tuple:
    kept = [
        one
        for one in node.elements
        if not (isinstance(one.value, libcst.Name) and one.value.value in SIGNALS)
    ]
    if len(kept) > 1 and node.elements[-1] not in kept:
        kept[-1] = kept[-1].with_changes(comma=libcst.MaybeSentinel.DEFAULT)
    return node.with_changes(elements=kept)
