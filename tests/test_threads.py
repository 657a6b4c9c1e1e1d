"""Plain functions run off the loop, in threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
import time

import pytest

from recode_runtime import threads
from recode_runtime.threads import in_thread


async def test_a_quick_function_and_a_slow_one_give_what_they_return() -> None:
    """Both ways back: on the spot, and through the loop."""
    assert await in_thread(lambda a, b: a + b, 1, b=2) == 3
    assert await in_thread(lambda: time.sleep(0.02) or "slow") == "slow"


async def test_what_it_raises_is_raised() -> None:
    """On either way, with its own type and text."""

    def slowly() -> None:
        time.sleep(0.02)
        raise KeyError("slow")

    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
    with pytest.raises(KeyError, match="slow"):
        await in_thread(slowly)


async def test_the_loop_goes_on_while_a_function_is_slow() -> None:
    """Another task runs many times before the function ends."""
    release = threading.Event()
    task = asyncio.create_task(in_thread(release.wait, 5))
    turns = 0
    while turns < 50:
        await asyncio.sleep(0)
        turns += 1
    assert not task.done()
    release.set()
    assert await task is True


async def test_the_callers_context_is_seen() -> None:
    """As with `asyncio.to_thread`."""
    who = contextvars.ContextVar("who", default="nobody")
    who.set("me")
    assert await in_thread(who.get) == "me"


async def test_a_cancelled_call_is_left_at_once_and_its_thread_used_again() -> None:
    """The function runs to its end; its result is nobody's."""
    release = threading.Event()
    task = asyncio.create_task(in_thread(release.wait, 5))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = len(threads._idle)
    release.set()
    for _ in range(1_000):
        if len(threads._idle) > before:
            break
        await asyncio.sleep(0.001)
    assert await in_thread(threading.active_count) == threading.active_count()


async def test_calls_side_by_side_have_a_thread_each() -> None:
    """None waits for another."""
    barrier = threading.Barrier(3)
    assert sorted(await asyncio.gather(*(in_thread(barrier.wait, 5) for _ in range(3)))) == [
        0,
        1,
        2,
    ]


async def test_many_calls_at_the_edge_of_patience_all_come_back() -> None:
    """The moment at which a function ends and the loop begins to wait is no trap."""
    for number in range(300):
        pause = threads.PATIENCE * (number % 3) / 2
        assert await asyncio.wait_for(in_thread(lambda p=pause: time.sleep(p) or p), 5) == pause


def test_a_function_that_hangs_does_not_hold_up_the_end_of_the_program() -> None:
    """Neither the end of the loop nor that of the interpreter waits for it."""
    program = (
        "import asyncio, time\nfrom recode_runtime.threads import in_thread\n"
        "async def main():\n"
        "    try:\n        await asyncio.wait_for(in_thread(time.sleep, 60), 0.1)\n"
        "    except TimeoutError:\n        print('left')\n"
        "asyncio.run(main())\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "left\n", "")
    assert time.monotonic() - started < 5
