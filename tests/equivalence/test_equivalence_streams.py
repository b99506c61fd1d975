"""Each stream mode on its own, in both versions, with and without subgraphs: chunk by chunk."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from equivalence_scenarios import assert_same
from equivalence_states import Count, adding, chain_of, graph_of
from equivalence_ways import Drive, Way
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

MODES = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug")
SEVERAL = (
    ("values", "updates"),
    ("messages", "custom"),
    ("debug", "tasks", "checkpoints"),
    ("updates", "messages", "values", "custom"),
    (),
)
WAYS = [
    Way(modes or ("values",), durability, False, is_async, False, subgraphs, version)
    for modes in (*MODES, *SEVERAL)
    for durability, subgraphs, version, is_async in itertools.product(
        (None, "sync"), (False, True), ("v1", "v2"), (False, True)
    )
    if durability or not (subgraphs or version == "v2")
]


def a_chat_in_a_subgraph(drive: Drive) -> None:
    """Tokens of a model, messages returned, values written, an interrupt; two levels."""
    chat = GenericFakeChatModel(
        messages=iter(AIMessage(f"one two {i}", id=f"ai{i}") for i in range(6))
    )
    is_async = drive.way.is_async

    def say(state: MessagesState) -> Any:
        get_stream_writer()({"saying": len(state["messages"])})
        return {"messages": [chat.invoke(state["messages"])]}

    async def asay(state: MessagesState) -> Any:
        get_stream_writer()({"saying": len(state["messages"])})
        return {"messages": [await chat.ainvoke(state["messages"])]}

    def ask(state: MessagesState) -> Any:
        answer = interrupt("go on?") if drive.saver else "yes"
        return {"messages": [HumanMessage(answer, id=f"answer{len(state['messages'])}")]}

    inner = StateGraph(MessagesState).add_node("say", asay if is_async else say)
    inner.add_node("ask", drive.node(ask)).add_edge(START, "say").add_edge("say", "ask")
    builder = StateGraph(MessagesState).add_node("first", asay if is_async else say)
    builder.add_node("inner", inner.compile()).add_edge(START, "first").add_edge("first", "inner")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"messages": [HumanMessage("hello", id="human")]})
    if drive.saver:
        drive.run(graph, Command(resume="yes"))


def a_loop_that_writes(drive: Drive) -> None:
    def node(state: Count) -> Any:
        writer = get_stream_writer()
        writer(state["n"])
        writer({"twice": state["n"]})
        return {"n": state["n"] + 1, "seen": [state["n"]]}

    def route(state: Count) -> str:
        return "node" if state["n"] < 3 else END

    builder = StateGraph(Count).add_node("node", drive.node(node)).add_edge(START, "node")
    graph = builder.add_conditional_edges("node", drive.node(route), ["node", END]).compile(
        checkpointer=drive.saver
    )
    drive.run(graph, {"n": 0, "seen": []})


def a_run_that_fails(drive: Drive) -> None:
    def failing(state: Count) -> Any:
        get_stream_writer()("about to fail")
        raise LookupError("no")

    builder = graph_of(drive, "first").add_node("failing", drive.node(failing))
    graph = builder.add_edge("first", "failing").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("scenario", [a_chat_in_a_subgraph, a_loop_that_writes, a_run_that_fails])
def test_chunks_are_the_same(scenario: Any, way: Way) -> None:
    assert_same(scenario, way)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("keys", ["n", ["n"], ["seen", "n"], []], ids=str)
def test_output_keys(keys: Any, is_async: bool) -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
        drive.run(graph, {"n": 1, "seen": []}, output_keys=keys)
        for mode in ("values", "updates"):
            drive.run(graph, {"n": 1, "seen": []}, output_keys=keys, stream_mode=mode)

    assert_same(scenario, Way(durability="sync", is_async=is_async))


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("mode", [*MODES, ["values", "updates"]], ids=str)
def test_invoke_with_a_stream_mode(mode: Any, version: str, is_async: bool) -> None:
    def scenario(drive: Drive) -> None:
        builder = graph_of(drive, "add", build=lambda drive, name: adding(drive))
        graph = builder.compile(checkpointer=drive.saver)
        options = {"stream_mode": mode, "version": version}
        seen = drive.invoke(graph, {"n": 0, "seen": []}, drive.config(max_concurrency=4), options)
        drive.keep("result", seen)

    assert_same(scenario, Way(durability="sync", is_async=is_async))


@pytest.mark.parametrize("is_async", [False, True])
def test_printed_as_well(is_async: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one", "two").compile()
        drive.run(graph, {"n": 1, "seen": []}, print_mode=["values", "tasks"])
        drive.note("printed", capsys.readouterr().out)

    assert_same(scenario, Way("updates", is_async=is_async))
