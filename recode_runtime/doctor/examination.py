"""One examination of this machine: what was measured, and what follows for a policy."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from recode_runtime.doctor.attempts import Tried, tried
from recode_runtime.errors import SandboxUnavailable
from recode_runtime.isolation import LAYERS
from recode_runtime.policy import Policy, shipped_names
from recode_runtime.sandboxes.layers import LOG, Lack, lacking, unmet
from recode_runtime.sandboxes.machine import Machine
from recode_runtime.sandboxes.process import ProcessSandbox

# Of the JSON form; it grows when a key is renamed or removed.
VERSION = 1
# All that a machine gives, and the least that a policy can ask for.
LEVELS = {
    "full": {"level": "full", "control_groups": True},
    "portable": {"level": "portable", "control_groups": False},
}
_SESSIONS = 5


@dataclass(frozen=True, slots=True)
class Wall:
    """What stands round the sessions of one level of isolation.

    Attributes:
        holding: the layers that hold.
        missing: of the others, the reason that the guest has given.
        seconds: what it took to open one.
        problem: why no session opens; empty if they do.
    """

    holding: tuple[str, ...] = ()
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was measured for one policy.

    Attributes:
        policy: whose requirements are asked for.
        machine: where.
        walls: what sessions are behind, by the level of isolation.
        seconds: what each of some sessions of the policy took to open, one after the other.
        tried: the attempts to get out, through the wall that the policy puts up.
        problem: why nothing could be tried; empty if it was.
    """

    policy: Policy
    machine: Machine
    walls: Mapping[str, Wall]
    seconds: Sequence[float]
    tried: tuple[Tried, ...] = ()
    problem: str = ""

    @property
    def is_met(self) -> bool:
        """Whether sessions of the policy open here, and every layer does what it says."""
        return not self.complaint

    @property
    def complaint(self) -> str:
        """Why the policy is not met, in a sentence; empty if it is."""
        breached = [one.what for one in self.tried if one.is_breach]
        if self.own.problem:
            return f"no session of the policy {self.policy.name!r} opens here"
        if required := self.lacks_of(self.policy):
            return unmet(self.policy.name, required)
        if breached:
            return f"a layer does not hold though it is there: a program could {breached[0]}"
        return "nothing could be tried from inside" if self.problem else ""

    @property
    def full(self) -> Wall:
        """All that this machine gives."""
        return self.walls["full"]

    @property
    def own(self) -> Wall:
        """What it gives at the level that the policy asks for."""
        return self.walls[self.policy.isolation.level]

    @property
    def problems(self) -> str:
        """All that went wrong, in the words of what failed; empty if nothing did."""
        found = (self.full.problem, self.own.problem, self.problem)
        return "\n".join(dict.fromkeys(one for one in found if one))

    @property
    def lacks(self) -> list[Lack]:
        """Every layer that this machine does not give."""
        return lacking(LAYERS, self.full.holding, self.full.missing, self.machine)

    @property
    def warm_seconds(self) -> float | None:
        """What it takes to open a session once there is a zygote; the median of some."""
        return statistics.median(self.seconds[1:]) if self.seconds[1:] else None

    def lacks_of(self, policy: Policy) -> list[Lack]:
        """The layers that a policy requires and would not have."""
        wall = self.walls[policy.isolation.level]
        return lacking(policy.isolation.require, wall.holding, wall.missing, self.machine)

    def policies(self) -> list[tuple[Policy, list[str]]]:
        """The policies that ship with the package, each with the layers that it would lack."""
        shipped = [Policy.named(name) for name in shipped_names()]
        return [(one, [lack.layer for lack in self.lacks_of(one)]) for one in shipped]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        first = self.seconds[0] if self.seconds else None
        return {
            "version": VERSION,
            "policy": self.policy.name,
            "met": self.is_met,
            "complaint": self.complaint or None,
            "problem": self.problems or None,
            "machine": dataclasses.asdict(self.machine),
            "seconds": {"first": first, "warm": self.warm_seconds},
            "layers": self._layers(),
            "attempts": [dataclasses.asdict(one) for one in self.tried],
            "policies": {
                one.name: {"met": not lacks, "lacks": lacks} for one, lacks in self.policies()
            },
        }

    def _layers(self) -> list[dict[str, Any]]:
        isolation, lacks = self.policy.isolation, {lack.layer: lack for lack in self.lacks}
        return [
            {
                "name": name,
                "keeps": layer.keeps,
                "holds": name not in lacks,
                "wanted": isolation.puts_up(name),
                "required": name in isolation.require,
                "reason": lacks[name].reason if name in lacks else None,
                "remedy": lacks[name].remedy if name in lacks else None,
            }
            for name, layer in LAYERS.items()
        ]


async def examined(policy: Policy) -> Examination:
    """This machine, measured by opening sessions and trying to get out of them.

    What it lacks is never an exception.
    """
    machine = Machine.here()
    with _without_warnings():
        opened = [await _wall(policy)]
        while not opened[-1].problem and len(opened) <= _SESSIONS:
            opened.append(await _wall(policy))
        seconds = tuple(one.seconds for one in opened if not one.problem)
        walls = {level: await _wall(policy, **isolation) for level, isolation in LEVELS.items()}
        try:
            outcomes = await tried(policy.isolation)
        except (SandboxUnavailable, OSError) as problem:
            return Examination(policy, machine, walls, seconds, problem=str(problem))
    return Examination(policy, machine, walls, seconds, outcomes)


async def _wall(policy: Policy, **isolation: Any) -> Wall:
    """What a session of a policy is behind, whatever the policy requires."""
    wanted = policy.but(isolation={"require": (), "ready": 0, **isolation})
    began = time.perf_counter()
    try:
        session = await ProcessSandbox(wanted).open({})
    except (SandboxUnavailable, OSError) as problem:
        return Wall(problem=str(problem))
    seconds = time.perf_counter() - began
    await session.close()
    return Wall(session.layers, session.missing, seconds)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """The sessions here are as weak as the machine is; the examination says so by itself."""
    before, LOG.disabled = LOG.disabled, True
    try:
        yield
    finally:
        LOG.disabled = before
