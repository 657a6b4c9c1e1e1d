"""Seconds to `import recode_runtime`, beside a bare interpreter and beside the libraries in it.

Run: python benchmarks/import_time.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
IMPORTS = ["pass", "import recode_runtime", "import openai", "import libcst", "import asyncio"]


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print one line an import: the median over interleaved rounds, less the bare interpreter."""
    taken: dict[str, list[float]] = {code: [] for code in IMPORTS}
    for _ in range(ROUNDS):
        for code in IMPORTS:
            taken[code].append(_seconds(code))
    bare = statistics.median(taken["pass"])
    print(f"bare interpreter        {bare * 1000:7.1f} ms")
    for code in IMPORTS[1:]:
        own = statistics.median(taken[code]) - bare
        print(f"{code:23} {own * 1000:7.1f} ms more")


if __name__ == "__main__":
    main()
