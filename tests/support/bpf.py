"""An interpreter of seccomp filters: what the kernel would do with a call, and by which steps.

Classic BPF has eight bytes an instruction and two registers; seccomp gives it no more than 64 bytes
to look at (`struct seccomp_data`). Whatever libseccomp does not use is refused here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

ALLOW, ERROR, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7, "i386": 0x4000_0003}
X32_BIT = 0x4000_0000

_LOAD, _AND, _RETURN, _JUMP = 0x20, 0x54, 0x06, 0x05
_TESTS = {
    0x15: lambda a, k: a == k,
    0x25: lambda a, k: a > k,
    0x35: lambda a, k: a >= k,
    0x45: lambda a, k: bool(a & k),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A system call as a filter sees it."""

    number: int
    arguments: Sequence[int] = (0,) * 6
    architecture: int = ARCHITECTURES["x86_64"]

    @property
    def data(self) -> bytes:
        """`struct seccomp_data`."""
        return struct.pack("<IIQ6Q", self.number, self.architecture, 0, *self.arguments)


@dataclass
class Filter:
    """A filter; `used` are the places of the instructions that have been reached.

    Each instruction is an operation, the steps to skip if it is true and if it is false, and a
    constant.
    """

    instructions: Sequence[tuple[int, int, int, int]]
    used: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, program: bytes) -> Filter:
        """The filter as the kernel takes it."""
        return cls(list(struct.iter_unpack("<HBBI", program)))

    def verdict(self, call: Call) -> int:
        """What the filter returns for a call."""
        data, accumulator, at = call.data, 0, 0
        while True:
            code, if_true, if_false, constant = self.instructions[at]
            self.used.add(at)
            if code == _RETURN:
                return constant
            at += 1
            if code == _LOAD:
                (accumulator,) = struct.unpack_from("<I", data, constant)
            elif code == _AND:
                accumulator &= constant
            elif code == _JUMP:
                at += constant
            else:
                at += if_true if _TESTS[code](accumulator, constant) else if_false
