"""What is asked of each file: `recode.toml` or `[tool.recode]` of pyproject.toml, and the options.

The nearest configuration above a file counts, and it alone: `recode.toml` before a pyproject.toml
beside it. An option of the command line replaces the key of its name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from recode_runtime.errors import PolicyError
from recode_runtime.grammar import ALL_RULES
from recode_runtime.grammar.engine import levels_of
from recode_runtime.linting import codes, patterns
from recode_runtime.linting.declared import primitives_by_name
from recode_runtime.linting.units import Context, WrongSettings
from recode_runtime.policy import Policy
from recode_runtime.wording import did_you_mean

Texts = tuple[str, ...]

INCLUDE = ("*.py", "*.md", "*.markdown", "*.jsonl", "*.ndjson")
# Always, and before what a configuration excludes.
EXCLUDE = (
    ".*", "__pycache__", "build", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip


class Overrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys that may differ from file to file; None stands for a key that is not there."""

    policy: str | None = None
    primitives: Texts | None = None
    variables: Texts | None = None
    outputs: Texts | None = None
    select: Texts | None = None
    ignore: Texts | None = None
    field: str | None = None
    row_context: bool | None = None

    def over(self, below: Overrides) -> Overrides:
        """These keys, and for those that are not there the keys of `below`."""
        keys = Overrides.__struct_fields__
        mine = {key: getattr(self, key) for key in keys}
        return Overrides(
            **{key: getattr(below, key) if one is None else one for key, one in mine.items()}
        )


