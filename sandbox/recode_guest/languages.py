"""The two languages that a policy can give: the restricted one, and Python as it is.

`"restricted"` is what programs are meant to be written in. `"python"` leaves the filter out, so
that the kernel's wall alone stands: for code that needs the whole language, and to show that the
wall holds without the filter. What can be imported there is what is loaded when the wall closes.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import CodeType
from typing import Any, Protocol

from recode_guest import restricted
from recode_guest.guards import (
    Printed,
    builtins_of,
    facades_of,
    guards_of,
    importer_of,
)


class Language(Protocol):
    """What a session runs.

    Attributes:
        namespace: the globals of a program before it has bound anything, primitives apart.
        given: the builtins of a program.
        is_filtered: whether what a statement can do may be judged from its text (`risk.py`).
    """

    namespace: dict[str, Any]
    given: dict[str, Any]
    is_filtered: bool

    def compiled(self, statement: ast.stmt, filename: str, primitives: Collection[str]) -> CodeType:
        """The code of one statement, which it may change.

        Raises:
            restricted.NotAllowed: it is outside the language.
            SyntaxError: it is not Python after all.
        """
        ...


class Restricted:
    """Python through RestrictedPython and the guards.

    Raises:
        guards.LanguageError: the guest cannot give a builtin or a facade that is listed.
    """

    is_filtered = True

    def __init__(
        self, names: Iterable[str], facades: Mapping[str, Sequence[str]], printed: Printed
    ) -> None:
        self.given = builtins_of(names, importer_of(facades_of(facades)))
        self.namespace = guards_of(printed, self.given)

    def compiled(self, statement: ast.stmt, filename: str, primitives: Collection[str]) -> CodeType:
        """The code of one statement, with every access through a guard."""
        return restricted.compiled(statement, filename, primitives)


class Unfiltered:
    """Python as it is; what it prints is collected all the same."""

    is_filtered = False

    def __init__(self, printed: Printed) -> None:
        self.given = dict(vars(builtins))
        self.namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": "__main__"}
        sys.stdout = sys.stderr = _Output(printed)

    def compiled(
        self, statement: ast.stmt, filename: str, _primitives: Collection[str]
    ) -> CodeType:
        """The code of one statement."""
        return compile(ast.Module([statement], []), filename, "exec", dont_inherit=True)


class _Output:
    """As much of a text file as `print` and tracebacks need."""

    def __init__(self, printed: Printed) -> None:
        self._printed = printed

    def write(self, text: str) -> int:
        """Keep the text; of one of a class of the program's, what it is and not what it says."""
        exact = str.__str__(text)
        self._printed.write(exact)
        return len(exact)

    def flush(self) -> None:
        """Nothing is held back."""
