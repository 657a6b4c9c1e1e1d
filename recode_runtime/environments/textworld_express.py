"""TextWorldExpress: eight text games (Jansen and Cote, EACL 2023), played by a Java engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from recode_runtime.environments.base import Start
from recode_runtime.environments.expansion import Step, program, program_of_actions, value_of
from recode_runtime.environments.java import JavaProcess, java_executable
from recode_runtime.environments.stages import Stage, stages_of
from recode_runtime.errors import EnvironmentUnavailable, ExtraMissing
from recode_runtime.primitive import EpisodeEnded
from recode_runtime.prompt import FewShot, Request
from recode_runtime.threads import in_thread

GAMES = (
    "cookingworld",
    "twc",
    "coin",
    "mapreader",
    "arithmetic",
    "sorting",
    "simonsays",
    "peckingorder",
)
FOLDS = ("train", "dev", "test")

# The engine gives the agents that walk about at random an unseeded generator, so that two starts
# from one seed have different gold paths; these are asked again, with a seeded one.
_WANDERERS = {"coin": "CoinGoldAgent", "twc": "TWCGoldAgent"}
_ATTEMPTS = 50

# Seconds that `close` waits for a call before it takes the process away from under it.
_PATIENCE = 1.0

_NOT_STARTED = "the game has not been started: call reset first"

_GUIDE = """\
This is the text game {game}. run(action) sends one command to the game and returns what you
observe. Commands are short English sentences like "look around", "inventory", "open fridge",
"take knife", "move north" or "read cookbook", and name things exactly as the observations do. A
command that the game does not understand is answered with the list of those possible now. Every
command counts as a step, and the game is over after {limit} steps, or as soon as it is won or
lost."""

_EXAMPLE = FewShot(
    "obs = fetch_from_cupboard(obs, item='salt')",
    """\
<think>
The cupboard may be closed, and what is in it can only be seen once it is open. Opening and taking
are one command each; nothing has to be decided in between.
</think>
<execute>
obs = run("open kitchen cupboard")
obs = run("take " + item)
</execute>""",
)


class TextWorldExpress:
    """One game of TextWorldExpress 1.1.0, in a Java process of its own.

    The process starts at the first `reset` and ends with `close`; after that, `reset` starts
    another.

    Args:
        game: one of `GAMES`.
        seed: 0 to 2**31 - 1; the same seed gives the same game, step for step.
        fold: which set of variations the game is taken from, one of `FOLDS`.
        step_limit: how many actions an episode has.

    Raises:
        ValueError: there is no such game or fold, or a number is outside its range.
    """

    name = "textworld-express"
    few_shots = (_EXAMPLE,)

    def __init__(
        self,
        *,
        game: str = "cookingworld",
        seed: int = 3,
        fold: str = "train",
        step_limit: int = 100,
    ) -> None:
        if game not in GAMES:
            raise ValueError(f"there is no game {game!r}; the games are {', '.join(GAMES)}")
        if fold not in FOLDS:
            raise ValueError(f"there is no fold {fold!r}; the folds are {', '.join(FOLDS)}")
        if not 0 <= seed < 2**31:
            raise ValueError(f"seed must be from 0 to {2**31 - 1}, not {seed}")
        if step_limit < 1:
            raise ValueError(f"step_limit must be at least 1, not {step_limit}")
        self.game = game
        self.seed = seed
        self.fold = fold
        self.step_limit = step_limit
        self.ended = False
        self._steps = 0
        self._score = 0.0
        self._stages: tuple[Stage, ...] = ()
        self._closed = False
        self._engine: _Engine | None = None
        # The engine knows one game at a time and does not guard itself. A lock of threads, since
        # a call goes on in its thread when the task that waits for it is cancelled.
        self._turn = Lock()

    @property
    def guide(self) -> str:
        """The text for the prompt: what a command is and what ends the game."""
        return _GUIDE.format(game=self.game, limit=self.step_limit)

    @property
    def primitives(self) -> Mapping[str, Callable[..., Any]]:
        """`run(action)`."""
        return {"run": self.act}

    async def reset(self) -> Start:
        """The same game from its beginning.

        The gold path is played once beforehand, to learn where the score changes.

        Raises:
            ExtraMissing: textworld-express is not installed.
            EnvironmentUnavailable: there is no Java, or it did not start.
        """
        self._closed = False
        start: Start = await in_thread(self._reset)
        return start

    async def act(self, action: str) -> str:
        """Send one command to the game and return what is observed.

        A command that the game does not understand is answered with the list of those possible
        now; it counts as a step all the same.
        """
        if self.ended:
            raise EpisodeEnded(f"the game is over after {self._steps} steps")
        observation: str = await in_thread(self._act, str(action))
        return observation

    async def score(self) -> float:
        """The game's own score, cut to 0 to 1; 1 is success."""
        return min(1.0, max(0.0, self._score))

    async def close(self) -> None:
        """End the Java process, within a second or two of a call that hangs; safe to call again."""
        self._closed = True
        await in_thread(self._close)

    def expert(self, request: Request) -> str:
        """The program for a piece of the game's own gold path.

        `solve` becomes a placeholder for each stage, a stage its actions or its two halves;
        primitives only, however many, where no level is left.

        Raises:
            EnvironmentUnavailable: `reset` has not been called.
            ValueError: the placeholder is neither `solve` nor a stage of this game.
        """
        if not self._stages:
            raise EnvironmentUnavailable(_NOT_STARTED)
        outputs = request.placeholder.outputs
        stage = self._stage_of(request)
        parts = stage.parts if stage else self._stages
        if parts and request.depth_left > 0:
            return program([Step(part.call) for part in parts], outputs)
        covered = [stage] if stage else self._stages
        return program_of_actions([one for each in covered for one in each.actions], outputs)

    def _stage_of(self, request: Request) -> Stage | None:
        """The stage that the placeholder's keyword names; None for the whole game."""
        placeholder = request.placeholder
        if placeholder.name == "solve" and "stage" not in placeholder.keywords:
            return None
        number = value_of(request, placeholder.keywords.get("stage", ""))
        for top in self._stages:
            for stage in top.walk():
                if (stage.number, stage.name) == (number, placeholder.name):
                    return stage
        raise ValueError(f"{placeholder.source} is no stage of this game")

    def _reset(self) -> Start:
        with self._turn, _failures_named():
            if self._closed:
                raise EnvironmentUnavailable("the environment was closed while it was starting")
            if self._engine is None:
                self._engine = _Engine(self.game, self.seed, self.fold)
            if not self._stages:
                self._stages = _rehearsed(self._engine)
            state = self._engine.begin()
            self._steps, self._score, self.ended = 0, 0.0, False
            task = self._engine.task()
        return Start(task, f"{state['observation'].strip()}\n{_possible(state)}")

    def _act(self, action: str) -> str:
        with self._turn, _failures_named():
            if self._engine is None:
                raise EnvironmentUnavailable(_NOT_STARTED)
            state = self._engine.step(action)
            self._steps += 1
            self._score = state["score"]
            self.ended = _is_over(state) or self._steps >= self.step_limit
        observation: str = state["observation"].strip()
        if observation.startswith("Unknown action"):
            return f"{observation}\n{_possible(state)}"
        return observation

    def _close(self) -> None:
        """Let a call that is under way finish, or fail if it takes long; then end the process."""
        if not self._turn.acquire(timeout=_PATIENCE):
            if self._engine is not None:
                self._engine.close()
            self._turn.acquire()
        try:
            if self._engine is not None:
                self._engine.close()
            self._engine = None
        finally:
            self._turn.release()