class FileOverrides(Overrides, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[tool.recode.files]]`: other keys for the files that fit one of the patterns."""

    pattern: str | Texts


class Configuration(Overrides, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All keys of a configuration file."""

    include: Texts = INCLUDE
    exclude: Texts = ()
    files: tuple[FileOverrides, ...] = ()


DEFAULTS = Overrides(
    policy="strict",
    primitives=("run",),
    variables=None,
    outputs=(),
    select=(),
    ignore=(),
    field="reply",
    row_context=True,
)


class Settings:
    """One configuration file, or none, with the options laid over it.

    Args:
        options: what the command line says.
        file: where the configuration was found; patterns and policies are relative to its folder.

    Raises:
        WrongSettings: a key, a code or a pattern is wrong; the message begins with the file.
    """

    def __init__(self, options: Overrides, file: Path | None = None) -> None:
        self.file = file
        self.folder = file.parent if file else Path.cwd()
        self.configuration = _read(file) if file else Configuration()
        self._options = options
        self._contexts: dict[tuple[int, ...], Context] = {}

    def included(self, path: Path) -> bool:
        """Whether a file in a folder that is searched is checked."""
        return patterns.fits(path, self.configuration.include, self.folder)

    def excluded(self, path: Path) -> bool:
        """Whether a file or a folder is left out of a search."""
        return patterns.fits(path, (*EXCLUDE, *self.configuration.exclude), self.folder)

    def context(self, path: Path) -> Context:
        """What the programs of the file are judged by.

        Raises:
            WrongSettings, PolicyError: a code, or the policy, is wrong.
        """
        files = self.configuration.files
        fitting = tuple(at for at, one in enumerate(files) if _concerns(one, path, self.folder))
        if fitting not in self._contexts:
            self._contexts[fitting] = self._context(fitting)
        return self._contexts[fitting]

    def merged(self, path: Path) -> Overrides:
        """All keys as they count for the file."""
        files = self.configuration.files
        return self._merged(
            tuple(at for at, one in enumerate(files) if _concerns(one, path, self.folder))
        )

    def _merged(self, fitting: tuple[int, ...]) -> Overrides:
        keys = self.configuration.over(DEFAULTS)
        for at in fitting:
            keys = self.configuration.files[at].over(keys)
        return self._options.over(keys)

    def _context(self, fitting: tuple[int, ...]) -> Context:
        keys = self._merged(fitting)
        where = str(self.file) if self.file else "the options"
        try:
            primitives_by_name(keys.primitives or ())
        except WrongSettings as wrong:
            raise WrongSettings(f"{where}: primitives: {wrong}") from None
        _refuse_no_names(where, "variables", keys.variables or ())
        _refuse_no_names(where, "outputs", keys.outputs or ())
        off = codes.deselected(keys.select or (), keys.ignore or (), where)
        policy = codes.without(self._policy(keys.policy or "strict"), off)
        levels_of(policy, ALL_RULES)  # a wrong code in it is told once, and not for every file
        return Context(
            policy,
            keys.primitives or (),
            keys.variables,
            keys.outputs or (),
            keys.field or "reply",
            keys.row_context is not False,
            off,
        )

    def _policy(self, name: str) -> Policy:
        """A path in the configuration is relative to it, one in the options to where we are."""
        own = self._options.policy is None and self.file is not None
        if own and name.endswith(".toml"):
            return Policy.load(self.folder / name)
        try:
            return Policy.of(name)
        except PolicyError as problem:
            raise PolicyError(f"{self.file}: {problem}" if own else str(problem)) from None


def _refuse_no_names(where: str, key: str, given: Texts) -> None:
    for one in given:
        if not one.isidentifier():
            hint = "; --output-file is where a report goes" if key == "outputs" else ""
            raise WrongSettings(f"{where}: {key}: {one!r} is not a name{hint}")


def _concerns(one: FileOverrides, path: Path, folder: Path) -> bool:
    wanted = (one.pattern,) if isinstance(one.pattern, str) else one.pattern
    return patterns.fits(path, wanted, folder)


class Finder:
    """The settings of any file.

    Args:
        options: what the command line says.
        config: the configuration file to use for all files.
        isolated: use none.

    Raises:
        WrongSettings: `config` holds no configuration.
    """

    def __init__(self, options: Overrides, config: Path | None, *, isolated: bool) -> None:
        self._options = options
        self._by_folder: dict[Path, Settings] = {}
        self._by_file: dict[Path | None, Settings] = {}
        self._only: Settings | None = None
        if config is not None:
            if _tables(config) is None:
                raise WrongSettings(f"{config}: has no table [tool.recode]")
            self._only = Settings(options, config.absolute())
        elif isolated:
            self._only = Settings(options)

    def of(self, folder: Path) -> Settings:
        """The settings of the files in a folder (an absolute path)."""
        if self._only:
            return self._only
        if folder not in self._by_folder:
            self._by_folder[folder] = self._found(folder)
        return self._by_folder[folder]

    def _found(self, folder: Path) -> Settings:
        for name in ("recode.toml", "pyproject.toml"):
            file = folder / name
            if file.is_file() and _tables(file) is not None:
                return self._loaded(file)
        return self._loaded(None) if folder.parent == folder else self.of(folder.parent)

    def _loaded(self, file: Path | None) -> Settings:
        if file not in self._by_file:
            self._by_file[file] = Settings(self._options, file)
        return self._by_file[file]


def _tables(file: Path) -> dict[str, Any] | None:
    """The keys of the linter in a file; None in a pyproject.toml that has no table of ours.

    Raises:
        WrongSettings: the file cannot be read, or is not TOML.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise WrongSettings(f"{file}: is not TOML: {problem}") from None
    except (OSError, ValueError, RecursionError) as problem:
        why = getattr(problem, "strerror", None) or problem
        raise WrongSettings(f"{file}: cannot be read: {why}") from None
    if file.name != "pyproject.toml":
        return tables
    tool = tables.get("tool")
    ours = tool.get("recode") if isinstance(tool, dict) else None
    if ours is not None and not isinstance(ours, dict):
        raise WrongSettings(f"{file}: tool.recode must be a table")
    return ours


def _read(file: Path) -> Configuration:
    tables = _tables(file) or {}
    _refuse_unknown_keys(file, "", Configuration, tables)
    for entry in tables.get("files", ()) if isinstance(tables.get("files"), list) else ():
        if isinstance(entry, Mapping):
            _refuse_unknown_keys(file, "[[files]] ", FileOverrides, entry)
    try:
        return msgspec.convert(tables, Configuration)
    except msgspec.ValidationError as problem:
        raise WrongSettings(f"{file}: {problem}") from None


def _refuse_unknown_keys(
    file: Path, where: str, kind: type[Overrides], given: Mapping[str, Any]
) -> None:
    known = kind.__struct_fields__
    for key in given:
        if key not in known:
            raise WrongSettings(f"{file}: unknown key {where}{key}{did_you_mean(key, known)}")
