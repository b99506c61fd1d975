"""Failures, retries, timeouts, error handlers, drained runs: stock against patched."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from equivalence_scenarios import Scenarios, assert_same, asynchronous, ordered, saved
from equivalence_states import Count, adding, chain_of, graph_of, noting
from equivalence_ways import Drive, Way
from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, interrupt

SCENARIOS = Scenarios()

try:
    from langgraph.errors import NodeError
except ImportError:  # before LangGraph 1.2
    NodeError = None
try:
    from langgraph.runtime import RunControl
except ImportError:
    RunControl = None
NEW = "error_handler" in inspect.signature(StateGraph.add_node).parameters

QUICKLY = RetryPolicy(
    initial_interval=0.0001, max_attempts=3, jitter=False, retry_on=(LookupError, KeyError)
)


class OddError(Exception):
    """An error with arguments and notes of its own."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args)
        self.more = more
        if hasattr(self, "add_note"):
            self.add_note("a note of its own")


def failing(drive: Drive, error: BaseException, times: int = 1_000_000) -> Any:
    """A node that fails so many times."""
    tries: list[int] = []

    def node(state: Count) -> Any:
        tries.append(1)
        drive.note("try", len(tries))
        if len(tries) <= times:
            raise error
        return {"seen": [f"after {len(tries)} tries"]}

    return drive.node(node)


def after_one(drive: Drive, node: Any, **options: Any) -> Any:
    """A graph of a node, another one, and one that follows."""
    builder = graph_of(drive, "first").add_node("node", node, **options)
    builder.add_node("last", noting(drive, "last"))
    return builder.add_edge("first", "node").add_edge("node", "last")


@SCENARIOS.add()
def a_failing_node(drive: Drive) -> None:
    for error in (LookupError("no", 1), OddError("odd", key=1), KeyError("key"), Exception()):
        graph = after_one(drive, failing(drive, error, 1)).compile(checkpointer=drive.saver)
        drive.run(graph, {"n": 0})
        if drive.saver:
            drive.state(graph)
            drive.run(graph, None)


@SCENARIOS.add()
def an_error_from_an_error(drive: Drive) -> None:
    def node(state: Count) -> Any:
        try:
            raise KeyError("cause")
        except KeyError as cause:
            raise OddError("effect") from cause

    drive.run(after_one(drive, drive.node(node)).compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def a_failing_reducer(drive: Drive) -> None:
    graph = after_one(drive, drive.node(lambda state: {"seen": 5})).compile(
        checkpointer=drive.saver
    )
    drive.run(graph, {"n": 0})
    if drive.saver:
        drive.state(graph)


@SCENARIOS.add(ordered)
def two_writes_where_one_is_allowed(drive: Drive) -> None:
    builder: Any = StateGraph(Count)
    for name in ("left", "right"):
        builder.add_node(name, adding(drive)).add_edge(START, name)
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def retries(drive: Drive) -> None:
    for times in (1, 2, 3):
        node = failing(drive, LookupError("again"), times)
        builder = after_one(drive, node, retry_policy=QUICKLY)
        drive.run(builder.compile(checkpointer=drive.saver), {"n": times})


@SCENARIOS.add()
def retries_by_several_policies(drive: Drive) -> None:
    def node(state: Count) -> Any:
        drive.note("try")
        tries.append(1)
        raise [LookupError("a"), KeyError("b"), OddError("c")][min(len(tries), 3) - 1]

    tries: list[int] = []
    other = RetryPolicy(initial_interval=0.0001, jitter=False, retry_on=lambda e: "b" in e.args)
    builder = after_one(drive, drive.node(node), retry_policy=[other, QUICKLY])
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add()
def retries_that_leave_no_writes_behind(drive: Drive) -> None:
    tries: list[int] = []

    def node(state: Count) -> Any:
        tries.append(1)
        return {"seen": [len(tries)]}

    def route(state: Count) -> Any:
        if len(tries) < 3:
            raise LookupError("after the write")
        return "last"

    builder = graph_of(drive, "last").add_node("node", drive.node(node), retry_policy=QUICKLY)
    builder.add_edge("last", "node").add_conditional_edges("node", drive.node(route), ["last"])
    config = drive.config(recursion_limit=4)
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0}, config)


@SCENARIOS.add(saved)
def retries_around_an_interrupt(drive: Drive) -> None:
    tries: list[int] = []

    def node(state: Count) -> Any:
        tries.append(1)
        answer = interrupt("question")
        if len(tries) < 4:
            raise LookupError("after the answer")
        return {"seen": [answer]}

    graph = after_one(drive, drive.node(node), retry_policy=QUICKLY).compile(
        checkpointer=drive.saver
    )
    drive.run(graph, {"n": 0})
    drive.run(graph, Command(resume="answer"))


@SCENARIOS.add()
def a_node_that_is_cancelled_from_within(drive: Drive) -> None:
    node = failing(drive, asyncio.CancelledError("by itself"))
    drive.run(after_one(drive, node).compile(checkpointer=drive.saver), {"n": 0})


