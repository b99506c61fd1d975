"""`prepare_next_tasks` with the numba kernels against upstream's, over generated graphs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from langgraph.pregel import NodeBuilder, _algo
from langgraph.types import Send

from fastgraph.adapters.langgraph import numba_triggers
from fastgraph.kernels.tally import Tally

CHANNELS = tuple(f"c{i}" for i in range(6))
NODES = tuple(f"n{i}" for i in range(8))
TASKS = "__pregel_tasks"


class Own(LastValue):
    """A channel of the user's."""


def named_barrier():
    channel = NamedBarrierValue(str, {"x", "y"})
    channel.update(["x"])
    return channel


KINDS = {
    "last value": lambda: LastValue(int),
    "ephemeral": lambda: EphemeralValue(int),
    "any": lambda: AnyValue(int),
    "untracked": lambda: UntrackedValue(int),
    "aggregate": lambda: BinaryOperatorAggregate(int, lambda a, b: a + b),
    "topic": lambda: Topic(int),
    "barrier": named_barrier,
    "own": lambda: Own(int),
}


def channel(kind, written):
    made = KINDS[kind]()
    if written:
        made.update(["y" if kind == "barrier" else 1])
    return made


@st.composite
def worlds(draw, kinds=tuple(KINDS)):
    """The arguments of a call: graph, checkpoint and channels, some of them contradicting."""
    version = draw(
        st.sampled_from(
            [st.integers(0, 3), st.text("01", max_size=2), st.sampled_from([0, 0.5, 1])]
        )
    )
    by_channel = st.dictionaries(st.sampled_from(CHANNELS), version)
    triggers = draw(
        st.dictionaries(
            st.sampled_from(NODES),
            st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3),
            min_size=1,
        )
    )
    return world(
        triggers=triggers,
        channels={
            name: channel(draw(st.sampled_from(kinds)), draw(st.booleans())) for name in CHANNELS
        },
        versions=draw(by_channel),
        seen=draw(st.dictionaries(st.sampled_from(NODES), by_channel)),
        updated=draw(st.sampled_from([None, set(), {"c1"}, {"c0", "c2", "unknown"}])),
    )


def world(triggers, channels, versions, seen, updated=None):
    nodes = {name: NodeBuilder().subscribe_to(*on).build() for name, on in triggers.items()}
    trigger_to_nodes: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for trigger in node.triggers:
            trigger_to_nodes.setdefault(trigger, []).append(name)
    checkpoint = {"v": 4, "id": "ab" * 16, "channel_versions": versions, "versions_seen": seen}
    return {
        "checkpoint": checkpoint,
        "pending_writes": [],
        "processes": nodes,
        "channels": channels,
        "managed": {},
        "config": {"configurable": {}, "metadata": {}, "tags": []},
        "step": 1,
        "stop": 5,
        "for_execution": True,
        "trigger_to_nodes": trigger_to_nodes,
        "updated_channels": updated,
    }


def simple_world(**changes: Any):
    """Three nodes of which `b` is triggered."""
    made = world(
        triggers={"c": ["c2"], "b": ["c1"], "a": ["c0", "c2"]},
        channels={name: channel("last value", written=True) for name in ("c0", "c1", "c2")},
        versions={"c0": 1, "c1": 2, "c2": 1},
        seen={name: {"c0": 1, "c1": 1, "c2": 1} for name in "abc"},
    )
    return {**made, **changes}


@pytest.fixture(autouse=True, scope="module")
def no_threshold():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba_triggers, "THRESHOLD", 0)
        yield


def call(function, arguments):
    """The tasks, as far as they can be compared, or the error."""
    arguments = dict(arguments)
    positional = [arguments.pop(name) for name in tuple(arguments)[:8]]
    try:
        tasks = function(*positional, **arguments)
    except Exception as error:
        return type(error), str(error), getattr(error, "__notes__", [])
    return [
        (key, task.id, task.name, task.path, task.input, task.triggers, task.config["metadata"])
        for key, task in tasks.items()
    ]


def replacement(original=_algo.prepare_next_tasks):
    tally = Tally("prepare_next_tasks")
    return numba_triggers.make_prepare_next_tasks(original, tally, ""), tally


