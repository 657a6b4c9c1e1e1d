"""A program on plain CPython, with nothing round it but limits; run as `python -I plain.py`.

It reads one job as JSON from standard input, runs it in a child, and writes what it saw as JSON to
standard output. Stdlib only. Where the kernel gives a mount namespace, /tmp is one of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

MOST_BYTES = 1_048_576
MIB = 1_048_576
CHANGED = 8
_NEW_MOUNTS_AND_IPC = 0x00020000 | 0x08000000
_PRIVATE = 1 << 18 | 1 << 14

HOST_SECRET = ""


class Data(dict[str, Any]):
    """What programs find under the name `data`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name, name=name, obj=self) from None


def run(*args: Any, **kwargs: Any) -> str:
    """The primitive of every program."""
    del kwargs
    return f"done: {args[0]}" if args else "done"


def add_unguarded(*args: Any) -> Any:
    """What `add` wraps."""
    return sum(args)


add = functools.wraps(add_unguarded)(lambda *args: add_unguarded(*args))


def main() -> None:
    """Do the one job there is."""
    global HOST_SECRET
    job = json.load(sys.stdin)
    HOST_SECRET = job["host_secret"]
    if job["own_tmp"]:
        _own_tmp()
    canary = Path(job["file"])
    canary.parent.mkdir(parents=True, exist_ok=True)
    canary.write_text(job["content"], encoding="utf-8")
    os.utime(canary, ns=(10**18, 10**18 + 1))
    before = _state(canary)
    seen = _watched(job)
    seen["touched"] = _state(canary) != before
    json.dump(seen, sys.stdout)


def _own_tmp() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):  # not Linux
        if libc.unshare(_NEW_MOUNTS_AND_IPC) == 0:
            libc.mount(b"none", b"/", b"", _PRIVATE, None)
            libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"size=64m")


def _state(path: Path) -> tuple[int, ...]:
    try:
        known = path.stat()
    except OSError:
        return ()
    return (
        *(known.st_ino, known.st_mode, known.st_nlink, known.st_size),
        *(known.st_atime_ns, known.st_mtime_ns, known.st_ctime_ns),
    )


def _watched(job: dict[str, Any]) -> dict[str, Any]:
    """Run the program in a child, and tell what it wrote and how it ended."""
    reader, writer = os.pipe()
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        os.close(reader)
        ours.close()
        _become(job, writer, theirs)
    os.close(writer)
    theirs.close()
    deadline = time.monotonic() + job["seconds"]
    text, wire = _heard({reader: b"", ours.fileno(): b""}, deadline)
    late = time.monotonic() >= deadline
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    end = None if late else os.waitstatus_to_exitcode(status)
    return {"text": text.decode(errors="replace"), "wire": len(wire), "end": end}


def _heard(streams: dict[int, bytes], deadline: float) -> list[bytes]:
    """What comes until both streams end, the time is over, or there is too much."""
    poll = select.poll()
    for stream in streams:
        poll.register(stream, select.POLLIN)
    left = len(streams)
    while left and (seconds := deadline - time.monotonic()) > 0:
        for stream, _ in poll.poll(seconds * 1_000):
            data = os.read(stream, 65_536)
            streams[stream] = (streams[stream] + data)[:MOST_BYTES]
            if not data:
                poll.unregister(stream)
                left -= 1
    return list(streams.values())


def _become(job: dict[str, Any], writer: int, channel: socket.socket) -> NoReturn:
    """Be the program.

    Ends with 0, with 1 after an exception, 2 if one got past `Exception`, 3 where it needed too
    much; `CHANGED` is added if something of the host's is not what it was.
    """
    os.setpgid(0, 0)
    os.dup2(writer, 1)
    os.dup2(writer, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for kind, most in (
        (resource.RLIMIT_AS, job["memory_mib"] * MIB),
        (resource.RLIMIT_CPU, int(job["seconds"]) + 1),
        (resource.RLIMIT_FSIZE, 16 * MIB),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    scene = {
        "__name__": "__main__",
        "run": run,
        "add": add,
        "data": Data(k=[1, 2, 3]),
        "FD": channel.fileno(),
        "DEADLINE": job["seconds"] / 2,
    }
    before, status = _parts_of_host(scene), 2
    try:
        exec(compile(job["code"], "<case>", "exec"), scene)  # noqa: S102  (this is what it is for)
        if job["hostile_value"]:
            repr(scene["result"])
            json.dumps(scene["result"])
        status = 0
    except Exception as problem:  # noqa: BLE001  (whatever it is, it is told)
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)  # noqa: T201  (its one voice)
        status = 3 if isinstance(problem, MemoryError | RecursionError) else 1
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status if _parts_of_host(scene) == before else status | CHANGED)


def _parts_of_host(scene: dict[str, Any]) -> list[object]:
    """What is the host's in such an executor, and no program's to change."""
    owned = [scene.get("run"), run.__code__, {**vars(run)}]
    return [*owned, json.dumps.__defaults__, json.JSONEncoder.default]


if __name__ == "__main__":
    main()
