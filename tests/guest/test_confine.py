"""The whole wall round a guest that runs Python as it is: what it may do, and what it has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hosts import result_of
from parts import skip_without
from processes import is_running, processes_of_session, soon
from recode_guest.confine import LINUX_LAYERS
from recode_guest.ground import NOBODY
from recode_runtime.isolation import LAYERS
from recode_runtime.policy import Policy
from sessions import opened
from walls import PRELUDE, bare, behind, found

KILLED = "stopped at a system call that the sandbox does not allow"

# Each with what a program is told of it; KILLED costs the statement that tries, and nothing else.
FORBIDDEN = {
    # files
    "open a file": ("tried(os.open, '/etc/passwd', os.O_RDONLY)", "ENOENT"),
    "make a file": ("tried(os.open, '/tmp/x', os.O_CREAT | os.O_WRONLY)", "ENOENT"),
    "list the root folder": ("tried(os.listdir, '/')", "ENOENT"),
    "ask for a file": ("tried(os.stat, '/')", "ENOENT"),
    "remove a file": ("tried(os.unlink, '/tmp/x')", KILLED),
    "mount": ("called('mount', b'none', b'/', b'tmpfs', 0, None)", KILLED),
    "change the root": ("tried(os.chroot, '/')", KILLED),
    "open by handle": ("called('open_by_handle_at', 0, None, 0)", KILLED),
    "write to a file of no name": ("tried(os.memfd_create, 'x')", KILLED),
    # sockets
    "make a socket": ("tried(socket.socket)", "EPERM"),
    "make a pair of sockets": ("tried(socket.socketpair)", KILLED),
    "send what is out of band": ("called('send', 3, b'x', 1, socket.MSG_OOB)", KILLED),
    "receive what is out of band": ("called('recv', 3, b'x', 1, socket.MSG_OOB)", KILLED),
    "send to an address": ("called('sendto', 4, b'x', 1, 0, b'\\0' * 16, 16)", KILLED),
    "send descriptors": ("called('sendmsg', 4, None, 0)", KILLED),
    # other processes
    "kill the keeper": ("tried(os.kill, os.getppid(), 9)", KILLED),
    "look for a process": ("tried(os.kill, 1, 0)", KILLED),
    "trace": ("called('ptrace', 16, os.getppid(), None, None)", KILLED),
    "read another's memory": ("called('process_vm_readv', 1, None, 0, None, 0, 0)", KILLED),
    "get a process's descriptor": ("tried(os.pidfd_open, 1)", KILLED),
    "leave the process group": ("tried(os.setsid)", KILLED),
    # programs and code
    "start a program": ("tried(os.execv, '/bin/true', ['true'])", KILLED),
    "make executable memory": ("tried(mmap.mmap, -1, 4096, prot=mmap.PROT_EXEC)", KILLED),
    "make memory executable": (
        "called('mprotect', ctypes.c_void_p(id(C) & ~4095), ctypes.c_size_t(4096), 7)",
        KILLED,
    ),
    # namespaces, users, rights
    "make a user namespace": ("called('unshare', 0x10000000)", KILLED),
    "fork into a namespace": ("called('syscall', 56, 0x10000011, 0, 0, 0, 0)", KILLED),
    "clone by structure": ("called('syscall', 435, None, 0)", "ENOSYS"),
    "join a namespace": ("called('setns', 0, 0)", KILLED),
    "become root": ("tried(os.setuid, 0)", KILLED),
    "raise a limit": ("tried(resource.setrlimit, resource.RLIMIT_AS, (-1, -1))", KILLED),
    "become dumpable": ("called('prctl', 4, 1, 0, 0, 0)", KILLED),
    "load another filter": ("called('prctl', 22, 2, None, 0, 0)", KILLED),
    "handle a signal": ("tried(signal.signal, signal.SIGALRM, signal.SIG_IGN)", "EPERM"),
    # parts of the kernel that have let others out
    "notify by pipe": ("called('pipe2', (ctypes.c_int * 2)(), 0o200)", KILLED),
    "huge pages": ("tried(mmap.mmap, -1, 2**21, flags=0x40022)", KILLED),
    "share equal pages": ("tried(mmap.mmap(-1, 4096).madvise, 12)", KILLED),
    "rings": ("called('syscall', 425, 1, None)", KILLED),
    "keys": ("called('syscall', 250, 0, 0, 0, 0, 0)", KILLED),
    "programs for the kernel": ("called('syscall', 321, 0, None, 0)", KILLED),
    "faults in user space": ("called('syscall', 323, 0)", KILLED),
    "calls of x32": ("called('syscall', 0x40000000 + 39)", KILLED),
}


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_what_is_forbidden_is_refused_and_the_session_goes_on(what: str) -> None:
    """By the whole wall, in Python as it is; the program is told at worst that it was stopped."""
    expression, answer = FORBIDDEN[what]
    if "syscall" in expression and os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86_64")
    async with opened({}, policy=bare()) as session:
        if answer == KILLED:
            failure = (await session.execute(f"{PRELUDE}\ngot = {expression}")).failure
            assert failure is not None
            assert failure.message == KILLED
        else:
            assert await found(session, f"got = {expression}") == answer
        assert await found(session, "got = 1 + 1") == 2


async def test_threads_are_refused_as_an_error_of_python() -> None:
    """So that libraries which can do without them do without them."""
    async with opened({}, policy=bare()) as session:
        failure = (
            await session.execute(f"{PRELUDE}\nthreading.Thread(target=print).start()")
        ).failure
        assert failure is not None
        assert failure.message == "RuntimeError: can't start new thread"


async def test_every_layer_either_holds_or_has_a_reason() -> None:
    """At either level the guest speaks of each layer once, and of none that is not the host's."""
    needy = {name for name, layer in LAYERS.items() if layer.needs != "nothing"}
    assert set(LINUX_LAYERS) == needy
    for level in ("full", "portable"):
        async with opened({}, policy=bare(isolation={"level": level})) as session:
            assert sorted([*session.layers, *session.missing]) == sorted(LAYERS)
            assert all(session.missing.values())