if NEW:

    @SCENARIOS.add()
    def error_handlers(drive: Drive) -> None:
        def handler(state: Count, error: NodeError) -> Any:
            drive.note("handles", error.node, error.error, state)
            return Command(goto="last", update={"seen": [f"recovered from {error.node}"]})

        node = failing(drive, OddError("to be handled"))
        builder = after_one(drive, node, error_handler=drive.node(handler))
        graph = builder.compile(checkpointer=drive.saver)
        drive.run(graph, {"n": 0})
        if drive.saver:
            drive.history(graph)

    @SCENARIOS.add()
    def error_handlers_after_retries(drive: Drive) -> None:
        def handler(state: Count, error: NodeError) -> Any:
            return {"seen": [str(error.error)]}

        builder = after_one(
            drive,
            failing(drive, LookupError("again")),
            retry_policy=QUICKLY,
            error_handler=drive.node(handler),
        )
        drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})

    @SCENARIOS.add()
    def error_handlers_that_fail(drive: Drive) -> None:
        def handler(state: Count, error: NodeError) -> Any:
            raise KeyError("the handler, too") from error.error

        builder = after_one(
            drive, failing(drive, LookupError("first")), error_handler=drive.node(handler)
        )
        graph = builder.compile(checkpointer=drive.saver)
        drive.run(graph, {"n": 0})
        if drive.saver:
            drive.run(graph, None)

    @SCENARIOS.add(ordered)
    def error_handlers_beside_other_nodes(drive: Drive) -> None:
        def handler(state: Count, error: NodeError) -> Any:
            return {"seen": ["handled"]}

        builder = graph_of(drive, "before").add_node("other", noting(drive, "other"))
        builder.add_node(
            "node", failing(drive, LookupError("no")), error_handler=drive.node(handler)
        )
        builder.add_edge("before", "node").add_edge("before", "other")
        drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(asynchronous)
def node_timeouts(drive: Drive) -> None:
    async def slow(state: Count) -> Any:
        await asyncio.sleep(30 if state["n"] else 0)
        return {"seen": ["in time"]}

    for number in (0, 1):
        # Long enough for a node that only gives way, on a busy machine too.
        graph = after_one(drive, slow, timeout=0.5).compile(checkpointer=drive.saver)
        ended = drive.run(graph, {"n": number})
        del ended
        elapsed(drive)


def elapsed(drive: Drive) -> None:
    """Take the seconds that passed out of what was seen: a clock is no oracle."""

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return value if "elapsed" not in value and "exceeded" not in value else "some seconds"
        if isinstance(value, float):
            return 0.0
        if isinstance(value, list | tuple):
            return type(value)(plain(each) for each in value)
        return value

    drive.seen[:] = plain(drive.seen)
    drive.events[:] = plain(drive.events)
    drive.forget_stored = True


@SCENARIOS.add(lambda way: asynchronous(way) and not way.modes)
def step_timeouts(drive: Drive) -> None:
    async def slow(state: Count) -> Any:
        await asyncio.sleep(30)

    async def quick(state: Count) -> Any:
        return {"seen": ["quick"]}

    builder = StateGraph(Count).add_node("slow", slow).add_node("quick", quick)
    builder.add_edge(START, "slow").add_edge(START, "quick")
    graph = builder.compile(checkpointer=drive.saver)
    graph.step_timeout = 0.5
    drive.run(graph, {"n": 0})
    quickly = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    quickly.step_timeout = 30
    drive.run(quickly, {"n": 0})


@SCENARIOS.add(lambda way: not way.is_async)
def a_step_timeout_that_is_kept(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    graph.step_timeout = 30
    drive.run(graph, {"n": 0})


@SCENARIOS.add()
def cached_nodes(drive: Drive) -> None:
    def node(state: Count) -> Any:
        drive.note("computes", state["n"])
        return {"seen": [f"computed {state['n']}"]}

    builder = StateGraph(Count)
    builder.add_node("node", drive.node(node), cache_policy=CachePolicy(ttl=60))
    builder.add_node("last", noting(drive, "last")).add_edge(START, "node").add_edge("node", "last")
    graph = builder.compile(checkpointer=drive.saver, cache=InMemoryCache())
    for number in (1, 2, 1):
        config = drive.config(configurable={"thread_id": f"{len(drive.seen)}"})
        drive.run(graph, {"n": number, "seen": []}, config)


if RunControl is not None:

    @SCENARIOS.add()
    def drained_runs(drive: Drive) -> None:
        control = RunControl()

        def node(state: Count) -> Any:
            control.request_drain("enough")
            return {"seen": ["drained"]}

        graph = after_one(drive, drive.node(node)).compile(checkpointer=drive.saver)
        drive.run(graph, {"n": 0}, control=control)
        if drive.saver:
            drive.run(graph, None)
        drive.run(graph, {"n": 0}, control=control)


def stopping(way: Way) -> bool:
    return asynchronous(way) and not way.handlers


@SCENARIOS.add(stopping)
def a_failure_stops_the_others(drive: Drive) -> None:
    async def outlasting(state: Count) -> Any:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            drive.note("cancelled")
            raise

    async def short(state: Count) -> Any:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise LookupError("first")

    builder = StateGraph(Count).add_node("short", short).add_node("outlasting", outlasting)
    builder.add_node("done", noting(drive, "done"))
    for name in ("done", "outlasting", "short"):
        builder.add_edge(START, name)
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    if drive.saver:
        drive.state(graph)


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
