"""The tree as the fold of its events, and its JSON form."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest
from jsonschema import Draft202012Validator

import tree_schema
from example_run import REPAIR, RUN, example_events, example_tree
from recode_runtime.events import (
    ModelReplied,
    NodeClosed,
    NodeStarted,
    RunEnded,
    TreeBuilder,
)
from recode_runtime.tree import (
    Call,
    Failure,
    Node,
    Repair,
    Tree,
    Usage,
)


def test_the_fold_has_every_node_in_the_order_of_execution() -> None:
    """Nodes come depth first, each with the status in which it was left."""
    nodes = [(node.id, node.depth, node.status) for node in example_tree().nodes()]
    assert nodes == [
        ("0", 0, "done"),
        ("0.1", 1, "done"),
        ("0.2", 1, "done"),
        ("0.2.1", 2, "done"),
        ("0.2.2", 2, "failed"),
        ("0.2.3", 2, "replaced"),
        ("0.2.4", 2, "done"),
        ("0.3", 1, "done"),
    ]


def test_the_head_of_the_tree_is_what_start_and_end_say() -> None:
    """Task, model, policy, status, score and what was spent are kept; the root is beside them."""
    head = dataclasses.replace(example_tree(), root=None)
    assert head == Tree(
        run=RUN,
        instruction="Find the coins.",
        environment="garden",
        model="expert",
        policy="strict",
        status="done",
        success=True,
        score=1.0,
        seconds=1.5,
        spent={"nodes": 8.0, "seconds": 1.5},
    )


def test_an_attempt_keeps_its_tokens_program_repairs_and_failure() -> None:
    """What the reply event and the judgement say of one attempt is one value."""
    root = example_tree().root
    assert root is not None
    first, second = root.attempts
    assert (first.number, first.usage) == (1, Usage(100, 20))
    assert first.failure is not None
    assert first.failure.kind == "refused"
    assert (second.number, second.usage, second.failure) == (2, Usage(130, 25), None)
    assert (second.thought, second.repairs) == ("look first", (REPAIR,))


def test_a_later_judgement_of_an_attempt_replaces_the_earlier() -> None:
    """A program that was accepted and then failed carries the failure it ran into."""
    dig = next(node for node in example_tree().nodes() if node.id == "0.2")
    assert [attempt.failure for attempt in dig.attempts] == [
        Failure("error", "ZeroDivisionError: division by zero", line=2),
        None,
    ]


def test_a_call_without_an_answer_is_kept_as_such() -> None:
    """A record that breaks off between a call and its answer says that it was sent."""
    events = example_events()
    sent = next(i for i, event in enumerate(events) if type(event).__name__ == "CallSent")
    tree = TreeBuilder(events[: sent + 1]).tree()
    node = next(node for node in tree.nodes() if node.id == "0.1")
    assert node.calls == (Call("run", ("look",), {}, answered=False),)
    assert (tree.status, node.status) == ("running", "running")


@pytest.mark.parametrize("length", range(1, len(example_events()) + 1))
def test_every_beginning_of_a_record_makes_a_tree(length: int) -> None:
    """However early a run was killed, what it did until then can be shown."""
    tree = TreeBuilder(example_events()[:length]).tree()
    assert tree.status == ("done" if length == len(example_events()) else "running")
    assert Tree.from_json(tree.to_json()) == tree


def test_a_record_without_a_start_is_no_tree() -> None:
    """The builder says what is missing."""
    with pytest.raises(ValueError, match=r"^the record has no start of a run$"):
        TreeBuilder().tree()


@pytest.mark.parametrize("event", [NodeStarted("9"), NodeClosed("9", "done")])
def test_an_event_of_an_unknown_node_is_refused(event: NodeStarted | NodeClosed) -> None:
    """A node that was never opened cannot start or end."""
    with pytest.raises(KeyError, match="9"):
        TreeBuilder([event])


def test_walk_is_depth_first_and_in_order() -> None:
    """A node comes before its children, and all of one child before the next."""
    leaves = [Node(name, "", "action", 2) for name in "cde"]
    left = Node("b", "", "placeholder", 1, children=tuple(leaves[:2]))
    top = Node("a", "", "placeholder", 0, children=(left, leaves[2]))
    assert "".join(node.id for node in top.walk()) == "abcde"


def test_a_tree_comes_back_from_its_json() -> None:
    """`from_json` is the inverse of `to_json`, and both speak the same dictionary."""
    tree = example_tree()
    assert Tree.from_json(tree.to_json()) == tree
    assert json.loads(tree.to_json()) == json.loads(json.dumps(tree.to_dict()))


def test_another_version_of_the_tree_is_refused() -> None:
    """A tree of a version that this program does not know is not read as one that it knows."""
    text = json.dumps(example_tree().to_dict() | {"schema": "recode.tree/2"})
    with pytest.raises(ValueError, match=r"^this is 'recode.tree/2', not 'recode.tree/1'$"):
        Tree.from_json(text)


def test_a_tree_with_a_wrong_value_is_refused_with_its_place() -> None:
    """The message names where the text is not a tree."""
    text = json.dumps(example_tree().to_dict() | {"status": "asleep"})
    with pytest.raises(ValueError, match=r"'asleep'.*\$\.status"):
        Tree.from_json(text)


def test_two_runs_of_the_same_task_are_equal_without_times() -> None:
    """Names of runs and measured times are the only things that are left out."""
    slower = [
        msgspec.structs.replace(event, seconds=9.0)
        if isinstance(event, (ModelReplied, NodeClosed, RunEnded))
        else event
        for event in example_events()
    ]
    other = dataclasses.replace(TreeBuilder(slower).tree(), run="another")
    assert other != example_tree()
    assert other.without_times() == example_tree().without_times()
    assert other.without_times().spent == {"nodes": 8.0}


def test_a_different_observation_is_a_different_tree_without_times() -> None:
    """Only times are forgiven."""
    events = [event for event in example_events() if type(event).__name__ != "CallAnswered"]
    assert TreeBuilder(events).tree().without_times() != example_tree().without_times()


def test_the_shipped_schema_is_the_one_the_types_make() -> None:
    """`schemas/tree-1.json` is never behind; `python tests/support/tree_schema.py` renews it."""
    assert json.loads(tree_schema.SHIPPED.read_text()) == tree_schema.generated()


@pytest.mark.parametrize("length", [1, 5, len(example_events())])
def test_a_tree_is_valid_by_the_shipped_schema(length: int) -> None:
    """The JSON form, whole or broken off, is what the schema says."""
    schema = json.loads(tree_schema.SHIPPED.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    tree = json.loads(TreeBuilder(example_events()[:length]).tree().to_json())
    assert list(validator.iter_errors(tree)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "recode.tree/2"}, "'recode.tree/1' was expected"),
        ({"status": "asleep"}, "'asleep' is not one of"),
        ({"success": 1}, "1 is not of type 'boolean'"),
    ],
)
def test_the_schema_refuses_what_is_no_tree(change: dict[str, object], message: str) -> None:
    """The schema is tight enough to tell a wrong version, status or type."""
    validator = Draft202012Validator(json.loads(tree_schema.SHIPPED.read_text()))
    tree = json.loads(example_tree().to_json()) | change
    errors = [error.message for error in validator.iter_errors(tree)]
    assert len(errors) == 1
    assert errors[0].startswith(message)


def test_usage_adds_what_was_counted() -> None:
    """A count that only one side has is kept; one that neither has stays unknown."""
    assert Usage(1, None, None) + Usage(2, 5, None) == Usage(3, 5, None)


def test_a_repair_keeps_the_lines_that_differ() -> None:
    """Before and after, without what is the same in both."""
    repair = Repair.between(
        "RC112", "lifted", "a = 1\nf(g())\nb = 2", "a = 1\nr = g()\nf(r)\nb = 2"
    )
    assert repair == Repair("RC112", "lifted", "f(g())", "r = g()\nf(r)", safe=True)
