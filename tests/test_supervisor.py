"""The recursion of a run: what runs, what is asked again, what is told, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recode_runtime import ScriptedModel, run, run_sync
from recode_runtime.environments.base import Start
from recode_runtime.errors import EnvironmentUnavailable, LimitExceeded, ModelUnavailable
from recode_runtime.events import AnyEvent, CallAnswered, RunStarted, TreeBuilder
from recode_runtime.journal import Journal, read_events
from recode_runtime.policy import Policy
from recode_runtime.primitive import EpisodeEnded
from recode_runtime.prompt import Request
from recode_runtime.tree import Node, Tree
from worlds import Actions, by_name, reply

STRICT = Policy.named("strict")


def _lines(tree: Tree) -> list[tuple[str, str, str]]:
    return [(node.id, node.source, node.status) for node in tree.nodes()]


def _prompts(model: ScriptedModel) -> list[str]:
    return [request.messages[0]["content"] for request in model.requests]


def _node(tree: Tree, name: str) -> Node:
    return next(node for node in tree.nodes() if node.id == name)


async def test_a_task_is_expanded_until_only_primitives_are_left() -> None:
    """Depth first, in order; the tree has each statement, the world each action once."""
    world = Actions()
    model = by_name(
        {
            "solve": "tea = make_tea(cup='blue')\nrun('serve ' + tea)",
            "make_tea": "boil_water()\ntea = run('pour into ' + cup)",
            "boil_water": "run('fill')\nrun('heat')",
        }
    )
    result = await run("make tea", model=model, primitives=[world.run])
    assert world.taken == ["fill", "heat", "pour into blue", "serve did pour into blue"]
    assert _lines(result.tree) == [
        ("0", "solve(instruction, observation)", "done"),
        ("0.1", "tea = make_tea(cup='blue')", "done"),
        ("0.1.1", "boil_water()", "done"),
        ("0.1.1.1", "run('fill')", "done"),
        ("0.1.1.2", "run('heat')", "done"),
        ("0.1.2", "tea = run('pour into ' + cup)", "done"),
        ("0.2", "run('serve ' + tea)", "done"),
    ]
    assert [node.depth for node in result.tree.nodes()] == [0, 1, 2, 3, 3, 2, 1]
    assert (result.success, result.score, result.tree.status) == (True, None, "done")
    assert result.tree.spent["primitive_calls"] == 4
    assert [call.value for call in _node(result.tree, "0.2").calls] == [
        "did serve did pour into blue"
    ]


async def test_two_statements_on_one_line_act_exactly_twice() -> None:
    """Programs are split by syntax, never by lines."""
    world = Actions()
    model = by_name({"solve": "run('a'); run('b')"})
    result = await run("x", model=model, primitives=[world.run])
    assert world.taken == ["a", "b"]
    assert [node.source for node in result.tree.nodes()][1:] == ["run('a')", "run('b')"]


async def test_imports_lambdas_and_items_last_from_one_statement_to_the_next() -> None:
    """One namespace for the whole task."""
    world = Actions()
    program = (
        "import math\nroot = math.sqrt(16)\ntwice = lambda n: 2 * n\n"
        "d = {'k': 1}\nd['k'] += 1\nrun(str(twice(root)) + str(d['k']))"
    )
    result = await run("x", model=by_name({"solve": program}), primitives=[world.run])
    assert result.success
    assert world.taken == ["8.02"]


async def test_every_kind_of_bad_reply_is_told_and_ends_in_success() -> None:
    """Prose, a placeholder in a loop, a syntax error, a definition: each attempt and its reason."""
    world = Actions()
    model = ScriptedModel(
        [
            "I will look around first.",
            "```python\ndef helper():\n    return 1\nrun('look')\n```",
            reply("def solve(instruction, observation):\n    for i in range(2):\n        step(i)"),
            reply("for i in range(2):\n    step(i)"),
            reply("run('look'"),
            reply("run('look')"),
        ]
    )
    result = await run("look", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["look"]
    attempts = _node(result.tree, "0").attempts
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4, 5, 6]
    assert [attempt.failure and attempt.failure.kind for attempt in attempts] == [
        "unreadable",
        "refused",
        "refused",
        "refused",
        "refused",
        None,
    ]
    codes = [[f.code for f in a.failure.findings] if a.failure else [] for a in attempts]
    assert codes == [["RC001"], ["RC101"], ["RC110"], ["RC110"], ["RC003"], []]
    assert "RC110" in _prompts(model)[4]
    assert "Use instead" in _prompts(model)[4]


async def test_a_fenced_block_and_a_wrapping_def_are_read() -> None:
    """What can be mended costs no model call, and the tree says what was mended."""
    world = Actions()
    model = ScriptedModel(
        [
            "Sure:\n```python\nobs = first()\nsecond(obs)\n```",
            "<execute>\ndef first():\n    found = run('a')\n    return found\n</execute>",
            reply("run('b')"),
        ]
    )
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["a", "b"]
    assert _node(result.tree, "0").attempts[0].repairs
    assert _node(result.tree, "0.1").attempts[0].repairs
    assert _node(result.tree, "0.2").attempts[0].repairs == ()


async def test_a_slip_that_a_rule_can_mend_costs_no_model_call() -> None:
    """A nested placeholder is given its own statement; the tree has the lines before and after."""
    world = Actions()
    model = ScriptedModel([reply("run('go to ' + findRoom())"), reply("find_room_result = 'hall'")])
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["go to hall"]
    (attempt,) = _node(result.tree, "0").attempts
    assert attempt.source == "find_room_result = find_room()\nrun('go to ' + find_room_result)"
    assert {repair.code for repair in attempt.repairs} == {"RC112", "RC114"}
    assert all(repair.safe and repair.before and repair.after for repair in attempt.repairs)


async def test_a_repair_that_does_not_help_is_not_made() -> None:
    """The model hears of the program that it wrote, with all that is wrong in it."""
    source = "run('go to ' + find_room())\nimport os"
    model = ScriptedModel([reply(source), reply("run('a')")])
    result = await run("x", model=model, primitives=[Actions().run])
    first, _ = _node(result.tree, "0").attempts
    assert (first.source, first.repairs) == (source, ())
    assert first.failure is not None
    assert [finding.code for finding in first.failure.findings] == ["RC112", "RC201"]


async def test_repairs_can_be_switched_off() -> None:
    """Then a reply that needs one is asked for again."""
    model = ScriptedModel(["```\nrun('a')\n```", reply("run('a')")])
    policy = STRICT.but(repair={"apply": "none"})
    result = await run("x", model=model, primitives=[Actions().run], policy=policy)
    first, second = _node(result.tree, "0").attempts
    assert first.failure is not None
    assert "the policy allows no repairs" in first.failure.message
    assert second.failure is None


async def test_an_exception_is_corrected_without_repeating_what_ran() -> None:
    """Statement 2 of 3 raises: the new program replaces what was not run."""
    world = Actions()
    model = by_name(
        {"solve": ["obs = run('one')\nn = int(obs)\nrun('three')", "run('three: ' + obs)"]}
    )
    result = await run("count", model=model, primitives=[world.run])
    assert world.taken == ["one", "three: did one"]
    assert _lines(result.tree)[1:] == [
        ("0.1", "obs = run('one')", "done"),
        ("0.2", "n = int(obs)", "failed"),
        ("0.3", "run('three')", "replaced"),
        ("0.4", "run('three: ' + obs)", "done"),
    ]
    failure = _node(result.tree, "0").attempts[0].failure
    assert failure is not None
    assert (failure.kind, failure.line) == ("error", 2)
    assert failure.message == "ValueError: invalid literal for int() with base 10: 'did one'"
    told = _prompts(model)[1]
    assert "n = int(obs)" in failure.traceback
    assert "These statements already ran; do not repeat them:\n| obs = run('one')" in told
    assert "- obs: str = 'did one'" in told


async def test_calls_of_the_failing_statement_are_told() -> None:
    """A statement commits as a whole or not at all, but what acted stays done."""
    model = by_name({"solve": ["for i in [1, 0]:\n    run(str(1 / i))", "run('b')"]})
    world = Actions()
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["1.0", "b"]
    assert "calls, which stay done:\n| run('1.0') -> 'did 1.0'" in _prompts(model)[1]


async def test_a_statement_that_hangs_is_stopped_and_corrected() -> None:
    """`while True: pass` ends within its limit and half a second, and the run goes on."""
    policy = STRICT.but(limits={"statement_seconds": 0.3})
    world = Actions()
    model = by_name({"solve": ["obs = run('a')\nwhile True: pass", "run('b' + obs)"]})
    result = await run("x", model=model, primitives=[world.run], policy=policy)
    assert result.success
    assert world.taken == ["a", "bdid a"]
    failure = _node(result.tree, "0.2").failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("limit", "stopped after 0.3 s of its own time")
    assert 0.3 <= _node(result.tree, "0.2").seconds < 0.8


async def test_a_broken_promise_is_told() -> None:
    """Outputs must be bound; here a branch that was not taken would have done so."""
    program = "obs = run('a')\nif obs == 'never':\n    cup = 1"
    model = by_name({"solve": "cup = find_cup()\nrun(cup)", "find_cup": [program, "cup = 'red'"]})
    world = Actions()
    result = await run("x", model=model, primitives=[world.run])
    assert world.taken == ["a", "red"]
    failure = _node(result.tree, "0.1").attempts[0].failure
    assert failure is not None
    assert (failure.kind, failure.message) == (
        "contract",
        "the program ended without assigning cup",
    )


async def test_a_failure_goes_up_when_the_attempts_are_used_up() -> None:
    """Only the subtree fails: the placeholder above is asked again, and told why."""
    policy = STRICT.but(supervisor={"attempts": 2})
    model = by_name({"solve": ["run('a')\nhard()\nrun('c')", "run('b')"], "hard": "boom = 1 / 0"})
    world = Actions()
    result = await run("x", model=model, primitives=[world.run], policy=policy)
    assert result.success
    assert world.taken == ["a", "b"]
    assert [(i, s) for i, _, s in _lines(result.tree)] == [
        ("0", "done"),
        ("0.1", "done"),
        ("0.2", "failed"),
        ("0.2.1", "failed"),
        ("0.2.2", "failed"),
        ("0.3", "replaced"),
        ("0.4", "done"),
    ]
    assert "`hard()` was given up after 2 attempts" in _prompts(model)[3]


async def test_the_failure_of_the_root_ends_the_run() -> None:
    """It is a result, not an exception."""
    policy = STRICT.but(supervisor={"attempts": 2})
    model = by_name({"solve": "boom = 1 / 0"})
    result = await run("x", model=model, policy=policy)
    assert (result.success, result.tree.status) == (False, "failed")
    assert result.tree.failure == (
        "`solve(instruction, observation)` was given up after 2 attempts; "
        "attempt 2: ZeroDivisionError: division by zero"
    )


async def test_the_depth_limit_is_a_soft_wall() -> None:
    """The last level is told to use primitives, and a placeholder there is refused, not fatal."""
    policy = STRICT.but(supervisor={"depth": 1})
    world = Actions()
    model = by_name({"solve": "deeper()", "deeper": ["deepest()", "run('a')"]})
    result = await run("x", model=model, primitives=[world.run], policy=policy)
    assert result.success
    assert [request.depth_left for request in model.requests] == [1, 0, 0]
    failure = _node(result.tree, "0.1").attempts[0].failure
    assert failure is not None
    assert [finding.code for finding in failure.findings] == ["RC121"]
    assert "This is the last level" in _prompts(model)[1]


async def test_expanding_to_oneself_is_refused() -> None:
    """Same name, same values, nothing done: by the grammar where it can be seen."""
    model = by_name({"solve": ["solve(instruction, observation)", "run('a')"]})
    result = await run("x", model=model, primitives=[Actions().run])
    failure = _node(result.tree, "0").attempts[0].failure
    assert failure is not None
    assert [finding.code for finding in failure.findings] == ["RC122"]


async def test_a_circle_of_placeholders_is_refused() -> None:
    """`a` opens `b` opens `a` with the same values: found at run time, and corrected."""
    model = by_name({"solve": "a(k=1)", "a": ["b(k=1)", "run('done')"], "b": "a(k=1)"})
    policy = STRICT.but(supervisor={"attempts": 2})
    world = Actions()
    result = await run("x", model=model, primitives=[world.run], policy=policy)
    assert result.success
    assert world.taken == ["done"]
    circle = _node(result.tree, "0.1.1.1")
    assert circle.failure is not None
    assert [finding.code for finding in circle.failure.findings] == ["RC122"]


async def test_solving_again_after_an_action_is_the_papers_shape() -> None:
    """The same placeholder is fine once a primitive acted in between."""
    world = Actions()
    answers = iter(["obs = run('a')\nsolve(instruction, observation)", "run('b')"])
    model = ScriptedModel(lambda request: reply(next(answers)))
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["a", "b"]


async def test_a_parameter_holds_for_its_placeholder_only() -> None:
    """The older value comes back, unless the parameter is an output too."""
    world = Actions()
    model = by_name(
        {
            "solve": "k = 'mine'\nuse(k='theirs')\nrun(k)\nk = keep(k='kept')\nrun(k)",
            "use": "run(k)",
            "keep": "run('keeping ' + k)\nk = k + '!'",
        }
    )
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["theirs", "mine", "keeping kept", "kept!"]


async def test_a_prompt_shows_the_arguments_and_nothing_else() -> None:
    """The namespace holds more than what the placeholder names."""
    model = by_name({"solve": "a = 1\nb = 'two'\nuse(b, c=a)", "use": "run('x')"})
    await run("secret plan", model=model, primitives=[Actions().run])
    told = _prompts(model)[1].split("# Expand this placeholder")[1]
    assert told.startswith("\nuse(b, c=a)")
    assert "- b: str = 'two'\n- a: int = 1\n- c: int = 1\n" in told + "\n"
    assert "secret plan" not in told


@pytest.mark.parametrize(
    ("limit", "programs", "spent"),
    [
        ("nodes", {"solve": "run('a')\n" * 5}, {"nodes": 4, "primitive_calls": 0}),
        ("primitive_calls", {"solve": "for i in range(9):\n    run('a')"}, {"primitive_calls": 4}),
        ("model_calls", {"solve": "a = b(k=1)", "b": "int('x')"}, {"model_calls": 4}),
    ],
)
async def test_a_budget_stops_the_run(limit: str, programs: dict, spent: dict) -> None:
    """The limit is named, nothing is overspent, and the exception holds the tree so far."""
    policy = STRICT.but(supervisor={limit: 4})
    world = Actions()
    with pytest.raises(LimitExceeded) as caught:
        await run("x", model=by_name(programs), primitives=[world.run], policy=policy)
    tree = caught.value.tree
    assert (caught.value.limit, caught.value.allowed) == (limit, 4)
    assert tree is not None
    assert tree.status == "stopped"
    assert {name: tree.spent[name] for name in spent} == spent
    assert len(world.taken) == tree.spent["primitive_calls"]


async def test_the_wall_time_of_a_run_is_a_limit() -> None:
    """Also while a primitive hangs."""

    async def hang() -> None:
        """Never answer."""
        await asyncio.Event().wait()

    policy = STRICT.but(supervisor={"seconds": 0.4})
    with pytest.raises(LimitExceeded) as caught:
        await run("x", model=by_name({"solve": "hang()"}), primitives=[hang], policy=policy)
    assert caught.value.limit == "seconds"
    assert caught.value.tree is not None
    calls = _node(caught.value.tree, "0.1").calls
    assert [(call.name, call.answered) for call in calls] == [("hang", False)]


async def test_a_primitive_that_raises_is_the_programs_to_handle() -> None:
    """It may catch it; if it does not, the model is told as of a primitive's failure."""

    def fail(text: str) -> str:
        """Raise."""
        raise ValueError(text)

    world = Actions()
    program = "try:\n    fail('one')\nexcept ValueError as e:\n    run(str(e))"
    model = by_name({"solve": [program + "\nfail('two')", "run('three')"]})
    result = await run("x", model=model, primitives=[fail, world.run])
    assert world.taken == ["one", "three"]
    failure = _node(result.tree, "0.2").failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("primitive", "ValueError: two")
    assert [call.error for call in _node(result.tree, "0.2").calls] == ["ValueError: two"]


