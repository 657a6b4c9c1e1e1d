"""What this machine is, as far as the wall depends on it; read, never tried (`doctor` tries)."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# Settings of the kernel that may keep user namespaces from this process.
SETTINGS = (
    "user.max_user_namespaces",
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
)
# What a container leaves behind: files, and words in the names of control groups.
_FILES = {".dockerenv": "docker", "run/.containerenv": "podman"}
_WORDS = ("docker", "kubepods", "containerd", "lxc")

ControlGroups = Literal["version 1", "version 2", "none"]


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts by which a missing layer is explained.

    Attributes:
        system: `"Linux"`, `"Darwin"`.
        kernel: its release.
        processor: as the kernel names it.
        python: the interpreter's version.
        is_root: whether this process runs as user 0.
        knows_other_users: whether there are others to become; not so for the root of a user
            namespace in which only one user is mapped.
        container: the kind of container that this seems to be, or None.
        settings: those of `SETTINGS` that this kernel has, with their values.
        security_modules: those of the kernel that are switched on; None where it does not tell.
        control_groups: which version has the controllers.
    """

    system: str
    kernel: str
    processor: str
    python: str
    is_root: bool
    knows_other_users: bool
    container: str | None
    settings: Mapping[str, int]
    security_modules: tuple[str, ...] | None
    control_groups: ControlGroups

    @classmethod
    def here(cls, root: Path = Path("/")) -> Machine:
        """The machine that this process runs on; `root` is another root folder in tests."""
        return cls(
            system=platform.system(),
            kernel=platform.release(),
            processor=platform.machine(),
            python=platform.python_version(),
            is_root=os.geteuid() == 0,
            knows_other_users=_knows_other_users(_text(root / "proc/self/uid_map")),
            container=_container(root),
            settings=_settings(root / "proc/sys"),
            security_modules=_security_modules(root / "sys/kernel/security/lsm"),
            control_groups=_control_groups(_text(root / "proc/self/cgroup")),
        )

    @property
    def version(self) -> tuple[int, ...]:
        """The first two numbers of the kernel's release."""
        numbers = self.kernel.split("-")[0].split(".")[:2]
        return tuple(int(number) for number in numbers if number.isdigit())


def _text(path: Path) -> str:
    """What a file holds; nothing if there is none or it is not for this user."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _knows_other_users(uid_map: str) -> bool:
    known = [int(line.split()[2]) for line in uid_map.splitlines()]
    return not known or sum(known) > 1


def _container(root: Path) -> str | None:
    files = [kind for file, kind in _FILES.items() if (root / file).exists()]
    # Set by systemd-nspawn, podman and lxc.
    variable = os.environ.get("container", "")  # noqa: SIM112
    groups = _text(root / "proc/1/cgroup") + _text(root / "proc/self/cgroup")
    named = [word for word in _WORDS if word in groups]
    return next((kind for kind in (*files, variable, *named) if kind), None)


def _settings(folder: Path) -> dict[str, int]:
    texts = {name: _text(folder / name.replace(".", "/")).strip() for name in SETTINGS}
    return {name: int(text) for name, text in texts.items() if text.isdigit()}


def _security_modules(path: Path) -> tuple[str, ...] | None:
    text = _text(path).strip()
    return tuple(text.split(",")) if text else None


def _control_groups(memberships: str) -> ControlGroups:
    lines = [line.split(":", 2) for line in memberships.splitlines()]
    if any({"memory", "pids"} & set(line[1].split(",")) for line in lines):
        return "version 1"
    return "version 2" if lines else "none"
