"""What a finding is recognised by when the lines above it have changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from recode_runtime.linting.units import Located


def fingerprints(located: Iterable[Located]) -> Iterator[tuple[Located, str]]:
    """Each finding with a hash of its file, code, message and line of source.

    Findings that are alike in all of these are told apart by their order.
    """
    met: Counter[tuple[str, ...]] = Counter()
    for one in located:
        key = (one.path, one.finding.code, one.finding.message, one.excerpt.strip())
        met[key] += 1
        text = "\0".join((*key, str(met[key])))
        yield one, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
