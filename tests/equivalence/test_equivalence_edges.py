"""Edges, branches, joins and loops: whole runs, stock against patched."""

from __future__ import annotations

from typing import Any

import pytest
from equivalence_scenarios import Scenarios, assert_same, ordered
from equivalence_states import Count, adding, chain_of, graph_of, noting
from equivalence_ways import Drive
from langchain_core.runnables import RunnableLambda, RunnableSequence
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

SCENARIOS = Scenarios()


@SCENARIOS.add()
def one_node(drive: Drive) -> None:
    graph = graph_of(drive, "only").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 1})
    drive.run(graph, {"n": 2, "seen": ["given"]})
    drive.history(graph)


@SCENARIOS.add()
def chain_and_state(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two", "three", "four").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 1})
    if drive.saver:
        drive.state(graph)
        drive.history(graph)


@SCENARIOS.add()
def loop_with_a_path_function(drive: Drive) -> None:
    def route(state: Count) -> str:
        drive.note("route", state)
        return "add" if state["n"] < 5 else END

    builder = StateGraph(Count).add_node("add", adding(drive)).add_edge(START, "add")
    builder.add_conditional_edges("add", drive.node(route))
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.run(graph, {"n": 9})


@SCENARIOS.add()
def sync_path_function_after_any_node(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("add", adding(drive)).add_edge(START, "add")
    builder.add_conditional_edges("add", lambda state: state["n"] < 3, {True: "add", False: END})
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(ordered)
def several_branches_of_one_node(drive: Drive) -> None:
    def leftwards(state: Count) -> str:
        return "left"

    def onwards(state: Count) -> list[str]:
        return ["third"]

    builder = graph_of(drive, "first", "left", "right", "third")
    builder.add_conditional_edges("first", leftwards, path_map=["left", "right"])
    builder.add_conditional_edges("first", drive.node(onwards), ["third", END])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(ordered)
def lists_of_targets_and_sends(drive: Drive) -> None:
    def route(state: Count) -> Any:
        return ["left", Send("work", {"n": 7}), "right", Send("work", {"n": 8}), END]

    builder = graph_of(drive, "first", "left", "right", "work", "last")
    builder.add_conditional_edges("first", drive.node(route), ["left", "right", "work", END])
    builder.add_edge(["left", "right"], "last")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(ordered)
def sends_from_the_start(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("work", noting(drive, "work"))
    builder.add_conditional_edges(
        START, lambda state: [Send("work", {"n": i}) for i in range(state["n"])], ["work"]
    )
    graph = builder.compile(checkpointer=drive.saver)
    for number in (0, 1, 5):
        drive.run(graph, {"n": number})


@SCENARIOS.add(ordered)
def sends_that_send(drive: Drive) -> None:
    def more(state: Count) -> Any:
        again = len(state["seen"]) < 4
        return [Send("work", {"n": i}) for i in range(2)] if again else END

    builder = StateGraph(Count).add_node("work", noting(drive, "work")).add_edge(START, "work")
    builder.add_conditional_edges("work", drive.node(more), ["work", END])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 3})


@SCENARIOS.add(ordered)
def three_hundred_sends(drive: Drive) -> None:
    def work(state: Count) -> Any:
        return {"seen": [state["n"]]}

    builder = StateGraph(Count).add_node("work", drive.node(work))
    builder.add_node("last", noting(drive, "last")).add_edge("work", "last")
    builder.add_conditional_edges(
        START, lambda state: [Send("work", {"n": i}) for i in range(300)], ["work"]
    )
    if not drive.way.modes or isinstance(drive.way.modes, str):
        drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(ordered)
def two_hundred_nodes_side_by_side(drive: Drive) -> None:
    names = [f"node{i}" for i in range(200)]
    builder = graph_of(drive, "first", *names, "last")
    for name in names:
        builder.add_edge("first", name)
    builder.add_edge(names, "last")
    if not drive.way.modes or isinstance(drive.way.modes, str):
        drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(ordered)
def joins_and_diamonds(drive: Drive) -> None:
    builder = graph_of(drive, "split", "left", "right", "further", "join", "last")
    builder.add_edge("split", "left").add_edge("split", "right").add_edge("right", "further")
    builder.add_edge(["left", "further"], "join").add_edge("left", "last").add_edge("join", "last")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.run(graph, {"n": 1})


@SCENARIOS.add(ordered)
def deferred_nodes(drive: Drive) -> None:
    builder = graph_of(drive, "first", "short", "long", "longer")
    builder.add_node("last", noting(drive, "last"), defer=True)
    builder.add_node("join", noting(drive, "join"), defer=True)
    builder.add_edge("first", "short").add_edge("first", "long").add_edge("long", "longer")
    builder.add_edge("short", "last").add_edge("longer", "last")
    builder.add_edge(["short", "longer"], "join")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def a_loop_to_the_recursion_limit(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("add", adding(drive)).add_edge(START, "add")
    builder.add_edge("add", "add")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0}, drive.config(recursion_limit=4))
    drive.run(graph, {"n": 0}, drive.config(recursion_limit=0))
    if drive.saver:
        drive.run(graph, None, drive.config(recursion_limit=2))
        drive.state(graph)


@SCENARIOS.add()
def a_path_to_nowhere(drive: Drive) -> None:
    def route(state: Count) -> str:
        return "nowhere"

    builder = graph_of(drive, "first", "second")
    builder.add_conditional_edges("first", drive.node(route), ["second"])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def a_path_function_that_fails(drive: Drive) -> None:
    def route(state: Count) -> str:
        raise LookupError("no way")

    builder = graph_of(drive, "first", "second").add_conditional_edges("first", drive.node(route))
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def runnables_as_nodes_and_paths(drive: Drive) -> None:
    steps = RunnableLambda(lambda state: state["n"]).with_config(tags=["inner"])
    wrapped = steps | RunnableLambda(lambda n: {"n": n + 1, "seen": ["sequence"]})
    assert isinstance(wrapped, RunnableSequence)
    builder = StateGraph(Count).add_node("sequence", wrapped).add_edge(START, "sequence")
    builder.add_node("named", RunnableLambda(lambda state: {"seen": ["named"]}, name="special"))
    path = RunnableLambda(lambda state: "sequence" if state["n"] < 2 else "named", name="path")
    builder.add_conditional_edges("sequence", path, ["sequence", "named"])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def a_node_that_returns_a_runnable(drive: Drive) -> None:
    def node(state: Count) -> Any:
        return RunnableLambda(lambda given: {"n": given["n"] + 1, "seen": ["from a runnable"]})

    builder = StateGraph(Count).add_node("node", drive.node(node)).add_edge(START, "node")
    builder.add_node("last", noting(drive, "last")).add_edge("node", "last")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def what_nodes_may_return(drive: Drive) -> None:
    returned = [None, {}, {"n": 5}, [{"n": 6}, {"seen": ["twice"]}], {"unknown": 1}, 7, {"seen": 1}]
    for value in returned:
        builder = StateGraph(Count)
        builder.add_node("node", drive.node(lambda state, value=value: value))
        builder.add_node("last", noting(drive, "last"))
        builder.add_edge(START, "node").add_edge("node", "last")
        drive.run(builder.compile(), {"n": 0})


@SCENARIOS.add()
def inputs_that_are_refused(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    for given in (None, {}, {"unknown": 1}, [], "text"):
        drive.run(graph, given)


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
