"""What a policy requires of the wall compared with what holds, in words that say what to do."""

from __future__ import annotations

import errno
import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from recode_runtime.errors import SandboxUnavailable
from recode_runtime.isolation import LAYERS, Need
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.machine import Machine

LOG = logging.getLogger("recode.sandboxes")

# Settings of the kernel that keep user namespaces from this process: the value that does, and one
# that does not.
_SWITCHES = {
    "user.max_user_namespaces": (0, 15_000),
    "kernel.unprivileged_userns_clone": (0, 1),
    "kernel.apparmor_restrict_unprivileged_userns": (1, 0),
}
_FOR_ROOT_TOO = "user.max_user_namespaces"
_LANDLOCK_SINCE = (5, 13)
_COUNTS_BY_NAMESPACE_SINCE = (5, 14)
_UNSAID = "the guest does not report it"


@dataclass(frozen=True, slots=True)
class Lack:
    """A layer that does not hold: why, in the kernel's words, and what would help."""

    layer: str
    reason: str
    remedy: str


def lacking(
    required: Iterable[str], holding: Iterable[str], missing: Mapping[str, str], machine: Machine
) -> list[Lack]:
    """Those of the required layers that do not hold.

    Args:
        required: names of layers.
        holding: the layers that a guest has reported as holding.
        missing: of others, the reason that the guest has given.
        machine: where that was.
    """
    held = set(holding)
    names = [name for name in required if name not in held]
    return [_lack(name, missing.get(name, _UNSAID), machine) for name in names]


def explained(lacks: Iterable[Lack]) -> list[str]:
    """A line for each cause: the layers that it keeps away, the kernel's reason, and the remedy."""
    causes: dict[tuple[str, str], list[str]] = {}
    for lack in lacks:
        causes.setdefault((lack.reason, lack.remedy), []).append(lack.layer)
    return [
        f"{', '.join(layers)}: {reason}; {remedy}" for (reason, remedy), layers in causes.items()
    ]


def unmet(name: str, lacks: Sequence[Lack]) -> str:
    """That the policy of that name requires what does not hold, in one sentence."""
    layers = ", ".join(lack.layer for lack in lacks)
    does = "does" if len(lacks) == 1 else "do"
    return f"the policy {name!r} requires {layers}, which {does} not hold on this machine"


def refuse_missing(policy: Policy, holding: Sequence[str], missing: Mapping[str, str]) -> None:
    """Compare what a policy requires with what holds.

    Raises:
        SandboxUnavailable: a layer does not hold; the message says which, why, and what to do.
    """
    required = policy.isolation.require
    if set(required) <= set(holding):
        return
    lacks = lacking(required, holding, missing, Machine.here())
    lines = [f"  {line}" for line in explained(lacks)]
    raise SandboxUnavailable(
        f"{unmet(policy.name, lacks)} (`recode doctor` shows every layer):\n" + "\n".join(lines)
    )


def warn_of_weakness(policy: Policy, holding: Sequence[str]) -> None:
    """Say in the log that a session lacks what the default policy would insist on.

    So a policy that asks for less, as `portable` does, says so each time.
    """
    absent = [name for name in _insisted_on() if name not in holding]
    if absent:
        # Not structlog's own logger: unless it is set up, that one prints to standard output.
        LOG.warning(
            "the policy %r runs code without %s: only for code that you trust",
            policy.name,
            ", ".join(absent),
        )


@functools.cache
def _insisted_on() -> tuple[str, ...]:
    return Policy.named("strict").isolation.require


def _lack(name: str, reason: str, machine: Machine) -> Lack:
    need = LAYERS[name].needs
    if need != "nothing" and machine.system != "Linux":
        return Lack(name, reason, "run it on Linux, or choose the policy 'portable'")
    return Lack(name, reason, _REMEDIES[need](reason, machine))


def _report_it(_reason: str, _machine: Machine) -> str:
    return "this should hold on every machine: please report it"


