"""Nested graphs and commands: whole runs, stock against patched."""

from __future__ import annotations

from typing import Any

import pytest
from equivalence_scenarios import Scenarios, assert_same, ordered, saved
from equivalence_states import Count, adding, chain_of, graph_of, noting
from equivalence_ways import Drive, Way
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

SCENARIOS = Scenarios()


def nested(drive: Drive, depth: int, **options: Any) -> Any:
    """A graph of a graph of a graph, with a node before and after each."""
    graph = chain_of(drive, "innermost").compile(**options)
    for level in range(depth):
        builder = graph_of(drive, f"before{level}")
        builder.add_node("inner", graph).add_node("after", noting(drive, f"after{level}"))
        builder.add_edge(f"before{level}", "inner").add_edge("inner", "after")
        graph = builder.compile(**options if level < depth - 1 else {"checkpointer": drive.saver})
    return graph


@SCENARIOS.add()
def three_deep(drive: Drive) -> None:
    graph = nested(drive, 3)
    drive.run(graph, {"n": 1})
    if drive.saver:
        drive.run(graph, {"n": 2})
        drive.history(graph)


@SCENARIOS.add(saved)
def three_deep_without_checkpointers_of_their_own(drive: Drive) -> None:
    graph = nested(drive, 2, checkpointer=False)
    drive.run(graph, {"n": 1})
    drive.state(graph, subgraphs=True)


@SCENARIOS.add(saved)
def a_subgraph_that_remembers(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("add", adding(drive)).add_edge(START, "add")
    inner = builder.compile(checkpointer=True)
    outer = graph_of(drive, "first").add_node("inner", inner).add_edge("first", "inner")
    graph = outer.compile(checkpointer=drive.saver)
    for number in (1, 2, 3):
        drive.run(graph, {"n": number})
    drive.state(graph, subgraphs=True)


@SCENARIOS.add(ordered)
def subgraphs_side_by_side(drive: Drive) -> None:
    builder: Any = StateGraph(Count)
    for name in ("left", "right"):
        builder.add_node(name, chain_of(drive, f"{name}1", f"{name}2").compile())
        builder.add_edge(START, name)
    builder.add_node("join", noting(drive, "join")).add_edge(["left", "right"], "join")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0, "seen": []})


@SCENARIOS.add(ordered)
def sends_to_a_subgraph(drive: Drive) -> None:
    def route(state: Count) -> Any:
        return [Send("inner", {"n": i, "seen": []}) for i in range(4)]

    inner = chain_of(drive, "one", "two").compile()
    builder = graph_of(drive, "first").add_node("inner", inner)
    builder.add_conditional_edges("first", drive.node(route), ["inner"])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(lambda way: not way.is_async)
def a_graph_invoked_by_a_node(drive: Drive) -> None:
    inner = chain_of(drive, "one", "two").compile()

    def node(state: Count) -> Any:
        found = inner.invoke({"n": state["n"], "seen": []})
        again = list(inner.stream({"n": 0, "seen": []}, stream_mode="updates"))
        return {"seen": [*found["seen"], len(again)]}

    builder = StateGraph(Count).add_node("node", node).add_edge(START, "node")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(lambda way: way.is_async and not way.sync_nodes)
def a_graph_awaited_by_a_node(drive: Drive) -> None:
    inner = chain_of(drive, "one", "two").compile()

    async def node(state: Count) -> Any:
        found = await inner.ainvoke({"n": state["n"], "seen": []})
        again = [each async for each in inner.astream({"n": 0, "seen": []}, stream_mode="updates")]
        return {"seen": [*found["seen"], len(again)]}

    builder = StateGraph(Count).add_node("node", node).add_edge(START, "node")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(ordered)