def asked(arguments):
    """Which nodes upstream is given to walk, and the fallbacks counted."""
    walked = []

    def original(*args, **kwargs):
        walked.extend(args[2])
        return _algo.prepare_next_tasks(*args, **kwargs)

    function, tally = replacement(original)
    assert call(function, arguments) == call(_algo.prepare_next_tasks, arguments)
    assert tally.calls == 1
    return walked, tally.fallbacks


@given(worlds())
def test_the_tasks_are_upstreams_in_upstreams_order(arguments):
    asked(arguments)


@given(worlds(kinds=tuple(KINDS)[:-1]))
def test_only_triggered_nodes_are_walked_where_upstream_walks_all(arguments):
    versions, updated = arguments["checkpoint"]["channel_versions"], arguments["updated_channels"]
    walked, fallbacks = asked(arguments)
    assert fallbacks == {}
    if versions and not updated:
        assert walked == [
            name
            for name, node in arguments["processes"].items()
            if _algo._triggers(
                arguments["channels"],
                versions,
                arguments["checkpoint"]["versions_seen"].get(name),
                type(next(iter(versions.values())))(),
                node,
            )
        ]
    else:
        assert walked == list(arguments["processes"])


def test_the_triggered_node_is_the_only_one_walked():
    assert asked(simple_world()) == (["b"], {})


def test_nothing_triggered_walks_nothing():
    arguments = simple_world()
    arguments["checkpoint"]["channel_versions"]["c1"] = 1
    assert asked(arguments) == ([], {})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trigger_to_nodes": None}, "trigger_to_nodes is not given"),
        ({"trigger_to_nodes": {}}, "trigger_to_nodes is not given"),
        (
            {"channels": {name: channel("own", True) for name in ("c0", "c1", "c2")}},
            "a channel is not of a built-in type",
        ),
        (
            {"channels": {name: channel("last value", True) for name in ("c0", "c1")}},
            "the index could not tell",
        ),
    ],
)
def test_outside_its_domain_upstream_walks_all(changes, reason):
    assert asked(simple_world(**changes)) == (["c", "b", "a"], {reason: 1})


def test_a_mapping_that_is_no_dict_is_outside():
    class Mapped(dict):
        pass

    arguments = simple_world()
    arguments["channels"] = Mapped(arguments["channels"])
    reason = "the checkpoint, nodes or channels are not in dicts"
    assert asked(arguments) == (["c", "b", "a"], {reason: 1})


def test_versions_that_do_not_compare_raise_where_upstream_does():
    arguments = simple_world()
    arguments["checkpoint"]["channel_versions"]["c2"] = "1"
    assert asked(arguments) == (["c", "b", "a"], {"the index could not tell": 1})
    assert call(replacement()[0], arguments)[0] is TypeError


def test_pending_sends_are_upstreams():
    arguments = simple_world()
    tasks = Topic(Send)
    tasks.update([Send("c", 5)])
    arguments["channels"][TASKS] = tasks
    assert asked(arguments) == (["c", "b", "a"], {"Sends are pending": 1})
    tasks.update([])
    assert asked(arguments) == (["b"], {})


def test_a_small_graph_is_upstreams(monkeypatch):
    monkeypatch.setattr(numba_triggers, "THRESHOLD", 4)
    assert asked(simple_world()) == (["c", "b", "a"], {"fewer than 4 nodes": 1})
    monkeypatch.setattr(numba_triggers, "THRESHOLD", 3)
    assert asked(simple_world()) == (["b"], {})


def test_an_index_serves_its_graph_and_dies_with_it():
    indexes, arguments = numba_triggers.GraphIndexes(), simple_world()
    nodes, table = arguments["processes"], arguments["trigger_to_nodes"]
    index = indexes.of(nodes, table)
    assert indexes.of(dict(nodes), table) is index
    assert indexes.of(nodes, dict(table)) is not index
    assert len(indexes.of({**nodes, "new": nodes["a"]}, table)) == len(nodes) + 1
    for _ in range(numba_triggers.COPIES * 2):
        indexes.of(nodes, dict(table))
    assert len(indexes) == numba_triggers.COPIES
    del nodes, arguments
    assert len(indexes) == 0


def test_the_threshold_and_the_types_are_what_they_say():
    assert numba_triggers.BUILT_IN.isdisjoint({Own})
    assert {type(channel(kind, False)) for kind in KINDS if kind != "own"} < numba_triggers.BUILT_IN
