"""What a session is opened with: read once in the zygote, and shared by all sessions like it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from recode_guest import wire
from recode_guest.ground import Ground
from recode_guest.guards import RANDOM, LanguageError, Printed
from recode_guest.languages import Language, Restricted, Unfiltered
from recode_guest.limits import Limits


class Opening:
    """The host's request, prepared as far as that can be done before the fork.

    Attributes:
        problem: why there can be no such session; empty if there can.
        preload: the modules that each session imports for itself.
    """

    def __init__(self, request: bytes) -> None:
        frame = wire.decode(request)
        self.limits = Limits.of(frame["limits"])
        self.portable: bool = frame["portable"]
        self.groups: bool = frame["groups"]
        self.printed = Printed(self.limits.printed_bytes, self.limits.printed_lines)
        self.problem = ""
        self.preload: Sequence[str] = frame["preload"]
        self._language: Language | None = None
        if frame["language"] == "restricted":
            self._prepare(frame)

    def language(self) -> Language:
        """The language, in the process that will speak it.

        Raises:
            LanguageError: there can be no such session.
        """
        if self.problem:
            raise LanguageError(self.problem)
        RANDOM.seed()
        return Unfiltered(self.printed) if self._language is None else self._language

    def forked(self, ground: Ground) -> int:
        """As `os.fork`; the child is the keeper of such a session, in namespaces of its own.

        Raises:
            OSError: the kernel refused.
        """
        return ground.fork(portable=self.portable, groups=self.groups)

    def import_preload(self) -> None:
        """Import what is to be there when the wall closes.

        Raises:
            LanguageError: a module is not there.
        """
        for module in self.preload:
            try:
                importlib.import_module(module)
            except ImportError as problem:
                raise LanguageError(f"[language] preload: {problem}") from None

    def _prepare(self, frame: dict[str, Any]) -> None:
        try:
            self._language = Restricted(frame["builtins"], frame["facades"], self.printed)
        except LanguageError as problem:
            self.problem = str(problem)