async def test_a_transport_that_gave_up_is_not_the_models_failure() -> None:
    """The exception passes, after the end was recorded."""
    events = []
    with pytest.raises(ModelUnavailable):
        await run("x", model=ScriptedModel([]), listeners=[events.append])
    tree = TreeBuilder(events).tree()
    assert tree.status == "stopped"
    assert tree.root is not None
    assert tree.root.attempts == ()


async def test_a_cancelled_run_has_its_end_recorded() -> None:
    """The cancellation passes on."""
    events = []
    waiting = asyncio.Event()

    async def hang(request: Request) -> str:
        waiting.set()
        await asyncio.Event().wait()
        return ""

    task = asyncio.create_task(run("x", model=ScriptedModel(hang), listeners=[events.append]))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    tree = TreeBuilder(events).tree()
    assert (tree.status, tree.failure) == ("interrupted", "interrupted")


async def test_the_end_of_an_episode_ends_the_run() -> None:
    """What is left is skipped, the model is not asked again."""

    def stop() -> str:
        """End the episode."""
        raise EpisodeEnded("over")

    model = by_name({"solve": "x = part()\nlate(x)", "part": "stop()\nx = 1"})
    result = await run("x", model=model, primitives=[stop])
    assert (result.tree.status, result.success) == ("done", False)
    assert len(model.requests) == 2
    assert [(i, s) for i, _, s in _lines(result.tree)] == [
        ("0", "done"),
        ("0.1", "done"),
        ("0.1.1", "skipped"),
        ("0.1.2", "skipped"),
        ("0.2", "skipped"),
    ]


