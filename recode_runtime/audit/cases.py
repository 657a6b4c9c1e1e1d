"""A corpus: one case a line of JSON, read strictly, with a word on whatever is wrong in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from recode_runtime.errors import RecodeError
from recode_runtime.wording import did_you_mean

Kind = Literal["guest", "os", "protocol", "render", "session"]

# What `expect` says may become of a program, as people write it, and what it means.
_ENDS = {
    "ok": {"ok"},
    "error": {"error"},
    "killed": {"killed"},
    "timeout": {"timeout"},
    "deadline": {"timeout"},
    "limited": {"limited"},
    "placeholder": {"placeholder"},
    "discarded": {"killed"},
}
_WORD = re.compile(r"[a-z]+")
_NOTE = re.compile(r"\([^)]*\)")
_PROBLEMS_SHOWN = 20
_SHIPPED = Path(__file__).with_name("corpus")


class WrongCorpus(RecodeError):
    """A corpus cannot be used; every line of the message is `file:line: what is wrong`."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must become of a case, at each stage.

    `process` holds one end or several with `|` between them, notes in parentheses.
    """

    validator: Literal["reject", "pass", "either", "n/a"] = "n/a"
    process: str = ""
    docker: str = ""
    host: str = ""

    @property
    def ends(self) -> frozenset[str]:
        """The words of `process`: ok, error, killed, timeout, limited, placeholder."""
        return frozenset(end for known in _known_words(self.process) for end in _ENDS[known])


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case; `docs/audit.md` says what each field is for."""

    id: str
    class_: str = msgspec.field(name="class")
    kind: Kind
    why: str
    code: str = ""
    gen: str = ""
    expect: Expectation = Expectation()
    calls: int | None = None
    leak: str = ""
    hostile_value: bool = False
    destructive: bool | str = False
    slow: bool = False

    @property
    def is_benign(self) -> bool:
        """Whether it is an ordinary program, which must run."""
        return self.expect.ends == {"ok"} and self.kind == "guest" and not self.is_watched

    @property
    def is_watched(self) -> bool:
        """Whether the harm would be in what it shows, and not in that it runs."""
        return bool(self.leak) or self.hostile_value


def shipped_corpus() -> list[Case]:
    """The cases that ship with the package."""
    return read_corpora(sorted(_SHIPPED.glob("*.jsonl")))


def read_corpora(paths: Iterable[Path]) -> list[Case]:
    """The cases of several files.

    Raises:
        WrongCorpus: a file cannot be read, a line is no case, or two have one id.
    """
    found: dict[str, Case] = {}
    problems: list[str] = []
    for path in paths:
        for where, line in _lines(path):
            try:
                case = _case(line)
                _refuse_twin(case, found)
                found[case.id] = case
            except _Unfit as unfit:
                problems.append(f"{where}: {unfit}")
    if problems:
        more = len(problems) - _PROBLEMS_SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        raise WrongCorpus("\n".join([*problems[:_PROBLEMS_SHOWN], *rest]))
    return list(found.values())


class _Unfit(Exception):
    """A line is no case; the message says why, and what would be."""


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise WrongCorpus(f"{path}: cannot be read: {problem.strerror}") from None
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", line


def _case(line: bytes) -> Case:
    row = _row(line)
    _refuse_unknown("field", row, msgspec.structs.fields(Case))
    if isinstance(row.get("expect"), Mapping):
        _refuse_unknown("field of expect", row["expect"], msgspec.structs.fields(Expectation))
    kind, kinds = row.get("kind"), get_args(Kind)
    if isinstance(kind, str) and kind not in kinds:
        raise _Unfit(f"unknown kind {kind!r}{did_you_mean(kind, kinds)}")
    try:
        case = msgspec.convert(row, Case)
    except msgspec.ValidationError as problem:
        raise _Unfit(str(problem).replace("Object missing", "the case is missing the")) from None
    _refuse_unusable(case)
    return case


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except UnicodeDecodeError:
        raise _Unfit("is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise _Unfit("is not JSON; a corpus has one JSON object a line") from None
    if not isinstance(row, dict):
        raise _Unfit("is not a JSON object")
    return row


def _refuse_unknown(what: str, row: Mapping[str, Any], fields: Iterable[Any]) -> None:
    known = [field.encode_name for field in fields]
    for name in row:
        if name not in known:
            raise _Unfit(f"unknown {what} {name!r}{did_you_mean(name, known)}")


def _refuse_unusable(case: Case) -> None:
    if not case.code and not case.gen:
        raise _Unfit("has neither 'code', the text, nor 'gen', an expression that makes it")
    if case.gen:
        _refuse_no_expression(case.gen)
    try:
        re.compile(case.leak)
    except re.error as problem:
        raise _Unfit(f"'leak' is not a regular expression: {problem}") from None
    if case.kind != "session" and case.expect.process:
        _refuse_unclear_end(case.expect.process)


def _refuse_no_expression(gen: str) -> None:
    try:
        ast.parse(gen, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise _Unfit(f"'gen' is not a Python expression: {problem}") from None


def _refuse_unclear_end(text: str) -> None:
    for alternative in _NOTE.sub("", text).split("|"):
        if not list(_known_words(alternative)):
            known = ", ".join(_ENDS)
            raise _Unfit(f"'expect.process' says {alternative.strip()!r}; known are {known}")


def _known_words(text: str) -> Iterator[str]:
    return (word for word in _WORD.findall(_NOTE.sub("", text)) if word in _ENDS)


def _refuse_twin(case: Case, found: Mapping[str, Case]) -> None:
    if case.id in found:
        raise _Unfit(f"the id {case.id!r} is taken by an earlier case")
