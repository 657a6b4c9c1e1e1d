"""Layers required and layers that hold: what is said of the difference, on this machine and others.

Other kernels are this one behind a filter that gives their answers (`kernels.py`).
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kernels import ORDINARY, ROOT_WITHOUT_CAPABILITIES, answering
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.isolation import LAYERS
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.layers import Lack, explained, lacking, refuse_missing
from recode_runtime.sandboxes.machine import Machine
from sessions import opened

STRICT, HARDENED, PORTABLE = (Policy.named(name) for name in ("strict", "hardened", "portable"))
EVERYTHING = STRICT.but(isolation={"control_groups": True})

# An ordinary user's session on a distribution's kernel, where nothing is in the way.
PLAIN = Machine(
    system="Linux",
    kernel="6.8.0-45-generic",
    processor="x86_64",
    python="3.12.3",
    is_root=False,
    knows_other_users=True,
    container=None,
    settings={"user.max_user_namespaces": 60_000},
    security_modules=("capability", "landlock", "yama"),
    control_groups="version 2",
)
IN_CONTAINER = replace(PLAIN, container="docker", is_root=True)
PYTHON = Path(sys.executable).resolve()
APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"
CONTAINER_FORBIDS = (
    "the container forbids it: docker run --security-opt seccomp=FILE, a copy of the engine's "
    "profile that also allows clone and unshare with every flag, mount, umount2, pivot_root, "
    "sethostname and setdomainname"
)
CONTAINER_KNOWS_NO_LANDLOCK = (
    "let the container's seccomp profile allow landlock_create_ruleset and "
    "landlock_restrict_self; newer engines do"
)

# Opens a session of a policy with some keys of [isolation] changed, and tells what came of it.
TRIAL = """
import asyncio, json, sys
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.policy import Policy
from recode_runtime.sandboxes.process import ProcessSandbox

async def trial(name, isolation):
    try:
        session = await ProcessSandbox(Policy.named(name).but(isolation=isolation)).open({})
    except SandboxUnavailable as problem:
        return {"refused": str(problem)}
    outcome = await session.execute("x = [n for n in (1, 2)]", want=["x"])
    await session.close()
    return {"layers": session.layers, "missing": session.missing, "x": outcome.variables["x"]}

print(json.dumps(asyncio.run(trial(sys.argv[1], json.loads(sys.argv[2])))))
"""


def tried(*before: str, policy: str = "strict", err: str = "", **isolation: Any) -> dict[str, Any]:
    """What comes of a session that a process opens which was started behind those words.

    `err` must be in what it writes to standard error, which is empty where nothing is said.
    """
    command = [*before, sys.executable, "-c", TRIAL, policy, json.dumps(isolation)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert err in done.stderr
    assert bool(err) == bool(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_hardened_requires_every_layer() -> None:
    """The list in the policy and the table of layers are the same, in the same order."""
    assert HARDENED.isolation.require == tuple(LAYERS)


def test_the_default_policy_requires_what_needs_no_privilege() -> None:
    """No namespace and no control group, which not every user is given."""
    needs = {LAYERS[name].needs for name in STRICT.isolation.require}
    assert needs == {"nothing", "linux", "another user", "landlock", "seccomp"}


@pytest.mark.parametrize(
    "policy", [EVERYTHING, STRICT, PORTABLE], ids=["all", "strict", "portable"]
)
async def test_the_guest_knows_the_same_layers(policy: Policy) -> None:
    """Each is reported as holding or with a reason, whatever the policy leaves out."""
    async with opened(policy=policy) as session:
        assert {*session.layers, *session.missing} == set(LAYERS)
        assert not set(session.layers) & set(session.missing)


async def test_a_portable_session_has_the_layers_that_need_nothing() -> None:
    """They are what the policy `portable` requires, and all that it can."""
    async with opened(policy=PORTABLE) as session:
        nothing = {name for name, layer in LAYERS.items() if layer.needs == "nothing"}
        assert set(session.layers) == nothing == set(PORTABLE.isolation.require)


async def test_a_portable_session_says_so_each_time(caplog: pytest.LogCaptureFixture) -> None:
    """One warning a session, which names what is not there; a whole wall is silent."""
    async with opened(policy=PORTABLE), opened(policy=STRICT), opened(policy=PORTABLE):
        pass
    text = (
        "the policy 'portable' runs code without unprivileged-user, no-capabilities, "
        "no-new-privileges, non-dumpable, landlock, seccomp: only for code that you trust"
    )
    assert caplog.record_tuples == 2 * [("recode.sandboxes", logging.WARNING, text)]


@pytest.mark.parametrize(
    ("answers", "layer", "reason"),
    [
        ({"landlock_create_ruleset": "ENOSYS"}, "landlock", "Function not implemented"),
        ({"landlock_create_ruleset": "EOPNOTSUPP"}, "landlock", "Operation not supported"),
        ({"PR_SET_SECCOMP": "EINVAL"}, "seccomp", "Invalid argument"),
    ],
)
def test_nothing_weaker_is_opened_instead(answers: dict[str, str], layer: str, reason: str) -> None:
    """Without Landlock or seccomp the default policy opens no session; asked for, it says so."""
    kernel = [*ORDINARY, *answering(**answers)]
    refused = tried(*kernel)["refused"]
    assert refused.startswith(
        f"the policy 'strict' requires {layer}, which does not hold on this machine "
        "(`recode doctor` shows every layer):\n"
        f"  {layer}: "
    )
    assert f"{reason}; " in refused
    weaker = [name for name in STRICT.isolation.require if name != layer]
    warning = f"runs code without {layer}: only for code that you trust"
    asked_for = tried(*kernel, require=weaker, err=warning)
    assert layer not in asked_for["layers"]
    assert reason in asked_for["missing"][layer]
    assert set(weaker) <= set(asked_for["layers"])
    portable = tried(*kernel, policy="portable", err="the policy 'portable' runs code without")
    assert portable["x"] == [1, 2]


@pytest.mark.parametrize("error", ["EPERM", "ENOSPC"])
def test_the_default_policy_needs_no_namespaces(error: str) -> None:
    """As in a container's default profile, and with user.max_user_namespaces at 0."""
    told = tried(*ORDINARY, *answering(unshare=error))
    assert told["x"] == [1, 2]
    assert set(STRICT.isolation.require) <= set(told["layers"])
    namespaces = {name for name, layer in LAYERS.items() if layer.needs == "namespaces"}
    assert not namespaces & set(told["layers"])


