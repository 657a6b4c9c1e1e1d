"""The worlds that tasks act on: `environment_from` builds one by its name."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from recode_runtime.environments.base import Environment
from recode_runtime.wording import did_you_mean

_KINDS = {int: "a whole number", float: "a number", str: "text"}


class _Entry(NamedTuple):
    """Where an environment is, and what it is in a line; its module is imported when needed."""

    module: str
    class_name: str
    description: str


_ENTRIES = {
    "crafting": _Entry(
        "crafting", "Crafting", "gather and craft in a seeded workshop; built in, needs nothing"
    ),
    "textworld-express": _Entry(
        "textworld_express",
        "TextWorldExpress",
        "eight text games; needs Java and the extra textworld-express",
    ),
}

ENVIRONMENTS: Mapping[str, str] = MappingProxyType(
    {name: entry.description for name, entry in _ENTRIES.items()}
)
"""What there is, by name, with a line of description each."""


def environment_from(name: str, **options: Any) -> Environment:
    """The environment of that name, not yet started.

    Args:
        name: a key of `ENVIRONMENTS`.
        options: the keyword arguments of its class; numbers may come as text, and an option that
            is None counts as not given.

    Raises:
        ValueError: there is no such environment, or it has no such option, or the option's value
            is not of its kind or out of its range; the message says what there is.
    """
    if name not in _ENTRIES:
        raise ValueError(f"there is no environment {name!r}{_hint(name)}")
    entry = _ENTRIES[name]
    module = import_module(f"recode_runtime.environments.{entry.module}")
    built = getattr(module, entry.class_name)
    given = {key: value for key, value in options.items() if value is not None}
    environment: Environment = built(**_converted(name, _option_kinds(built), given))
    return environment


def _hint(name: str) -> str:
    return f"{did_you_mean(name, _ENTRIES, other='.')} There are {', '.join(_ENTRIES)}"


def _option_kinds(built: type) -> dict[str, type]:
    hints = typing.get_type_hints(built.__init__)  # type: ignore[misc]
    return {name: hints[name] for name in inspect.signature(built).parameters}


def _converted(name: str, kinds: Mapping[str, type], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, each as the kind that the environment's class asks for."""
    known = ", ".join(f"{option} ({_KINDS[kind]})" for option, kind in kinds.items())
    converted: dict[str, Any] = {}
    for option, value in options.items():
        if option not in kinds:
            raise ValueError(f"{name} has no option {option!r}; its options are {known}")
        try:
            converted[option] = _as(kinds[option], value)
        except ValueError:
            raise ValueError(
                f"{name}: {option} must be {_KINDS[kinds[option]]}, not {value!r}; "
                f"its options are {known}"
            ) from None
    return converted


def _as(kind: type, value: Any) -> Any:
    """The value as `kind`; text is read, a whole number serves as a number, nothing else."""
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, kind):
        return value
    if isinstance(value, str) or (kind is float and isinstance(value, int)):
        return kind(value)
    raise ValueError