async def test_usage_is_summed_and_events_give_the_tree() -> None:
    """A listener can rebuild the tree from what it heard."""
    events = []
    result = await run(
        "x", model=by_name({"solve": "n = 1"}), listeners=[events.append], policy="paper"
    )
    assert TreeBuilder(events).tree() == result.tree
    assert result.usage.prompt is None
    assert result.tree.policy == "paper"


async def test_two_primitives_of_one_name_are_refused() -> None:
    """Nothing is shadowed silently."""
    world = Actions()
    with pytest.raises(ValueError, match="two primitives are called 'run'"):
        await run("x", model=by_name({}), primitives=[world.run, world.run])


class World:
    """An environment whose end, score and observations the test decides."""

    name = "world"
    guide = ""

    def __init__(self, *, observation: str = "here", last: str = "", score: float = 0.0) -> None:
        self.ended = False
        self.score_fails = False
        self._observation = observation
        self._last = last
        self._score = score

    @property
    def primitives(self) -> dict[str, Callable[..., Any]]:
        """`run(action)`."""
        return {"run": self.act}

    async def reset(self) -> Start:
        """Begin."""
        self.ended = False
        return Start("do it", self._observation)

    async def act(self, action: str) -> str:
        """Do one action; the last one ends the episode."""
        self.ended = action == self._last
        return f"did {action}"

    async def score(self) -> float:
        """As the test decided."""
        if self.score_fails:
            raise EnvironmentUnavailable("the world is gone")
        return self._score

    async def close(self) -> None:
        """Nothing to release."""