def test_a_namespace_that_maps_nobody_serves() -> None:
    """As where AppArmor lets a new user namespace do nothing (Ubuntu 24.04)."""
    given = tried(*ORDINARY)
    told = tried(*ORDINARY, *answering(open_to_write="EPERM"))
    assert told["x"] == [1, 2]
    assert set(STRICT.isolation.require) <= set(told["layers"])
    assert ("user-namespace" in told["layers"]) == ("user-namespace" in given["layers"])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to take its capabilities away")
def test_root_that_cannot_become_another_user_is_told() -> None:
    """It would stay the owner of root's files, and its processes are not counted."""
    refused = tried(*ROOT_WITHOUT_CAPABILITIES)["refused"]
    assert refused.startswith("the policy 'strict' requires unprivileged-user, which does not hold")
    told = tried(*ROOT_WITHOUT_CAPABILITIES, require=[], err="without unprivileged-user: only")
    assert {"unprivileged-user", "process-limit"} <= set(told["missing"])


@pytest.mark.parametrize(
    ("layer", "reason", "machine", "remedy"),
    [
        (
            "user-namespace",
            "unshare: Permission denied",
            replace(PLAIN, settings={APPARMOR: 1}),
            f"sysctl -w {APPARMOR}=0 (it is 1), or an AppArmor profile with `userns,` for {PYTHON}",
        ),
        (
            "pid-namespace",
            "unshare: Operation not permitted",
            replace(PLAIN, settings={"kernel.unprivileged_userns_clone": 0}),
            "sysctl -w kernel.unprivileged_userns_clone=1 (it is 0)",
        ),
        (
            "user-namespace",
            "unshare: No space left on device",
            replace(PLAIN, is_root=True, settings={"user.max_user_namespaces": 0}),
            "sysctl -w user.max_user_namespaces=15000 (it is 0)",
        ),
        (
            "user-namespace",
            "unshare: No space left on device",
            PLAIN,
            "sysctl -w user.max_user_namespaces=15000, and its like for the other kinds",
        ),
        (
            "empty-root",
            "unshare: Operation not permitted",
            IN_CONTAINER,
            CONTAINER_FORBIDS,
        ),
        (
            "network-namespace",
            "unshare: Operation not permitted",
            replace(
                PLAIN,
                is_root=True,
                settings={APPARMOR: 1},
            ),
            "needs CAP_SYS_ADMIN",
        ),
        (
            "uts-namespace",
            "unshare: Invalid argument",
            PLAIN,
            "needs root, or a kernel built with CONFIG_USER_NS",
        ),
        (
            "landlock",
            "landlock_create_ruleset: Function not implemented",
            replace(PLAIN, kernel="5.10.0-28-amd64"),
            "needs Linux 5.13 or newer, and this is 5.10.0-28-amd64",
        ),
        (
            "landlock",
            "syscall: Operation not supported",
            replace(PLAIN, security_modules=("capability", "yama", "apparmor")),
            "switch it on: lsm=landlock,capability,yama,apparmor on the kernel's command line",
        ),
        (
            "landlock",
            "syscall: Operation not supported",
            replace(PLAIN, security_modules=None),
            "switch it on: lsm=landlock,... on the kernel's command line",
        ),
        (
            "landlock",
            "syscall: Operation not permitted",
            IN_CONTAINER,
            CONTAINER_KNOWS_NO_LANDLOCK,
        ),
        (
            "landlock",
            "landlock_create_ruleset: Function not implemented",
            PLAIN,
            "needs a kernel that was built with CONFIG_SECURITY_LANDLOCK",
        ),
        (
            "seccomp",
            "there is no filter for riscv64",
            replace(PLAIN, processor="riscv64"),
            "needs x86_64 or aarch64, and this is riscv64",
        ),
        (
            "seccomp",
            "prctl: Invalid argument",
            PLAIN,
            "needs a kernel that was built with CONFIG_SECCOMP_FILTER",
        ),
        (
            "unprivileged-user",
            "Operation not permitted",
            replace(PLAIN, is_root=True),
            "run it as an ordinary user, or give root CAP_SETUID and CAP_SETGID back",
        ),
        (
            "unprivileged-user",
            "Operation not permitted",
            replace(PLAIN, is_root=True, knows_other_users=False),
            "run it as an ordinary user: in this user namespace root is alone",
        ),
        (
            "unprivileged-user",
            "the kernel says that it does not hold",
            PLAIN,
            "run it with another group than 0",
        ),
        (
            "memory-cgroup",
            "no control group can be made here",
            PLAIN,
            "start it where memory and pids are handed down: systemd-run --user --scope COMMAND",
        ),
        (
            "memory-cgroup",
            "no control group can be made here",
            replace(PLAIN, is_root=True),
            "start it where memory and pids are handed down: systemd-run --scope COMMAND",
        ),
        (
            "pids-cgroup",
            "no control group can be made here",
            replace(PLAIN, control_groups="version 1"),
            "needs root, because control groups are of version 1 here",
        ),
        (
            "pids-cgroup",
            "no control group can be made here",
            replace(PLAIN, control_groups="version 1", is_root=True),
            "mount the controllers memory and pids, writable, below /sys/fs/cgroup",
        ),
        (
            "pids-cgroup",
            "no control group can be made here",
            replace(PLAIN, control_groups="none"),
            "needs a kernel that was built with CONFIG_MEMCG and CONFIG_CGROUP_PIDS",
        ),
        (
            "pids-cgroup",
            "no control group can be made here",
            IN_CONTAINER,
            (
                "mount control groups that the container may write, with memory and pids: docker "
                "run -v /sys/fs/cgroup:/sys/fs/cgroup hands out those of the machine"
            ),
        ),
        (
            "landlock",
            "it needs Linux",
            replace(PLAIN, system="Darwin", kernel="24.1.0"),
            "run it on Linux, or choose the policy 'portable'",
        ),
        (
            "process-limit",
            "there is none for root",
            replace(PLAIN, is_root=True),
            "run it as an ordinary user, or give root CAP_SETUID and CAP_SETGID back",
        ),
        (
            "process-limit",
            "the kernel counts all processes of the user: 4096 are allowed",
            replace(PLAIN, kernel="5.10.0-28-amd64"),
            "needs Linux 5.14 or newer, and this is 5.10.0-28-amd64",
        ),
        (
            "process-limit",
            "the kernel counts all processes of the user: 4096 are allowed",
            replace(PLAIN, settings={"kernel.unprivileged_userns_clone": 0}),
            "sysctl -w kernel.unprivileged_userns_clone=1 (it is 0)",
        ),
        (
            "rlimits",
            "the kernel says that it does not hold",
            PLAIN,
            "this should hold on every machine: please report it",
        ),
    ],
)
def test_the_remedy_is_that_of_what_was_found(
    layer: str, reason: str, machine: Machine, remedy: str
) -> None:
    """Not a list of all that could be wrong: the one thing that is."""
    assert lacking([layer], [], {layer: reason}, machine) == [Lack(layer, reason, remedy)]


