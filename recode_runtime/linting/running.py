"""Many units checked, on all cores where it pays, in their order, whatever happens to a process."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from recode_runtime.linting.checking import check
from recode_runtime.linting.units import FileReport, Problem, Unit, Work

# Programs: fewer are done before other processes have begun.
_WORTH_IT = 400
_CHUNK = 50

Told = Callable[[int], None]


def cores() -> int:
    """How many processes can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(units: Sequence[Unit], work: Work, jobs: int, told: Told) -> Iterator[FileReport]:
    """The reports, in the order of the units; `told` hears how many programs are done.

    Raises:
        KeyboardInterrupt: as it came; no process is left behind.
    """
    jobs = jobs or cores()
    if jobs == 1 or sum(unit.weight for unit in units) < _WORTH_IT:
        for unit in units:
            yield safely_checked(unit, work)
            told(unit.weight)
        return
    for reports, weight in _in_parallel(_chunks(units), work, jobs):
        yield from reports
        told(weight)


def safely_checked(unit: Unit, work: Work) -> FileReport:
    """The report on a unit; a fault of ours, or of the disk, is a problem of that file alone."""
    try:
        return check(unit, work)
    except OSError as problem:
        message = f"could not be written: {problem.strerror or problem}"
    except Exception as problem:  # noqa: BLE001 - one file must not end the check of thousands
        message = f"could not be checked: {problem!r}; please report this"
    return FileReport(unit.path, problems=(Problem(unit.path, message),))


def _chunks(units: Sequence[Unit]) -> list[tuple[Unit, ...]]:
    chunks: list[list[Unit]] = []
    weight = _CHUNK
    for unit in units:
        if weight + unit.weight > _CHUNK:
            chunks.append([])
            weight = 0
        chunks[-1].append(unit)
        weight += unit.weight
    return [tuple(chunk) for chunk in chunks]


def _in_parallel(
    chunks: list[tuple[Unit, ...]], work: Work, jobs: int
) -> Iterator[tuple[list[FileReport], int]]:
    done = 0
    try:
        with _pool(min(jobs, len(chunks))) as pool:
            waiting = _submitted(pool, chunks, work)
            for future, chunk in zip(waiting, chunks, strict=True):
                yield future.result(), _weight(chunk)
                done += 1
    except BrokenProcessPool:
        for chunk in chunks[done:]:
            yield list(_carefully(chunk, work)), _weight(chunk)


def _weight(chunk: Sequence[Unit]) -> int:
    return sum(unit.weight for unit in chunk)


def _carefully(chunk: Sequence[Unit], work: Work) -> Iterator[FileReport]:
    """The reports on a chunk after a process died: alone, then each unit alone."""
    try:
        yield from _alone(chunk, work)
    except BrokenProcessPool:
        for unit in chunk:
            try:
                yield from _alone((unit,), work)
            except BrokenProcessPool:
                message = "could not be checked: the process that did so died; please report this"
                yield FileReport(unit.path, problems=(Problem(unit.path, message),))


def _alone(chunk: Sequence[Unit], work: Work) -> list[FileReport]:
    with _pool(1) as pool:
        return _submitted(pool, [chunk], work)[0].result()


def _submitted(
    pool: ProcessPoolExecutor, chunks: Sequence[Sequence[Unit]], work: Work
) -> list[Future[list[FileReport]]]:
    """The chunks on their way; the processes begin with the first of them.

    Signals are held back meanwhile: a fork would lose them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return [pool.submit(_check_chunk, chunk, work) for chunk in chunks]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """In a new process: Ctrl-C stays held back, for the first process ends all others."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


@contextmanager
def _pool(size: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, at once if it is left by an exception."""
    # Forked, before any thread is there: the parsers are loaded already, and once.
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(size, mp_context=fork, initializer=_begin)
    try:
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _check_chunk(chunk: Sequence[Unit], work: Work) -> list[FileReport]:
    return [safely_checked(unit, work) for unit in chunk]
