"""Machines that give less than this one: what holds there, and what is said of the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from parts import skip_without
from recode_guest.ground import NAMESPACES

SUPPORT = Path(__file__).parent.parent / "support"
SECONDS = 120.0
HOST = textwrap.dedent("""
    import asyncio, json, logging, sys
    from recode_runtime.errors import SandboxUnavailable
    from recode_runtime.policy import Policy
    from recode_runtime.sandboxes.process import ProcessSandbox

    async def main():
        policy = Policy.named("strict").but(isolation={"ready": 0})
        try:
            session = await ProcessSandbox(policy).open({})
        except SandboxUnavailable as problem:
            return {"refused": str(problem)}
        outcome = await session.execute("x = sum([i for i in range(4)])", want=["x"])
        await session.close()
        return {
            "layers": session.layers, "missing": session.missing, "x": outcome.variables["x"]
        }

    print(json.dumps(asyncio.run(main())))
""")


def told_on(kind: str) -> dict[str, Any]:
    """What a host on such a machine tells of a session under the default policy."""
    command = [sys.executable, "-B", str(SUPPORT / "lesser.py"), kind]
    done = subprocess.run(
        [*command, sys.executable, "-B", "-c", HOST],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def missing_on(kind: str) -> dict[str, str]:
    """The same of one that works: the layers that it lacks, but for those of control groups."""
    told = told_on(kind)
    assert told["x"] == 6, told
    assert set(told["layers"]).isdisjoint(told["missing"])
    return {
        layer: reason for layer, reason in told["missing"].items() if not layer.endswith("-cgroup")
    }


def need_root() -> None:
    """Only root can map more users than itself."""
    if os.geteuid() != 0:
        skip_without("root", "root")
    if not has_user_namespaces():
        skip_without("namespaces", "user namespaces")


def has_user_namespaces() -> bool:
    """Whether any can be made below the one that this is."""
    return Path("/proc/sys/user/max_user_namespaces").read_text().strip() != "0"


def need_libseccomp() -> None:
    """What takes calls away is a filter, too."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError) as problem:
        skip_without("libseccomp", f"apt-get install libseccomp2 ({problem})")


def all_for(reason: str) -> dict[str, str]:
    """No namespace at all, for that reason."""
    return dict.fromkeys((*NAMESPACES, "empty-root"), reason)


def test_root_needs_no_user_namespace() -> None:
    """It makes the others without one; only processes are then counted with all of the user's."""
    need_root()
    missing = missing_on("root_without_user_namespaces")
    assert missing.pop("process-limit").startswith("the kernel counts all processes of the user")
    assert missing == {"user-namespace": "unshare: No space left on device"}


def test_root_that_may_not_administer_does_as_users_do() -> None:
    """It becomes nobody first, and makes all namespaces below one of nobody's."""
    need_root()
    assert missing_on("root_without_administration") == {}


def test_root_of_a_container_in_which_nothing_is_allowed_still_has_a_wall() -> None:
    """Another user, no rights, Landlock, the filter and the limits need no namespace."""
    need_root()
    missing = missing_on("root_without_either")
    assert missing.pop("process-limit").startswith("the kernel counts all processes of the user")
    assert missing == all_for("unshare: No space left on device")


def test_root_that_is_alone_is_refused() -> None:
    """There is nobody else that the guest could be, and the default policy insists."""
    need_root()
    refused = told_on("root_alone")["refused"]
    assert "requires unprivileged-user, which does not hold on this machine" in refused


def test_the_default_policy_works_where_docker_runs_it() -> None:
    """Under the calls that its default profile forbids, as root and as a user."""
    need_libseccomp()
    missing = missing_on("like_docker")
    assert missing.pop("process-limit").startswith("the kernel counts all processes of the user")
    assert missing == all_for("unshare: Operation not permitted")


def test_a_profile_that_lacks_one_call_gives_no_namespace_and_says_so() -> None:
    """They can be unshared there, but no process can be born in them."""
    need_libseccomp()
    missing = missing_on("like_docker_without_birth")
    if "unshare" in missing.get("pid-namespace", ""):
        skip_without("namespaces", "namespaces")
    missing.pop("process-limit", None)
    wanted = dict.fromkeys([*NAMESPACES, "empty-root"], "clone: Operation not permitted")
    if os.geteuid() == 0:  # nobody is born in that of users: it follows, where there are any
        del wanted["user-namespace"]
        if not has_user_namespaces():
            wanted["user-namespace"] = "unshare: No space left on device"
    assert missing == wanted


def test_the_default_policy_works_where_ubuntu_gives_namespaces_no_rights() -> None:
    """The namespaces stand, except for what has to be done inside them first."""
    need_libseccomp()
    missing = missing_on("like_ubuntu")
    if missing.get("user-namespace"):
        skip_without("namespaces", "user namespaces")
    assert missing == {
        "uts-namespace": "sethostname: Operation not permitted",
        "empty-root": "mount: Permission denied",
    }


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        ("without_landlock", "landlock: landlock_create_ruleset: Function not implemented"),
        ("without_seccomp", "seccomp: prctl: Invalid argument"),
    ],
)
def test_a_kernel_without_what_the_default_policy_requires_is_refused(
    kind: str, refusal: str
) -> None:
    """With the layer, the kernel's own word, and nothing run."""
    need_libseccomp()
    assert refusal in told_on(kind)["refused"]
