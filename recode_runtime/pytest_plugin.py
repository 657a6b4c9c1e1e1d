"""The pytest plugin: the fixture `recode`, and `--recode FILE.jsonl` for one test a reply.

pytest imports this module in every project that has the package installed, so nothing else of the
package is imported before a fixture or an option of ours is used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from recode_runtime.embedding import Report
    from recode_runtime.linting.settings import Finder
    from recode_runtime.linting.units import Context

_ID_CHARACTERS = 80

_files = pytest.StashKey[frozenset[Path]]()
_finder: pytest.StashKey[Finder] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--recode` and `--recode-field`."""
    group = parser.getgroup("recode", "ReCode: programs and replies of language models")
    group.addoption(
        "--recode",
        action="append",
        default=[],
        metavar="FILE.jsonl",
        dest="recode_files",
        help="One test for each model reply in this file; may be given several times.",
    )
    group.addoption(
        "--recode-field",
        metavar="NAME",
        help="Where the reply is in a row, with dots for what is nested. Default: reply.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the files of replies to what is collected; without other paths they are all of it."""
    folder = config.invocation_params.dir
    # As pytest makes its own arguments absolute: links are not followed.
    named = [os.path.abspath(folder / one) for one in config.getoption("recode_files")]  # noqa: PTH100
    config.stash[_files] = frozenset(map(Path, named))
    for one in named:
        if not Path(one).is_file():
            raise pytest.UsageError(f"--recode: there is no file {one}")
        if Path(one).suffix == ".py":
            raise pytest.UsageError(f"--recode reads JSONL; recode check judges {one}")
    if named and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args.clear()
    # A node id chooses among the rows of its file, so that file is not added as a whole.
    chosen = {os.path.abspath(folder / one.partition("::")[0]) for one in config.args}  # noqa: PTH100
    config.args += [one for one in dict.fromkeys(named) if one not in chosen]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ReplyFile | None:
    """The collector of a file that `--recode` names."""
    if file_path in parent.config.stash[_files]:
        return ReplyFile.from_parent(parent, path=file_path)
    return None


class ReplyFile(pytest.File):
    """A JSONL file; every line that is not empty is a test."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test a row, named by its `id`, or by its line if it has none of its own."""
        context = _context(self.config, self.path)
        taken: set[str] = set()
        with self.path.open("rb") as file:
            for number, row in enumerate(file, start=1):
                if row.strip():
                    name = _name(row, number, taken)
                    yield ReplyItem.from_parent(
                        self, name=name, row=row, number=number, context=context
                    )


class ReplyItem(pytest.Item):
    """One reply; it passes if a run would take it without asking the model again."""

    def __init__(self, *, row: bytes, number: int, context: Context, **rest: Any) -> None:
        super().__init__(**rest)
        self._row, self._number, self._context = row, number, context

    def runtest(self) -> None:
        """Judge the reply."""
        from recode_runtime.testing import assert_row

        assert_row(self._row, self._context, self._number)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """What is wrong with the reply; a traceback of ours would say nothing more."""
        from recode_runtime.testing import ProgramRefused

        if excinfo.errisinstance(ProgramRefused):
            return f"{self.path.name}:{self._number}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The row in its file; pytest counts lines from 0 here."""
        return self.path, self._number - 1, self.name


def _name(row: bytes, number: int, taken: set[str]) -> str:
    """A name that no other row of the file has, and that can be written on a command line."""
    try:
        fields = json.loads(row)
    except (ValueError, RecursionError):
        fields = None
    given = fields.get("id") if isinstance(fields, dict) else None
    line = f"line-{number}"
    name = str(given) if isinstance(given, str | int) and given != "" else line
    name = ascii(name[:_ID_CHARACTERS])[1:-1].replace("::", ":").replace("/", "|")
    if name in taken:
        name = f"{name}-{line}"
    taken.add(name)
    return name


def _context(config: pytest.Config, path: Path) -> Context:
    """What the linter's configuration says of a file: `[tool.recode]`, or recode.toml.

    Raises:
        pytest.UsageError: it is wrong, and so is the policy that it names.
    """
    from recode_runtime.errors import RecodeError
    from recode_runtime.linting.settings import Finder, Overrides

    try:
        if _finder not in config.stash:
            options = Overrides(field=config.getoption("recode_field"))
            config.stash[_finder] = Finder(options, None, isolated=False)
        return config.stash[_finder].of(path.parent).context(path)
    except RecodeError as problem:
        raise pytest.UsageError(str(problem)) from None


class Recode:
    """The grammar with the settings of the project; each call may change some of them."""

    def __init__(self, context: Context) -> None:
        self.policy = context.policy
        self.primitives = context.primitives
        self.variables = context.variables
        self.outputs = context.outputs

    def check(self, source: str, **changes: Any) -> Report:
        """`recode_runtime.check` of a program or a reply."""
        from recode_runtime.embedding import check

        return check(source, **self._settings(changes))

    def assert_program(self, code: str, **changes: Any) -> Report:
        """`recode_runtime.testing.assert_program`; `repaired` and `warnings` are known too."""
        from recode_runtime.testing import assert_program

        __tracebackhide__ = True
        return assert_program(code, **self._settings(changes))

    def _settings(self, changes: dict[str, Any]) -> dict[str, Any]:
        return vars(self) | changes


@pytest.fixture
def recode(request: pytest.FixtureRequest) -> Recode:
    """`assert_program` and `check` with the settings of `[tool.recode]` for this test's file."""
    return Recode(_context(request.config, request.path))
