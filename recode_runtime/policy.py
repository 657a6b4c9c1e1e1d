"""A policy: one TOML file in, one frozen value out.

`policies/strict.toml` is complete and is the default; every other policy says `extends` and only
what differs. There are no defaults in this module: the numbers stand in the TOML files, where they
can be reviewed without reading Python.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from recode_runtime import bundle
from recode_runtime.errors import Level, PolicyError
from recode_runtime.isolation import LAYERS
from recode_runtime.wording import did_you_mean

Mending = Literal["none", "safe", "unsafe"]

_Count = Annotated[int, msgspec.Meta(ge=1)]
# A year: longer, infinite and no number at all are slips, and clocks overflow.
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=31_536_000)]
# What the gate promises of parsers is measured up to here (docs/gate.md).
_Nesting = Annotated[int, msgspec.Meta(ge=1, le=90)]

# The most that one byte of text takes in JSON: a control character is written as an escape.
_ESCAPED = 6
# Room in a frame for what has a size of its own: names, ids, an error message, a traceback.
_ENVELOPE_BYTES = 65_536


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a policy: every key must be there, no other may be."""


class Repairing(_Table, frozen=True):
    """`[repair]`: what may be mended before the model is asked again."""

    apply: Mending


class Language(_Table, frozen=True):
    """`[language]`: the Python that a program may use.

    `mode` is "restricted", or "python" for the whole language behind the kernel's wall alone.
    `builtins` and `facades` are of the former; `preload` names the modules that can be imported in
    the latter, because behind the wall there are no files to load them from. `facades` maps the
    name of a module to the functions and constants of it that a program sees; the module object
    itself never crosses.
    """

    mode: Literal["restricted", "python"]
    builtins: tuple[str, ...]
    facades: dict[str, tuple[str, ...]]
    preload: tuple[str, ...]


class Limits(_Table, frozen=True):
    """`[limits]`: how large a program may be, and what one statement and one session may use.

    Raises:
        ValueError: a frame is too small for what the other limits allow in it. It would end the
            session where the program has done nothing wrong.
    """

    source_bytes: _Count
    source_lines: _Count
    tokens: _Count
    statements: _Count
    syntax_nodes: _Count
    syntax_depth: _Nesting
    try_depth: _Count
    chain_length: _Nesting
    indentation_levels: Annotated[int, msgspec.Meta(ge=1, le=60)]
    literal_chars: _Count
    pattern_depth: Annotated[int, msgspec.Meta(ge=1, le=4)]
    integer_digits: _Count
    statement_seconds: _Seconds
    statement_cpu_seconds: _Seconds
    statement_calls: _Count
    memory_mib: Annotated[int, msgspec.Meta(ge=1, le=16_777_216)]
    processes: Annotated[int, msgspec.Meta(ge=4)]
    printed_bytes: _Count
    printed_lines: _Count
    value_bytes: _Count
    observation_bytes: _Count
    frame_bytes: _Count
    recursion: _Count

    def __post_init__(self) -> None:
        observation = _ESCAPED * self.observation_bytes
        needed = _ENVELOPE_BYTES + max(self._largest_call(), self._largest_answer(), observation)
        if self.frame_bytes < needed:
            raise ValueError(
                f"frame_bytes is {self.frame_bytes}, but value_bytes, observation_bytes, "
                f"printed_bytes and source_bytes need at least {needed}"
            )

    def _largest_call(self) -> int:
        """Positional and keyword arguments are weighed apart, and a float a fifth too light."""
        return 3 * self.value_bytes

    def _largest_answer(self) -> int:
        """Values, and all that was printed, and the names that a source can bind."""
        return 2 * self.value_bytes + _ESCAPED * (self.printed_bytes + self.source_bytes)


class Supervision(_Table, frozen=True):
    """`[supervisor]`: how deep, how often and how much a run may go on.

    `attempts` counts all programs asked for one placeholder: the first and its rewrites.
    """

    depth: Annotated[int, msgspec.Meta(ge=0, le=64)]
    attempts: _Count
    nodes: _Count
    model_calls: _Count
    primitive_calls: _Count
    seconds: _Seconds


class Isolation(_Table, frozen=True):
    """`[isolation]`: which layers of the wall are put up, and which must hold.

    `level` is "full" for every layer that the machine gives, or "portable" for the environment,
    the descriptors and the limits alone. With `control_groups` each session has one of its own,
    where one can be made. `ready` sessions are kept forked ahead.

    Raises:
        ValueError: there is no layer of a required name, or the level leaves it out.
    """

    level: Literal["full", "portable"]
    require: tuple[str, ...]
    control_groups: bool
    ready: Annotated[int, msgspec.Meta(ge=0, le=64)]

    def __post_init__(self) -> None:
        for name in self.require:
            if name not in LAYERS:
                raise ValueError(f"require knows no layer {name!r}{did_you_mean(name, LAYERS)}")
            if not self.puts_up(name):
                key = "control_groups" if self.level == "full" else "level"
                raise ValueError(f"require names {name!r}, which {key} leaves out")

    def puts_up(self, layer: str) -> bool:
        """Whether sessions have that layer where the machine gives it."""
        needs = LAYERS[layer].needs
        if self.level == "portable":
            return needs == "nothing"
        return self.control_groups or needs != "control groups"


