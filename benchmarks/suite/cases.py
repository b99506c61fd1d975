"""What is run: a program by name and size, prepared outside the time that counts.

asv and pytest-benchmark take the same ones.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph

from . import graphs
from .graphs import UNLIMITED

Run = Callable[[], object]
Case = Callable[[int], Run]


def given() -> dict[str, Any]:
    return {"count": 0, "log": []}


def invoked(build: Callable[[int], Any], value: Callable[[int], Any] | None = None) -> Case:
    """A sync run of a graph."""

    def case(size: int) -> Run:
        graph = build(size).compile()
        start = given() if value is None else value(size)
        return lambda: graph.invoke(start, UNLIMITED)

    return case


def ainvoked(build: Callable[[int], Any]) -> Case:
    """An async run of a graph, in an event loop of its own."""

    def case(size: int) -> Run:
        graph = build(size).compile()
        return lambda: asyncio.run(graph.ainvoke(given(), UNLIMITED))

    return case


def streamed(mode: Any) -> Case:
    """A loop whose chunks are read."""

    def case(size: int) -> Run:
        graph = graphs.loop(size).compile()

        def run() -> None:
            for _ in graph.stream(given(), UNLIMITED, stream_mode=mode):
                pass

        return run

    return case


def astreamed(mode: Any) -> Case:
    """The same, async."""

    def case(size: int) -> Run:
        graph = graphs.aloop(size).compile()

        async def run() -> None:
            async for _ in graph.astream(given(), UNLIMITED, stream_mode=mode):
                pass

        return lambda: asyncio.run(run())

    return case


def heard(size: int) -> Run:
    """A loop with a callback handler that does nothing."""
    graph = graphs.loop(size).compile()
    config: Any = {**UNLIMITED, "callbacks": [BaseCallbackHandler()]}
    return lambda: graph.invoke(given(), config)


def zeros(size: int) -> dict[str, int]:
    return {f"key{index}": 0 for index in range(size)}


@task
def doubled(number: int) -> int:
    return number * 2


def task_calls(size: int) -> Run:
    """A function that calls so many tasks, one after the other."""

    @entrypoint()
    def work(number: int) -> int:
        return sum(doubled(index).result() for index in range(number))

    return lambda: work.invoke(size, UNLIMITED)


def react_agent(turns: int) -> Run:
    """The prebuilt agent, whose model calls a tool for so many turns."""
    from benchmarks.superstep.agents import agent, asked

    def run() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return agent(turns).invoke(asked(), UNLIMITED)

    return run


def long_history(messages: int) -> Run:
    """One answer on a history of so many messages, which is saved."""
    history = [
        (HumanMessage if number % 2 else AIMessage)(f"message {number}", id=str(number))
        for number in range(messages)
    ]
    builder = StateGraph(MessagesState).add_edge(START, "model")
    builder.add_node("model", lambda state: {"messages": [AIMessage("yes", id="reply")]})

    def run() -> object:
        graph = builder.compile(checkpointer=InMemorySaver())
        return graph.invoke({"messages": history}, {"configurable": {"thread_id": "1"}})

    return run


def subjects(size: int) -> dict[str, Any]:
    return {"subjects": [f"subject {number}" for number in range(size)], "jokes": []}


#: Name -> program and the sizes at which it is run.
CASES: dict[str, tuple[Case, tuple[int, ...]]] = {
    "loop": (invoked(graphs.loop), (10, 1000)),
    "loop, async": (ainvoked(graphs.aloop), (10, 1000)),
    "sequential": (invoked(graphs.sequential), (10, 1000)),
    "sequential, async": (ainvoked(graphs.asequential), (10, 1000)),
    "react agent": (react_agent, (5, 50)),
    "fan-out to subgraphs": (
        invoked(graphs.fan_out_to_subgraphs, subjects),
        (10, 100),
    ),
    "wide state": (invoked(graphs.wide, zeros), (10, 1000)),
    "wide dict": (invoked(graphs.wide_dict, lambda size: {"values": zeros(size)}), (10, 10_000)),
    "pydantic state": (invoked(graphs.pydantic_state, lambda size: {"count": 0}), (10, 100)),
    "sends": (invoked(graphs.fan_out), (100, 1000, 10_000)),
    "sends, async": (ainvoked(graphs.afan_out), (100, 1000, 10_000)),
    "task calls": (task_calls, (10, 500)),
    "nested": (invoked(graphs.nested), (1, 5)),
    "long history": (long_history, (100, 1000)),
    "callbacks": (heard, (10, 100)),
    **{
        f"stream {mode}": (streamed(mode), (10, 100))
        for mode in ("values", "updates", "messages", "custom", "tasks", "checkpoints", "debug")
    },
    "stream messages, async": (astreamed("messages"), (10, 100)),
    "stream several": (streamed(["values", "updates", "messages"]), (10, 100)),
}


def combinations() -> list[str]:
    """All cases with their sizes, as asv's parameters, smaller ones first."""
    return [f"{name}: {size}" for name, (_, sizes) in CASES.items() for size in sizes]


def prepared(combination: str) -> Run:
    """Prepare what a parameter names."""
    name, _, size = combination.rpartition(": ")
    return CASES[name][0](int(size))
