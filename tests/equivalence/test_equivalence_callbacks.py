"""Callback handlers, models and tools within nodes: events, tags, names and metadata."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from equivalence_handlers import Failing
from equivalence_scenarios import Scenarios, assert_same, sync
from equivalence_states import Count, chain_of, graph_of, noting
from equivalence_ways import Drive
from langchain_core.callbacks import CallbackManager, dispatch_custom_event
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolCall
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.base import BaseTracer
from langgraph.constants import TAG_HIDDEN, TAG_NOSTREAM
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent

from fastgraph.verify.handlers import AsyncRecorder, Recorder

SCENARIOS = Scenarios()


class Tracer(BaseTracer):
    """Keeps a tree of runs in a `run_map`, as LangSmith's tracer does."""

    def __init__(self, drive: Drive) -> None:
        super().__init__()
        self.drive = drive

    def _persist_run(self, run: Any) -> None:
        self.drive.events.append(("tree", self.tree(run)))

    def tree(self, run: Any) -> Any:
        describe = self.drive.describe
        return (
            run.name,
            run.run_type,
            describe.items([run.id, run.parent_run_id, run.trace_id]),
            run.tags,
            describe(run.extra),
            describe(run.inputs),
            describe(run.outputs),
            [event["name"] for event in run.events],
            (run.error or "").partition("\n")[0],
            [self.tree(child) for child in run.child_runs],
        )


def told(drive: Drive, *handlers: Any, **more: Any) -> dict[str, Any]:
    return {**drive.config(**more), "callbacks": list(handlers)}


@SCENARIOS.add()
def a_tracer_with_a_run_map(drive: Drive) -> None:
    inner = chain_of(drive, "inner1", "inner2").compile(name="inner graph")
    builder = graph_of(drive, "first").add_node("inner", inner).add_edge("first", "inner")
    builder.add_node("traced", RunnableLambda(lambda state: {"seen": ["traced"]}))
    builder.add_edge("inner", "traced")
    tracer = Tracer(drive)
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0}, told(drive, tracer))
    drive.note("left in the map", len(tracer.run_map))


@SCENARIOS.add()
def a_tracer_of_a_failing_run(drive: Drive) -> None:
    def failing(state: Count) -> Any:
        raise LookupError("no")

    builder = graph_of(drive, "first").add_node("failing", drive.node(failing))
    graph = builder.add_edge("first", "failing").compile(checkpointer=drive.saver)
    tracer = Tracer(drive)
    drive.run(graph, {"n": 0}, told(drive, tracer, Recorder(drive.describe, drive.events)))
    drive.note("left in the map", len(tracer.run_map))


@SCENARIOS.add()
def handlers_bound_given_and_in_a_manager(drive: Drive) -> None:
    bound = Recorder(drive.describe, drive.events, "bound")
    given = Recorder(drive.describe, drive.events, "given")
    local = Recorder(drive.describe, drive.events, "local")
    node = RunnableLambda(lambda state: {"seen": ["x"]}).with_config(
        tags=["of the node"], metadata={"of": "the node"}, callbacks=[local], run_name="own name"
    )
    builder = graph_of(drive, "first").add_node("node", node, metadata={"more": 1})
    graph = builder.add_edge("first", "node").compile(checkpointer=drive.saver, name="graph")
    bound_graph = graph.with_config(tags=["b"], metadata={"b": {"b": 1}}, callbacks=[bound])
    config = told(drive, given, tags=["g"], metadata={"b": {"g": 1}}, run_name="a run")
    drive.run(bound_graph, {"n": 0}, config)
    if not drive.way.is_async:
        manager = CallbackManager([local], [given], inheritable_tags=["i"], tags=["t"])
        drive.run(bound_graph, {"n": 0}, {**config, "callbacks": manager})


