"""How a run begins and ends: batches, streams closed early, runs given up: against stock."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from equivalence_scenarios import assert_same
from equivalence_states import Count, chain_of, graph_of, noting
from equivalence_ways import ALL_MODES, ENGINE_MODES, Drive, Way
from langgraph.graph import START, StateGraph

SYNC, ASYNC = (
    Way(durability="sync", handlers=True),
    Way(durability="sync", handlers=True, is_async=True),
)


def given(number: int) -> dict[str, Any]:
    return {"n": number, "seen": []}


def thread(drive: Drive, number: int, **more: Any) -> dict[str, Any]:
    return drive.config(configurable={"thread_id": str(number)}, **more)


@pytest.mark.parametrize("way", [SYNC, ASYNC], ids=str)
@pytest.mark.parametrize("fails", [False, True], ids=["", "one fails"])
def test_batches(way: Way, fails: bool) -> None:
    def scenario(drive: Drive) -> None:
        def node(state: Count) -> Any:
            if fails and state["n"] == 1:
                raise LookupError("not this one")
            return {"seen": [state["n"]]}

        builder = graph_of(drive, "first").add_node("node", drive.node(node))
        graph = builder.add_edge("first", "node").compile(checkpointer=drive.saver)
        configs = [thread(drive, number, max_concurrency=1) for number in range(3)]
        inputs = [given(number) for number in range(3)]
        for exceptions in (True, False):
            if way.is_async:
                call = graph.abatch(inputs, configs, return_exceptions=exceptions)
                seen = drive.call(lambda call=call: asyncio.run(call))
            else:
                seen = drive.call(
                    lambda exceptions=exceptions: graph.batch(
                        inputs, configs, return_exceptions=exceptions
                    )
                )
            drive.keep("batch", seen)

    assert_same(scenario, way)


@pytest.mark.parametrize("taken", range(1, 9))
@pytest.mark.parametrize("modes", ["values", "updates", ENGINE_MODES, ALL_MODES], ids=str)
def test_a_stream_closed_early(modes: Any, taken: int) -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one", "two", "three").compile(checkpointer=drive.saver)
        config = {**drive.config(), "max_concurrency": None}
        stream = graph.stream(given(0), config, stream_mode=modes, durability="sync")
        for _ in range(taken):
            drive.keep("chunk", next(stream, "nothing more"))
        stream.close()
        drive.keep("again", next(stream, "closed"))
        drive.state(graph)

    # What a thread has begun when the stream is closed, it ends: that is no race of one node.
    assert_same(scenario, Way(durability="sync", handlers=modes != ALL_MODES))


@pytest.mark.parametrize("modes", ["values", "updates", ENGINE_MODES], ids=str)
def test_a_stream_given_up(modes: Any) -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
        stream = graph.stream(given(0), drive.config(), stream_mode=modes, durability="sync")
        drive.keep("chunk", next(stream))
        del stream
        gc.collect(0)
        drive.state(graph)

    assert_same(scenario, SYNC)


@pytest.mark.parametrize("way", [SYNC, ASYNC], ids=str)
def test_an_error_thrown_into_a_stream(way: Way) -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
        options: Any = {"stream_mode": "updates", "durability": "sync"}
        stream = graph.stream(given(0), drive.config(), **options)
        astream = graph.astream(given(0), drive.config(), **options)

        async def throw() -> Any:
            drive.keep("chunk", await anext(astream))
            return await astream.athrow(KeyError("thrown"))

        if way.is_async:
            drive.keep("end", drive.call(lambda: asyncio.run(throw())))
        else:
            drive.keep("chunk", next(stream))
            drive.keep("end", drive.call(lambda: stream.throw(KeyError("thrown"))))
        drive.state(graph)

    assert_same(scenario, way)


@pytest.mark.parametrize("way", [SYNC, ASYNC], ids=str)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration])
def test_errors_that_are_not_exceptions(way: Way, error: type[BaseException]) -> None:
    def call(drive: Drive, action: Callable[[], Any]) -> None:
        try:
            drive.keep("result", action())
        except BaseException as ended:
            drive.keep("end", drive.describe(ended))

    def scenario(drive: Drive) -> None:
        def node(state: Count) -> Any:
            raise error("from the node")

        # In a coroutine of its own, what Python makes of `StopIteration` is Python's.
        builder = StateGraph(Count).add_node("node", drive.node(node)).add_edge(START, "node")
        graph = builder.compile(checkpointer=drive.saver)
        config = drive.config()
        if way.is_async:
            if error in (LookupError, StopIteration):
                call(drive, lambda: asyncio.run(graph.ainvoke(given(0), config)))
        else:
            call(drive, lambda: graph.invoke(given(0), config, durability="sync"))

    assert_same(scenario, way)


@pytest.mark.parametrize("way", [SYNC, ASYNC], ids=str)
def test_a_graph_that_calls_itself(way: Way) -> None:
    def scenario(drive: Drive) -> None:
        def node(state: Count) -> Any:
            if state["n"] > 2:
                return {"seen": ["deep enough"]}
            return {"seen": graph.invoke(given(state["n"] + 1))["seen"]}

        async def anode(state: Count) -> Any:
            if state["n"] > 2:
                return {"seen": ["deep enough"]}
            return {"seen": (await graph.ainvoke(given(state["n"] + 1)))["seen"]}

        builder = StateGraph(Count).add_node("node", anode if way.is_async else node)
        graph = builder.add_edge(START, "node").compile()
        drive.run(graph, given(0))

    assert_same(scenario, Way(handlers=True, is_async=way.is_async))


@pytest.mark.parametrize("way", [SYNC, ASYNC], ids=str)
def test_warnings_and_options_that_are_refused(way: Way) -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one").compile()
        for options in (
            {"durability": "sync"},
            {"stream_mode": "unknown"},
            {"interrupt_before": "*"},
            {"version": "v3"},
            {"context": {"n": 1}},
        ):
            drive.run(graph, given(0), drive.config(), **options)
        drive.run(graph, given(0), {"recursion_limit": "many"})
        drive.run(graph, given(0), {"tags": None, "metadata": None, "callbacks": None})
        drive.run(graph, given(0), {"unknown": 1})

    assert_same(scenario, Way(is_async=way.is_async))


def test_a_compiled_graph_whose_nodes_are_changed() -> None:
    def scenario(drive: Drive) -> None:
        graph = chain_of(drive, "one", "two").compile()
        drive.run(graph, given(0))
        other = graph_of(drive, "one").add_node("two", noting(drive, "another two"))
        graph.nodes["two"] = other.compile().nodes["two"]
        graph.nodes["one"].metadata = {"changed": True}
        graph.nodes["one"].tags = ["changed"]
        drive.run(graph, given(0))

    assert_same(scenario, Way(("updates", "tasks"), handlers=True))
