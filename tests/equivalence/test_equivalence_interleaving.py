"""Async runs turn by turn of the event loop: what runs beside a graph sees no difference.

Nodes, a graph's consumer and a coroutine beside it write to one log whenever they get to run, with
the number of the turn; stock and patched, the logs are the same to the entry.
"""

from __future__ import annotations

import asyncio
import contextvars
import operator
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import pytest
from equivalence_turns import Run, Turns, cancelled_at, seen_turns
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Send
from typing_extensions import TypedDict

import fastgraph
from fastgraph.verify.handlers import AsyncRecorder, Recorder


class State(TypedDict):
    n: int
    seen: Annotated[list[str], operator.add]


Graphs = Callable[[Turns], Any]
GRAPHS: list[Graphs] = []


def graph(function: Graphs) -> Graphs:
    GRAPHS.append(function)
    return function


def resting(turns: Turns, name: str, times: int = 2, writes: bool = False) -> Any:
    """A node that takes some turns, and notes each."""

    async def node(state: State) -> Any:
        turns.note(name, "starts", asyncio.current_task().get_name())
        await turns.rest(name, times)
        if writes:
            get_stream_writer()(name)
            turns.note(name, "wrote")
            await turns.rest(name, 1)
        turns.note(name, "ends")
        return {"n": state.get("n", 0) + 1, "seen": [name]} if times != 3 else {"seen": [name]}

    return node


@graph
def one_node(turns: Turns) -> Any:
    return StateGraph(State).add_node("a", resting(turns, "a")).add_edge(START, "a").compile()


@graph
def loop_of_one_node(turns: Turns) -> Any:
    async def route(state: State) -> str:
        turns.note("route")
        await turns.rest("route", 1)
        return "a" if state["n"] < 4 else END

    builder = StateGraph(State).add_node("a", resting(turns, "a", 1)).add_edge(START, "a")
    return builder.add_conditional_edges("a", route, ["a", END]).compile()


@graph
def nodes_that_never_wait(turns: Turns) -> Any:
    builder = StateGraph(State)
    builder.add_sequence([(name, resting(turns, name, 0, writes=True)) for name in "abc"])
    return builder.add_edge(START, "a").compile()


@graph
def nodes_side_by_side(turns: Turns) -> Any:
    builder = StateGraph(State)
    for times, name in enumerate("abcd"):
        node = resting(turns, name, 3, writes=name in "bc") if times else resting(turns, name, 1)
        builder.add_node(name, node).add_edge(START, name)
    return builder.add_node("z", resting(turns, "z")).add_edge(list("abcd"), "z").compile()


@graph
def sends(turns: Turns) -> Any:
    async def work(state: State) -> Any:
        await turns.rest(f"work {state['n']}", state["n"] % 3)
        return {"seen": [f"work {state['n']}"]}

    async def route(state: State) -> list[Send]:  # a sync one would run in a thread
        return [Send("work", {"n": i}) for i in range(6)]

    builder = StateGraph(State).add_node("work", work).add_node("z", resting(turns, "z", 0))
    builder.add_conditional_edges(START, route, ["work"])
    return builder.add_edge("work", "z").compile()


@graph
def nested(turns: Turns) -> Any:
    inner = StateGraph(State).add_node("c", resting(turns, "c", 1, writes=True))
    middle = StateGraph(State).add_node("inner", inner.add_edge(START, "c").compile())
    middle.add_node("b", resting(turns, "b", 3)).add_edge(START, "inner").add_edge(START, "b")
    outer = StateGraph(State).add_node("middle", middle.compile()).add_edge(START, "middle")
    return outer.add_node("a", resting(turns, "a", 3)).add_edge(START, "a").compile()


@graph
def with_a_saver(turns: Turns) -> Any:
    builder = StateGraph(State)
    builder.add_sequence([(name, resting(turns, name, 1)) for name in "abc"])
    return builder.add_edge(START, "a").compile(checkpointer=InMemorySaver())