async def test_portable_leaves_out_what_it_says_and_why() -> None:
    """The four layers of every machine stand; of each other one the policy's own word is kept."""
    async with opened({}, policy=Policy.named("portable")) as session:
        assert session.missing == dict.fromkeys(
            LINUX_LAYERS, "the policy asks for none ([isolation] level)"
        )
        assert set(session.layers) == set(LAYERS) - set(LINUX_LAYERS)
        assert (await session.execute("x = sum([1 for _ in 'abc'])", want=["x"])).variables == {
            "x": 3
        }


def facts(process: int, file: str = "status") -> dict[str, str]:
    """What the kernel says of a process, by name."""
    lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def owner(process: int) -> str:
    """Whose the files are that the kernel has of a process; its own user's if it is dumpable."""
    return str(Path(f"/proc/{process}/environ").stat().st_uid)


def badness(process: int) -> str:
    """How readily the kernel ends a process where memory is short; 1000 is the most."""
    return Path(f"/proc/{process}/oom_score_adj").read_text().strip()


async def test_the_kernel_says_the_same_of_keeper_and_worker() -> None:
    """Asked from outside: no rights, none to be had, no tracing, the filter, first to be killed."""
    async with opened({}, policy=bare()) as session:
        ours = int(facts(os.getpid())["Seccomp_filters"])
        unsealed = set() if "pid-namespace" in session.layers else {session.pid}
        for process in processes_of_session(session.pid):
            told = facts(process)
            for rights in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                assert int(told[rights], 16) == 0
            assert told["NoNewPrivs"] == "1"
            assert int(told["Seccomp_filters"]) == ours + (process not in unsealed)
            assert badness(process) == "1000"
            assert owner(process) != told["Uid"].split()[0]
            if os.geteuid() == 0:
                assert (int(told["CapBnd"], 16), told["Groups"]) == (0, "")
                assert told["Uid"].split() == told["Gid"].split() == [str(NOBODY)] * 4