class Prompting(_Table, frozen=True):
    """`[prompt]`: what the model is shown.

    Raises:
        ValueError: the hint's least is above its most.
    """

    value_chars: _Count
    primitives_hint: tuple[_Count, _Count]
    few_shots: bool

    def __post_init__(self) -> None:
        fewest, most = self.primitives_hint
        if fewest > most:
            raise ValueError(f"primitives_hint goes from {fewest} down to {most}")


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a run may and may not do."""

    name: str
    grammar: dict[str, Level]
    repair: Repairing
    language: Language
    limits: Limits
    supervisor: Supervision
    isolation: Isolation
    prompt: Prompting

    @classmethod
    def named(cls, name: str) -> Policy:
        """A policy that ships with the package: `"strict"` is the default, see `shipped_names`.

        Raises:
            PolicyError: there is none of that name; the message lists those there are.
        """
        return _built(name, f"policy {name}", _tables_of(_shipped(name), ()))

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """The policy in the TOML file at `path`.

        Raises:
            PolicyError: the file cannot be read, is not TOML, or has a wrong or unknown key; the
                message begins with the path of the file.
        """
        path = Path(path)
        return _built(path.stem, str(path), _tables_of(path, ()))

    @classmethod
    def of(cls, policy: Policy | str | Path) -> Policy:
        """A policy from what users write: a policy, a shipped name, or a path ending in .toml."""
        if isinstance(policy, Policy):
            return policy
        if isinstance(policy, Path) or policy.endswith(".toml"):
            return cls.load(policy)
        return cls.named(policy)

    def but(self, **tables: Mapping[str, Any]) -> Policy:
        """This policy with some keys changed: `policy.but(limits={"statement_seconds": 1.0})`.

        Raises:
            PolicyError: as for `load`.
        """
        where = f"policy {self.name}"
        _refuse_unknown_keys(where, tables)
        return _built(self.name, where, _merged(msgspec.to_builtins(self), tables))


def shipped_names() -> list[str]:
    """The names of the policies that ship with the package."""
    return sorted(path.stem for path in bundle.folder("policies").glob("*.toml"))


def _shipped(name: str) -> Path:
    path = bundle.folder("policies") / f"{name}.toml"
    if name not in shipped_names():
        known = ", ".join(shipped_names())
        raise PolicyError(
            f"there is no policy called {name!r}; shipped are {known}. "
            "A policy of your own is named by its path, which ends in .toml"
        )
    return path


def _tables_of(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The merged tables of the file and of all it extends, the nearest winning."""
    if path.resolve() in seen:
        raise PolicyError(f"{path}: it extends itself")
    tables = _read(path)
    base = tables.pop("extends", None)
    _refuse_unknown_keys(str(path), tables)
    if base is None:
        return tables
    return _merged(_tables_of(_base_of(path, base), (*seen, path.resolve())), tables)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise PolicyError(f"{path}: is not TOML: {problem}") from None
    except (OSError, ValueError) as problem:
        raise PolicyError(f"{path}: cannot be read: {problem}") from None


def _base_of(path: Path, base: object) -> Path:
    """The file that the file at `path` extends."""
    if not isinstance(base, str):
        raise PolicyError(f"{path}: extends must be the name or the path of a policy")
    if base.endswith(".toml"):
        return path.parent / base
    try:
        return _shipped(base)
    except PolicyError as problem:
        raise PolicyError(f"{path}: {problem}") from None


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the keys of `above` laid over it, table by table.

    `[language.facades]` and `[language] builtins` are replaced key by key too: a policy that wants
    fewer names states the ones it wants.
    """
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        nested = isinstance(known, dict) and isinstance(value, Mapping)
        merged[key] = _merged(known, value) if nested and isinstance(known, dict) else value
    return merged


def _built(name: str, where: str, tables: dict[str, Any]) -> Policy:
    """The policy of complete tables; `where` is what a message begins with."""
    try:
        return msgspec.convert({**tables, "name": name}, Policy)
    except msgspec.ValidationError as problem:
        raise PolicyError(f"{where}: {problem}") from None


def _refuse_unknown_keys(where: str, tables: Mapping[str, Any]) -> None:
    """msgspec would name the unknown key; people also want to hear the one they meant."""
    for path, known, given in _key_sets(tables):
        for key in given:
            if key not in known:
                hint = did_you_mean(key, known)
                raise PolicyError(f"{where}: unknown key {path}{key}{hint}")


def _key_sets(tables: Mapping[str, Any]) -> list[tuple[str, list[str], list[str]]]:
    fields = {field.name: field.type for field in msgspec.structs.fields(Policy)}
    sets = [("", [key for key in fields if key != "name"], list(tables))]
    for table, kind in fields.items():
        given = tables.get(table)
        if isinstance(kind, type) and issubclass(kind, _Table) and isinstance(given, Mapping):
            known = [field.name for field in msgspec.structs.fields(kind)]
            sets.append((f"[{table}] ", known, list(given)))
    return sets
