"""What came out of the sandbox, on every way by which people, logs and models come to see it."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import structlog
from rich.console import Console

from recode_runtime import logs, report
from recode_runtime.commands import complain
from recode_runtime.events import (
    AnyEvent,
    CallAnswered,
    CallSent,
    NodeClosed,
    NodeOpened,
    NodeStarted,
    RunStarted,
    TreeBuilder,
)
from recode_runtime.policy import Limits, Policy
from recode_runtime.program import Placeholder
from recode_runtime.prompt import Briefing, Setback, build_request
from recode_runtime.tree import Call, Failure, Outcome, Variable
from recode_runtime.wording import visible

_TAG = re.compile(r"</?\s*(?:execute|think)\s*>|<\||\[/?INST\]", re.IGNORECASE)
_HIDDEN = {"Cc", "Cs", "Zl", "Zp"}
_HIDDEN_FORMATS = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Characters of a line that the report is sure to show.
_SHOWN = 100
# Room for the mark of a cut, and for a message beside the lines of a traceback.
_MARK = 200
_MESSAGE = 2_000 + _MARK
_TRACEBACK = 8_000


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is shown of a run."""

    source: str
    outcome: Outcome
    calls: tuple[Call, ...] = ()
    variables: tuple[Variable, ...] = ()

    @property
    def failure(self) -> Failure:
        """The program's own, or one that says nothing."""
        return self.outcome.failure or Failure("error", "x", 1, "x")


# What the same ways show where there is nothing to fear; more control characters than here are
# those of the program.
_HARMLESS = Exhibit("x", Outcome(printed="x"))


def faults(exhibit: Exhibit, policy: Policy) -> list[str]:
    """What a reader would suffer of it, in words; nothing if all is well."""
    return [*_uncut(exhibit.outcome, policy.limits), *_unsafe(exhibit, policy)]


def _uncut(outcome: Outcome, limits: Limits) -> Iterator[str]:
    failure = outcome.failure or Failure("error", "")
    sizes = {
        "what it printed": (
            len(outcome.printed.encode(errors="replace")),
            limits.printed_bytes + _MARK,
        ),
        "the message": (len(failure.message), _MESSAGE),
        "the traceback": (len(failure.traceback), _TRACEBACK),
    }
    for what, (size, most) in sizes.items():
        if size > most:
            yield f"{what} came out with a length of {size}, past its limit"


def _unsafe(exhibit: Exhibit, policy: Policy) -> Iterator[str]:
    for name, shown in _WAYS.items():
        text, usual = shown(exhibit, policy), shown(_HARMLESS, policy)
        for what, count in (_hidden(text) - _hidden(usual)).items():
            yield f"{what} came out raw in the {name}, {count} times"
        if name == "prompt" and (forged := _tags(text) - _tags(usual)):
            yield f"{', '.join(forged)} came out raw in the prompt"
    yield from _interpreted(exhibit, policy)


def _interpreted(exhibit: Exhibit, policy: Policy) -> Iterator[str]:
    """Text that was not shown as it is, so that something took it for its own language."""
    first = exhibit.outcome.printed.partition("\n")[0]
    if first and visible(first)[:_SHOWN].rstrip() not in _drawn(exhibit, policy):
        yield "what it printed was interpreted by the terminal report"
    if exhibit.outcome.printed:
        record = json.loads(_logged(exhibit, policy).partition("\n")[0])
        if first and first.isprintable() and "<" not in first and first not in record["printed"]:
            yield "what it printed was interpreted by the log"
        told = json.loads(_as_json(exhibit, policy))["root"]["printed"]
        if told != exhibit.outcome.printed:
            yield "what it printed was changed by the JSON of the tree"


def _hidden(text: str) -> Counter[str]:
    """The characters that do not show, or change how others show, by their numbers."""
    return Counter(
        f"U+{ord(one):04X}"
        for one in text
        if one not in "\n\t" and (unicodedata.category(one) in _HIDDEN or _is_format(one))
    )


def _is_format(one: str) -> bool:
    return _HIDDEN_FORMATS.match(one) is not None


def _tags(text: str) -> Counter[str]:
    return Counter(tag.lower() for tag in _TAG.findall(text))


def _events(exhibit: Exhibit) -> Iterator[AnyEvent]:
    """A run of one program, as a journal would have it."""
    yield RunStarted("run", "audit", "", "none", "audit", "")
    yield NodeOpened("1", exhibit.source, "action", 0)
    yield NodeStarted("1")
    for number, call in enumerate(exhibit.calls):
        yield CallSent("1", f"{number}", call.name, call.args, dict(call.kwargs))
        yield CallAnswered("1", f"{number}", call.value, call.error)
    outcome = exhibit.outcome
    yield NodeClosed("1", "failed" if outcome.failure else "done", outcome.printed, outcome.failure)


def _drawn(exhibit: Exhibit, _policy: Policy) -> str:
    width = 8 * report.WIDTH + len(exhibit.source) + len(exhibit.failure.message)
    return report.to_text(TreeBuilder(_events(exhibit)).tree(), width)


def _live(exhibit: Exhibit, _policy: Policy) -> str:
    file = io.StringIO()
    # Of a terminal without colours: what is a control character there, the program has sent.
    live = report.LiveTree(Console(file=file, force_terminal=True, color_system=None))
    for event in _events(exhibit):
        live(event)
    return file.getvalue()


def _logged(exhibit: Exhibit, _policy: Policy) -> str:
    return _log_lines(io.StringIO(), exhibit)


def _logged_on_terminal(exhibit: Exhibit, _policy: Policy) -> str:
    return _log_lines(_Terminal(), exhibit)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _log_lines(stream: io.StringIO, exhibit: Exhibit) -> str:
    """What the command line's logs make of it: as fields of ours, and as a library's message."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        with contextlib.redirect_stderr(stream):
            logs.set_up(verbose=True)
            failure = exhibit.failure
            structlog.get_logger("recode").info(
                "statement", printed=exhibit.outcome.printed, message=failure.message
            )
            logging.getLogger("library").warning("%s", exhibit.outcome.printed)
    finally:
        root.handlers = before
    return stream.getvalue()


def _prompted(exhibit: Exhibit, policy: Policy) -> str:
    briefing = Briefing((), (), policy.prompt.primitives_hint, policy.prompt.value_chars)
    placeholder = Placeholder("go_on")
    printed = exhibit.outcome.printed
    variables = (
        *exhibit.variables,
        Variable("printed", "str", repr(printed), len(repr(printed))),
    )
    setback = Setback(exhibit.failure, exhibit.source, (exhibit.source,), exhibit.calls, variables)
    request = build_request(
        briefing,
        placeholder,
        {one.name: one for one in variables},
        depth_left=1,
        attempt=2,
        node="1",
        setback=setback,
    )
    return request.messages[0]["content"]


def _complained(exhibit: Exhibit, _policy: Policy) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream):
        complain(f"{exhibit.outcome.printed}{exhibit.failure.message}")
    return stream.getvalue()


def _as_json(exhibit: Exhibit, _policy: Policy) -> str:
    return TreeBuilder(_events(exhibit)).tree().to_json()


_WAYS: Mapping[str, Callable[[Exhibit, Policy], str]] = {
    "terminal report": _drawn,
    "live tree": _live,
    "log": _logged,
    "log on a terminal": _logged_on_terminal,
    "prompt": _prompted,
    "message of the command line": _complained,
    "JSON of the tree": _as_json,
}
