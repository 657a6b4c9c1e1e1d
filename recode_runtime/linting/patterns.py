"""Patterns of files: `*.py` is a name in any folder, `plans/**/*.md` a path below the settings.

Not those of gitignore: there a name also stands for all that is below it, so that a folder called
`build` or `.plans` could not even be searched by naming it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)


def fits(path: Path, wanted: Iterable[str], folder: Path) -> bool:
    """Whether a path fits one of the patterns.

    A pattern without a slash is held against the name, one with a slash against the path from
    `folder` on; a pattern that ends in a slash means all in that folder.
    """
    relative = None
    for pattern in wanted:
        if "/" not in pattern.rstrip("/"):
            if _compiled(pattern.rstrip("/")).fullmatch(path.name):
                return True
            continue
        if relative is None:
            relative = Path(os.path.relpath(path, folder)).as_posix()
        tail = "**" if pattern.endswith("/") else ""
        if _compiled(pattern.removeprefix("./") + tail).fullmatch(relative):
            return True
    return False


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(map(_translated, _PARTS.findall(pattern))), re.DOTALL)


def _translated(part: str) -> str:
    match part:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    return re.escape(part)