async def test_a_score_that_cannot_be_read_hides_nothing() -> None:
    """The limit is raised with its tree, and the end is recorded with what was wrong."""
    world = World()
    world.score_fails = True
    policy = STRICT.but(supervisor={"nodes": 1})
    events = []
    with pytest.raises(LimitExceeded) as caught:
        await run(
            model=by_name({"solve": "run('a')"}),
            environment=world,
            policy=policy,
            listeners=[events.append],
        )
    assert caught.value.tree == TreeBuilder(events).tree()
    assert caught.value.tree.status == "stopped"
    assert caught.value.tree.failure.endswith("there is no score: the world is gone")


async def test_success_is_the_environments_word() -> None:
    """A root that is resolved with half the score is no success."""
    half = await run(model=by_name({"solve": "run('a')"}), environment=World(score=0.5))
    full = await run(model=by_name({"solve": "run('a')"}), environment=World(score=1.0))
    assert (half.tree.status, half.score, half.success) == ("done", 0.5, False)
    assert (full.tree.status, full.score, full.success) == ("done", 1.0, True)


async def test_a_failure_after_the_end_of_the_episode_asks_nobody() -> None:
    """Nothing could act any more, so a correction would be for nothing."""
    model = by_name({"solve": "n = int(run('last'))\nrun('more')"})
    result = await run(model=model, environment=World(last="last", score=1.0))
    assert len(model.requests) == 1
    assert [(i, s) for i, _, s in _lines(result.tree)] == [
        ("0", "done"),
        ("0.1", "failed"),
        ("0.2", "skipped"),
    ]
    assert result.success