def test_a_layer_of_which_the_guest_says_nothing_does_not_hold() -> None:
    """Silence is no layer."""
    (lack,) = lacking(["rlimits"], ["landlock"], {}, PLAIN)
    assert lack.reason == "the guest does not report it"


def test_what_has_one_cause_is_explained_once() -> None:
    """Seven namespaces that one setting keeps away are one line."""
    lacks = [Lack("a", "no", "do"), Lack("b", "never", "do"), Lack("c", "no", "do")]
    assert explained(lacks) == ["a, c: no; do", "b: never; do"]


def test_a_refusal_says_what_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same text in the exception, in `recode run` and in `recode policy check`."""
    machine = replace(PLAIN, kernel="5.4.0", control_groups="version 1")
    monkeypatch.setattr(Machine, "here", lambda: machine)
    holding = [name for name in LAYERS if name not in ("landlock", "pids-cgroup", "memory-cgroup")]
    missing = {
        "landlock": "landlock_create_ruleset: Function not implemented",
        "memory-cgroup": "no control group can be made here",
        "pids-cgroup": "no control group can be made here",
    }
    with pytest.raises(SandboxUnavailable) as caught:
        refuse_missing(HARDENED, holding, missing)
    assert str(caught.value) == (
        "the policy 'hardened' requires landlock, memory-cgroup, pids-cgroup, which do not hold on "
        "this machine (`recode doctor` shows every layer):\n"
        "  landlock: landlock_create_ruleset: Function not implemented; needs Linux 5.13 or newer, "
        "and this is 5.4.0\n"
        "  memory-cgroup, pids-cgroup: no control group can be made here; needs root, because "
        "control groups are of version 1 here"
    )
    refuse_missing(HARDENED, list(LAYERS), {})


def _root(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_machine_that_tells_nothing_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No /proc, no /sys, no container: nothing is known, and nothing fails."""
    monkeypatch.delenv("container", raising=False)
    machine = Machine.here(tmp_path)
    assert (machine.container, machine.settings, machine.security_modules) == (None, {}, None)
    assert (machine.control_groups, machine.knows_other_users) == ("none", True)


