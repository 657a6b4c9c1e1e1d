"""The Java process of a game: there while the game is, and gone whatever ends the host."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes import children, descriptors_open, is_running, name_of, other_threads
from recode_runtime.environments.java import JavaProcess
from recode_runtime.environments.textworld_express import TextWorldExpress
from recode_runtime.errors import EnvironmentUnavailable

pytestmark = pytest.mark.java

NO_JAVA = (
    "textworld-express needs Java, and no java executable was found (looked in JAVA_HOME and "
    "PATH). On Debian or Ubuntu: sudo apt-get install default-jre-headless. The built-in world "
    "needs nothing: --env crafting"
)
NOT_STARTED = "the game has not been started: call reset first"

# A host that opens a game, says so, and waits; Ctrl-C makes it take one more step.
HOST = """\
import asyncio, time
from recode_runtime.environments.textworld_express import TextWorldExpress

with asyncio.Runner() as runner:
    game = TextWorldExpress(game="simonsays")
    start = runner.run(game.reset())
    try:
        print(start.instruction, flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(runner.run(game.act("slice grape")), flush=True)
    runner.run(game.close())
"""


def host() -> subprocess.Popen[str]:
    """`HOST` in a process group of its own, at the point where the game is open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "Your task is to do exactly what Simon says.\n"
    return process


def javas() -> list[int]:
    """The processes of Java that this one has started; it may have others for children."""
    return [pid for pid in children(os.getpid()) if name_of(pid) == "java"]


async def test_reset_begins_the_same_game_in_the_same_process() -> None:
    """Steps, score and the end are forgotten; Java is started once."""
    game = TextWorldExpress(game="coin")
    start = await game.reset()
    java = javas()
    assert len(java) == 1
    await game.act("take coin")
    assert (game.ended, await game.score()) == (True, 1.0)
    assert await game.reset() == start
    assert (game.ended, await game.score()) == (False, 0.0)
    assert javas() == java
    await game.close()


async def test_close_ends_java_and_may_be_called_again(caplog: pytest.LogCaptureFixture) -> None:
    """No process, thread, descriptor or finalizer stays; after it only `reset` helps."""
    threads, descriptors = other_threads(), descriptors_open()
    await asyncio.to_thread(gc.collect)
    game = TextWorldExpress(game="coin")
    await game.close()
    await game.reset()
    assert len(javas()) == 1
    await game.close()
    await game.close()
    assert javas() == []
    with pytest.raises(EnvironmentUnavailable) as caught:
        await game.act("take coin")
    assert str(caught.value) == NOT_STARTED
    await game.reset()
    await game.act("take coin")
    await game.close()
    assert await game.score() == 1.0
    del game
    gc.collect()
    assert caplog.records == []
    assert other_threads() == threads
    assert descriptors_open() == descriptors


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.15])
async def test_a_start_that_is_cancelled_leaves_nothing(seconds: float) -> None:
    """However far it has come when the run is stopped: after `close` Java is gone."""
    game = TextWorldExpress(game="coin")
    starting = asyncio.create_task(game.reset())
    await asyncio.sleep(seconds)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await game.close()
    gc.collect()
    assert javas() == []


async def test_java_that_dies_is_the_operators_matter() -> None:
    """A step without a Java process is `EnvironmentUnavailable`, never an observation."""
    game = TextWorldExpress()
    await game.reset()
    (java,) = javas()
    os.kill(java, signal.SIGKILL)
    with pytest.raises(EnvironmentUnavailable, match=r"^the game's Java process failed: "):
        await game.act("look around")
    await game.close()
    gc.collect()


def test_java_dies_with_a_host_that_is_killed() -> None:
    """SIGKILL leaves the host no time to clean up, and within two seconds Java is gone."""
    process = host()
    (java,) = children(process.pid)
    process.kill()
    killed = time.monotonic()
    process.communicate()
    while is_running(java) and time.monotonic() < killed + 2:
        time.sleep(0.01)
    assert not is_running(java)


def test_ctrl_c_leaves_java_to_close() -> None:
    """A terminal's Ctrl-C reaches the host alone, which can go on and close in good order."""
    process = host()
    (java,) = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert (output, process.returncode) == ("Simon says, 'jump up and down'.\n", 0)
    assert not is_running(java)


async def test_without_java_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """How to install it, and the world that needs nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    game = TextWorldExpress()
    with pytest.raises(EnvironmentUnavailable) as caught:
        await game.reset()
    assert str(caught.value) == NO_JAVA
    await game.close()


async def test_java_that_does_not_start_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """JAVA_HOME comes before PATH, and what a broken Java says is in the message."""
    (tmp_path / "bin").mkdir()
    broken = tmp_path / "bin" / "java"
    broken.write_text("#!/bin/sh\necho 'no memory left' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    game = TextWorldExpress()
    with pytest.raises(EnvironmentUnavailable) as caught:
        await game.reset()
    assert str(caught.value) == "Java did not start. It said: 'no memory left'"
    await game.close()
    gc.collect()


def test_java_that_hangs_is_given_up(tmp_path: Path) -> None:
    """With all that it has started: a script in place of Java takes its children along."""
    hanging = tmp_path / "java"
    hanging.write_text("#!/bin/sh\necho $$ waits\nsleep 60\n")
    hanging.chmod(0o755)
    with pytest.raises(EnvironmentUnavailable, match=r"It said: '\d+ waits'$"):
        JavaProcess(str(hanging), tmp_path / "game.jar", patience=0.2)
    assert javas() == []
    gc.collect()


async def test_close_takes_java_away_from_a_call_that_hangs() -> None:
    """A stopped Java answers nothing; `close` ends it and the call fails."""
    game = TextWorldExpress(game="coin")
    await game.reset()
    (java,) = javas()
    os.kill(java, signal.SIGSTOP)
    acting = asyncio.create_task(game.act("look around"))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await game.close()
    assert time.monotonic() - began < 2
    with pytest.raises(EnvironmentUnavailable, match=r"^the game's Java process failed: "):
        await acting
    assert not is_running(java)
