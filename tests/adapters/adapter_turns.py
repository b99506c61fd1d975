"""Random concurrent programs in a graph, and the turn of the event loop each thing happens in.

A program has no sleep that takes time: nodes, `@task`s and the consumer only give way, some number
of times. So who does what in which turn of the event loop depends on nothing but the engine. There
is no sync function, either, which would run in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import operator
import random
import selectors
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from adapter_drivers import hold_still
from adapter_shapes import shape
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Interrupt, Send, interrupt
from typing_extensions import TypedDict

Trace = list[tuple[Any, ...]]
Note = Callable[..., None]


class CountingSelector(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """Asked once in each turn."""

    turns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        return super().select(timeout)


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts its turns, and queues and runs what it does as any other."""

    def __init__(self) -> None:
        self.counter = CountingSelector()
        super().__init__(self.counter)

    @property
    def turns(self) -> int:
        return self.counter.turns


class State(TypedDict):
    log: Annotated[list[str], operator.add]


async def give_way(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def joined(state: State) -> dict[str, list[str]]:
    return {"log": ["join"]}


def steps(chance: random.Random, ends: list[str]) -> list[tuple[str, int]]:
    """What a node does: give way, write a chunk, wait for tasks of its own, and one of `ends`."""
    some = [
        (chance.choice(["wait", "wait", "write", "fork"]), chance.randrange(5))
        for _ in range(chance.randrange(5))
    ]
    end = chance.choice(ends)
    if end in ("fail", "cancel"):
        # Of several failures the one that counts is the first in a set: in no order.
        ends.remove(end)
    return [*some, (end, chance.randrange(3))]


def in_order(chunk: Any) -> Any:
    """A chunk with its interrupts, which upstream collects from a set, in order."""
    if isinstance(chunk, dict):
        return {key: in_order(value) for key, value in chunk.items()}
    if isinstance(chunk, tuple) and chunk and all(isinstance(one, Interrupt) for one in chunk):
        return tuple(sorted(chunk, key=lambda one: one.id))
    if isinstance(chunk, (list, tuple)):
        return [in_order(one) for one in chunk]
    return chunk


async def play(name: str, program: list[tuple[str, int]], note: Note) -> None:
    for action, number in program:
        note(name, action, number)
        if action == "wait":
            await give_way(number)
        elif action == "write":
            get_stream_writer()({name: number})
        elif action == "fork":
            await asyncio.gather(*[give_way(turns) for turns in range(number)])
        elif action == "fail":
            raise ValueError(name)
        elif action == "cancel":
            raise asyncio.CancelledError(name)
        elif action == "interrupt":
            note(name, "answered", interrupt(name))
    note(name, "ends")


def node_of(name: str, program: list[tuple[str, int]], note: Note) -> Any:
    async def run(state: State) -> dict[str, list[str]]:
        await play(name, program, note)
        return {"log": [name]}

    return run


def worker_of(name: str, programs: list[list[tuple[str, int]]], note: Note) -> Any:
    async def run(number: int) -> dict[str, list[str]]:
        await play(f"{name}.{number}", programs[number], note)
        return {"log": [f"{name}.{number}"]}

    return run


def sender_of(name: str, count: int) -> Any:
    async def send(state: State) -> list[Send]:
        return [Send(name, number) for number in range(count)]

    return send


def nodes_graph(chance: random.Random, note: Note, ends: list[str]) -> StateGraph[Any]:
    """Supersteps of some concurrent nodes or `Send`s each."""
    builder = StateGraph(State)
    before = START
    for level in range(chance.randrange(1, 4)):
        join = f"join{level}"
        builder.add_node(join, joined)
        programs = [steps(chance, ends) for _ in range(chance.randrange(1, 5))]
        if chance.random() < 0.5:
            for index, program in enumerate(programs):
                name = f"n{level}.{index}"
                builder.add_node(name, node_of(name, program, note))
                builder.add_edge(before, name)
                builder.add_edge(name, join)
        else:
            name = f"w{level}"
            builder.add_node(name, worker_of(name, programs, note))
            builder.add_conditional_edges(before, sender_of(name, len(programs)), [name])
            builder.add_edge(name, join)
        before = join
    return builder.add_edge(before, END)


def calls_graph(chance: random.Random, note: Note, ends: list[str], saver: Any) -> Any:
    """An entrypoint whose tasks call tasks."""
    programs = [steps(chance, ends) for _ in range(chance.randrange(1, 5))]
    inner = [steps(chance, ["wait"]) for _ in programs]
    together = chance.random() < 0.7
    abandons = chance.random() < 0.3

    @task
    async def below(index: int) -> int:
        await play(f"below{index}", inner[index], note)
        return index

    @task
    async def call(index: int) -> int:
        result = await below(index)
        await play(f"call{index}", programs[index], note)
        return result

    @entrypoint(checkpointer=saver)
    async def run(count: int) -> Any:
        futures = [call(index) for index in range(count)]
        if abandons:
            return "without waiting"
        if together:
            return await asyncio.gather(*futures)
        return [await future for future in futures]

    return run, len(programs)


def options_of(chance: random.Random) -> dict[str, Any]:
    modes: Any = chance.choice(
        ["updates", "custom", "values", ["updates", "custom"], ["messages", "updates", "custom"]]
    )
    return {
        "stream_mode": modes,
        "subgraphs": chance.random() < 0.3,
        **({"version": "v2"} if chance.random() < 0.3 else {}),
    }


def trace_of(seed: int, kind: str) -> Trace:
    """Everything that happens in one program's run, with the turns it happens in."""
    chance = random.Random(seed)
    loop = CountingLoop()
    trace: Trace = []

    def note(*what: Any) -> None:
        trace.append((loop.turns, *what))

    ends = chance.choice([["wait"], ["wait", "wait", "fail"], ["wait", "interrupt"]])
    if chance.random() < 0.1:
        ends = ["wait", "cancel"]
    saver = InMemorySaver() if "interrupt" in ends or chance.random() < 0.3 else None
    if kind == "nodes":
        graph: Any = nodes_graph(chance, note, ends).compile(checkpointer=saver)
        given: Any = {"log": []}
        if chance.random() < 0.3:
            outer = StateGraph(State).add_node("inner", graph).add_edge(START, "inner")
            graph = outer.compile(checkpointer=saver)
    else:
        graph, given = calls_graph(chance, note, ends, saver)
    if chance.random() < 0.2:
        graph.step_timeout = 3600
    options = options_of(chance)
    pauses = chance.randrange(4)
    stops_after = chance.choice([None, None, None, 2])
    config: Any = {"configurable": {"thread_id": "1"}}
    if kind == "nodes" and chance.random() < 0.3:
        # Not for calls: a task that waits for one that waits for its turn never ends.
        config["max_concurrency"] = chance.randrange(1, 4)

    async def consume() -> None:
        chunks = 0
        async with contextlib.aclosing(graph.astream(given, config, **options)) as stream:
            async for chunk in stream:
                note("chunk", shape(in_order(chunk)))
                chunks += 1
                if chunks == stops_after:
                    break
                await give_way(pauses)

    async def watched() -> None:
        try:
            await consume()
        except (Exception, asyncio.CancelledError) as error:
            note("error", type(error).__name__, shape(error.args))
            note("notes", *getattr(error, "__notes__", ()))
        note("over")
        await give_way(10)

    with pytest.MonkeyPatch.context() as monkeypatch:
        hold_still(monkeypatch)
        # Finalizers log tracebacks, for which they parse source; met in the middle of parsing, as
        # patch() may do it, that is an error in some Pythons (gh-106905).
        monkeypatch.setattr(logging.getLogger("asyncio"), "disabled", True)
        try:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(watched())
            # An exception's frames may keep a generator that has ended, in a cycle: it would be
            # closed once more below, if the collector has not come by (on stock, on Python 3.13).
            gc.collect()
            loop.run_until_complete(loop.shutdown_asyncgens())
            note("closed", len(asyncio.all_tasks(loop)))
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            gc.collect()
    return trace
