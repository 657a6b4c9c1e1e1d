"""Writes `docs/rules/` from the rules themselves; with `--check` it only says what is out of date.

    python tools/rule_pages.py [--check]

The exit code is 1 if `--check` finds a page that is missing, different, or of no rule.
"""

from __future__ import annotations

import sys
from pathlib import Path

from recode_runtime.grammar.pages import all_codes, index, page

FOLDER = Path(__file__).parent.parent / "docs" / "rules"


def wanted() -> dict[str, str]:
    """The text of every file that the folder should hold, by its name."""
    return {"index.md": index()} | {f"{line.code}.md": page(line.code) for line in all_codes()}


def stale(folder: Path) -> list[str]:
    """The names of the files in which folder and rules differ."""
    files = wanted()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    names = sorted(files.keys() | there.keys())
    return [name for name in names if files.get(name) != there.get(name)]


def write(folder: Path) -> None:
    """Make the folder hold exactly the wanted files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = wanted()
    for name in stale(folder):
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}")
        return 2
    if not arguments:
        write(FOLDER)
        return 0
    found = stale(FOLDER)
    for name in found:
        sys.stderr.write(f"docs/rules/{name} is out of date: run tools/rule_pages.py\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
