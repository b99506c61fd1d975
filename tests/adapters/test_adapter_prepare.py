"""`prepare_next_tasks` and `_triggers`: which tasks come next, against upstream's functions."""

from __future__ import annotations

from typing import Any

import pytest
from adapter_channels import QUIET, Name, heard
from adapter_shapes import Token
from adapter_sides import OURS, STOCK
from adapter_worlds import MANAGED, Graph, Side, graphs, trigger_mappings
from hypothesis import given
from hypothesis import strategies as st
from langgraph._internal import _constants as constants
from langgraph.pregel._read import PregelNode

NULL_RESUME = (constants.NULL_TASK_ID, constants.RESUME, "answer")


class ParentScratchpad:
    """The scratchpad of the task that a subgraph runs in."""

    def get_null_resume(self, consume: bool = False) -> str:
        heard.append(("parent's null resume", consume))
        return "parent's"


def configs() -> st.SearchStrategy[dict[str, Any]]:
    plain = {"configurable": {"checkpoint_ns": "", "thread_id": "1"}, "metadata": {"m": 1}}
    nested = {
        "configurable": {
            "checkpoint_ns": "parent:1|child:2",
            constants.CONFIG_KEY_SCRATCHPAD: ParentScratchpad(),
            constants.CONFIG_KEY_RESUME_MAP: {"unknown": 1},
        },
        "tags": ["outer"],
    }
    of_another_type = {"configurable": {"checkpoint_ns": Name("parent:1")}}
    return st.sampled_from([plain, nested, of_another_type])


def updates(graph: Graph) -> st.SearchStrategy[set[str] | None]:
    known = st.sets(st.sampled_from([*graph.kinds, "nowhere"]))
    return st.one_of(st.none(), st.just(set()), known)


def prepared(graph: Graph, data: Any) -> Any:
    """A call of `prepare_next_tasks` with everything else drawn."""
    options = {
        "for_execution": data.draw(st.booleans(), label="for_execution"),
        "updated_channels": data.draw(updates(graph), label="updated_channels"),
    }
    if data.draw(st.booleans(), label="with trigger_to_nodes"):
        options["trigger_to_nodes"] = data.draw(trigger_mappings(graph))
    config = data.draw(configs())
    pending = data.draw(st.sampled_from([[], [NULL_RESUME]]))

    def prepare(side: Side) -> Any:
        return side.functions.prepare_next_tasks(
            side.checkpoint,
            list(pending),
            graph.nodes,
            side.channels,
            MANAGED,
            config,
            3,
            9,
            **options,
        )

    return prepare


@given(data=st.data(), graph=graphs(), tabled=st.booleans())
def test_the_same_tasks_are_prepared(data: Any, graph: Graph, tabled: bool) -> None:
    prepare = prepared(graph, data)
    expected = Side(graph, STOCK).perform(prepare)
    assert Side(graph, OURS, tabled).perform(prepare) == expected


@given(data=st.data(), graph=graphs(kinds=QUIET))
def test_the_same_tasks_are_prepared_from_the_index(data: Any, graph: Graph) -> None:
    prepare = prepared(graph, data)
    expected = Side(graph, STOCK).perform(prepare)
    ours = Side(graph, OURS, tabled=True)
    assert ours.perform(prepare) == expected
    assert ours.perform(prepare) == expected  # and once more, with what the table knows by now


@given(data=st.data(), graph=graphs(), tabled=st.booleans())
def test_each_trigger_is_asked_for_in_order(data: Any, graph: Graph, tabled: bool) -> None:
    node = graph.nodes[data.draw(st.sampled_from(sorted(graph.nodes)))]
    seen = data.draw(st.sampled_from([None, {}, *graph.seen.values()]))
    null = data.draw(st.sampled_from([0, 0.0, "", None]))

    def ask(side: Side) -> Any:
        return side.functions._triggers(
            side.channels, side.checkpoint["channel_versions"], seen, null, node
        )

    expected = Side(graph, STOCK).perform(ask)
    assert Side(graph, OURS, tabled).perform(ask) == expected