def commands_that_go_and_update(drive: Drive) -> None:
    def choose(state: Count) -> Command[Any]:
        if state["n"] < 3:
            return Command(goto="choose", update={"n": state["n"] + 1, "seen": ["again"]})
        return Command(goto=["left", Send("right", {"n": 9})], update=[("seen", ["on"])])

    builder = StateGraph(Count).add_node("choose", drive.node(choose)).add_edge(START, "choose")
    builder.add_node("left", noting(drive, "left")).add_node("right", noting(drive, "right"))
    builder.add_node("lists", drive.node(lambda state: [Command(update={"n": 1}), {"seen": ["x"]}]))
    builder.add_edge("left", "lists")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.run(graph, Command(goto="right", update={"seen": ["jumped"]}))


@SCENARIOS.add()
def commands_to_the_end_and_beyond(drive: Drive) -> None:
    def node(state: Count) -> Command[Any]:
        return Command(goto=END if state["n"] else "nowhere", update={"seen": ["gone"]})

    builder = StateGraph(Count).add_node("node", drive.node(node)).add_edge(START, "node")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 1})
    drive.run(graph, {"n": 0})


@SCENARIOS.add()
def leaving_a_subgraph(drive: Drive) -> None:
    def leave(state: Count) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="after", update={"seen": ["left"]})

    inner = StateGraph(Count).add_node("leave", drive.node(leave)).add_edge(START, "leave")
    inner.add_node("never", noting(drive, "never")).add_edge("leave", "never")
    middle = StateGraph(Count).add_node("inner", inner.compile()).add_edge(START, "inner")
    middle.add_node("after", noting(drive, "after in the middle"))
    outer = StateGraph(Count).add_node("middle", middle.compile()).add_edge(START, "middle")
    outer.add_node("after", noting(drive, "after")).add_edge("middle", "after")
    drive.run(outer.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def leaving_a_graph_without_a_parent(drive: Drive) -> None:
    def leave(state: Count) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="after")

    builder = StateGraph(Count).add_node("leave", drive.node(leave)).add_edge(START, "leave")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(saved)
def interrupts_three_deep(drive: Drive) -> None:
    def ask(state: Count) -> Any:
        return {"seen": [interrupt({"question": state["n"]})]}

    graph: Any = graph_of(drive, "add", build=lambda drive, name: adding(drive))
    graph = graph.add_node("ask", drive.node(ask)).add_edge("add", "ask").compile()
    for level in range(2):
        builder = graph_of(drive, f"before{level}").add_node("inner", graph)
        builder.add_edge(f"before{level}", "inner")
        graph = builder.compile(checkpointer=drive.saver if level else None)
    drive.run(graph, {"n": 0})
    drive.state(graph, subgraphs=True)
    drive.run(graph, Command(resume="answer"))
    drive.history(graph)


@SCENARIOS.add(saved)
def a_failing_subgraph_and_its_second_try(drive: Drive) -> None:
    tries: list[int] = []

    def failing(state: Count) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise LookupError("once")
        return {"seen": ["done"]}

    inner = graph_of(drive, "one").add_node("failing", drive.node(failing))
    inner = inner.add_edge("one", "failing").compile()
    outer = graph_of(drive, "first").add_node("inner", inner).add_edge("first", "inner")
    graph = outer.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.state(graph, subgraphs=True)
    drive.run(graph, None)


def streamed_with_subgraphs(way: Way) -> bool:
    return way.subgraphs and way.durability is not None


@SCENARIOS.add(streamed_with_subgraphs)
def a_subgraph_of_other_state(drive: Drive) -> None:
    from typing_extensions import TypedDict

    class Other(TypedDict):
        text: str

    def inner_node(state: Other) -> Any:
        return {"text": state["text"] + "!"}

    inner = StateGraph(Other).add_node("shout", drive.node(inner_node)).add_edge(START, "shout")
    compiled = inner.compile()
    run: Any = compiled.ainvoke if drive.way.is_async else compiled.invoke

    def node(state: Count) -> Any:
        return {"seen": [run({"text": "hello"})]}

    async def anode(state: Count) -> Any:
        return {"seen": [await run({"text": "hello"})]}

    builder = StateGraph(Count).add_node("node", anode if drive.way.is_async else node)
    drive.run(builder.add_edge(START, "node").compile(checkpointer=drive.saver), {"n": 0})


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
