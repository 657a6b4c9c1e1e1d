"""The process wall itself: what it refuses to open, and what a session has."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from processes import processes_of_session
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox
from sessions import LIMITS, Acts, opened

STRICT = Policy.named("strict").but(limits=LIMITS)


async def test_a_policy_cannot_hand_out_what_the_guest_does_not_give() -> None:
    """Dangerous builtins, private names and modules in facades are refused at open."""
    for language, message in (
        ({"builtins": ["len", "open"]}, "the guest does not give 'open'"),
        ({"facades": {"json": ["codecs"]}}, "json: 'codecs' cannot be handed out"),
        ({"facades": {"random": ["_os"]}}, "random: "),
        ({"facades": {"no_such_module": ["x"]}}, "No module named 'no_such_module'"),
        ({"mode": "python", "preload": ["no_such_module"]}, "No module named 'no_such_module'"),
    ):
        with pytest.raises(SandboxUnavailable, match=message):
            await ProcessSandbox(STRICT.but(language=language)).open({})


async def test_a_primitive_needs_a_plain_name() -> None:
    """No guard can be replaced by a primitive."""
    for name in ("_getattr_", "a.b", ""):
        with pytest.raises(ValueError, match="is not a plain public name"):
            await ProcessSandbox(STRICT).open({name: Acts()})


async def test_sessions_know_nothing_of_each_other() -> None:
    """Two sessions of one sandbox have two namespaces and run at the same time."""
    async with opened() as one, opened() as two:
        await asyncio.gather(one.execute("x = 1"), two.execute("x = [2 for _ in 'a']"))
        results = await asyncio.gather(*(s.execute("pass", want=["x"]) for s in (one, two)))
        assert [result.variables for result in results] == [{"x": 1}, {"x": [2]}]


def kinds_open(process: int) -> set[str]:
    """What the descriptors of a process lead to once it has forked.

    From 3.12 on `os.fork` reads /proc/self/stat for a moment, on the side that goes on.
    """
    kinds = {f"/proc/{process}/stat"}
    while f"/proc/{process}/stat" in kinds:
        with contextlib.suppress(FileNotFoundError):
            links = list(Path(f"/proc/{process}/fd").iterdir())
            kinds = {str(link.readlink()).partition(":")[0] for link in links}
    return kinds


async def test_the_guest_has_nothing_it_could_use() -> None:
    """Its workers: another session than ours, no environment, no files, no way to more rights."""
    async with opened() as session:
        for worker in processes_of_session(session.pid):
            folder = Path(f"/proc/{worker}")
            assert os.getsid(worker) == session.pid != os.getsid(0)
            if os.geteuid() == 0:
                assert (folder / "environ").read_bytes() == b""
                assert kinds_open(worker) == {"/dev/null", "socket", "pipe"}
            status = (folder / "status").read_text()
            assert "NoNewPrivs:\t1" in status
            assert "Uid:\t0" not in status