def chain(**triggers: list[str]) -> Graph:
    nodes = {
        name: PregelNode(channels=["a"], triggers=channels) for name, channels in triggers.items()
    }
    return Graph({"a": "last", "b": "last"}, {"a": [[1]]}, nodes, "int", {"a": 1}, {}, 0)


def prepare_by_triggers(side: Side) -> Any:
    return side.functions.prepare_next_tasks(
        side.checkpoint,
        [],
        side.graph.nodes,
        side.channels,
        {},
        {"configurable": {}},
        0,
        9,
        for_execution=False,
        trigger_to_nodes=side.trigger_to_nodes,
    )


def test_the_nodes_come_in_the_order_of_the_graph_when_nothing_is_known() -> None:
    graph = chain(z=["a"], y=["a"], x=["b"], w=["a"])
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    for side in (stock, ours):
        side.trigger_to_nodes = graph.trigger_to_nodes
    expected = stock.perform(prepare_by_triggers)
    names = [task[1][1][1] for _, task in expected["result"][1]]
    assert names == ["'z'", "'y'", "'w'"]
    assert ours.perform(prepare_by_triggers) == expected


@pytest.mark.parametrize("tabled", [False, True])
def test_the_nodes_behind_updated_channels_come_by_name(tabled: bool) -> None:
    graph = chain(z=["a"], y=["b"], x=["a", "b"], w=["a"])
    graph.primed["b"] = [[1]]
    graph.versions["b"] = 1

    def prepare(side: Side) -> Any:
        return side.functions.prepare_next_tasks(
            side.checkpoint,
            [],
            graph.nodes,
            side.channels,
            {},
            {"configurable": {}},
            0,
            9,
            for_execution=False,
            trigger_to_nodes=graph.trigger_to_nodes,
            updated_channels={"a", "b"},
        )

    expected = Side(graph, STOCK).perform(prepare)
    names = [task[1][1][1] for _, task in expected["result"][1]]
    assert names == ["'w'", "'x'", "'y'", "'z'"]
    assert Side(graph, OURS, tabled).perform(prepare) == expected


def test_a_version_that_was_seen_is_seen_in_another_object_too() -> None:
    nodes = {"n1": PregelNode(channels=["a"], triggers=["a"])}
    versions = {"a": "00000001.5"}
    graph = Graph({"a": "last"}, {"a": [[1]]}, nodes, "str", versions, {"n1": versions}, 0)
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    for side in (stock, ours):
        side.trigger_to_nodes = graph.trigger_to_nodes
    expected = stock.perform(prepare_by_triggers)
    assert expected["result"] == ("dict", [])
    assert ours.perform(prepare_by_triggers) == expected


@pytest.mark.parametrize("tabled", [False, True])
def test_a_trigger_that_is_no_channel_is_upstreams_error(tabled: bool) -> None:
    graph = chain(n1=["a"], n2=["nowhere"])
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled)
    for side in (stock, ours):
        side.trigger_to_nodes = graph.trigger_to_nodes
    expected = stock.perform(prepare_by_triggers)
    assert expected["error"][0] == "KeyError"
    assert ours.perform(prepare_by_triggers) == expected


def test_values_reach_a_task_as_they_are_not_as_copies() -> None:
    value = Token(1)
    graph = Graph(
        {"a": "last", "b": "list"},
        {"a": [[value]], "b": [[[value]]]},
        {"n1": PregelNode(channels=["a", "b"], triggers=["a"], bound=None)},
        "int",
        {"a": 1},
        {},
        0,
    )
    side = Side(graph, OURS, tabled=True)
    read = side.functions._proc_input(
        graph.nodes["n1"], {}, side.channels, for_execution=True, scratchpad=None, input_cache=None
    )
    assert read["a"] is value
    assert read["b"] is side.channels["b"].value
