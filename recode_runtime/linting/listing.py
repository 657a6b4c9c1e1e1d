"""`recode rules`: the list of codes, and their pages."""

from __future__ import annotations

import json
import sys

from recode_runtime.commands import SUCCESS
from recode_runtime.grammar import pages
from recode_runtime.linting import codes
from recode_runtime.linting.units import WrongSettings


def listed(code: str | None, output_format: str) -> int:
    """Print the list, that of the codes with a common beginning, or the page of one code.

    Raises:
        WrongSettings: there is no such code or format; the message names the nearest.
    """
    if output_format not in ("text", "json"):
        raise WrongSettings(f"the rules are listed as text or json, not {output_format!r}")
    wanted = (code or "").upper()
    lines = [one for one in codes.known().values() if one.code.startswith(wanted)]
    if not lines:
        raise WrongSettings(f"there is no rule {code!r}{codes.hint(wanted)}")
    single = lines[0].code == wanted
    if output_format == "json":
        entries = [one._asdict() | {"page": pages.page(one.code)} for one in lines]
        sys.stdout.write(json.dumps(entries[0] if single else entries, indent=2) + "\n")
    else:
        sys.stdout.write(pages.page(wanted) if single else _table(lines))
    return SUCCESS


def _table(lines: list[pages.Line]) -> str:
    wide = max(len(one.title) for one in lines)
    rows = (f"{one.code}  {one.title:{wide}}  {one.level:7}  {one.repair}" for one in lines)
    return "".join(f"{row.rstrip()}\n" for row in rows)
