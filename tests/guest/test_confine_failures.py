"""Steps of the confinement that fail: the guest says which, and a policy that needs it is refused.

Each is made to fail in the zygote's own program. None ends in a traceback, and none in a guest that
claims a layer which does not hold.
"""

from __future__ import annotations

import os
import re
import textwrap

import pytest

from parts import skip_without
from recode_guest.ground import NAMESPACES
from recode_runtime.errors import SandboxUnavailable
from walls import bare, behind, found

OFF = "switched off"
COUNTED = {"process-limit": "the kernel counts all processes of the user: N are allowed"}

# What fails, and the layers that are missing for it, with the reason.
STEPS = {
    "own session": ("os.setsid = off", {"own-session": OFF}),
    "a session in name only": (
        "os.setsid = int",
        {"own-session": "the kernel says that it does not hold"},
    ),
    "limits": ("limits.apply = off", {"rlimits": OFF}),
    "the limit of processes": ("limits.apply_process_limit = off", {"process-limit": OFF}),
    "capabilities": ("kernel.drop_capabilities = off", {"no-capabilities": OFF}),
    "capabilities in name only": (
        "kernel.capabilities = lambda: 1",
        {"no-capabilities": "the kernel says that it does not hold"},
    ),
    "no new privileges": (
        "kernel.PR_SET_NO_NEW_PRIVS = 9_999",
        {
            "no-new-privileges": "prctl: Invalid argument",
            # Without it an ordinary user may load no filter and make no rules.
            "landlock": "landlock_restrict_self: Operation not permitted",
            "seccomp": "prctl: Permission denied",
        },
    ),
    "landlock": ("landlock.deny_all = off", {"landlock": OFF}),
    "landlock in name only": (
        "landlock.deny_all = lambda: os.dup(0)",
        {"landlock": "the kernel says that it does not hold"},
    ),
    "an old landlock": (
        "landlock._CREATE_RULESET = 9_999",
        {"landlock": "landlock_create_ruleset: Function not implemented"},
    ),
    "seccomp": ("seccomp.load = off", {"seccomp": OFF}),
    "seccomp in name only": (
        "seccomp.load = print",
        {"seccomp": "the kernel says that it does not hold"},
    ),
    "a machine without a filter": (
        """
        kernel._CLONE["riscv64"] = kernel._CLONE[kernel.machine()]
        kernel.machine = lambda: 'riscv64'
        """,
        {
            "seccomp": "there is no filter for riscv64",
            "empty-root": "pivot_root: not known for riscv64",
        },
    ),
    "descriptors": (
        "confine.close_all_but = print",
        {"closed-descriptors": "the kernel says that it does not hold"},
    ),
    "namespaces": (
        "kernel.unshare = off",
        {**dict.fromkeys((*NAMESPACES, "empty-root"), OFF), **COUNTED},
    ),
    "namespaces in name only": (
        """
        kernel.unshare = print
        kernel.fork_into = lambda _: os.fork()
        kernel.name_machine = off
        kernel.mount = off
        """,
        {
            **dict.fromkeys(NAMESPACES, "the kernel made none"),
            **dict.fromkeys(("uts-namespace", "empty-root"), OFF),
            **COUNTED,
        },
    ),
    "one kind of namespace": (
        """
        was = kernel.unshare
        def unshare(flags):
            if flags & kernel.CLONE_NEWNET:
                off()
            was(flags)
        kernel.unshare = unshare
        """,
        {"network-namespace": OFF},
    ),
    "a birth in namespaces": (
        "kernel.fork_into = off",
        {
            **dict.fromkeys((*NAMESPACES, "empty-root"), OFF),
            **COUNTED,
        }
        if os.geteuid() != 0
        else dict.fromkeys({*NAMESPACES, "empty-root"} - {"user-namespace"}, OFF),
    ),
    "the mounts": ("kernel.mount = off", {"empty-root": OFF}),
    "the root": ("kernel.pivot_root = off", {"empty-root": OFF}),
    "the machine's name": ("kernel.name_machine = off", {"uts-namespace": OFF}),
    "users inside": ("confine.Confinement._write = off", {}),
}


@pytest.mark.parametrize("what", STEPS)
async def test_a_step_that_fails_is_a_layer_that_is_missing(what: str) -> None:
    """With its reason; all others hold, the guest works, and what needs the layer is refused."""
    step, lacking = STEPS[what]
    change = f"import os\n{textwrap.dedent(step)}"
    async with behind() as whole:
        here = without_number(whole.missing)
    async with behind(change=change) as session:
        told = without_number(session.missing)
        assert set(told) == {*here, *lacking}
        # Where something else is the reason already, it may be found first.
        assert all(told[layer] in (here.get(layer), lacking.get(layer)) for layer in told)
        assert set(session.layers) == {*whole.layers} - {*told}
        assert await found(session, "got = sum([1 for _ in 'abc'])") == 3
    for layer in lacking:
        policy = bare(isolation={"require": [layer]})
        with pytest.raises(SandboxUnavailable, match=f"requires {layer}, which does not hold"):
            async with behind(change=change, policy=policy):
                pass


def without_number(missing: dict[str, str]) -> dict[str, str]:
    """The same reasons, whatever number of processes the machine runs."""
    return {layer: re.sub(r"\d+ are", "N are", reason) for layer, reason in missing.items()}


NO_PROC = """
import os
was = os.open
def open(path, *arguments, **named):
    if path == "/proc":
        raise FileNotFoundError(2, os.strerror(2))
    return was(path, *arguments, **named)
os.open = open
"""


async def test_there_is_no_guest_with_an_environment_or_without_proc() -> None:
    """Whatever the policy says: without these no layer could be spoken of."""
    for change, message in (
        ("import os\nos.environ['HOME'] = '/'", "not started with an empty environment"),
        (NO_PROC, "the guest needs /proc to start: No such file or directory"),
    ):
        with pytest.raises(SandboxUnavailable, match=message):
            async with behind(change=change):
                pass


async def test_a_policy_without_layers_needs_no_proc() -> None:
    """At the level `portable` the guest asks it for nothing."""
    policy = bare(isolation={"level": "portable"})
    async with behind(change=NO_PROC, policy=policy) as session:
        assert await found(session, "got = 1") == 1


async def test_root_that_cannot_become_another_user_is_told_so() -> None:
    """Its processes are not counted either."""
    if os.geteuid() != 0:
        skip_without("root", "root")
    async with behind(change="import os\nos.setgroups = off") as session:
        assert session.missing["unprivileged-user"] == OFF
        assert session.missing["process-limit"] == "there is none for root"
        assert "no-capabilities" in session.layers
