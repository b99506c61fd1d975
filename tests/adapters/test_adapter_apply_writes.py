"""`apply_writes`: the writes of one superstep, against upstream's function."""

from __future__ import annotations

from typing import Any

import pytest
from adapter_channels import QUIET
from adapter_sides import OURS, STOCK
from adapter_worlds import VERSIONINGS, Graph, Side, Task, graphs, tasks, trigger_mappings
from hypothesis import given
from hypothesis import strategies as st


def assert_same(graph: Graph, tabled: bool, apply: Any) -> None:
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled)
    assert ours.perform(apply) == stock.perform(apply)


@given(data=st.data(), graph=graphs(), tabled=st.booleans())
def test_a_superstep_leaves_the_same_behind(data: Any, graph: Graph, tabled: bool) -> None:
    wrote = data.draw(st.lists(tasks(graph.kinds), max_size=4))
    triggers = data.draw(trigger_mappings(graph))
    taken = data.draw(st.sampled_from([list, tuple, iter]))

    def apply(side: Side) -> Any:
        side.updated = side.functions.apply_writes(
            side.checkpoint, side.channels, taken(wrote), side.next_version(), triggers
        )
        return side.updated

    assert_same(graph, tabled, apply)


@given(data=st.data(), graph=graphs(kinds=QUIET))
def test_supersteps_on_a_table_of_built_in_channels(data: Any, graph: Graph) -> None:
    steps = data.draw(st.lists(st.lists(tasks(graph.kinds), max_size=3), min_size=2, max_size=5))
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    for wrote in steps:

        def apply(side: Side, wrote: list[Task] = wrote) -> Any:
            return side.functions.apply_writes(
                side.checkpoint, side.channels, wrote, side.next_version(), graph.trigger_to_nodes
            )

        assert ours.perform(apply) == stock.perform(apply)


@pytest.mark.parametrize("tabled", [False, True])
def test_a_write_to_an_unknown_channel_is_logged_as_upstream_logs_it(tabled: bool) -> None:
    graph = Graph({"a": "last"}, {}, {}, "int", {}, {}, 0)
    wrote = [Task(("__pregel_pull", "n1"), "n1", [("nowhere", 1), ("a", 2)], ["a"])]

    def apply(side: Side) -> Any:
        return side.functions.apply_writes(
            side.checkpoint, side.channels, wrote, side.next_version(), {}
        )

    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled)
    expected = stock.perform(apply)
    assert ours.perform(apply) == expected
    assert [record[3] for record in expected["records"]] == ["apply_writes"]


@pytest.mark.parametrize("versioning", sorted(VERSIONINGS))
def test_the_highest_version_is_known_over_supersteps(versioning: str) -> None:
    first = {"int": 3, "float": 2.5, "str": "2.2"}.get(versioning, 90)
    kinds = {"a": "last", "b": "last", "c": "last"}
    graph = Graph(kinds, {}, {}, versioning, {"a": first, "b": first}, {}, 0)
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    for names in ("a", "a", "b", "ab", "c", "b", "a", "abc", "c"):
        wrote = [Task((), "n1", [(name, 1) for name in names], ["a"])]

        def apply(side: Side, wrote: list[Task] = wrote) -> Any:
            return side.functions.apply_writes(
                side.checkpoint, side.channels, wrote, side.next_version(), {"a": ["n1"]}
            )

        assert ours.perform(apply) == stock.perform(apply)


@pytest.mark.parametrize("ends", [(False, True), (True, False), ("a", "b"), ("b", "a")])
def test_the_end_of_a_path_counts_as_it_does_upstream(ends: tuple[Any, Any]) -> None:
    graph = Graph({"a": "list"}, {}, {}, "int", {}, {}, 0)
    wrote = [
        Task(("__pregel_push", 2, ("__pregel_pull", "n1"), end, i), "n1", [("a", i)], ["a"])
        for i, end in enumerate(ends)
    ]

    def apply(side: Side) -> Any:
        return side.functions.apply_writes(
            side.checkpoint, side.channels, wrote, side.next_version(), {}
        )

    expected = Side(graph, STOCK).perform(apply)
    assert Side(graph, OURS, tabled=True).perform(apply) == expected


@pytest.mark.parametrize("tabled", [False, True])
def test_a_saver_may_go_over_from_int_to_str_versions(tabled: bool) -> None:
    graph = Graph({"a": "last"}, {"a": [[1]]}, {}, "from int to str", {"a": 3}, {}, 0)
    wrote = [Task(("__pregel_pull", "n1"), "n1", [("a", 2)], [])]

    def apply(side: Side) -> Any:
        return side.functions.apply_writes(
            side.checkpoint, side.channels, wrote, side.next_version(), {}
        )

    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled)
    expected = stock.perform(apply)
    assert "error" not in expected
    assert ours.perform(apply) == expected


def test_a_channel_that_was_written_is_asked_as_often_as_upstream_asks_it() -> None:
    graph = Graph({"a": "loud last", "b": "loud last"}, {"b": [[1]]}, {}, "int", {}, {}, 0)
    wrote = [Task(("__pregel_pull", "n1"), "n1", [("a", 2)], ["b"])]

    def apply(side: Side) -> Any:
        return side.functions.apply_writes(
            side.checkpoint, side.channels, wrote, side.next_version(), {"a": ["n1"]}
        )

    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    expected = stock.perform(apply)
    assert expected["heard"].count(("a", "is_available")) == 2
    assert ours.perform(apply) == expected


def test_a_checkpoint_of_other_versions_does_not_mislead_the_table() -> None:
    kinds = {"a": "last", "b": "last"}
    graph = Graph(kinds, {}, {}, "int", {"a": 1, "b": 9}, {}, 0)
    stock, ours = Side(graph, STOCK), Side(graph, OURS, tabled=True)
    wrote = [Task((), "n1", [("a", 1)], ["a"])]

    def apply(side: Side) -> Any:
        return side.functions.apply_writes(
            side.checkpoint, side.channels, wrote, side.next_version(), {"a": ["n1"]}
        )

    def go_back(side: Side) -> Any:
        earlier = {**side.checkpoint, "channel_versions": {"a": 1, "b": 2}}
        created = side.functions.create_checkpoint(earlier, side.channels, 1, id="1")
        side.checkpoint = {**created, "ts": "then"}

    for action in (apply, go_back, apply):
        assert ours.perform(action) == stock.perform(action)
