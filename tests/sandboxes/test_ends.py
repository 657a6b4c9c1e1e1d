"""Nothing of a session outlives it, whoever ends first and however."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE

import pytest

from hosts import hosted, result_of
from processes import (
    descriptors_open,
    groups_of,
    is_running,
    is_there,
    processes_of_session,
    soon,
    soon_without_loop,
)
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import guest
from recode_runtime.sandboxes.zygote import shared
from sessions import has_ended, opened, strict


async def test_closing_leaves_no_process_and_no_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also after statements that were stopped, that crashed and that forked; nobody is killed."""
    monkeypatch.setattr(guest, "END_SECONDS", 60.0)
    shared.get()
    before = descriptors_open()
    async with opened(policy=strict(isolation={"ready": 0})) as session:
        for source in ("x = [1 for _ in 'a']", "while True: pass", "1 / 0", "x = 'a' * 10**10"):
            await session.execute(source)
        async with asyncio.timeout(30):
            await session.close()
            await session.close()
        assert await has_ended(session.pid)
        with pytest.raises(SandboxUnavailable, match="the session is closed"):
            await session.execute("x = 1")
    assert descriptors_open() == before


async def test_programs_that_the_host_starts_get_nothing_of_a_session() -> None:
    """None of its three descriptors, even where all are handed on."""
    folder = "/proc/self/fd"
    listing = (
        f"import os; print([os.path.realpath(f'{folder}/{{n}}') for n in os.listdir('{folder}')])"
    )
    command = [sys.executable, "-I", "-S", "-c", listing]
    async with opened():
        done = await asyncio.create_subprocess_exec(*command, stdout=PIPE, close_fds=False)
        found = (await done.communicate())[0].decode()
    assert "/null" in found
    assert "pidfd" not in found
    assert "socket" not in found


@pytest.mark.parametrize("level", ["full", "portable"])
@pytest.mark.parametrize("which", ["keeper", "worker"])
async def test_a_killed_keeper_or_worker_is_the_end_of_the_session_only(
    which: str, level: str
) -> None:
    """The host hears of it and nothing is left."""
    isolation = {"level": level, "require": ["rlimits"]}
    async with opened(policy=strict(isolation=isolation)) as session:
        others = [one for one in processes_of_session(session.pid) if one != session.pid]
        os.kill(session.pid if which == "keeper" else others[0], signal.SIGKILL)
        assert await soon(lambda: not processes_of_session(session.pid))
        with pytest.raises(SandboxUnavailable, match="the guest is gone"):
            await session.execute("x = 1")


HOST = """
    async def main():
        async def here():
            tell(keepers=[session.pid, idle.pid], zygote=shared.get().pid)
        policy = strict(isolation={"control_groups": True})
        async with opened({"here": here}, policy) as session, opened({}, policy) as idle:
            await session.execute("x = 1\\nif x:\\n    here()\\n    while True: pass")

    asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_ended_host_leaves_nothing(end: signal.Signals) -> None:
    """In the middle of a statement: no session, none forked ahead, no zygote, no control group."""
    with hosted(HOST) as host:
        told = host.hear()
        assert len(processes_of_session(told["keepers"][0])) == 3
        host.process.send_signal(end)
        host.process.wait()
    for keeper in told["keepers"]:
        assert soon_without_loop(lambda keeper=keeper: not processes_of_session(keeper))
    assert soon_without_loop(lambda: not is_there(told["zygote"]))
    assert groups_of(told["zygote"]) == []


def test_a_fork_of_the_host_has_a_zygote_and_a_stock_of_its_own() -> None:
    """The sessions of its parent go on, and end when that closes them, at once."""
    told = result_of("""
        async def use():
            async with opened({}) as session:
                await session.execute("x = [1]")
                return session.pid, shared.get().pid

        async def main():
            async with opened({}) as session:
                child = os.fork()
                if child == 0:
                    os._exit(in_child())
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                assert (await session.execute("x = [1]")).ok
                if (copy := os.fork()) == 0:
                    time.sleep(60)  # it has copies of all our sockets
                async with asyncio.timeout(30):
                    await session.close()
                os.kill(copy, 9)
                os.waitpid(copy, 0)
                return shared.get().pid

        def in_child():
            code = 1
            def run():
                nonlocal code
                keeper, zygote = asyncio.run(use())
                assert zygote != parent_zygote
                shared.close()
                assert not is_running(zygote) and not is_there(keeper)
                code = 0
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            return code

        guest.END_SECONDS = 60.0  # before it has to be killed
        asyncio.run(use())
        parent_zygote = shared.get().pid
        tell(same=asyncio.run(main()) == parent_zygote)
    """)
    assert told == {"same": True}


def test_a_host_that_ends_with_a_session_open_waits_for_nothing() -> None:
    """A program that forgets to close ends in good order."""
    told = result_of("""
        async def main():
            session = await ProcessSandbox(strict()).open({})
            await session.execute("x = 1")
            tell(keeper=session.pid, zygote=shared.get().pid)

        asyncio.run(main())
        import warnings
        warnings.simplefilter("ignore", ResourceWarning)
    """)
    for process in told.values():
        assert soon_without_loop(lambda process=process: not is_running(process))
    assert groups_of(told["zygote"]) == []
