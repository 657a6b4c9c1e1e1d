"""Kills a process at its N-th system call: `tracer.py`, JSON lines in, JSON lines out.

What a process does that others can see, it does by system calls. So whoever kills it before each of
them in turn has tried every moment there is. The tracer is the debugger of a process and of all it
forks; a victim is killed as it enters a system call, which then is not made (`man 2 ptrace`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from soaking import CALLS

_CONT, _DETACH, _SYSCALL = 7, 17, 24
_GETEVENTMSG, _SEIZE, _INTERRUPT, _GET_SYSCALL_INFO = 0x4201, 0x4206, 0x4207, 0x420E
_OPTIONS = 0x01 | 0x02 | 0x04 | 0x08  # tell system calls from traps; follow fork, vfork, clone
_FORKS = (1, 2, 3)
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_ENTRY = 1
_WALL = 0x4000_0000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class _SyscallInfo(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("pointers", ctypes.c_uint64 * 2),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


@dataclass(frozen=True, slots=True)
class Task:
    """Whom to trace and whom to kill.

    Args:
        pid: the process to begin with.
        generation: of the victim: 0 for that process, 1 for what it forks, and so on.
        number: before which system call it is killed; the first is 0.
        leave: let the first process go as soon as it has forked.
    """

    pid: int
    generation: int
    number: int
    leave: bool = False


@dataclass(slots=True)
class Trace:
    """What came of it.

    Args:
        hit: whether the victim got that far.
        calls: the system calls that it had made.
        at: the one before which it was killed.
    """

    hit: bool = False
    calls: list[str] = field(default_factory=list)
    at: str = ""


class Tracer:
    """Traces until everybody whom it traces is gone, or was let go."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._generations = {task.pid: 0}
        self._victim = task.pid if task.generation == 0 else 0
        self._early: set[int] = set()  # children that were seen before their parents had told
        self.trace = Trace()

    def attach(self) -> None:
        """Take hold of the first process; it runs on."""
        _ptrace(_SEIZE, self._task.pid, 0, _OPTIONS)
        _ptrace(_INTERRUPT, self._task.pid)

    def run(self) -> Trace:
        """See everybody out."""
        with contextlib.suppress(ChildProcessError):  # which says that nobody is left
            while self._generations:
                pid, status = os.waitpid(-1, _WALL)
                if not os.WIFSTOPPED(status):
                    self._generations.pop(pid, None)
                elif pid in self._generations:
                    self._stopped(pid, os.WSTOPSIG(status), status >> 16)
                else:
                    self._early.add(pid)
        return self.trace

    def _stopped(self, pid: int, number: int, event: int) -> None:
        passed = 0
        if number == _SYSCALL_STOP:
            self._at_call(pid)
        elif event in _FORKS:
            self._forked(pid)
            if self._task.leave and pid == self._task.pid:
                _ptrace(_DETACH, pid)
                del self._generations[pid]
                return
        elif event == 0:
            passed = number  # a signal, which it shall have
        self._resume(pid, passed)

    def _resume(self, pid: int, passed: int = 0) -> None:
        _ptrace(_CONT if self.trace.hit else _SYSCALL, pid, 0, passed)

    def _forked(self, parent: int) -> None:
        child = ctypes.c_ulong()
        _ptrace(_GETEVENTMSG, parent, 0, ctypes.addressof(child))
        generation = self._generations[parent] + 1
        self._generations[child.value] = generation
        if generation == self._task.generation and not self._victim:
            self._victim = child.value
        if child.value in self._early:
            self._early.remove(child.value)
            self._resume(child.value)

    def _at_call(self, pid: int) -> None:
        if pid != self._victim or self.trace.hit:
            return
        info = _SyscallInfo()
        _ptrace(_GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op != _ENTRY:
            return
        name = CALLS.get(info.number, f"call {info.number}")
        if len(self.trace.calls) == self._task.number:
            self.trace.hit, self.trace.at = True, name
            os.kill(pid, signal.SIGKILL)
        else:
            self.trace.calls.append(name)


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    """Ask the kernel; of a process that was killed where it stands the next wait will tell."""
    if _libc.ptrace(request, pid, address, data) < 0 and ctypes.get_errno() != errno.ESRCH:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace {request:#x}: {os.strerror(number)}")


class Tracing:
    """A tracer at work, for a program that goes on meanwhile."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def begin(self, task: Task) -> None:
        """From now on it traces."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")
        assert await self._line() == "attached"

    async def end(self) -> Trace:
        """What came of it; everybody that it traced must be about to be gone."""
        return Trace(**json.loads(await self._line()))

    async def _line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


@contextlib.asynccontextmanager
async def tracing() -> AsyncIterator[Tracing]:
    """A tracer, in a process of its own."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, stdin=pipe, stdout=pipe
    )
    try:
        yield Tracing(process)
    finally:
        process.kill()  # which lets go of whomever it still traces
        await process.wait()


def main() -> None:
    """Do one task after the other; a line says when it is attached, another what came of it."""
    for line in sys.stdin:
        tracer = Tracer(Task(**json.loads(line)))
        tracer.attach()
        print("attached", flush=True)
        print(json.dumps(asdict(tracer.run())), flush=True)


if __name__ == "__main__":
    main()
