"""Each layer of the wall for itself: the others are switched off, and it still holds its part.

What is shown to be refused behind a layer is shown to be possible without it, so that no other
cause is taken for the layer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parts import skip_without
from processes import is_running, processes_of_session, soon
from recode_guest import landlock
from recode_runtime.sandboxes.process import ProcessSession
from walls import behind, found

SCOPES_SINCE = 6


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the host in which anybody may do anything, with a file."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        file = Path(name, "file")
        file.write_text("of the host")
        file.chmod(0o666)
        yield Path(name)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Somebody who listens on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@contextlib.asynccontextmanager
async def alone(*others: str, change: str = "") -> AsyncIterator[ProcessSession]:
    """A session behind the wall without those layers."""
    async with behind(without=others, change=change) as session:
        for other in others:
            assert session.missing.get(other, "switched off") == "switched off"
        if "namespaces" not in others and "mount-namespace" not in session.layers:
            skip_without("namespaces", "user namespaces, or root")
        yield session


def files(folder: Path) -> str:
    """A program that does with files what it can."""
    return f"""
    file, other = {str(folder / "file")!r}, {str(folder / "other")!r}
    got = [
        tried(os.listdir, {str(folder)!r}),
        tried(os.open, file, os.O_RDONLY),
        tried(os.open, file, os.O_WRONLY),
        tried(os.open, other, os.O_CREAT | os.O_WRONLY),
        tried(os.mkdir, other + "-folder"),
        tried(os.symlink, file, other + "-link"),
        tried(os.truncate, file, 1),
        tried(os.rename, file, other),
        tried(os.unlink, other if os.path.exists(other) else file),
    ]
    """


async def test_without_a_wall_files_are_reached(folder: Path) -> None:
    """As the user that a guest is; what this machine gives to everybody is within its reach."""
    async with alone("seccomp", "landlock", "namespaces") as session:
        assert await found(session, files(folder)) == ["through"] * 9


async def test_landlock_alone_keeps_files(folder: Path) -> None:
    """None is opened, made, changed, moved or removed, whoever may do it."""
    async with alone("seccomp", "namespaces") as session:
        assert await found(session, files(folder)) == ["EACCES"] * 9


async def test_namespaces_alone_keep_files(folder: Path) -> None:
    """There are none, and nothing can be made where they would be."""
    async with alone("seccomp", "landlock") as session:
        assert await found(session, files(folder)) == ["ENOENT"] * 9
        inside = """
        got = [
            os.listdir("/"), os.getcwd(), tried(os.mkdir, "/x"),
            tried(os.open, "/", os.O_RDWR | os.O_TMPFILE),
            called("mount", b"none", b"/", b"tmpfs", 0, None), tried(os.chroot, "/"),
        ]
        """
        assert await found(session, inside) == [[], "/", "EROFS", "EROFS", "EPERM", "EPERM"]


def network(port: int, abstract: str) -> str:
    """A program that connects to somebody outside, over TCP and over an abstract socket."""
    return f"""
    def connect(family, address):
        with socket.socket(family) as one:
            one.connect(address)

    got = [
        tried(connect, socket.AF_INET, ("127.0.0.1", {port})),
        tried(connect, socket.AF_UNIX, "\\0" + {abstract!r}),
    ]
    """


@contextlib.contextmanager
def abstract_server() -> Iterator[str]:
    """The name of an abstract socket on which somebody listens."""
    name = f"recode-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        yield name


async def test_without_a_wall_the_network_is_reached(server: socket.socket) -> None:
    """TCP and abstract sockets."""
    with abstract_server() as name:
        async with alone("seccomp", "landlock", "namespaces") as session:
            program = network(server.getsockname()[1], name)
            assert await found(session, program) == ["through", "through"]


async def test_landlock_alone_keeps_tcp_and_abstract_sockets(server: socket.socket) -> None:
    """Since Linux 6.7 and 6.12."""
    if landlock.version() < SCOPES_SINCE:
        skip_without("landlock", "Linux 6.12, whose Landlock knows scopes")
    with abstract_server() as name:
        async with alone("seccomp", "namespaces") as session:
            program = network(server.getsockname()[1], name)
            assert await found(session, program) == ["EACCES", "EPERM"]


async def test_namespaces_alone_keep_the_network(server: socket.socket) -> None:
    """There is one interface, and it is down; nobody is known by an abstract name."""
    with abstract_server() as name:
        async with alone("seccomp", "landlock") as session:
            program = network(server.getsockname()[1], name)
            assert await found(session, program) == ["ENETUNREACH", "ECONNREFUSED"]
            assert await found(session, "got = socket.if_nameindex()") == [[1, "lo"]]


def others(process: int | str) -> str:
    """A program that does with another process what it can; signals are number 0."""
    return f"""
    class Piece(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    text = ctypes.create_string_buffer(8)
    piece = Piece(ctypes.addressof(text), 8)
    read = ctypes.byref(piece), 1, ctypes.byref(piece), 1, 0
    got = [
        tried(os.kill, {process}, 0),
        tried(os.pidfd_open, {process}),
        called("ptrace", 0x4206, {process}, None, None),
        called("process_vm_readv", {process}, *read),
    ]
    """


async def test_namespaces_alone_keep_processes() -> None:
    """Those outside have no number; the first inside cannot be ended, not even by itself."""
    async with alone("seccomp", "landlock") as session:
        assert await found(session, others(os.getpid())) == ["ESRCH"] * 4
        inside = "got = [tried(os.kill, 1, 9), tried(os.kill, 1, 11), os.getppid() > 1]"
        assert await found(session, inside) == ["through", "through", True]
        assert is_running(session.pid)


@pytest.mark.parametrize("is_dumpable", [False, True])
async def test_a_keeper_that_is_not_dumpable_is_not_read_by_its_own_user(is_dumpable: bool) -> None:
    """Nor traced; it may be ended, where no namespace forbids that, and then so is the session."""
    change = """
    control = kernel.process_control
    def dumpable(option, *values):
        return control(option, *([1] if option == kernel.PR_SET_DUMPABLE else values))
    kernel.process_control = dumpable
    """
    without = ("seccomp", "landlock", "namespaces")
    async with alone(*without, change=change if is_dumpable else "") as session:
        assert ("non-dumpable" in session.layers) != is_dumpable
        kill, _, trace, read = await found(session, others(session.pid))
        assert kill == "through"
        if not is_dumpable:
            assert (trace, read) == ("EPERM", "EPERM")
        elif not traces_children_only():
            # Containers may forbid the call as such.
            assert read == (await found(session, others("os.getpid()")))[3]


def traces_children_only() -> bool:
    """Whether a process may trace none but those that it has started."""
    setting = Path("/proc/sys/kernel/yama/ptrace_scope")
    return setting.exists() and setting.read_text() != "0\n"


async def test_a_guest_that_root_has_started_has_no_way_back() -> None:
    """Without any other layer: another user, no capability, none to be had."""
    if os.geteuid() != 0:
        skip_without("root", "root")
    inside = """
    got = [
        tried(os.setuid, 0), tried(os.setgroups, [0]), tried(os.chroot, "/"),
        tried(os.kill, 1, 0), tried(os.open, "/etc/shadow", os.O_RDONLY),
        called("prctl", 39, 0, 0, 0, 0), C.prctl(39, 0, 0, 0, 0), C.prctl(23, 21, 0, 0, 0),
        tried(os.nice, -5),
    ]
    """
    async with alone("seccomp", "landlock", "namespaces") as session:
        assert await found(session, inside) == [
            *("EPERM", "EPERM", "EPERM", "EPERM", "EACCES"),
            *("through", 1, 0, "EPERM"),
        ]


async def test_there_is_no_user_namespace_below_the_guests_own() -> None:
    """It would give capabilities back, and with them much of the kernel to attack."""
    async with alone("seccomp", "landlock") as session:
        if "user-namespace" not in session.layers:
            skip_without("namespaces", "user namespaces")
        inside = "got = [called('unshare', 0x10000000), called('unshare', 0x40000000)]"
        assert await found(session, inside) == ["ENOSPC", "EPERM"]
    assert user_namespaces_here() > 0


def user_namespaces_here() -> int:
    """How many may be made outside of the guest."""
    return int(Path("/proc/sys/user/max_user_namespaces").read_text())


async def test_the_machines_name_is_not_told() -> None:
    """A new namespace alone would be a copy with the name in it."""
    async with alone("seccomp", "landlock") as session:
        assert await found(session, "got = list(os.uname())[:2]") == ["Linux", "guest"]
    assert os.uname().nodename != "guest"


async def test_rlimits_alone_keep_memory_files_and_descriptors(folder: Path) -> None:
    """Each is refused at its own limit; raising one is refused too."""
    inside = f"""
    def write():
        with open({str(folder / "file")!r}, "w") as file:
            file.write("x")

    def descriptors():
        for _ in range(20):
            os.dup(0)

    def memory():
        mmap.mmap(-1, 600 * 2**20)

    def rise():
        try:
            resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        except ValueError:
            raise OSError(errno.EPERM, "") from None

    got = [tried(one) for one in (write, descriptors, memory, rise)]
    """
    async with alone("seccomp", "landlock", "namespaces") as session:
        assert await found(session, inside) == ["EFBIG", "EMFILE", "ENOMEM", "EPERM"]
    async with alone("seccomp", "landlock", "namespaces", "rlimits") as session:
        told = await found(session, inside)
        assert told[:3] == ["through"] * 3


async def test_no_namespace_is_needed_to_end_all_of_a_session() -> None:
    """The keeper ends all whom the worker has started."""
    async with alone("namespaces") as session:
        await found(session, "got = os.fork() or C.poll(None, 0, -1)")
        assert await soon(lambda: len(processes_of_session(session.pid)) == 3)
    assert await soon(lambda: not any(map(is_running, processes_of_session(session.pid))))


async def test_a_worker_whose_keeper_was_ended_ends_with_the_session() -> None:
    """Where no namespace takes it along at once."""
    async with alone("namespaces") as session:
        os.kill(session.pid, signal.SIGKILL)
    assert await soon(lambda: not any(map(is_running, processes_of_session(session.pid))))


async def test_what_a_module_that_was_loaded_ahead_has_open_is_closed() -> None:
    """Also by a number beyond the limit of open files, which is lowered before."""
    change = """
    import os
    was = confine.Confinement.enter
    def enter(self, groups, number):
        os.dup2(os.open("/", os.O_RDONLY), 500)
        was(self, groups, number)
    confine.Confinement.enter = enter
    """
    inside = """
    got = []
    for number in range(1_000):
        try:
            os.fstat(number)
        except OSError:
            continue
        got.append(number)
    """
    async with alone("seccomp", "landlock", "namespaces", change=change) as session:
        assert len(await found(session, inside)) == 7
        assert "closed-descriptors" in session.layers