class _Engine:
    """The Java side, blocking: one process that plays one game.

    Raises:
        ExtraMissing: textworld-express is not installed.
        EnvironmentUnavailable: there is no Java, it did not start, or the game cannot be loaded.
    """

    def __init__(self, game: str, seed: int, fold: str) -> None:
        try:
            from textworld_express.constants import JAR_PATH
        except ImportError:
            raise ExtraMissing("textworld-express", "textworld-express") from None
        self._game, self._seed, self._fold = game, seed, fold
        self._java = JavaProcess(java_executable("textworld-express"), Path(JAR_PATH))
        try:
            self._player = self._java.jvm.textworldexpress.runtime.PythonInterface()
            if problem := self._player.load(game, ""):
                raise EnvironmentUnavailable(f"the game {game} cannot be loaded: {problem}")
        except BaseException:
            self._java.close()
            raise

    def begin(self, *, gold: bool = False) -> dict[str, Any]:
        """The first state of the game, begun anew; `gold` has the gold path worked out too."""
        return _state(self._player.generateNewGameJSON(self._seed, self._fold, gold))

    def step(self, action: str) -> dict[str, Any]:
        """The state after one action."""
        return _state(self._player.stepJSON(action))

    def task(self) -> str:
        """The game's description of the task, on one line."""
        return " ".join(self._player.getTaskDescription().split())

    def gold_path(self) -> list[str]:
        """A list of actions that wins; the game has to be begun anew afterwards."""
        if self._game in _WANDERERS:
            return self._wandering_path(_WANDERERS[self._game])
        self.begin(gold=True)
        return list(self._player.getGoldActionSequence())

    def _wandering_path(self, agent_class: str) -> list[str]:
        jvm = self._java.jvm
        dice = jvm.scala.util.Random(self._seed)
        for _ in range(_ATTEMPTS):
            self.begin()
            agent = getattr(jvm.textworldexpress.goldagent, agent_class)(self._player.game())
            outcome = agent.mkGoldPath(dice)
            if outcome._1():
                return list(outcome._2())
        raise EnvironmentUnavailable(
            f"{self._game} has no gold path with seed {self._seed} of fold {self._fold}"
        )

    def close(self) -> None:
        """End the process; safe to call again."""
        self._java.close()


@contextmanager
def _failures_named() -> Iterator[None]:
    """Every failure of the Java process or of the way to it is an `EnvironmentUnavailable`."""
    try:
        yield
    except Exception as problem:
        if not isinstance(problem, OSError) and not type(problem).__module__.startswith("py4j."):
            raise
        reason = " ".join(str(problem).partition("\tat ")[0].split())
        raise EnvironmentUnavailable(f"the game's Java process failed: {reason}") from problem


def _rehearsed(engine: _Engine) -> tuple[Stage, ...]:
    """The stages of the gold path, as far as the step that ends the game."""
    path = engine.gold_path()
    engine.begin()
    scores: list[float] = []
    for action in path:
        state = engine.step(action)
        scores.append(state["score"])
        if _is_over(state):
            break
    return stages_of(path[: len(scores)], scores)


def _state(text: str) -> dict[str, Any]:
    """The engine's answer."""
    state: dict[str, Any] = json.loads(text)
    return state


def _is_over(state: Mapping[str, Any]) -> bool:
    return bool(state["tasksuccess"] or state["taskfailure"] or state["score"] >= 1.0)


def _possible(state: Mapping[str, Any]) -> str:
    return f"Commands possible now: {', '.join(sorted(state['validActions']))}."
