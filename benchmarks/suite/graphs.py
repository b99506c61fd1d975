"""Graphs of a size, with nodes that do nothing: what is left is the engine."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel
from typing_extensions import TypedDict

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


def sequential(nodes: int) -> StateGraph[Any, Any, Any, Any]:
    """Nodes one after the other, made as most people do."""
    builder = StateGraph(State)
    builder.add_sequence([(f"node{index}", increment) for index in range(nodes)])
    return builder.add_edge(START, "node0")


def asequential(nodes: int) -> StateGraph[Any, Any, Any, Any]:
    """The same with async nodes."""
    builder = StateGraph(State)
    builder.add_sequence([(f"node{index}", aincrement) for index in range(nodes)])
    return builder.add_edge(START, "node0")


def afan_out(tasks: int) -> StateGraph[Any, Any, Any, Any]:
    """One async node that sends to many tasks at once."""

    async def work(number: int) -> dict[str, Any]:
        return {"log": [number]}

    async def route(state: State) -> list[Send]:
        return [Send("work", number) for number in range(tasks)]

    builder = StateGraph(State).add_node("start", aincrement).add_node("work", work)
    builder.add_edge(START, "start")
    return builder.add_conditional_edges("start", route, ["work"])


def fan_out_to_subgraphs(tasks: int) -> StateGraph[Any, Any, Any, Any]:
    """Many tasks at once, each a graph of its own that goes round twice."""

    def think(state: Joke) -> dict[str, Any]:
        return {"drafts": state["drafts"] + 1, "jokes": [f"about {state['subject']}"]}

    inner = StateGraph(Joke).add_node("think", think).add_edge(START, "think")
    inner.add_conditional_edges(
        "think", lambda state: "think" if state["drafts"] < 2 else END, ["think", END]
    )

    def spread(state: Jokes) -> list[Send]:
        return [
            Send("joke", {"subject": subject, "drafts": 0, "jokes": []})
            for subject in state["subjects"]
        ]

    builder = StateGraph(Jokes).add_node("joke", inner.compile())
    return builder.add_conditional_edges(START, spread, ["joke"])


class Jokes(TypedDict):
    """What is asked for, and what came of it."""

    subjects: list[str]
    jokes: Annotated[list[str], operator.add]


class Joke(TypedDict):
    """One of them."""

    subject: str
    drafts: int
    jokes: Annotated[list[str], operator.add]


def nested(depth: int) -> StateGraph[Any, Any, Any, Any]:
    """A graph in a graph, so many deep, with a node beside each."""
    inner = StateGraph(State).add_node("node", increment).add_edge(START, "node")
    for _ in range(depth):
        outer = StateGraph(State).add_node("before", increment).add_node("inner", inner.compile())
        inner = outer.add_edge(START, "before").add_edge("before", "inner")
    return inner


def wide_dict(keys: int, supersteps: int = 20) -> StateGraph[Any, Any, Any, Any]:
    """One channel with a large dict, of which a node changes one key."""

    class Wide(TypedDict):
        values: Annotated[dict[str, int], operator.or_]

    builder = StateGraph(Wide)
    builder.add_node("node", lambda state: {"values": {"key0": state["values"]["key0"] + 1}})
    builder.add_edge(START, "node")
    return builder.add_conditional_edges(
        "node",
        lambda state: "node" if state["values"]["key0"] < supersteps else END,
        ["node", END],
    )


class Counter(BaseModel):
    """A state that is checked each time a node is given it."""

    count: int = 0
    notes: list[str] = []
    by_name: dict[str, int] = {}


def pydantic_state(supersteps: int) -> StateGraph[Any, Any, Any, Any]:
    """A loop whose state is a model."""
    builder = StateGraph(Counter)
    builder.add_node("node", lambda state: {"count": state.count + 1})
    builder.add_edge(START, "node")
    return builder.add_conditional_edges(
        "node", lambda state: "node" if state.count < supersteps else END, ["node", END]
    )
