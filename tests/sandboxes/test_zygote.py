"""The zygote: started with nothing, one for each host process, replaced when it has died."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hosts import result_of
from processes import children, groups_of, is_running, soon, soon_without_loop
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import zygote
from recode_runtime.sandboxes.pool import pool
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.sandboxes.zygote import Zygote, ZygoteBusy, shared
from sessions import has_ended, opened, strict


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Zygote]:
    """A zygote of the test's own, started while the host has inheritable descriptors open."""
    with (tmp_path / "secret").open("w") as secret, socket.socket() as listening:
        for descriptor in (secret.fileno(), listening.fileno()):
            os.set_inheritable(descriptor, True)
        one = Zygote()
        yield one
        one.close()


def links(pid: int) -> list[str]:
    """What the descriptors of a process lead to, in the order of their numbers."""
    found = []
    for link in sorted(Path(f"/proc/{pid}/fd").iterdir(), key=lambda link: int(link.name)):
        with contextlib.suppress(FileNotFoundError):  # it has closed one meanwhile
            found.append(str(link.readlink()))
    return found


def _kinds(found: list[str]) -> list[str]:
    return sorted(link.partition(":")[0] for link in found)


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root can look into it")
def test_it_is_started_with_nothing_of_the_hosts(own: Zygote) -> None:
    """No environment, no site packages; its socket, and of its own three pipes and /proc."""
    expected = ["/proc"] + ["pipe"] * 6 + ["socket"]
    assert soon_without_loop(lambda: _kinds(links(own.pid)[3:]) == expected)
    found = links(own.pid)
    assert found[:2] == ["/dev/null"] * 2
    assert found[2].endswith("(deleted)")  # for complaints
    folder = Path(f"/proc/{own.pid}")
    assert (folder / "environ").read_bytes() == b""
    assert (folder / "cmdline").read_bytes().split(b"\0")[1:3] == [b"-I", b"-S"]
    assert (folder / "cwd").readlink() == Path("/")
    assert os.getsid(own.pid) == own.pid


def test_it_cannot_be_dumped_or_traced() -> None:
    """Another process of the same user reads nothing of its memory."""
    told = result_of("""
        import socket
        from recode_guest import kernel
        from recode_guest.zygote import Zygote
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        before = kernel.process_control(kernel.PR_GET_DUMPABLE)
        Zygote(theirs)
        tell(before=before, after=kernel.process_control(kernel.PR_GET_DUMPABLE))
        os._exit(0)
    """)
    assert told == {"before": 1, "after": 0}


async def test_sessions_are_processes_of_their_own_that_no_other_session_has() -> None:
    """None of ten that are open together, and none of ten that follow them."""
    sandbox = ProcessSandbox(strict())
    for _ in range(2):
        sessions = await asyncio.gather(*(sandbox.open({}) for _ in range(10)))
        keepers = {session.pid for session in sessions}
        assert len(keepers) == 10
        assert keepers <= set(children(shared.get().pid))
        bound = [await session.execute("x = 1\ny = [x]") for session in sessions]
        assert all(outcome.bound == ("x", "y") for outcome in bound)
        await asyncio.gather(*(session.close() for session in sessions))
    async with opened(policy=strict()) as session:
        failure = (await session.execute("x")).failure
        assert failure is not None
        assert failure.message == "NameError: name 'x' is not defined"


async def test_a_session_that_follows_another_knows_nothing_of_it() -> None:
    """What a program does to the modules of its session stays there, without any filter even."""
    policy = strict(language={"mode": "python", "preload": ["json"]})
    async with opened(policy=policy) as session:
        assert (await session.execute("import json\njson.loads = None")).ok
    for _ in range(3):
        async with opened(policy=policy) as session:
            outcome = await session.execute("import json\nx = json.loads('[1]')", want=["x"])
            assert outcome.variables == {"x": [1]}


async def test_a_killed_zygote_takes_its_sessions_along_and_is_replaced() -> None:
    """Who waits for a session of it is told, who opens the next one notices nothing."""
    policy = strict(isolation={"control_groups": True})
    async with opened(policy=policy) as session, opened(policy=policy) as idle:
        killed = shared.get().pid
        assert bool(groups_of(killed)) == ("pids-cgroup" in session.layers)
        under_way = asyncio.create_task(session.execute("while True: pass"))
        await asyncio.sleep(0.05)
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(SandboxUnavailable, match="the guest is gone"):
            await under_way
        with pytest.raises(SandboxUnavailable, match="the guest is gone"):
            await idle.execute("x = 1")
        for one in (session, idle):
            assert await soon(lambda keeper=one.pid: not is_running(keeper))
        for _ in range(5):
            async with opened(policy=policy) as after:
                assert (await after.execute("x = 1")).ok
        assert shared.get().pid != killed
        assert await soon(lambda: groups_of(killed) == [])


async def test_a_zygote_that_is_killed_while_sessions_open() -> None:
    """Each of them opens in the end or says that it cannot; none waits."""
    for round_number in range(5):
        opening = [asyncio.create_task(_open_and_close()) for _ in range(8)]
        await asyncio.sleep(0.002 * round_number)
        os.kill(shared.get().pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            results = await asyncio.gather(*opening, return_exceptions=True)
        assert {type(result) for result in results} <= {int, SandboxUnavailable}
        for keeper in results:
            assert not isinstance(keeper, int) or await has_ended(keeper)
        assert await has_ended(await _open_and_close())


async def _open_and_close() -> int:
    async with opened() as session:
        assert (await session.execute("x = [1]")).ok
        return session.pid


def test_a_zygote_says_when_it_is_full(own: Zygote) -> None:
    """It does not make the host wait."""
    os.kill(own.pid, signal.SIGSTOP)
    ends = socket.socketpair()
    with ends[0], ends[1], pytest.raises(ZygoteBusy):
        _ask_without_end(own, ends)
    os.kill(own.pid, signal.SIGKILL)


def test_a_zygote_that_does_not_leave_is_killed(
    own: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the host waits for nobody."""
    monkeypatch.setattr(zygote, "_END_SECONDS", 0.05)
    os.kill(own.pid, signal.SIGSTOP)
    own.close()
    assert not is_running(own.pid)


def _ask_without_end(one: Zygote, ends: Sequence[socket.socket]) -> None:
    while True:
        one.fork([end.fileno() for end in ends], b"{}" * 1_000)


async def test_a_zygote_that_cannot_start_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it wrote to standard error."""
    monkeypatch.setattr(zygote, "_FLAGS", ("-I", "-S", "-c", "raise SystemExit('no luck')"))
    pool.clear()
    monkeypatch.setattr(shared, "_zygote", None)
    with pytest.raises(SandboxUnavailable, match=r"the guest (cannot be started|did not open)"):
        await ProcessSandbox(strict(isolation={"ready": 0})).open({})
    broken = shared.get()
    assert await soon(lambda: broken.complaint() == "no luck\n")
    ends = socket.socketpair()
    with ends[0], ends[1], pytest.raises(BrokenPipeError):
        _ask_without_end(broken, ends)
    broken.close()


async def test_without_an_interpreter_there_is_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the system's."""
    monkeypatch.setattr(zygote.sys, "executable", "/nowhere/python")
    pool.clear()
    monkeypatch.setattr(shared, "_zygote", None)
    with pytest.raises(SandboxUnavailable, match=r"cannot be started: .*No such file"):
        await ProcessSandbox(strict(isolation={"ready": 0})).open({})