@SCENARIOS.add()
def run_ids_that_are_given(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    config = told(drive, Recorder(drive.describe, drive.events), tags=["a"])
    config["run_id"] = "22222222-2222-4222-8222-222222222222"
    drive.run(graph, {"n": 0}, config)
    drive.note("config keys", sorted(config))


@SCENARIOS.add()
def failing_handlers(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    for raise_error in (False, True):
        for event, name in (
            ("start", None),
            ("start", "two"),
            ("end", "one"),
            ("end", "LangGraph"),
        ):
            handler = Failing((f"on_chain_{event}", "on_chain_error"), name, raise_error)
            recorder = Recorder(drive.describe, drive.events)
            drive.run(graph, {"n": 0}, told(drive, handler, recorder))


@SCENARIOS.add()
def hidden_tags_and_custom_events(drive: Drive) -> None:
    def node(state: Count) -> Any:
        if not drive.way.is_async:
            dispatch_custom_event("custom", {"n": state["n"]})
        return {"seen": ["node"]}

    hidden = RunnableLambda(lambda state: {"seen": ["hidden"]}).with_config(tags=[TAG_HIDDEN])
    builder = graph_of(drive, "first").add_node("node", drive.node(node)).add_edge("first", "node")
    builder.add_node("hidden", hidden).add_edge("node", "hidden")
    builder.add_node("last", noting(drive, "last")).add_edge("hidden", "last")
    graph = builder.compile(checkpointer=drive.saver, interrupt_before=["hidden"])
    drive.run(graph, {"n": 0})
    if drive.saver:
        drive.run(graph, None)


@tool
def weather(city: str) -> str:
    """Look up the weather of a city."""
    if city == "nowhere":
        raise ValueError("no such city")
    return f"sunny in {city}"


def model(*replies: AIMessage) -> Any:
    class Model(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **more: Any) -> Any:
            return self

    return Model(messages=iter(replies))


def calling(number: int, *cities: str) -> AIMessage:
    calls = [
        ToolCall(name="weather", args={"city": city}, id=f"call {number} {index}")
        for index, city in enumerate(cities)
    ]
    return AIMessage("", id=f"ai {number}", tool_calls=calls)


def asked(*names: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(name, id=f"human {name}") for name in names]}


@SCENARIOS.add()
def a_model_in_a_node(drive: Drive) -> None:
    chat = model(*(AIMessage(f"one two three {i}", id=f"ai{i}") for i in range(4)))

    def node(state: MessagesState) -> Any:
        return {"messages": [chat.invoke(state["messages"])]}

    async def anode(state: MessagesState) -> Any:
        return {"messages": [await chat.ainvoke(state["messages"])]}

    def silent(state: MessagesState) -> Any:
        return {"messages": [chat.with_config(tags=[TAG_NOSTREAM]).invoke(state["messages"])]}

    is_async = drive.way.is_async and not drive.way.sync_nodes
    builder = StateGraph(MessagesState).add_node("model", anode if is_async else node)
    builder.add_node("silent", silent).add_edge(START, "model").add_edge("model", "silent")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, asked("hello"))


@SCENARIOS.add(lambda way: sync(way) or not way.sync_nodes)
def the_prebuilt_agent(drive: Drive) -> None:
    replies = [calling(0, "Oslo"), calling(1, "Lima"), AIMessage("done", id="ai last")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent: Any = create_react_agent(
            model(*replies), [weather], checkpointer=drive.saver, name="agent"
        )
    drive.forget_stored = True  # tool messages have random ids
    drive.run(agent, asked("how is it?"))


@SCENARIOS.add(lambda way: sync(way) and not way.handlers)
def a_tool_node_on_its_own(drive: Drive) -> None:
    def route(state: MessagesState) -> str:
        return "tools" if len(state["messages"]) < 3 else END

    builder = StateGraph(MessagesState).add_node("tools", ToolNode([weather]))
    builder.add_edge(START, "tools").add_conditional_edges("tools", route)
    graph = builder.compile(checkpointer=drive.saver)
    drive.forget_stored = True
    for cities in (["Oslo"], ["Oslo", "Lima", "Accra"], ["nowhere"]):
        message = calling(len(cities), *cities)
        drive.run(graph, {"messages": [HumanMessage("?", id="h"), message]})


@SCENARIOS.add(lambda way: way.is_async and way.handlers and not way.sync_nodes)
def an_async_handler_that_takes_its_time(drive: Drive) -> None:
    import asyncio

    class Slow(AsyncRecorder):
        async def on_chain_start(self, *args: Any, **told: Any) -> None:
            await asyncio.sleep(0)
            self.keep("on_chain_start", args, told)
            await asyncio.sleep(0)

    graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0}, told(drive, Slow(drive.describe, drive.events)))


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
