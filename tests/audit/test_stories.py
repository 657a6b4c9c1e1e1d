"""The stories hold on the real sandbox, and each notices what it is there to notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora import cases, row
from recode_runtime.audit import stories
from recode_runtime.audit.canaries import Secrets
from recode_runtime.audit.stories import Scene
from recode_runtime.audit.trials import NotApplicable, Trial
from recode_runtime.policy import Policy
from recode_runtime.sandboxes import frames
from recode_runtime.sandboxes.process import ProcessSession

STRICT = Policy.named("strict").but(isolation={"ready": 0})

TOLD = {
    "raises": "run('a')\n# host primitive raises RuntimeError with a key in its text\n",
    "re-enters": "run('a')\n# re-entrancy\n",
    "storm": "run('x')\n# SIGCHLD storms\n",
    "missing": "pass\n# kernel without Landlock\n",
    "fails": "pass\n# the namespace is as it was before a statement that fails\n",
    "apart": "pass\n# nothing of an earlier session\n",
}


async def played(folder: Path, name: str) -> list[str]:
    """What did not hold of a story."""
    (case,) = cases(folder, row(name, TOLD[name], kind="session"))
    secrets = Secrets.fresh()
    trial = Trial(STRICT, secrets)
    async with trial.watching() as seen:
        faults = await stories.told(case, Scene(STRICT, secrets, trial))
    assert not seen.secrets
    assert not seen.effects
    return faults


@pytest.mark.parametrize("name", TOLD)
async def test_a_story_holds(name: str, tmp_path: Path) -> None:
    """On this machine, with the default policy."""
    assert await played(tmp_path, name) == []


async def test_a_story_that_nobody_knows_is_not_applicable(tmp_path: Path) -> None:
    """It is not counted as held."""
    (case,) = cases(tmp_path, row("x", "pass\n# something new\n", kind="session"))
    secrets = Secrets.fresh()
    with pytest.raises(NotApplicable, match=r"^no story of that kind is known to this version$"):
        await stories.told(case, Scene(STRICT, secrets, Trial(STRICT, secrets)))


def _chatty(problem: Exception) -> dict[str, str]:
    return {"type": "RuntimeError", "message": f"{problem} from {problem.__cause__!r}"}


async def test_a_host_that_tells_too_much_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cause came along, uncut."""
    monkeypatch.setattr(frames, "error_text", _chatty)
    (case,) = cases(tmp_path, row("x", TOLD["raises"], kind="session"))
    secrets = Secrets.fresh()
    trial = Trial(STRICT, secrets)
    async with trial.watching() as seen:
        faults = await stories.told(case, Scene(STRICT, secrets, trial))
    assert "the text of an exception was not cut" in faults
    assert seen.secrets == {"a global of the host"}


async def test_a_layer_that_is_not_asked_for_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the names of the layers without which a session was opened."""

    def forgetful(self: Policy, **tables: Any) -> Policy:
        asked = tables["isolation"]["require"]
        return but(self, **tables) if not asked else self

    but = Policy.but
    monkeypatch.setattr(Policy, "but", forgetful)
    (fault,) = await played(tmp_path, "missing")
    assert fault.startswith("a session was opened without ")
    assert "seccomp" in fault


async def test_a_session_that_lets_itself_be_entered_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A primitive that runs code in it meets no refusal."""

    async def execute(self: ProcessSession, source: str, **more: Any) -> Any:
        if source == "inner = 1":
            return None
        return await real(self, source, **more)

    real = ProcessSession.execute
    monkeypatch.setattr(ProcessSession, "execute", execute)
    assert await played(tmp_path, "re-enters") == [
        "a primitive could run code in the session that called it",
        "the program did not hear of the refusal",
    ]
