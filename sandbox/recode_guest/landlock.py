"""Landlock with no rules: no file, no TCP port, no signal or abstract socket outside.

What is forbidden grows with the kernel's version of it (its ABI); every bit here is one that some
kernel knows, and an older one is asked for those it has. It needs no privilege.
"""

from __future__ import annotations

import ctypes

from recode_guest import kernel

_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_ASK_VERSION = 1

# By the ABI that brought them: rights to files as one number of bits, to TCP, and the two scopes.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
_NET_SINCE = 4
_NET_RIGHTS = 0b11
_SCOPES_SINCE = 6
_SCOPES = 0b11


class _Ruleset(ctypes.Structure):
    """`struct landlock_ruleset_attr`."""

    _fields_ = (
        ("files", ctypes.c_uint64),
        ("net", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


def version() -> int:
    """The kernel's ABI of Landlock.

    Raises:
        OSError: it has none, or it is switched off.
    """
    return kernel.system_call("landlock_create_ruleset", _CREATE_RULESET, None, 0, _ASK_VERSION)


def deny_all() -> int:
    """Put this process and all it will fork behind a ruleset without rules; its descriptor.

    The descriptor is of no use any more, and is the caller's to close.

    Raises:
        OSError: the kernel refused.
    """
    abi = version()
    rights = max(bits for since, bits in _FILE_RIGHTS.items() if since <= abi)
    ruleset = _Ruleset(
        (1 << rights) - 1,
        _NET_RIGHTS if abi >= _NET_SINCE else 0,
        _SCOPES if abi >= _SCOPES_SINCE else 0,
    )
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    descriptor = kernel.system_call(
        "landlock_create_ruleset", _CREATE_RULESET, ctypes.byref(ruleset), size, 0
    )
    kernel.system_call("landlock_restrict_self", _RESTRICT_SELF, descriptor, 0)
    return descriptor