def _another_user(_reason: str, machine: Machine) -> str:
    if not machine.is_root:
        return "run it with another group than 0"
    if not machine.knows_other_users:
        return "run it as an ordinary user: in this user namespace root is alone"
    return "run it as an ordinary user, or give root CAP_SETUID and CAP_SETGID back"


def _user_of_its_own(reason: str, machine: Machine) -> str:
    if machine.is_root and "root" in reason:
        return _another_user(reason, machine)
    if machine.version < _COUNTS_BY_NAMESPACE_SINCE:
        return f"needs Linux 5.14 or newer, and this is {machine.kernel}"
    return _namespaces(reason, machine)


def _landlock(reason: str, machine: Machine) -> str:
    modules = machine.security_modules
    if machine.version < _LANDLOCK_SINCE:
        return f"needs Linux 5.13 or newer, and this is {machine.kernel}"
    if _says(reason, errno.EOPNOTSUPP) or (modules is not None and "landlock" not in modules):
        others = f",{','.join(modules)}" if modules else ",..."
        return f"switch it on: lsm=landlock{others} on the kernel's command line"
    if machine.container:
        return (
            "let the container's seccomp profile allow landlock_create_ruleset and "
            "landlock_restrict_self; newer engines do"
        )
    return "needs a kernel that was built with CONFIG_SECURITY_LANDLOCK"


def _seccomp(reason: str, machine: Machine) -> str:
    if "no filter" in reason:
        return f"needs x86_64 or aarch64, and this is {machine.processor}"
    return "needs a kernel that was built with CONFIG_SECCOMP_FILTER"


def _namespaces(reason: str, machine: Machine) -> str:
    switches = [
        f"sysctl -w {name}={better} (it is {value})"
        for name, (bad, better) in _SWITCHES.items()
        if (value := machine.settings.get(name)) == bad
        and (not machine.is_root or name == _FOR_ROOT_TOO)
    ]
    if switches:
        profile = ", or an AppArmor profile with `userns,` for " + os.path.realpath(sys.executable)
        return ", ".join(switches) + (profile if "apparmor" in switches[-1] else "")
    if _says(reason, errno.ENOSPC):
        return "sysctl -w user.max_user_namespaces=15000, and its like for the other kinds"
    if machine.container:
        return (
            "the container forbids it: docker run --security-opt seccomp=FILE, a copy of the "
            "engine's profile that also allows clone and unshare with every flag, mount, umount2, "
            "pivot_root, sethostname and setdomainname"
        )
    if machine.is_root:
        return "needs CAP_SYS_ADMIN"
    return "needs root, or a kernel built with CONFIG_USER_NS"


def _control_groups(_reason: str, machine: Machine) -> str:
    if machine.container:
        if machine.control_groups == "version 1" and not machine.is_root:
            return "needs root in the container, because control groups are of version 1 here"
        return (
            "mount control groups that the container may write, with memory and pids: docker run "
            "-v /sys/fs/cgroup:/sys/fs/cgroup hands out those of the machine"
        )
    if machine.control_groups == "none":
        return "needs a kernel that was built with CONFIG_MEMCG and CONFIG_CGROUP_PIDS"
    if machine.control_groups == "version 1":
        if not machine.is_root:
            return "needs root, because control groups are of version 1 here"
        return "mount the controllers memory and pids, writable, below /sys/fs/cgroup"
    scope = "systemd-run --scope" if machine.is_root else "systemd-run --user --scope"
    return f"start it where memory and pids are handed down: {scope} COMMAND"


def _says(reason: str, number: int) -> bool:
    """Whether the kernel's reason is that error."""
    return os.strerror(number) in reason


_REMEDIES: dict[Need, Callable[[str, Machine], str]] = {
    "nothing": _report_it,
    "linux": _report_it,
    "another user": _another_user,
    "a user of its own": _user_of_its_own,
    "landlock": _landlock,
    "seccomp": _seccomp,
    "namespaces": _namespaces,
    "control groups": _control_groups,
}
