"""Kills processes of guests to order: JSON lines in, JSON lines out.

A program of its own, so that it strikes while the host is at work. A process is looked for where it
must be, below a keeper or the zygote; it is held by a descriptor from then on, so that nobody else
who gets its number can be meant.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from soaking import chain, doing, leads_a_session, newest_child, parent_of, role, state

FIND_SECONDS = 0.03
SETTLE_SECONDS = 1.0
PAUSE = 0.00005
SIGNALS = {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "stop": signal.SIGSTOP}
# What the waiting side does tells what has come through the pipe of its checkpoint.
VERDICTS = {"poll": "undecided", "ppoll": "undecided", "wait4": "failed"}


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to kill, how, and when.

    Args:
        number: comes back with the report.
        victim: a role, "any" of a session, "opening" or "zygote".
        below: the keeper of the session; for the last two victims the zygote.
        how: "kill", "segv", or "stop": stopped for `gap` seconds, then killed.
        delay: seconds to wait once the victim has been found.
        gap: see `how`.
        pick: from 0 to 1, which one where several are meant.
        known: keepers of sessions in use, which are not opening.
    """

    number: int
    victim: str
    below: int
    how: str
    delay: float
    gap: float = 0.0
    pick: float = 0.0
    known: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an order.

    Args:
        number: the order's.
        hit: whether there was such a process.
        keeper: the first process of the session that was hit, as far as there was one.
        role: what the victim was when it was hit: as in `soaking`, or "zygote".
        doing: in which system call; exact if it was stopped first.
        verdict: of a running side that was stopped first: "undecided", "committed" or "failed" by
            what its waiting side had heard; "" of any other.
    """

    number: int
    hit: bool = False
    keeper: int = 0
    role: str = ""
    doing: str = ""
    verdict: str = ""


def executed(order: Order) -> Report:
    """Do as ordered."""
    deadline = time.monotonic() + FIND_SECONDS
    while time.monotonic() < deadline:
        path = _path(order)
        if place := _place(order, path):
            with _held(path[place], path[place - 1]) as handle:
                if handle >= 0:
                    return _struck(order, path, place, handle)
        time.sleep(PAUSE)
    return Report(order.number)


def _path(order: Order) -> list[int]:
    """The processes from the parent of the first that may be meant down to the last."""
    if order.victim == "zygote":
        return [parent_of(order.below), order.below] if state(order.below) not in "XZ" else []
    if order.victim == "opening":
        newest = newest_child(order.below)
        return [order.below, *chain(newest)] if newest and newest not in order.known else []
    return [parent_of(order.below), *chain(order.below)]


def _place(order: Order, path: list[int]) -> int:
    """The victim's place in the path; 0 if it is not there."""
    last = len(path) - 1
    places = {
        "zygote": 1,
        "keeper": 1,
        "any": 1 + int(order.pick * last),
        "opening": 1 + int(order.pick * last),
        "worker": 2 * (last == 2),
        "waiting": 2 * (last > 2),
        "running": last * (last > 2),
    }
    return places[order.victim] if last > 0 else 0


@contextlib.contextmanager
def _held(pid: int, parent: int) -> Iterator[int]:
    """A descriptor of the process if that is still its parent; else -1."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield -1
        return
    try:
        yield handle if parent_of(pid) == parent else -1
    finally:
        os.close(handle)


def _struck(order: Order, path: list[int], place: int, handle: int) -> Report:
    """Wait, strike, and say what was struck."""
    time.sleep(order.delay)
    victim = path[place]
    if order.how != "stop":
        report = _seen(order, path, victim)
        return report if _signal(handle, order.how) else Report(order.number)
    report = Report(order.number)
    if _signal(handle, "stop") and _has_stopped(victim):
        report = _seen(order, path, victim)
    time.sleep(order.gap)
    _signal(handle, "kill")
    return report


def _signal(handle: int, how: str) -> bool:
    """Whether there was somebody to get the signal."""
    try:
        signal.pidfd_send_signal(handle, SIGNALS[how])
    except ProcessLookupError:
        return False
    return True


def _has_stopped(pid: int) -> bool:
    """Whether the process has stopped; false if it was faster to end."""
    while (now := state(pid)) not in "TZX":
        time.sleep(PAUSE)
    return now == "T"


def _seen(order: Order, path: list[int], victim: int) -> Report:
    """What the victim is and does."""
    keeper = next((pid for pid in path[1:] if leads_a_session(pid)), 0)
    kind = "zygote" if order.victim == "zygote" else role(victim, keeper)
    is_exact = order.how == "stop" and kind == "running" and os.geteuid() == 0
    verdict = _verdict(victim) if is_exact else ""
    return Report(order.number, True, keeper, kind, doing(victim), verdict)


def _verdict(running: int) -> str:
    """What the waiting side of a stopped running side has heard, once it has settled."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        waiting = parent_of(running)
        if leads_a_session(waiting) or state(waiting) in "ZX":
            return "committed"
        if verdict := VERDICTS.get(doing(waiting)):
            return verdict
        time.sleep(PAUSE)
    return ""


def main() -> None:
    """Take orders until there are no more."""
    with ThreadPoolExecutor(32) as pool:
        for line in sys.stdin:
            pool.submit(_answer, Order(**json.loads(line)))


def _answer(order: Order) -> None:
    try:
        report = executed(order)
    except BaseException:  # noqa: BLE001  (whatever it is, nobody would hear of it)
        traceback.print_exc()
        os._exit(1)  # the host hears of it: no report is to come any more
    os.write(1, json.dumps(asdict(report)).encode() + b"\n")


if __name__ == "__main__":
    main()
