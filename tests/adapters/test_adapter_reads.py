"""`local_read` and `_proc_input`: what a task gets to read, against upstream's functions."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from adapter_channels import BOMB, KINDS, QUIET, heard
from adapter_shapes import Token
from adapter_sides import OURS, STOCK
from adapter_worlds import MANAGED, UNKNOWN, Graph, Heard, Side, Task, graphs, tasks
from hypothesis import given
from hypothesis import strategies as st
from langgraph.channels import BinaryOperatorAggregate
from langgraph.pregel._read import PregelNode

SCRATCHPAD = SimpleNamespace(step=3, stop=9)


def selections(graph: Graph) -> st.SearchStrategy[Any]:
    names = [*graph.kinds, *graph.kinds, *MANAGED, UNKNOWN]
    listed = st.lists(st.sampled_from(names), max_size=5)
    return st.one_of(st.sampled_from(names), listed, listed.map(tuple), listed.map(dict.fromkeys))


@pytest.mark.parametrize("kinds", [list(KINDS), QUIET], ids=["any channels", "built-in channels"])
@given(data=st.data(), tabled=st.booleans(), fresh=st.booleans())
def test_the_state_is_read_the_same(data: Any, kinds: Any, tabled: bool, fresh: bool) -> None:
    graph = data.draw(graphs(kinds=kinds))
    task = data.draw(tasks(graph.kinds))
    select = data.draw(selections(graph))
    managed = data.draw(st.sampled_from([{}, MANAGED]))

    def read(side: Side) -> Any:
        return side.functions.local_read(SCRATCHPAD, side.channels, managed, task, select, fresh)

    expected = Side(graph, STOCK).perform(read)
    assert Side(graph, OURS, tabled).perform(read) == expected


def wrote(*writes: tuple[str, Any]) -> Task:
    return Task(("__pregel_pull", "n1"), "n1", deque(writes), [])


def compare(kinds: dict[str, str], primed: Any, task: Task, select: Any) -> dict[str, Any]:
    graph = Graph(kinds, primed, {}, "int", {}, {}, 0)

    def read(side: Side) -> Any:
        return side.functions.local_read(SCRATCHPAD, side.channels, {}, task, select, True)

    expected = Side(graph, STOCK).perform(read)
    for tabled in (False, True):
        assert Side(graph, OURS, tabled).perform(read) == expected
    return expected


def test_a_channel_selected_twice_is_reduced_once() -> None:
    seen = compare({"a": "list"}, {}, wrote(("a", Token(1))), ["a", "a"])
    assert len(seen["heard"]) == 1


def test_reducers_run_in_the_order_of_the_channels() -> None:
    task = wrote(("b", Token(1)), ("a", Token(2)), ("c", Token(3)))
    seen = compare({"c": "list", "a": "list", "b": "list"}, {}, task, ["a", "b", "c"])
    assert len(seen["heard"]) == 3


def test_a_raising_reducer_leaves_the_channels_alone() -> None:
    seen = compare({"a": "list"}, {"a": [[[Token(1)]]]}, wrote(("a", BOMB)), "a")
    assert seen["error"][0] == "ValueError"


def test_two_writes_to_a_last_value_are_upstreams_error() -> None:
    seen = compare({"a": "last", "b": "last"}, {}, wrote(("a", 1), ("a", 2)), ["b", "a"])
    assert seen["error"][0] == "InvalidUpdateError"


def test_a_value_type_that_is_no_class_is_called_as_often_as_upstream_calls_it() -> None:
    def empty() -> list[Any]:
        heard.append("made")
        return []

    heards = []
    for functions in (STOCK, OURS):
        channels = {
            name: BinaryOperatorAggregate(empty, lambda left, right: [*left, right])
            for name in ("a", "b")
        }
        heard.clear()
        functions.local_read(SCRATCHPAD, channels, {}, wrote(("a", 1)), "a", True)
        heards.append(list(heard))
    assert heards[1] == heards[0]


@given(data=st.data(), graph=graphs(), tabled=st.booleans(), for_execution=st.booleans())
def test_a_node_is_given_the_same_input(
    data: Any, graph: Graph, tabled: bool, for_execution: bool
) -> None:
    node = graph.nodes[data.draw(st.sampled_from(sorted(graph.nodes)))]
    cached = data.draw(st.sampled_from([None, {}, {node.input_cache_key: {"cached": [1]}}]))

    def read(side: Side) -> Any:
        cache = None if cached is None else dict(cached)
        value = side.functions._proc_input(
            node,
            MANAGED,
            side.channels,
            for_execution=for_execution,
            scratchpad=SCRATCHPAD,
            input_cache=cache,
        )
        shared = cache is not None and value is cache.get(node.input_cache_key)
        return value, cache and list(cache.values()), shared

    expected = Side(graph, STOCK).perform(read)
    assert Side(graph, OURS, tabled).perform(read) == expected


def test_channels_that_are_neither_a_list_nor_a_name_are_upstreams_error() -> None:
    graph = Graph({"a": "last"}, {}, {}, "int", {}, {}, 0)
    node = PregelNode(channels=("a",), triggers=["a"])  # type: ignore[arg-type]

    def read(side: Side) -> Any:
        return side.functions._proc_input(
            node, {"m": Heard}, side.channels, for_execution=True, scratchpad=None, input_cache=None
        )

    expected = Side(graph, STOCK).perform(read)
    assert expected["error"][0] == "RuntimeError"
    assert Side(graph, OURS).perform(read) == expected
