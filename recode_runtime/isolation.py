"""The layers of the process wall by name: what each keeps from a guest, and what it needs.

`[isolation] require` of a policy names them; the guest reports them (`recode_guest.confine`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# "nothing" is what every machine has; a policy of level "portable" puts up those layers alone.
Need = Literal[
    "nothing",
    "linux",
    "another user",
    "a user of its own",
    "landlock",
    "seccomp",
    "namespaces",
    "control groups",
]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: what it keeps from a guest, and what of the machine it needs."""

    keeps: str
    needs: Need


LAYERS = {
    "empty-environment": Layer("the host's environment variables", "nothing"),
    "closed-descriptors": Layer("the host's open files and sockets", "nothing"),
    "own-session": Layer("the host's terminal", "nothing"),
    "rlimits": Layer("memory, processor time and files without end", "nothing"),
    "process-limit": Layer("more processes than are allowed", "a user of its own"),
    "unprivileged-user": Layer("what root may do", "another user"),
    "no-capabilities": Layer("the parts of what root may do", "linux"),
    "no-new-privileges": Layer("programs that give privileges back", "linux"),
    "non-dumpable": Layer("being read or traced by other processes", "linux"),
    "landlock": Layer(
        "files; TCP ports from Linux 6.7; signals, abstract sockets from 6.12", "landlock"
    ),
    "seccomp": Layer("every system call but some forty", "seccomp"),
    "user-namespace": Layer("users and privileges outside", "namespaces"),
    "pid-namespace": Layer("seeing and signalling processes outside", "namespaces"),
    "mount-namespace": Layer("mounting anything anywhere", "namespaces"),
    "empty-root": Layer("a file system at all", "namespaces"),
    "network-namespace": Layer("network interfaces, loopback included", "namespaces"),
    "ipc-namespace": Layer("shared memory and message queues", "namespaces"),
    "uts-namespace": Layer("the machine's name", "namespaces"),
    "cgroup-namespace": Layer("the control groups of the machine", "namespaces"),
    "memory-cgroup": Layer("memory of all processes together", "control groups"),
    "pids-cgroup": Layer("processes in all", "control groups"),
}
