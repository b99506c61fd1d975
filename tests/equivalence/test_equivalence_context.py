"""What a node is given and can find out: config, runtime, store, writer, context variables."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from equivalence_scenarios import Scenarios, assert_same, asynchronous, ordered
from equivalence_states import Count, chain_of, graph_of
from equivalence_ways import Drive, Way
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Send, StreamWriter
from typing_extensions import TypedDict

SCENARIOS = Scenarios()

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


@dataclass
class Context:
    """A user's own context."""

    user: str


def shown(config: Any) -> Any:
    """All of a config that can be compared, in order."""
    known = {}
    for key, value in config["configurable"].items():
        plain = isinstance(value, str | int | float | bool | dict | None)
        known[key] = value if plain else type(value).__name__
    return [(key, known if key == "configurable" else value) for key, value in config.items()]


def info(runtime: Runtime[Any]) -> Any:
    details = runtime.execution_info
    described = None
    if details is not None:
        described = (
            details.checkpoint_id,
            details.checkpoint_ns,
            details.task_id,
            details.thread_id,
            details.run_id,
            details.node_attempt,
            type(details.node_first_attempt_time).__name__,
        )
    return (
        runtime.context,
        type(runtime.store).__name__,
        callable(runtime.stream_writer),
        runtime.previous,
        described,
        type(runtime.control).__name__,
    )


@SCENARIOS.add()
def configs_of_nodes_and_branches(drive: Drive) -> None:
    def node(state: Count, config: RunnableConfig) -> Any:
        drive.note("node", shown(config), config is get_config(), list(get_config()))
        drive.note("variable", shown(var_child_runnable_config.get()))
        return {"n": state["n"] + 1, "seen": [sorted(config["metadata"])]}

    def route(state: Count, config: RunnableConfig) -> Any:
        drive.note("route", shown(config), shown(get_config()))
        return "node" if state["n"] < 2 else END

    builder = StateGraph(Count).add_node("node", drive.node(node), metadata={"own": [1]})
    builder.add_edge(START, "node").add_conditional_edges("node", drive.node(route), ["node", END])
    graph = builder.compile(checkpointer=drive.saver, name="named")
    drive.run(graph, {"n": 0})
    config = drive.config(
        tags=["given"],
        metadata={"given": {"deep": 1}, "number": 1, "text": "t"},
        run_name="a run",
        run_id="11111111-1111-4111-8111-111111111111",
        configurable={"thread_id": "2", "mine": "text", "__hidden": 1, "number": 2},
        recursion_limit=7,
    )
    before = shown(config)
    drive.run(graph, {"n": 0}, config)
    drive.note("config afterwards", shown(config), before)
    drive.run(graph.with_config(tags=["bound"], metadata={"bound": 1}), {"n": 0}, config)


@SCENARIOS.add()
def runtimes_of_nodes(drive: Drive) -> None:
    def node(state: Count, runtime: Runtime[Context]) -> Any:
        drive.note("runtime", info(runtime), info(get_runtime(Context)))
        return {"seen": [runtime.context.user if runtime.context else None]}

    inner = StateGraph(Count, context_schema=Context).add_node("node", drive.node(node))
    builder = StateGraph(Count, context_schema=Context).add_node("node", drive.node(node))
    builder.add_node("inner", inner.add_edge(START, "node").compile())
    builder.add_edge(START, "node").add_edge("node", "inner")
    graph = builder.compile(checkpointer=drive.saver, store=InMemoryStore())
    drive.run(graph, {"n": 0}, context=Context("somebody"))
    drive.run(graph, {"n": 0}, context={"user": "from a dict"})
    drive.run(graph, {"n": 0})


@SCENARIOS.add()
def everything_that_is_injected(drive: Drive) -> None:
    def node(
        state: Count,
        config: RunnableConfig,
        *,
        store: BaseStore,
        writer: StreamWriter,
        runtime: Runtime[Any],
    ) -> Any:
        writer({"written": state["n"]})
        get_stream_writer()("written otherwise")
        runtime.stream_writer("written by the runtime")
        if not drive.way.is_async or drive.way.sync_nodes:
            store.put(("space",), "key", {"n": state["n"]})
            drive.note("store", store is get_store(), store.get(("space",), "key").value)
        return {"seen": [config["metadata"]["langgraph_step"]]}

    def keywords(state: Count, **more: Any) -> Any:
        drive.note("keywords", sorted(more))
        return {}

    builder = graph_of(drive, "first").add_node("node", drive.node(node)).add_edge("first", "node")
    builder.add_node("keywords", drive.node(keywords)).add_edge("node", "keywords")
    drive.run(builder.compile(checkpointer=drive.saver, store=InMemoryStore()), {"n": 4})