async def test_what_the_subtree_did_is_told_to_the_placeholder_above() -> None:
    """Every call of the failing statement, however deep it was made."""
    policy = STRICT.but(supervisor={"attempts": 2})
    model = by_name(
        {
            "solve": ["run('a')\nhard()", "run('b')"],
            "hard": "run('side effect')\ndeeper()\nboom = 1 / 0",
            "deeper": "run('below')",
        }
    )
    await run("x", model=model, primitives=[Actions().run], policy=policy)
    told = _prompts(model)[-1].split("calls, which stay done:\n")[1]
    assert told.startswith(
        "| run('side effect') -> 'did side effect'\n"
        "| run('below') -> 'did below'\n"
        "| run('side effect') -> 'did side effect'\n"
        "| run('below') -> 'did below'\n\n"
    )


async def test_a_promise_that_was_kept_before_the_failure_stays_kept() -> None:
    """The correction need not repeat the statement that bound it, and is not asked to."""
    program = "cup = run('take')\nboom = 1 / 0\nrun('never')"
    model = by_name({"solve": "cup = find()\nrun(cup)", "find": [program, "run('put')"]})
    world = Actions()
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["take", "put", "did take"]
    assert "must assign: cup" in _prompts(model)[1]
    assert "Your program must assign" not in _prompts(model)[2]


