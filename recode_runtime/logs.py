"""Log set-up of the command line: to standard error only, for people or for machines.

Standard output carries results and nothing else. Library users set up their own logs; nothing but
a door may call `set_up`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from recode_runtime.prompt import literal


def set_up(*, verbose: bool = False) -> None:
    """Logs go to standard error: coloured lines on a terminal, one JSON object a line otherwise.

    Warnings and worse are shown; with `verbose` every event of a run too, and what the libraries
    underneath report of their work. Records of the standard `logging` module come out in the
    same form.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(terminal=sys.stderr.isatty()),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO if verbose else logging.WARNING)
    logging.getLogger("recode").setLevel(logging.DEBUG if verbose else logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _shared() -> list[Any]:
    """What every record goes through, ours and those of libraries."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_escapes,
    ]


def _rendering(*, terminal: bool) -> list[Any]:
    """What makes text of a record; the one for terminals formats exceptions itself."""
    if terminal:
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _without_escapes(_: Any, __: str, record: MutableMapping[str, Any]) -> Any:
    """A terminal must not obey what a model or an observation says."""
    return {
        name: literal(value) if isinstance(value, str) else value for name, value in record.items()
    }