async def test_inside_there_is_nobody_and_nothing() -> None:
    """No user but nobody, no environment, and only the descriptors that a guest needs."""
    async with behind(without=("seccomp",)) as session:
        inside = await found(
            session,
            """
            import stat
            modes = {}
            for number in range(1_000):
                try:
                    modes[number] = os.fstat(number)
                except OSError:
                    pass
            null = os.makedev(1, 3)
            got = [
                [*os.getresuid(), *os.getresgid()],
                dict(os.environ),
                [one.st_rdev == null for one in modes.values()],
                [stat.filemode(one.st_mode)[0] for one in modes.values()],
                list(modes),
            ]
            """,
        )
    ids, environment, null, kinds, numbers = inside
    is_mapped = "user-namespace" in session.layers or os.geteuid() == 0
    assert ids == ([NOBODY] * 6 if is_mapped else [*os.getresuid(), *os.getresgid()])
    assert environment == {}
    # /dev/null thrice, channel and control, the pipe to the keeper, and that of the checkpoint.
    assert kinds == ["c", "c", "c", "s", "s", "p", "p"]
    assert null == [True] * 3 + [False] * 4
    assert numbers[:5] == [0, 1, 2, 3, 4]


def limits_of(process: int) -> dict[str, tuple[str, ...]]:
    """The limits of a process, soft and hard."""
    lines = Path(f"/proc/{process}/limits").read_text().splitlines()
    return {line[4:26].strip(): tuple(line[26:].split()[:2]) for line in lines}


async def test_limits_are_those_of_the_policy() -> None:
    """Soft and hard, as the kernel has them; only processor time ends softly a second before."""
    async with opened({}, policy=bare(memory_mib=300, statement_cpu_seconds=2.5)) as session:
        told = limits_of(session.pid)
        is_counted = "process-limit" in session.layers
    memory, stack = str(300 * 2**20), str(8 * 2**20)
    assert told["address space"] == told["data size"] == (memory, memory)
    assert told["stack size"] == (stack, stack)
    assert told["cpu time"] == ("35", "36")
    assert told["open files"] == ("16", "16")
    for nothing in ("file size", "core file size", "locked memory", "msgqueue size"):
        assert told[nothing] == ("0", "0"), nothing
    assert (told["processes"] == ("8", "8")) == is_counted


FORKS = """
children = []
try:
    while len(children) < 500:
        child = os.fork()
        if child == 0:
            C.poll(None, 0, -1)
        children.append(child)
except OSError as problem:
    got = [len(children), errno.errorcode[problem.errno]]
"""


async def test_a_session_has_as_many_processes_as_it_may_and_all_of_them_end() -> None:
    """Keeper, both sides of the checkpoint, what is left of eight; a closed session has none."""
    async with opened({}, policy=bare()) as session:
        if "process-limit" not in session.layers:
            skip_without("namespaces", "a user namespace, in which processes are counted")
        assert await found(session, FORKS) == [5, "EAGAIN"]
        assert len(processes_of_session(session.pid)) > 5
    assert await soon(lambda: not any(map(is_running, processes_of_session(session.pid))))


async def test_the_alarms_end_a_statement_whatever_the_host_does_with_its_signals() -> None:
    """What a host ignores or blocks, a program that it starts inherits; not so a guest."""
    told = result_of("""
        import signal

        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGPROF})

        async def main():
            async with opened({}, statement_seconds=0.2, statement_cpu_seconds=9) as session:
                by_time = await session.execute("while True: pass")
            async with opened({}, statement_seconds=9, statement_cpu_seconds=0.2) as session:
                by_cpu = await session.execute("while True: pass")
            tell(messages=[by_time.failure.message, by_cpu.failure.message])

        asyncio.run(main())
    """)
    assert told["messages"] == [
        "stopped after 0.2 s of its own time",
        "stopped after 0.2 s of processor time",
    ]
