"""Whole graphs by engine: what a superstep costs around nodes that do nothing."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, ClassVar

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

import fastgraph

ENGINES = ("stock", "patched")
UNLIMITED = {"recursion_limit": 1_000_000}


class State(TypedDict):
    """A counter and a log."""

    count: int
    log: Annotated[list[int], operator.add]


def increment(state: State) -> dict[str, int]:
    return {"count": state["count"] + 1}


async def aincrement(state: State) -> dict[str, int]:
    return {"count": state["count"] + 1}


def loop(supersteps: int) -> StateGraph[Any, Any, Any, Any]:
    """One node that a conditional edge sends back to itself."""
    builder = StateGraph(State)
    builder.add_node("node", increment)
    builder.add_edge(START, "node")
    builder.add_conditional_edges(
        "node", lambda state: "node" if state["count"] < supersteps else END, ["node", END]
    )
    return builder


def aloop(supersteps: int) -> StateGraph[Any, Any, Any, Any]:
    """The same with an async node and an async condition."""

    async def route(state: State) -> str:
        return "node" if state["count"] < supersteps else END

    builder = StateGraph(State)
    builder.add_node("node", aincrement)
    builder.add_edge(START, "node")
    builder.add_conditional_edges("node", route, ["node", END])
    return builder


def chain(nodes: int) -> StateGraph[Any, Any, Any, Any]:
    """Nodes one after the other."""
    builder = StateGraph(State)
    before = START
    for index in range(nodes):
        builder.add_node(f"node{index}", increment)
        builder.add_edge(before, f"node{index}")
        before = f"node{index}"
    return builder


def fan_out(tasks: int) -> StateGraph[Any, Any, Any, Any]:
    """One node that sends to many tasks at once."""
    builder = StateGraph(State)
    builder.add_node("start", increment)
    builder.add_node("work", lambda number: {"log": [number]})
    builder.add_edge(START, "start")
    builder.add_conditional_edges(
        "start", lambda state: [Send("work", number) for number in range(tasks)], ["work"]
    )
    return builder


def wide(channels: int, supersteps: int = 20) -> StateGraph[Any, Any, Any, Any]:
    """Many channels of state, one of which is written per superstep."""
    schema: Any = TypedDict("Wide", {f"key{index}": int for index in range(channels)})  # type: ignore[misc]
    builder = StateGraph(schema)
    builder.add_node("node", lambda state: {"key0": state["key0"] + 1})
    builder.add_edge(START, "node")
    builder.add_conditional_edges(
        "node", lambda state: "node" if state["key0"] < supersteps else END, ["node", END]
    )
    return builder


class Engine:
    """A graph, run stock or patched as the first parameter says."""

    timeout = 120.0
    param_names = ("engine", "size")
    params: tuple[tuple[str, ...], tuple[int, ...]] = (ENGINES, (10, 100, 1000))
    build: Any = None
    input: ClassVar[dict[str, Any]] = {"count": 0, "log": []}

    def setup(self, engine: str, size: int) -> None:
        self.graph = type(self).build(size).compile()
        if engine == "patched":
            fastgraph.patch(strict=True)

    def teardown(self, engine: str, size: int) -> None:
        fastgraph.unpatch()

    def time_invoke(self, engine: str, size: int) -> None:
        self.graph.invoke(self.input, UNLIMITED)


class Loop(Engine):
    """One node, many supersteps."""

    build = staticmethod(loop)


class Chain(Engine):
    """Many nodes, one superstep each."""

    build = staticmethod(chain)


class FanOut(Engine):
    """Many tasks in one superstep."""

    build = staticmethod(fan_out)

    def peakmem_invoke(self, engine: str, size: int) -> None:
        self.graph.invoke(self.input, UNLIMITED)


class Wide(Engine):
    """Many channels, twenty supersteps."""

    build = staticmethod(wide)

    def setup(self, engine: str, size: int) -> None:
        super().setup(engine, size)
        self.zeros = {f"key{index}": 0 for index in range(size)}

    def time_invoke(self, engine: str, size: int) -> None:
        self.graph.invoke(self.zeros, UNLIMITED)


class AsyncLoop(Engine):
    """One async node, many supersteps."""

    build = staticmethod(aloop)

    def time_invoke(self, engine: str, size: int) -> None:
        asyncio.run(self.graph.ainvoke(self.input, UNLIMITED))


class Patch:
    """What switching costs."""

    def setup(self) -> None:
        fastgraph.patch(strict=True)

    def teardown(self) -> None:
        fastgraph.unpatch()

    def time_off_and_on(self) -> None:
        fastgraph.unpatch()
        fastgraph.patch(strict=True)

    def timeraw_import(self) -> str:
        return "import fastgraph"

    def timeraw_patch(self) -> tuple[str, str]:
        return "fastgraph.patch()", "import langgraph.graph, fastgraph"
