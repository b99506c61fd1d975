"""Whole runs of random actions on one state, driven by upstream, by the replacements, or by turns.

What the replacements remember from one superstep to the next is what these tests are about.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from adapter_channels import KINDS, QUIET
from adapter_sides import OURS, STOCK, mixed
from adapter_worlds import (
    CHECKPOINT_ID,
    MANAGED,
    Graph,
    Side,
    Task,
    graphs,
    tasks,
    trigger_mappings,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.pregel import _checkpoint
from langgraph.pregel._read import PregelNode

Action = Callable[[Side], Any]

SNAPSHOTS = "channels_to_snapshot" in inspect.signature(_checkpoint.create_checkpoint).parameters


@st.composite
def applying(draw: st.DrawFn, graph: Graph) -> Action:
    """The end of a superstep."""
    wrote = draw(st.lists(tasks(graph.kinds), max_size=3))
    triggers = draw(trigger_mappings(graph))

    def apply(side: Side) -> Any:
        side.updated = side.functions.apply_writes(
            side.checkpoint, side.channels, wrote, side.next_version(), triggers
        )
        return side.updated

    return apply


@st.composite
def preparing(draw: st.DrawFn, graph: Graph) -> Action:
    """The start of a superstep, mostly from what the last one updated."""
    options: dict[str, Any] = {"for_execution": draw(st.booleans())}
    if draw(st.integers(0, 3)):
        options["trigger_to_nodes"] = graph.trigger_to_nodes
    updated = draw(st.sampled_from(["of the last superstep", "unknown", "none"]))

    def prepare(side: Side) -> Any:
        if updated == "of the last superstep":
            options["updated_channels"] = side.updated
        elif updated == "none":
            options["updated_channels"] = set()
        return side.functions.prepare_next_tasks(
            side.checkpoint,
            [],
            graph.nodes,
            side.channels,
            MANAGED,
            {"configurable": {}},
            1,
            4,
            **options,
        )

    return prepare


@st.composite
def saving(draw: st.DrawFn, graph: Graph) -> Action:
    """A checkpoint between supersteps, with or without a saver and snapshots."""
    saved = draw(st.booleans())
    options: dict[str, Any] = {"id": CHECKPOINT_ID}
    deltas = {name for name, kind in graph.kinds.items() if kind == "delta"}
    if SNAPSHOTS and deltas and draw(st.booleans()):
        options["channels_to_snapshot"] = deltas
    stored = draw(st.booleans())

    def save(side: Side) -> Any:
        more = dict(options)
        if "channels_to_snapshot" in more:
            more["get_next_version"] = side.next_version()
            if stored:
                more["stored_versions"] = dict(side.checkpoint["channel_versions"])
        side.checkpoint = side.functions.create_checkpoint(
            side.checkpoint,
            side.channels if saved else None,
            1,
            updated_channels=side.updated,
            **more,
        )
        side.checkpoint["ts"] = "then"
        return side.checkpoint

    return save


def loading(graph: Graph) -> Action:
    """The next run, from what the checkpoint keeps."""

    def load(side: Side) -> Any:
        specs = {name: KINDS[kind][0]() for name, kind in graph.kinds.items()}
        for name, spec in specs.items():
            spec.key = name
        channels, managed = side.functions.channels_from_checkpoint(
            {**specs, **MANAGED}, side.checkpoint
        )
        side.channels, side.updated = channels, None
        return channels, managed

    return load


def reading(graph: Graph) -> st.SearchStrategy[Action]:
    names = list(graph.kinds)

    def make(task: Any, select: Any, fresh: bool) -> Action:
        return lambda side: side.functions.local_read(None, side.channels, {}, task, select, fresh)

    selections = st.lists(st.sampled_from(names)) if names else st.just([])
    return st.tuples(tasks(graph.kinds), selections, st.booleans()).map(lambda d: make(*d))


def actions(graph: Graph) -> st.SearchStrategy[Action]:
    return st.one_of(
        applying(graph),
        applying(graph),
        preparing(graph),
        preparing(graph),
        saving(graph),
        reading(graph),
        st.just(loading(graph)),
    )


@given(data=st.data(), graph=st.one_of(graphs(), graphs(kinds=QUIET)), tabled=st.booleans())
@settings(max_examples=100)
def test_a_run_goes_the_same_way(data: Any, graph: Graph, tabled: bool) -> None:
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled)
    for _ in range(data.draw(st.integers(2, 7))):
        action = data.draw(actions(graph))
        assert ours.perform(action) == stock.perform(action)


@given(data=st.data(), graph=st.one_of(graphs(), graphs(kinds=QUIET)))
@settings(max_examples=100)
def test_a_run_may_change_sides_at_any_time(data: Any, graph: Graph) -> None:
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    for _ in range(data.draw(st.integers(2, 7))):
        replaced = data.draw(st.sets(st.sampled_from(OURS.names)), label="replaced")
        if data.draw(st.booleans(), label="switch"):
            ours.switch_to(mixed(replaced))
        action = data.draw(actions(graph))
        assert ours.perform(action) == stock.perform(action)


def test_the_table_notices_what_stock_wrote_when_only_some_targets_are_replaced() -> None:
    """As after `patch(["channels_from_checkpoint", "prepare_next_tasks"])`."""
    node = PregelNode(channels=["a"], triggers=["a"])
    graph = Graph({"a": "ephemeral", "b": "last"}, {}, {"n1": node}, "int", {"b": 1}, {}, 0)
    some = mixed({"channels_from_checkpoint", "prepare_next_tasks"})
    stock, ours = Side(graph, STOCK), Side(graph, some, tabled=True)

    def prepare(side: Side) -> Any:
        return side.functions.prepare_next_tasks(
            side.checkpoint,
            [],
            graph.nodes,
            side.channels,
            {},
            {"configurable": {}},
            1,
            4,
            for_execution=False,
            trigger_to_nodes=graph.trigger_to_nodes,
        )

    def write(side: Side) -> Any:
        task = Task((), "__input__", [("a", 1)], [])
        return side.functions.apply_writes(
            side.checkpoint, side.channels, [task], side.next_version(), graph.trigger_to_nodes
        )

    for action in (prepare, write, prepare):
        expected = stock.perform(action)
        assert ours.perform(action) == expected
    assert len(expected["result"][1]) == 1
