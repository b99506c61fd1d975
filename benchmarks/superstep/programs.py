"""The work that is measured: programs of a size, by name.

Each is run as it is: what a superstep costs is the difference between two sizes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from benchmarks.suite.graphs import UNLIMITED, State, aincrement, aloop, chain, increment, loop
from benchmarks.superstep.rows import SENDS, Program

GIVEN: dict[str, Any] = {"count": 0, "log": []}

#: The chains that instructions are counted of.
LONGEST = 120


def thread() -> dict[str, Any]:
    return {**UNLIMITED, "configurable": {"thread_id": "1"}}


def sync_loop(size: int) -> None:
    loop(size).compile().invoke(GIVEN, UNLIMITED)


class Entry:
    """Where a chain of `LONGEST` nodes is entered: so many before its end.

    What it takes to build and compile the graph, and what a node makes in its first run, is the
    same at each size, and cancels.
    """

    def __init__(self, nodes: StateGraph[Any, Any, Any, Any]) -> None:
        self.size = LONGEST
        nodes.edges.discard((START, "node0"))
        enter = RunnableLambda(lambda state: f"node{LONGEST - self.size}", name="enter")
        self.graph = nodes.add_conditional_edges(START, enter).compile()


def sync_chain(size: int) -> None:
    entry = Entry(chain(LONGEST))
    entry.graph.invoke(GIVEN, UNLIMITED)
    entry.size = size
    entry.graph.invoke(GIVEN, UNLIMITED)


def async_loop(size: int) -> None:
    asyncio.run(aloop(size).compile().ainvoke(GIVEN, UNLIMITED))


def achain(nodes: int) -> StateGraph[Any, Any, Any, Any]:
    builder = StateGraph(State)
    builder.add_sequence([(f"node{index}", aincrement) for index in range(nodes)])
    return builder.add_edge(START, "node0")


def async_chain(size: int) -> None:
    async def run() -> None:
        entry = Entry(achain(LONGEST))
        await entry.graph.ainvoke(GIVEN, UNLIMITED)
        entry.size = size
        await entry.graph.ainvoke(GIVEN, UNLIMITED)

    asyncio.run(run())


def sends(tasks: int, is_async: bool) -> StateGraph[Any, Any, Any, Any]:
    """A node that sends to so many tasks, again and again until it has done so `rounds` times."""

    async def awork(number: int) -> dict[str, Any]:
        return {"log": [number]}

    def work(number: int) -> dict[str, Any]:
        return {"log": [number]}

    async def aroute(state: State) -> Any:
        return [Send("work", number) for number in range(tasks)]

    def route(state: State) -> Any:
        return [Send("work", number) for number in range(tasks)]

    builder = StateGraph(State).add_node("plan", aincrement if is_async else increment)
    builder.add_node("work", awork if is_async else work).add_edge(START, "plan")
    return builder.add_conditional_edges("plan", aroute if is_async else route, ["work"])


def async_sends(size: int) -> None:
    """So many runs of a hundred sends each."""
    graph = sends(SENDS, is_async=True).compile()

    async def run() -> None:
        for _ in range(size):
            await graph.ainvoke(GIVEN, UNLIMITED)

    asyncio.run(run())


def sync_sends(size: int) -> None:
    graph = sends(SENDS, is_async=False).compile()
    for _ in range(size):
        graph.invoke(GIVEN, UNLIMITED)


def drain(graph: Any, mode: Any) -> None:
    for _ in graph.stream(GIVEN, UNLIMITED, stream_mode=mode):
        pass


async def adrain(graph: Any, mode: Any) -> None:
    async for _ in graph.astream(GIVEN, UNLIMITED, stream_mode=mode):
        pass


def streamed(mode: Any) -> Program:
    return lambda size: drain(loop(size).compile(), mode)


def astreamed(mode: Any) -> Program:
    return lambda size: asyncio.run(adrain(aloop(size).compile(), mode))


messages = streamed("messages")
updates = streamed("updates")
async_messages = astreamed("messages")
async_updates = astreamed("updates")


def custom_loop(size: int) -> None:
    def node(state: State) -> dict[str, int]:
        get_stream_writer()(state["count"])
        return {"count": state["count"] + 1}

    builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
    builder.add_conditional_edges(
        "node", lambda state: "node" if state["count"] < size else END, ["node", END]
    )
    drain(builder.compile(), "custom")


def sync_nodes_async_loop(size: int) -> None:
    """A sync node and a sync branch in an async run: each is called in a thread."""
    asyncio.run(loop(size).compile().ainvoke(GIVEN, UNLIMITED))


def saved_loop(size: int) -> None:
    loop(size).compile(checkpointer=InMemorySaver()).invoke(GIVEN, thread())


def saved_async_loop(size: int) -> None:
    asyncio.run(aloop(size).compile(checkpointer=InMemorySaver()).ainvoke(GIVEN, thread()))


def heard_loop(size: int) -> None:
    loop(size).compile().invoke(GIVEN, {**UNLIMITED, "callbacks": [BaseCallbackHandler()]})


def heard_async_loop(size: int) -> None:
    """A sync handler that is not called inline: LangChain calls it in a thread."""
    config = {**UNLIMITED, "callbacks": [BaseCallbackHandler()]}
    asyncio.run(aloop(size).compile().ainvoke(GIVEN, config))


class Inline(BaseCallbackHandler):
    """Called by the event loop's own thread, as LangSmith's tracer is."""

    run_inline = True


def heard_inline_async_loop(size: int) -> None:
    config = {**UNLIMITED, "callbacks": [Inline()]}
    asyncio.run(aloop(size).compile().ainvoke(GIVEN, config))


def three_nodes(size: int) -> None:
    """So many runs of three nodes."""
    graph = chain(3).compile()
    for _ in range(size):
        graph.invoke(GIVEN)


def three_async_nodes(size: int) -> None:
    graph = achain(3).compile()

    async def run() -> None:
        for _ in range(size):
            await graph.ainvoke(GIVEN)

    asyncio.run(run())


def nested_loop(size: int) -> None:
    """A loop around a graph of one node: two supersteps and a run of their own each."""
    inner = StateGraph(State).add_node("inner", increment).add_edge(START, "inner").compile()
    builder = StateGraph(State).add_node("node", inner).add_edge(START, "node")
    builder.add_conditional_edges(
        "node", lambda state: "node" if state["count"] < size else END, ["node", END]
    )
    builder.compile().invoke(GIVEN, UNLIMITED)


@task
def doubled(number: int) -> int:
    return number * 2


def task_calls(size: int) -> None:
    @entrypoint()
    def work(number: int) -> int:
        return sum(doubled(index).result() for index in range(number))

    work.invoke(size, UNLIMITED)


@task
async def adoubled(number: int) -> int:
    return number * 2


def async_task_calls(size: int) -> None:
    @entrypoint()
    async def work(number: int) -> int:
        return sum([await adoubled(index) for index in range(number)])

    asyncio.run(work.ainvoke(size, UNLIMITED))


def wide(size: int) -> None:
    """A thousand channels of state, one of them written in each superstep."""
    from benchmarks.suite.graphs import wide as wide_graph

    zeros = {f"key{index}": 0 for index in range(1000)}
    wide_graph(1000, size).compile().invoke(zeros, UNLIMITED)
