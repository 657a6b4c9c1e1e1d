"""Primitives of which the linter knows the text only: a name, or a signature."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from recode_runtime.linting.units import WrongSettings
from recode_runtime.primitive import Primitive, declared_primitives


@lru_cache(maxsize=1024)
def primitives_by_name(texts: tuple[str, ...]) -> Mapping[str, Primitive | None]:
    """The primitives of texts like `run` and `go(place: str)`.

    Raises:
        WrongSettings: a text is no name and no signature, or two have one name.
    """
    try:
        return declared_primitives(texts)
    except ValueError as problem:
        raise WrongSettings(str(problem)) from None
