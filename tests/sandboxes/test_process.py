"""The process wall itself: what it requires, what it leaves behind, what it gives up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import LAYERS, ProcessSandbox
from sessions import LIMITS, Acts, descriptors, is_alive, opened, processes_of_session

STRICT = Policy.named("strict").but(limits=LIMITS)


async def test_every_layer_holds_and_is_reported() -> None:
    """All that the first cut of the wall promises is there, on any Linux."""
    async with opened() as session:
        expected = set(LAYERS)
        assert set(session.layers) == expected


async def test_a_layer_that_is_not_known_is_refused() -> None:
    """A policy that asks for more than this wall has is never quietly given less."""
    policy = STRICT.but(isolation={"require": ["rlimits", "seccomp-of-tomorrow"]})
    with pytest.raises(
        SandboxUnavailable, match=r"require names seccomp-of-tomorrow.*known are rlimits"
    ):
        await ProcessSandbox(policy).open({})


async def test_a_policy_cannot_hand_out_what_the_guest_does_not_give() -> None:
    """Dangerous builtins, private names and modules in facades are refused at open."""
    for language, message in (
        ({"builtins": ["len", "open"]}, "the guest does not give 'open'"),
        ({"facades": {"json": ["codecs"]}}, "json: 'codecs' cannot be handed out"),
        ({"facades": {"random": ["_os"]}}, "random: "),
        ({"facades": {"no_such_module": ["x"]}}, "No module named 'no_such_module'"),
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


async def test_closing_leaves_no_process_no_zombie_and_no_descriptor() -> None:
    """Also after statements that were stopped, that crashed and that forked; in no time."""
    before = descriptors()
    async with opened() as session:
        for source in ("x = [1 for _ in 'a']", "while True: pass", "1 / 0", "x = 'a' * 10**10"):
            await session.execute(source)
        began = time.perf_counter()
        await session.close()
        await session.close()
        assert time.perf_counter() - began < 0.25
        assert processes_of_session(session.pid) == []
        with pytest.raises(SandboxUnavailable, match="the session is closed"):
            await session.execute("x = 1")
    assert descriptors() == before


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


async def test_a_killed_keeper_or_worker_is_the_end_of_the_session_only() -> None:
    """The host hears of it and nothing is left."""
    async with opened() as session:
        workers = [one for one in processes_of_session(session.pid) if one != session.pid]
        os.kill(workers[0], signal.SIGKILL)
        with pytest.raises(SandboxUnavailable, match="the guest is gone"):
            await session.execute("x = 1")
        assert processes_of_session(session.pid) == []


HOST = textwrap.dedent("""
    import asyncio, sys
    from recode_runtime.policy import Policy
    from recode_runtime.sandboxes.process import ProcessSandbox

    async def main():
        async def tell():
            print(session.pid, flush=True)
        session = await ProcessSandbox(Policy.named("strict")).open({"tell": tell})
        await session.execute("x = 1\\nif x:\\n    tell()\\n    while True: pass")

    asyncio.run(main())
""")


def test_a_killed_host_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGKILL of the host in the middle of a statement ends its guest within a second."""
    script = tmp_path / "host.py"
    script.write_text(HOST)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        keeper = int(host.stdout.readline())
        assert len(processes_of_session(keeper)) == 3
        host.kill()
    deadline = time.monotonic() + 2
    while is_alive(keeper) and processes_of_session(keeper) and time.monotonic() < deadline:
        time.sleep(0.01)
    living = [one for one in processes_of_session(keeper) if not _is_zombie(one)]
    assert living == []


def _is_zombie(process: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
