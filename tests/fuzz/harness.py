"""Coverage-guided inputs: `python harness.py CORPUS -runs=60000`, with libFuzzer's options.

A program of its own, because libFuzzer takes over the process it runs in. A text that breaks a
promise ends it: libFuzzer names the file in which it left the text.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import libcst  # noqa: F401  (imported before the instrumentation: it would triple the time)

with atheris.instrument_imports(include=["recode_runtime"]):
    from answers import answer, answer_to_reply
    from fuzzing import LEDGER

_REPLY = b"\0"


def one_input(data: bytes) -> None:
    """One text through the grammar; after a NUL byte it is a reply."""
    if data.startswith(_REPLY):
        answer_to_reply(data[1:].decode("utf-8", "surrogateescape"))
    else:
        answer(data.decode("utf-8", "surrogateescape"))
    if LEDGER.inputs % 100 == 0:
        print(LEDGER, flush=True)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
