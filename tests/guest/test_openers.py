"""Where a session needs an opener: what it imports may start threads, or never come to an end."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from processes import children, is_running, soon
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes import process
from walls import bare, behind, found

# As numerical libraries do: a thread that holds the locks of the C library most of the time, and
# that a fork must neither take along nor wait for.
THREADED = """
import threading
def work():
    while True:
        [bytearray(100_000) for _ in range(100)]
threading.Thread(target=work, daemon=True).start()
answer = 42
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder of modules that the zygote finds."""
    (tmp_path / "threaded.py").write_text(THREADED)
    (tmp_path / "endless.py").write_text("import time\ntime.sleep(3_600)\n")
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o755)
    return tmp_path


def looking_in(folder: Path) -> str:
    """What makes a zygote look there."""
    return f"sys.path.append({str(folder)!r})"


async def test_a_module_with_threads_can_be_preloaded(modules: Path) -> None:
    """They stay behind in the opener, and a session has one thread."""
    policy = bare().but(language={"preload": ["threaded", "os"]})
    async with behind(change=looking_in(modules), policy=policy) as session:
        outcome = await session.execute("import threaded\ngot = threaded.answer", want=["got"])
        assert outcome.variables == {"got": 42}


async def test_a_facade_with_threads_is_no_other_policys_matter(modules: Path) -> None:
    """They stay behind in the zygote; the next session has one thread, too."""
    policy = Policy.named("strict").but(
        language={"facades": {"threaded": ["answer"]}}, isolation={"ready": 0}
    )
    async with behind(change=looking_in(modules), policy=policy) as session:
        outcome = await session.execute("import threaded\ngot = threaded.answer", want=["got"])
        assert outcome.variables == {"got": 42}


async def test_an_import_without_end_leaves_nothing(
    modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The opening is given up, and the opener ends with its zygote."""
    monkeypatch.setattr(process, "OPEN_SECONDS", 0.5)
    policy = bare().but(language={"preload": ["endless"]})
    others = set(children(os.getpid()))
    seen: list[int] = []

    def note() -> bool:
        for zygote in set(children(os.getpid())) - others:
            seen.extend([zygote, *children(zygote)])
        return len(seen) > 1

    async def opened() -> None:
        async with behind(change=looking_in(modules), policy=policy):
            pass

    opening = asyncio.create_task(opened())
    assert await soon(note)
    with pytest.raises(SandboxUnavailable, match="it was silent"):
        await opening
    assert await soon(lambda: not any(map(is_running, seen)))
    assert await found_again()


async def found_again() -> bool:
    """Whether another session opens as ever."""
    async with behind() as session:
        return bool(await found(session, "got = True"))