def test_a_machine_is_read_from_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, security modules, the version of control groups, a map with root alone."""
    monkeypatch.delenv("container", raising=False)
    root = _root(
        tmp_path,
        proc__self__uid_map="         0       1000          1\n",
        proc__self__cgroup="0::/user.slice/user-1000.slice/session-3.scope\n",
        proc__sys__user__max_user_namespaces="0\n",
        proc__sys__kernel__apparmor_restrict_unprivileged_userns="1\n",
        proc__sys__kernel__unprivileged_userns_clone="what?\n",
        sys__kernel__security__lsm="capability,yama,apparmor",
    )
    machine = Machine.here(root)
    assert machine.settings == {
        "user.max_user_namespaces": 0,
        "kernel.apparmor_restrict_unprivileged_userns": 1,
    }
    assert machine.security_modules == ("capability", "yama", "apparmor")
    assert (machine.control_groups, machine.knows_other_users) == ("version 2", False)
    assert machine.container is None


@pytest.mark.parametrize(
    ("files", "container"),
    [
        ({".dockerenv": ""}, "docker"),
        ({"run__.containerenv": ""}, "podman"),
        ({"proc__1__cgroup": "3:pids:/kubepods/burstable/pod1\n"}, "kubepods"),
        ({"proc__self__cgroup": "3:memory:/lxc/one\n0::/\n"}, "lxc"),
        ({"proc__self__cgroup": "0::/init.scope\n"}, None),
    ],
)
def test_a_container_is_told_by_what_it_leaves_behind(
    files: dict[str, str], container: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, or a name in the control groups."""
    monkeypatch.delenv("container", raising=False)
    assert Machine.here(_root(tmp_path, **files)).container == container


def test_a_container_may_name_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a variable that systemd-nspawn, podman and lxc set."""
    monkeypatch.setenv("container", "systemd-nspawn")
    assert Machine.here(tmp_path).container == "systemd-nspawn"
