"""What a hostile program would try first, tried from inside on things of our own.

The programs are in Python as it is, without the language's filter, so that the kernel's wall alone
stands against them. They do no harm where they get through: the file, the server, the memory and
the process are ours, and the signal is number 0.
"""

from __future__ import annotations

import asyncio
import builtins
import ctypes
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Isolation, Policy
from recode_runtime.sandboxes.process import ProcessSandbox
from recode_runtime.tree import Failure

Verdict = Literal["refused", "through", "untried"]

MODULES = ("ctypes", "encodings.idna", "mmap", "os", "socket")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attempt:
    """A program that binds `got` to True if it has reached what it should not.

    `kept_by` are the layers that keep it away wherever they hold, in the order in which the kernel
    asks them.
    """

    what: str
    source: str
    kept_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt.

    Attributes:
        what: what was tried.
        verdict: `"untried"` if something else was in the way than a refusal.
        answer: what the program was told, unless it got through.
        by: the layers that hold and should have kept it away.
    """

    what: str
    verdict: Verdict
    answer: str
    by: tuple[str, ...]

    @property
    def is_breach(self) -> bool:
        """Whether it got through layers that are said to hold."""
        return self.verdict == "through" and bool(self.by)


ATTEMPTS = (
    Attempt(
        "read a host file",
        """
with open(path) as file:
    got = file.read() == token
""",
        ("seccomp", "empty-root", "landlock"),
    ),
    Attempt(
        "connect to a loopback socket",
        """
with socket.socket() as client:
    client.settimeout(2)
    client.connect(("127.0.0.1", port))
    got = client.recv(100).decode() == token
""",
        ("seccomp", "network-namespace"),
    ),
    Attempt(
        "signal a host process",
        """
got = os.kill(pid, 0) is None
""",
        ("seccomp", "pid-namespace"),
    ),
    Attempt(
        "read a host process's memory",
        """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

def memory(length):
    copy = ctypes.create_string_buffer(length)
    here, there = Vector(ctypes.addressof(copy), length), Vector(address, length)
    read = ctypes.CDLL(None, use_errno=True).process_vm_readv
    if read(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return copy.raw.decode()

got = memory(len(token)) == token
""",
        ("seccomp", "pid-namespace", "landlock"),
    ),
    Attempt(
        "start a program",
        """
got = os.waitpid(os.posix_spawn(python, [python, "-I", "-S", "-c", ""], {}), 0)[1] == 0
""",
        ("seccomp", "empty-root", "landlock"),
    ),
    Attempt(
        "make executable memory",
        """
protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
got = len(mmap.mmap(-1, mmap.PAGESIZE, prot=protection)) == mmap.PAGESIZE
""",
        ("seccomp",),
    ),
    Attempt(
        "fork more than allowed",
        """
def fork(times):
    for _ in range(times):
        if os.fork() == 0:
            os._exit(0)
    return True

got = fork(processes)
""",
        ("process-limit", "pids-cgroup"),
    ),
    Attempt(
        "take more memory than allowed",
        """
got = len(bytearray(size)) == size
""",
        ("rlimits",),
    ),
)


async def tried(isolation: Isolation) -> tuple[Tried, ...]:
    """Every attempt, each in a session of its own behind the wall that a policy puts up.

    Raises:
        SandboxUnavailable: no session opens.
        OSError: there is no room for the files and sockets that they are tried on.
    """
    policy = Policy.named("strict").but(
        language={"mode": "python", "preload": MODULES},
        isolation={
            "level": isolation.level,
            "control_groups": isolation.control_groups,
            "require": (),
            "ready": 0,
        },
    )
    async with targets(policy) as given:
        return tuple([await _try(attempt, policy, given) for attempt in ATTEMPTS])


@asynccontextmanager
async def targets(policy: Policy) -> AsyncIterator[dict[str, Any]]:
    """Things of ours to reach from inside, by the names that the attempts know them by."""
    token = secrets.token_hex(16)
    memory = ctypes.create_string_buffer(token.encode())

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(token.encode())
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        with tempfile.NamedTemporaryFile("w") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(token)
            file.flush()
            yield {
                "token": token,
                "path": file.name,
                "port": server.sockets[0].getsockname()[1],
                "pid": os.getpid(),
                "address": ctypes.addressof(memory),
                "python": sys.executable,
                "processes": policy.limits.processes + 1,
                "size": (policy.limits.memory_mib + 1) * _MIB,
            }


async def _try(attempt: Attempt, policy: Policy, given: dict[str, Any]) -> Tried:
    session = await ProcessSandbox(policy).open({})
    by = tuple(layer for layer in attempt.kept_by if layer in session.layers)
    try:
        await session.bind(given)
        await session.execute(f"import {', '.join(MODULES)}")
        outcome = await session.execute(attempt.source, want=["got"])
    except SandboxUnavailable as problem:
        return Tried(attempt.what, "refused", f"the session was ended: {problem}", by)
    finally:
        await session.close()
    if outcome.failure is not None:
        return Tried(attempt.what, _meaning(outcome.failure), outcome.failure.message, by)
    got = outcome.variables.get("got") is True
    return Tried(attempt.what, "through" if got else "untried", "" if got else "no effect", by)


def _meaning(failure: Failure) -> Verdict:
    """Refused by the kernel, unless it is a Python error of another kind than the kernel's."""
    named = getattr(builtins, failure.message.partition(":")[0], None)
    if isinstance(named, type) and issubclass(named, Exception) and not issubclass(named, OSError):
        return "untried"
    return "refused"