@SCENARIOS.add()
def managed_values(drive: Drive) -> None:
    class State(TypedDict):
        n: int
        left: RemainingSteps
        last: IsLastStep

    def node(state: State) -> Any:
        drive.note("steps", state["left"], state["last"], list(state))
        return {"n": state["n"] + 1}

    builder = StateGraph(State).add_node("node", drive.node(node)).add_edge(START, "node")
    builder.add_conditional_edges("node", lambda state: END if state["last"] else "node")
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0}, drive.config(recursion_limit=4))


@SCENARIOS.add(ordered)
def context_variables(drive: Drive) -> None:
    def node(name: str) -> Any:
        def run(state: Count) -> Any:
            drive.note(name, VARIABLE.get())
            VARIABLE.set(name)
            return {"seen": [VARIABLE.get()]}

        return drive.node(run)

    builder: Any = StateGraph(Count).add_node("one", node("one")).add_node("two", node("two"))
    builder.add_node("three", node("three")).add_node("inner", chain_of(drive, "x").compile())
    builder.add_edge(START, "one").add_edge("one", "two").add_edge("one", "three")
    builder.add_edge(["two", "three"], "inner")
    builder.add_conditional_edges("inner", node("route"), {None: END})
    VARIABLE.set("outside")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})
    drive.note("outside", VARIABLE.get())
    VARIABLE.set("unset")


def alone(way: Way) -> bool:
    return not way.is_async and not way.modes


@SCENARIOS.add(alone)
def the_thread_of_a_node_alone(drive: Drive) -> None:
    main = threading.current_thread()

    def node(state: Count) -> Any:
        drive.note("in the caller's thread", threading.current_thread() is main)
        return {"n": state["n"] + 1}

    def route(state: Count) -> Any:
        drive.note("route in the caller's thread", threading.current_thread() is main)
        return "node" if state["n"] < 3 else END

    builder = StateGraph(Count).add_node("node", node).add_edge(START, "node")
    builder.add_conditional_edges("node", route, ["node", END])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


def in_threads(way: Way) -> bool:
    return way.is_async and way.sync_nodes


@SCENARIOS.add(in_threads)
def the_thread_of_a_sync_node(drive: Drive) -> None:
    main = threading.current_thread()

    def looked(name: str) -> None:
        thread = threading.current_thread()
        prefix, _, number = thread.name.partition("_")
        drive.note(name, thread is main, thread.daemon, prefix, number.isdigit(), VARIABLE.get())
        VARIABLE.set(name)

    def node(state: Count, config: RunnableConfig) -> Any:
        looked("node")
        drive.note("config", config is get_config())
        return {"n": state["n"] + 1}

    def route(state: Count) -> Any:
        looked("route")
        return "node" if state["n"] < 3 else END

    builder = StateGraph(Count).add_node("node", node).add_edge(START, "node")
    builder.add_conditional_edges("node", route, ["node", END])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(in_threads)
def errors_in_the_thread_of_a_sync_node(drive: Drive) -> None:
    def failing(error: BaseException) -> Any:
        def fail(state: Count) -> Any:
            raise error

        return fail

    for error in (KeyError("x"), StopIteration(1), asyncio.CancelledError("c"), TimeoutError("t")):
        builder = StateGraph(Count).add_node("node", lambda state: {"n": state["n"] + 1})
        builder.add_node("failing", failing(error)).add_edge(START, "node")
        builder.add_edge("node", "failing")
        drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})
        builder = StateGraph(Count).add_node("node", lambda state: {"n": state["n"] + 1})
        builder.add_edge(START, "node").add_conditional_edges("node", failing(error), ["node", END])
        drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(asynchronous)
def the_task_of_a_node(drive: Drive) -> None:
    async def node(state: Count) -> Any:
        current = asyncio.current_task()
        drive.note("task", current.get_name(), current.get_coro().__qualname__)
        others = sorted(each.get_coro().__qualname__ for each in asyncio.all_tasks())
        # The engine's own task that waits for chunks: patched, the runner waits for them itself.
        drive.note("tasks", [name for name in others if name != "AsyncQueue.wait"])
        return {"n": state["n"] + 1}

    async def route(state: Count) -> Any:
        drive.note("route", asyncio.current_task().get_name())
        return [Send("work", state), Send("work", state)] if state["n"] < 3 else END

    builder = StateGraph(Count).add_node("node", node).add_edge(START, "node")
    builder.add_node("work", RunnableLambda(lambda state: {"seen": [1]}, node_work(drive)))
    builder.add_conditional_edges("node", route, ["work", END])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


def node_work(drive: Drive) -> Any:
    async def work(state: Count) -> Any:
        drive.note("work", asyncio.current_task().get_name())
        return {"seen": [2]}

    return work


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
