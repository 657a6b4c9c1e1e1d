"""Runs code that language models write: ReCode's recursive expansion, safely and on the record.

Three entrances, each usable alone: `check` (is this program inside the grammar?), `open_sandbox`
(run code behind the wall), `run` and its blocking twin `run_sync` (the whole job). Names are
loaded at first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recode_runtime.embedding import Box as Box
    from recode_runtime.embedding import Report as Report
    from recode_runtime.embedding import check as check
    from recode_runtime.embedding import open_sandbox as open_sandbox
    from recode_runtime.environments.base import Environment as Environment
    from recode_runtime.errors import BundleMissing as BundleMissing
    from recode_runtime.errors import EnvironmentUnavailable as EnvironmentUnavailable
    from recode_runtime.errors import ExtraMissing as ExtraMissing
    from recode_runtime.errors import Finding as Finding
    from recode_runtime.errors import LimitExceeded as LimitExceeded
    from recode_runtime.errors import ModelUnavailable as ModelUnavailable
    from recode_runtime.errors import PolicyError as PolicyError
    from recode_runtime.errors import RecodeError as RecodeError
    from recode_runtime.errors import ReplyUnreadable as ReplyUnreadable
    from recode_runtime.errors import SandboxUnavailable as SandboxUnavailable
    from recode_runtime.models.scripted import ScriptedModel as ScriptedModel
    from recode_runtime.policy import Policy as Policy
    from recode_runtime.supervisor import Result as Result
    from recode_runtime.supervisor import run as run
    from recode_runtime.supervisor import run_sync as run_sync
    from recode_runtime.tree import Node as Node
    from recode_runtime.tree import Outcome as Outcome
    from recode_runtime.tree import Tree as Tree

__version__ = "0.1.0"

_HOMES = {
    "embedding": ("Box", "Report", "check", "open_sandbox"),
    "environments.base": ("Environment",),
    "errors": (
        "BundleMissing",
        "EnvironmentUnavailable",
        "ExtraMissing",
        "Finding",
        "LimitExceeded",
        "ModelUnavailable",
        "PolicyError",
        "RecodeError",
        "ReplyUnreadable",
        "SandboxUnavailable",
    ),
    "models.scripted": ("ScriptedModel",),
    "policy": ("Policy",),
    "supervisor": ("Result", "run", "run_sync"),
    "tree": ("Node", "Outcome", "Tree"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