async def test_a_name_that_was_deleted_is_bound_no_more() -> None:
    """Neither a promise is kept by it, nor is a call of it anything but a placeholder."""
    model = by_name(
        {
            "solve": "cup = find()\nx = 1\ndel x\nx()\nrun(cup)",
            "find": ["cup = 1\ndel cup", "cup = 'red'"],
            "x": "run('x')",
        }
    )
    world = Actions()
    result = await run("x", model=model, primitives=[world.run])
    assert result.success
    assert world.taken == ["x", "red"]
    failure = _node(result.tree, "0.1").attempts[0].failure
    assert failure is not None
    assert failure.kind == "contract"


@pytest.mark.parametrize(
    "program",
    ["t = instruction\no = observation\nsolve(t, o)", "o = observation\nsolve(instruction, o)"],
)
async def test_the_same_values_under_other_names_are_the_same_call(program: str) -> None:
    """What makes a circle is the values, not how they are written."""
    policy = STRICT.but(supervisor={"attempts": 1})
    model = by_name({"solve": program})
    result = await run("x", model=model, primitives=[Actions().run], policy=policy)
    assert not result.success
    assert len(model.requests) == 1
    circle = list(result.tree.nodes())[-1]
    assert circle.failure is not None
    assert [finding.code for finding in circle.failure.findings] == ["RC122"]


