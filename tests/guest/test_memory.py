"""When memory is freed, and how much is left, in processes with little of it."""

from __future__ import annotations

import textwrap

from forking import Ended, ended

BEGIN = """
MIB = 2**20
asked = []

def is_left(size, is_left=memory._is_left):
    asked.append(size // MIB)
    return is_left(size)

memory._is_left = is_left

def leave(mib):
    "Let this process have no more than so much."
    pages = int(open("/proc/self/statm").read().split()[0])
    most = pages * resource.getpagesize() + mib * MIB
    resource.setrlimit(resource.RLIMIT_AS, (most, most))

class Node:
    "In a cycle, so that the collector alone frees it."
    def __init__(self, size):
        self.data, self.me = bytes(size), self

def tried(function, *arguments):
    try:
        function(*arguments)
    except MemoryError as problem:
        return str(problem)
    return "fine"
"""


def ended_with(program: str) -> Ended:
    """How a program ends that has all of the above."""
    return ended(BEGIN + textwrap.dedent(program))


def test_from_the_start_nothing_is_collected_by_itself() -> None:
    """And what is there by then never."""
    program = """
    memory.begin()
    say(gc.isenabled(), gc.get_freeze_count() > 1_000)
    """
    assert ended_with(program) == Ended(["False True"], 0)


def test_behind_a_checkpoint_it_is_collected_until_the_statement_has_settled() -> None:
    """The garbage that it left is freed with it; the rest is kept from the next collection."""
    program = """
    memory.begin()
    memory.watch()
    say(gc.isenabled())
    kept, garbage = Node(1), Node(1)
    gone = weakref.ref(garbage)
    del garbage
    before = gc.get_freeze_count()
    memory.Room().settle()
    say(gone() is None, gc.get_freeze_count() > before, gc.isenabled())
    """
    assert ended_with(program) == Ended(["True", "True True False"], 0)


def test_what_has_outlived_a_statement_is_collected_where_memory_is_short() -> None:
    """Not before: looking at all objects after every statement would cost too much."""
    program = """
    memory.begin()
    room = memory.Room()
    old = Node(64 * MIB)
    room.settle()
    gone = weakref.ref(old)
    del old
    room.settle()
    say(gone() is None)
    leave(4)
    room.settle()
    say(gone() is None)
    """
    assert ended_with(program) == Ended(["False", "True"], 0)


def test_a_statement_that_leaves_too_little_cannot_be_kept() -> None:
    """With a checkpoint or without."""
    program = """
    leave(4)
    room = memory.Room()
    say(tried(room.settle))
    say(tried(room.take, 1))
    """
    assert ended_with(program) == Ended(["too little is left"] * 2, 0)


def test_the_kernel_is_asked_only_when_what_is_surely_left_is_used_up() -> None:
    """And first for more than is needed, so that it need not be asked soon again."""
    program = """
    leave(40)
    room = memory.Room()
    for taken in (0, 4, 4, 1):
        room.take(taken * MIB)
        say(*asked)
    """
    assert ended_with(program) == Ended(["16", "16", "16", "16 16"], 0)


def test_a_little_less_is_enough() -> None:
    """Then it is asked every time, and notices when it is gone."""
    program = """
    leave(12)
    room = memory.Room()
    say(tried(room.take, 1), *asked)
    more = mmap.mmap(-1, 6 * MIB)
    say(tried(room.take, 1), *asked)
    """
    assert ended_with(program) == Ended(["fine 16 8", "too little is left 16 8 16 8"], 0)
