"""Programs in the whole language, which share the interpreter with the guest and can change it.

What the guest says after that is the program's word. But the host neither crashes nor waits, and a
statement that fails leaves the session as it was, or ended.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from recode_runtime.errors import SandboxUnavailable
from recode_runtime.sandboxes import process
from recode_runtime.sandboxes.process import ProcessSession
from sessions import has_ended, opened, strict

SETUP = "a = 1\nb = [1, 2]"
AS_IT_WAS = {"a": 1, "b": [1, 2]}
TIME = "stopped after 0.5 s of its own time"
LOOP = "\n    while True: pass\n"
PRELOAD = ["datetime", "gc", "json", "os", "signal", "sys", "threading", "types"]


def python(**limits: Any) -> Any:
    """The whole language; modules that were not loaded before the wall cannot be."""
    return strict(language={"mode": "python", "preload": PRELOAD}, **limits)


FAILS = {
    "SystemExit": "raise SystemExit(3)",
    "sys.exit": "import sys\nsys.exit()",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "a BaseException": "class B(BaseException): pass\nraise B",
    "os._exit as if all were well": "import os\nos._exit(0)",
    "os._exit as if it were told": "import os\nos._exit(3)",
    "abort": "import os\nos.abort()",
    "kill": "import os\nos.kill(os.getpid(), 9)",
    "a thread": "import threading\nthreading.Thread(target=print).start()",
    "a text without end": f"class E(Exception):\n  def __str__(s):{LOOP}raise E",
    "a text that exits": "class E(Exception):\n  def __str__(s): raise SystemExit\nraise E",
    "a class that lies": "class E(Exception): __class__ = MemoryError\nraise E",
    "a name without end": (
        f"class M(type):\n  @property\n  def __name__(s):{LOOP}"
        "class E(Exception, metaclass=M): pass\nraise E"
    ),
    "recursion": "def f(): f()\nf()",
    "recursion without a limit": (
        "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n  def __repr__(s): return repr([s])\n"
        "repr(A())"
    ),
    "a group in a group in a group": (
        "e = ValueError()\nfor _ in range(5000): e = ExceptionGroup('g', [e])\nraise e"
    ),
    "a traceback of 20,000 links": (
        "import types\ntry: 1 / 0\nexcept Exception as e: t = e.__traceback__\n"
        "for i in range(20000): t = types.TracebackType(t, t.tb_frame, 0, -2**31)\n"
        "raise ValueError('q').with_traceback(t)"
    ),
    "output to nowhere": (
        "import sys\nsys.stdout = sys.stderr = None\nsys.excepthook = sys.displayhook = 1\n1 / 0"
    ),
    "a text that is none": (
        f"import sys\nclass S(str):\n  def __getitem__(s, i):{LOOP}  def __len__(s): return 1 / 0\n"
        "sys.stdout.write(S('x'))\nprint(S('y'))\nraise KeyError('after it')"
    ),
    "a finalizer without end": f"class A:\n  def __del__(s):{LOOP}x = A()\ndel x",
    "a collector without end": f"import gc\ndef f(*_):{LOOP}gc.callbacks.append(f)\ngc.collect()",
    "tracing": f"import sys\ndef f(*_):{LOOP}sys.settrace(f)\nsys.setprofile(f)",
    "an audit hook": f"import sys\ndef f(*_):{LOOP}sys.addaudithook(f)",
    "an audit hook that raises": (
        "import sys\ndef f(*_): raise ValueError('no')\nsys.addaudithook(f)"
    ),
    "a handler for the alarm": "import signal\nsignal.signal(signal.SIGALRM, print)",
    "the builtins that the guest uses": (
        "import builtins\nbuiltins.len = lambda _: 10**30\nbuiltins.isinstance = lambda *_: True"
    ),
    "a stop of its own": (
        "import sys\nraise sys.modules['recode_guest.guards'].Stop('limit', 'x\\x1b')"
    ),
    "an error of the compiler's": "eval('1 +')",
}
TOLD = {
    "SystemExit": "SystemExit: 3",
    "sys.exit": "SystemExit",
    "KeyboardInterrupt": "KeyboardInterrupt",
    "GeneratorExit": "GeneratorExit",
    "a BaseException": "B",
    "os._exit as if all were well": "the interpreter crashed (exit 0)",
    "os._exit as if it were told": "the interpreter crashed (exit 3)",
    "a text without end": TIME,
    "a text that exits": "E: (its text cannot be shown)",
    "a class that lies": "E",
    "a name without end": "E",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "a group in a group in a group": "ExceptionGroup: g (1 sub-exception)",
    "a traceback of 20,000 links": "ValueError: q",
    "output to nowhere": "ZeroDivisionError: division by zero",
    "a text that is none": "KeyError: 'after it'",
    "a finalizer without end": TIME,
    "a collector without end": TIME,
    "tracing": TIME,
    "an audit hook": TIME,
    "a stop of its own": "x\\x1b",
    "an error of the compiler's": "SyntaxError: invalid syntax",
}

LIES = {
    "no alarm": (
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\n"
        "signal.setitimer(signal.ITIMER_PROF, 0)\nwhile True: pass"
    ),
    "builtins without end": (
        f"import builtins\ndef f(*_):{LOOP}"
        "for n in ('len', 'isinstance', 'dict', 'list', 'type'): setattr(builtins, n, f)"
    ),
    "builtins that are none": "import builtins\nbuiltins.str = builtins.dict = builtins.list = 5",
    "type": "import builtins\nbuiltins.type = lambda *_: 1 / 0",
    "the encoder": "import sys\nsys.modules['recode_guest.wire'].encode = None",
    "another frame": (
        "import sys\nsys.modules['recode_guest.wire'].encode = "
        'lambda _: b\'{"op":"done","id":99}\''
    ),
    "an endless frame": (
        "import sys\nsys.modules['recode_guest.wire'].encode = lambda _: b'[' * 10**6"
    ),
    "the channel written": "import os\nos.write(3, b'\\x00\\x00\\x00\\x02{}')",
    "the channel closed": "import os\nos.close(3)",
    "the control socket written": "import os\nos.write(4, b'over 2')",
    "the control socket closed": "import os\nos.close(4)",
    "every descriptor closed": "import os\nos.closerange(0, 1000)",
    "a process left behind": f"import os\nif os.fork() == 0:{LOOP}",
    "a process that goes on as the guest": "import os\nos.fork()",
    "a hook before the next checkpoint": (
        f"import os\ndef f():{LOOP}os.register_at_fork(before=f)"
    ),
    "a hook that raises": "import os\nos.register_at_fork(before=lambda: 1 / 0)",
    "a kind of failure that there is not": (
        "import sys\nraise sys.modules['recode_guest.guards'].Stop('bogus', 'x')"
    ),
    "a side that waits": "import sys\nraise sys.modules['recode_guest.checkpoint'].Resumed",
    "what was printed": "import sys\nsys.stdout._printed._parts.append(3)",
    "a name that equals another": (
        f"class S(str):\n  def __eq__(s, o):{LOOP}  def __hash__(s): return hash('b')\n"
        "globals().clear()\nglobals()[S('c')] = 1"
    ),
    "a collector": "import gc\ngc.enable()\ngc.set_threshold(1)\ngc.unfreeze()",
    "nobody to answer": "import sys\nsys.modules['recode_guest.execution'].Execution = None",
}

VALUES = {
    "a hash and a `==` of a class": (
        f"class M(type):\n  def __hash__(s):{LOOP}  def __eq__(s, o):{LOOP}"
        "class A(metaclass=M): pass\nx = A()"
    ),
    "a name of a class": (
        f"class M(type):\n  @property\n  def __name__(s):{LOOP}class A(metaclass=M): pass\nx = A()"
    ),
    "special methods": (
        f"class A:\n  def __getattribute__(s, n):{LOOP}  def __repr__(s):{LOOP}"
        f"  def __len__(s):{LOOP}  def __bool__(s):{LOOP}  def __del__(s):{LOOP}x = A()"
    ),
    "a text": f"class A(str):\n  def __len__(s):{LOOP}  def encode(s, *_):{LOOP}x = A('text')",
    "an int": f"class A(int):\n  def bit_length(s):{LOOP}x = A(5)",
    "a dict": f"class A(dict):\n  def items(s):{LOOP}  def __iter__(s):{LOOP}x = A(k=1)",
    "a list": f"class A(list):\n  def __iter__(s):{LOOP}x = A([1])",
    "a finalizer in a cycle": f"class A:\n  def __del__(s):{LOOP}x = A()\nx.x = x",
}


async def as_it_was(session: ProcessSession) -> bool:
    """Whether the variables are those of `SETUP`, and statements run; False if it has ended."""
    try:
        outcome = await session.execute("c = sorted(b)", want=["a", "b"])
        assert outcome.failure is None
        assert outcome.variables == AS_IT_WAS
    except SandboxUnavailable:
        return False
    return True


@pytest.mark.parametrize("name", FAILS)
async def test_a_statement_that_fails_leaves_the_session_as_it_was(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it changed of the interpreter is gone as well, since it ran on the other side."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 20.0)  # for a busy machine
    async with asyncio.timeout(60), opened(policy=python()) as session:
        assert (await session.execute(SETUP)).ok
        outcome = await session.execute(f"if a:\n b.append(3)\n exec({FAILS[name]!r}, {{}})")
        assert outcome.failure is not None
        assert outcome.failure.message == TOLD.get(name, outcome.failure.message)
        assert await as_it_was(session)


@pytest.mark.parametrize("name", LIES)
async def test_a_guest_that_a_program_has_changed_is_as_it_was_or_ends(name: str) -> None:
    """Nothing that it says or does not say costs the host more than the session."""
    async with asyncio.timeout(60), opened(policy=python()) as session:
        assert (await session.execute(SETUP)).ok
        for source in (f"exec({LIES[name]!r}, globals())", "c = 1", "while True: pass"):
            try:
                outcome = await session.execute(source)
                found = await session.read(["a", "b"], chars=100)
            except SandboxUnavailable:
                assert await has_ended(session.pid)
                break
            assert outcome.ok or outcome.failure is not None
            if {"a", "b"} <= set(found):
                assert {name: found[name].value for name in "ab"} == AS_IT_WAS
    async with opened() as other:
        assert (await other.execute("x = 1", want=["x"])).variables == {"x": 1}


@pytest.mark.parametrize("name", VALUES)
async def test_a_value_with_code_of_the_programs_runs_none_of_it_when_it_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read by the name of its class, wanted in vain, and dropped in peace."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 20.0)  # for a busy machine
    async with asyncio.timeout(60), opened(policy=python()) as session:
        outcome = await session.execute(f"{SETUP}\n{VALUES[name]}", want=["x", "a"])
        assert outcome.failure is None
        assert outcome.variables == {"a": 1}
        found = await session.read(["x", "b"], chars=100)
        assert (found["x"].type, found["x"].text, found["x"].plain) == ("A", "<A>", False)
        assert found["b"].value == [1, 2]
        await session.bind({"x": 1})
        assert (await session.enter({"x": "b"})).ok
        await session.leave([])
        assert await as_it_was(session)