async def test_other_values_are_another_call() -> None:
    """A countdown is no circle, though nothing acts on its way."""
    programs = {"solve": "down(n=3)", "down": ""}
    world = Actions()

    def answer(request: Request) -> str:
        if request.placeholder.name == "solve":
            return reply(programs["solve"])
        n = request.variables["n"].value
        return reply(f"m = n - 1\ndown(n={n - 1})" if n else "run('go')")

    result = await run("x", model=ScriptedModel(answer), primitives=[world.run])
    assert result.success
    assert world.taken == ["go"]


@pytest.mark.parametrize("broken", ["call.sent", "call.answer", "node.open"])
async def test_a_record_that_cannot_be_kept_ends_the_run(broken: str) -> None:
    """It is our failure: the program neither hears of it nor goes on."""

    def keep(event: AnyEvent) -> None:
        if event.__struct_config__.tag == broken:
            raise OSError("the disk is full")

    world = Actions()
    program = "try:\n    run('a')\nexcept Exception:\n    run('b')"
    with pytest.raises(OSError, match="the disk is full"):
        await run("x", model=by_name({"solve": program}), primitives=[world.run], listeners=[keep])
    assert world.taken == (["a"] if broken == "call.answer" else [])


async def test_the_record_holds_what_the_program_was_given() -> None:
    """A result that was cut is recorded as cut, one that is no data as the error it became."""
    policy = STRICT.but(limits={"observation_bytes": 200})
    events = []
    model = by_name({"solve": "a = run('x' * 300)\nn = len(a)\nb = whole()"})

    def whole() -> list[str]:
        """More than fits."""
        return ["y" * 300]

    result = await run(
        "x",
        model=model,
        primitives=[Actions(lambda action: action).run, whole],
        policy=policy.but(supervisor={"attempts": 1}),
        observation="o" * 1_000,
        listeners=[events.append],
    )
    answers = [event for event in events if isinstance(event, CallAnswered)]
    assert answers[0].value.endswith("[cut: 300 characters, of which the first 120 are here]")
    assert answers[1].error == "TypeError: the result is 304 bytes large; 200 are allowed"
    started = events[0]
    assert isinstance(started, RunStarted)
    assert started.observation.endswith("[cut: 1000 characters, of which the first 120 are here]")
    assert started.settings["limits"]["observation_bytes"] == 200
    assert _node(result.tree, "0.3").failure is not None


async def test_run_sync_works_where_a_loop_is_running_already() -> None:
    """As in a notebook; what goes wrong is raised there."""
    world = Actions()
    result = run_sync("x", model=by_name({"solve": "run('a')"}), primitives=[world.run])
    assert result.success
    with pytest.raises(ModelUnavailable):
        run_sync("x", model=ScriptedModel([]))


def test_run_sync_works_in_a_script() -> None:
    """The blocking twin gives the same result."""
    assert run_sync("x", model=by_name({"solve": "n = 1"})).success


async def test_an_environment_can_be_named() -> None:
    """It is made and closed here, and so is its expert."""
    result = await run(model="expert", environment="crafting")
    assert (result.tree.environment, result.score) == ("crafting", 1.0)
    with pytest.raises(ValueError, match="crafting"):
        await run(model="expert", environment="crafing")


async def test_a_listener_that_fails_at_the_start_leaves_a_record_with_an_end(
    tmp_path: Path,
) -> None:
    """As when the terminal that a run is shown on has gone away."""

    def broken(event: AnyEvent) -> None:
        raise BrokenPipeError

    with Journal.create(tmp_path, "a-run") as journal, pytest.raises(BrokenPipeError):
        await run("x", model=by_name({}), journal=journal, listeners=[broken])
    tree = TreeBuilder(read_events(journal.path)).tree()
    assert (tree.status, tree.failure) == ("stopped", "BrokenPipeError")


async def test_a_run_whose_environment_cannot_start_leaves_no_record(tmp_path: Path) -> None:
    """There was no run."""

    class Gone(World):
        async def reset(self) -> Start:
            raise EnvironmentUnavailable("no world today")

    journal = Journal.create(tmp_path, "a-run")
    with journal, pytest.raises(EnvironmentUnavailable, match="no world today"):
        await run(model=by_name({}), environment=Gone(), journal=journal)
    assert read_events(journal.path) == []