@graph
def failing_beside_others(turns: Turns) -> Any:
    async def failing(state: State) -> Any:
        await turns.rest("failing", 2)
        raise LookupError("not this one")

    async def outlasting(state: State) -> Any:
        try:
            await turns.rest("outlasting", 50)
        except asyncio.CancelledError:
            turns.note("outlasting is cancelled")
            await turns.rest("cleaning up", 2)
            raise

    builder = StateGraph(State).add_node("failing", failing).add_node("outlasting", outlasting)
    builder.add_node("quick", resting(turns, "quick", 1))
    for name in ("failing", "outlasting", "quick"):
        builder.add_edge(START, name)
    return builder.compile()


class Unreadable(Sequence[Any]):
    """What the handler of messages cannot look through."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: Any) -> Any:
        raise LookupError("not to be read")


class NotingSaver(InMemorySaver):
    def __init__(self, turns: Turns) -> None:
        # What cannot be read through is stored all the same.
        super().__init__(serde=JsonPlusSerializer(pickle_fallback=True))
        self.turns = turns

    async def aput_writes(self, config: Any, writes: Any, task_id: str, path: str = "") -> None:
        self.turns.note("writes are saved", len(writes))
        return await super().aput_writes(config, writes, task_id, path)


@graph
def with_messages(turns: Turns) -> Any:
    def saying(name: str, times: int) -> Any:
        async def node(state: Any) -> Any:
            turns.note(name, "starts", len(state["messages"]))
            await turns.rest(name, times)
            said = AIMessage(name, id=f"{name} {len(state['messages'])}")
            return {"messages": [said], "odd": Unreadable()}

        return node

    async def route(state: Any) -> Any:
        turns.note("route", len(state["messages"]))
        return "c" if len(state["messages"]) < 5 else END

    class Talk(TypedDict):
        messages: Annotated[list[Any], add_messages]
        odd: Any

    builder = StateGraph(Talk)
    builder.add_sequence([("a", saying("a", 0)), ("b", saying("b", 1)), ("c", saying("c", 0))])
    builder.add_edge(START, "a").add_conditional_edges("c", route, ["c", END])
    return builder.compile(checkpointer=NotingSaver(turns))


@graph
def functional(turns: Turns) -> Any:
    @task
    async def double(number: int) -> int:
        await turns.rest(f"double {number}", number)
        return number * 2

    @entrypoint()
    async def work(given: dict[str, Any]) -> Any:
        turns.note("work")
        first = await double(1)
        turns.note("first", first)
        both = await asyncio.gather(double(2), double(3))
        turns.note("both", both)
        return first + sum(both)

    return work


MODES: dict[str, Any] = {
    "invoked": None,
    "values": {"stream_mode": "values"},
    "updates": {"stream_mode": "updates"},
    "custom": {"stream_mode": "custom"},
    "messages": {"stream_mode": ["messages", "updates"]},
    "subgraphs": {"stream_mode": ["updates", "custom", "tasks"], "subgraphs": True},
    "debug v2": {"stream_mode": ["debug", "values"], "version": "v2"},
}
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "1"}}
BESIDE = 40
MOST_TURNS = 40

EACH = pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
IN_EACH_MODE = pytest.mark.parametrize("mode", MODES)


async def drained(graph: Any, turns: Turns, config: Any, options: Any) -> Any:
    given = {"n": 0, "seen": []}
    if options is None:
        return await graph.ainvoke(given, config)
    async for chunk in graph.astream(given, config, **options):
        turns.note("chunk", chunk)
    return "drained"


def assert_same(run: Run, again: bool = True, ticks: bool = True) -> None:
    expected = seen_turns(run, ticks)
    assert not again or seen_turns(run, ticks) == expected, "stock differs from stock"
    with fastgraph.patched():
        assert seen_turns(run, ticks) == expected


class Witness(Recorder):
    """A handler that is called inline and looks which task calls it, in which turn and context."""

    def __init__(self, turns: Turns) -> None:
        super().__init__(turns.describe, turns.log, "witness")
        self.turns = turns

    def keep(self, event: str, args: Any, told: Any) -> None:
        task = asyncio.current_task()
        caller = task.get_coro().__qualname__ if event == "on_chain_end" else ""
        self.turns.note(event, told.get("name"), task is not None, caller, CALLED.get())
        CALLED.set(event)
        super().keep(event, args, told)


CALLED: contextvars.ContextVar[str] = contextvars.ContextVar("CALLED", default="")
HANDLERS: dict[str, Callable[[Turns], list[Any]]] = {
    "": lambda turns: [],
    "inline": lambda turns: [Witness(turns)],
    "both": lambda turns: [Witness(turns), AsyncRecorder(turns.describe, turns.log)],
}


@EACH
@IN_EACH_MODE
@pytest.mark.parametrize("heard", HANDLERS)
def test_what_happens_in_each_turn(build: Graphs, mode: str, heard: str) -> None:
    async def run(turns: Turns) -> Any:
        config = {**CONFIG, "callbacks": HANDLERS[heard](turns)}
        beside = asyncio.ensure_future(turns.rest("beside", BESIDE))
        try:
            return await drained(build(turns), turns, config, MODES[mode])
        finally:
            turns.note("done")
            await beside

    assert_same(run)


@EACH
@IN_EACH_MODE
def test_what_comes_first_when_nothing_else_runs(build: Graphs, mode: str) -> None:
    async def run(turns: Turns) -> None:
        options = MODES[mode] or {"stream_mode": "values"}
        async for chunk in build(turns).astream({"n": 0, "seen": []}, CONFIG, **options):
            turns.note("chunk", chunk)
            await turns.rest("consumer", 4)

    assert_same(run, ticks=False)


@EACH
@pytest.mark.parametrize("limit", [1, 2])
def test_with_limited_concurrency(build: Graphs, limit: int) -> None:
    if build is functional and limit == 1:
        return  # a task that waits for another one holds the only place: stock waits forever, too

    async def run(turns: Turns) -> Any:
        config = {**CONFIG, "max_concurrency": limit}
        return await drained(build(turns), turns, config, MODES["updates"])

    assert_same(run)


@EACH
def test_with_sync_durability(build: Graphs) -> None:
    async def run(turns: Turns) -> Any:
        graph = build(turns)
        options = {"durability": "sync"} if graph.checkpointer else {}
        return await drained(graph, turns, CONFIG, {"stream_mode": "values", **options})

    assert_same(run)


@EACH
@pytest.mark.parametrize("mode", ["invoked", "custom"])
def test_cancelled_at_any_turn(build: Graphs, mode: str) -> None:
    last = seen_turns(lambda turns: drained(build(turns), turns, CONFIG, MODES[mode]))[2]
    for turn in range(min(last + 2, MOST_TURNS)):

        async def run(turns: Turns, turn: int = turn) -> Any:
            graph = build(turns)
            ended = await cancelled_at(turn, turns, drained(graph, turns, CONFIG, MODES[mode]))
            await turns.rest("after", 5)
            return ended, graph.checkpointer and len(graph.checkpointer.storage["1"][""])

        assert_same(run, again=turn % 5 == 0)


@EACH
@pytest.mark.parametrize("mode", ["values", "custom", "subgraphs"])
def test_closed_after_any_chunk(build: Graphs, mode: str) -> None:
    for taken in range(1, 8):

        async def run(turns: Turns, taken: int = taken) -> Any:
            stream = build(turns).astream({"n": 0, "seen": []}, CONFIG, **MODES[mode])
            async for chunk in stream:
                turns.note("chunk", chunk)
                taken -= 1
                if not taken:
                    break
            await stream.aclose()
            turns.note("closed")
            await turns.rest("after", 5)

        assert_same(run)


@EACH
def test_two_runs_of_one_graph_at_once(build: Graphs) -> None:
    async def run(turns: Turns) -> Any:
        graph = build(turns)
        runs = [
            drained(graph, turns, {"configurable": {"thread_id": str(number)}}, options)
            for number, options in enumerate((None, MODES["updates"], MODES["custom"]))
        ]
        return await asyncio.gather(*runs, return_exceptions=True)

    assert_same(run)
