"""When memory is freed, and how much must be left between two statements.

Freeing a long chain of iterators recurses in C until the stack ends, so that nothing of a program's
may be freed where no checkpoint stands behind it: the collector runs on the running side only. What
has outlived a statement is frozen, so that the next collection looks at new objects alone.
"""

from __future__ import annotations

import gc
import mmap

from recode_guest.limits import MIB

# What the guest itself may need to answer the host and to begin the next statement; and how much it
# likes to know of, because asking the kernel takes a fifth of a cheap statement's time.
FLOOR_BYTES = 8 * MIB
KNOWN_BYTES = 16 * MIB
# A JSON text of `[],[],...` takes 24 times its size as objects.
OBJECT_BYTES_PER_WIRE_BYTE = 25


def begin() -> None:
    """From now on nothing is collected by itself, and what is there by now never."""
    gc.collect()
    gc.freeze()
    gc.disable()


def watch() -> None:
    """Collect as usual: a checkpoint stands behind this process."""
    gc.enable()


class Room:
    """How much is surely left."""

    def __init__(self) -> None:
        self._sure = 0

    def take(self, most: int) -> None:
        """Keep what a statement without a checkpoint has left, which is `most` bytes at most.

        Raises:
            MemoryError: it leaves too little.
        """
        self._sure -= most
        if self._sure < FLOOR_BYTES:
            self._ask()

    def settle(self) -> None:
        """Collect what a statement behind a checkpoint has left, and keep the rest.

        Raises:
            MemoryError: it leaves too little.
        """
        gc.disable()
        gc.collect()
        try:
            self._ask()
        except MemoryError:
            gc.unfreeze()
            gc.collect()
            self._ask()
        gc.freeze()

    def _ask(self) -> None:
        for size in (KNOWN_BYTES, FLOOR_BYTES):
            if _is_left(size):
                self._sure = size
                return
        raise MemoryError("too little is left")


def _is_left(size: int) -> bool:
    """Asks for address space, which is what the limit counts; no page of it is touched."""
    try:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ).close()
    except OSError:
        return False
    return True
