"""Sessions that run Python as it is, behind the wall, or behind a part of it.

A part is switched off in the zygote's own program, before it begins; the product has no such
switch. Programs have what `PRELUDE` defines, and leave what they found in `got`.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from unittest import mock

from recode_runtime.policy import Policy
from recode_runtime.sandboxes import pool, zygote
from recode_runtime.sandboxes.pool import Order, Start, Started
from recode_runtime.sandboxes.process import ProcessSandbox, ProcessSession

MODULES = ("ctypes", "mmap", "os", "resource", "signal", "socket", "threading")
PRELUDE = """
import ctypes, errno, mmap, os, resource, signal, socket, threading

C = ctypes.CDLL(None, use_errno=True)

def tried(function, *arguments, **named):
    "What came of a call: 'through', or the name of the error."
    try:
        function(*arguments, **named)
    except OSError as problem:
        return errno.errorcode[problem.errno]
    return "through"

def called(name, *arguments):
    "The same of a function of the C library."
    ctypes.set_errno(0)
    if getattr(C, name)(*arguments) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "through"
"""

# What switches a part off; each ends as on a machine that has none of it.
_OFF = {
    "seccomp": "seccomp.load = off",
    "landlock": "landlock.deny_all = off",
    "namespaces": "kernel.unshare = off",
    "rlimits": "limits.apply = off",
}
_CHANGED = """
import sys
sys.path += sys.argv[1:-1]
from recode_guest import cgroups, confine, kernel, landlock, limits, seccomp, zygote

def off(*_):
    raise OSError(0, "switched off")

{change}
zygote.main()
"""


def bare(*, isolation: Mapping[str, Any] | None = None, **named: Any) -> Policy:
    """The default policy without the language's filter, and without any layer that must hold."""
    policy = Policy.named("strict").but(
        language={"mode": "python", "preload": MODULES},
        isolation={"require": (), "ready": 0, **(isolation or {})},
    )
    return policy.but(limits=named) if named else policy


@contextlib.contextmanager
def changed(change: str) -> Iterator[Start]:
    """A way to start sessions from a zygote of its own, in which `change` is run first."""
    flags = (*zygote._FLAGS[:-1], _CHANGED.format(change=textwrap.dedent(change)))
    with mock.patch.object(zygote, "_FLAGS", flags):
        own = zygote.Zygote()

    async def start(order: Order, *, fresh: bool = False) -> Started:
        return pool._asked(own, order, is_ahead=False)

    try:
        yield start
    finally:
        own.close()


@contextlib.asynccontextmanager
async def behind(
    *, without: tuple[str, ...] = (), change: str = "", policy: Policy | None = None
) -> AsyncIterator[ProcessSession]:
    """A session behind all of the wall, or without some parts of it, or with a step changed."""
    changes = "\n".join([*(_OFF[part] for part in without), textwrap.dedent(change)])
    with changed(changes) as start:
        session = await ProcessSandbox(policy or bare(), start).open({})
        try:
            yield session
        finally:
            await session.close()


async def found(session: ProcessSession, source: str) -> Any:
    """What a program leaves in `got`."""
    outcome = await session.execute(PRELUDE + textwrap.dedent(source), want=["got"])
    assert outcome.failure is None, outcome.failure.traceback
    return outcome.variables["got"]
