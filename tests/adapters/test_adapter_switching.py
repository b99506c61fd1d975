"""Patching and unpatching while graphs run: nobody notices, whichever function a step meets."""

from __future__ import annotations

import asyncio
import operator
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypedDict

import pytest
from adapter_drivers import hold_still, stored
from adapter_shapes import shape
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

import fastgraph

STEPS = 8


class State(TypedDict):
    n: int
    seen: Annotated[list[int], operator.add]


def chain(between: Callable[[int], None]) -> StateGraph[Any]:
    """A chain of nodes that does something between any two supersteps."""
    builder = StateGraph(State)

    def node(number: int) -> Callable[[State], Any]:
        def run(state: State) -> Any:
            between(number)
            return {"n": number, "seen": [number]}

        return run

    builder.add_sequence([(f"n{number}", node(number)) for number in range(STEPS)])
    return builder.add_edge(START, "n0")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)
    assert not fastgraph.is_patched()


def run_switching(plan: list[bool], targets: list[str] | None) -> Any:
    """What a run leaves behind that is patched before some supersteps and stock before others."""
    saver = InMemorySaver()

    def between(number: int) -> None:
        if plan[number]:
            fastgraph.patch(targets)
        else:
            fastgraph.unpatch()

    with pytest.MonkeyPatch.context() as monkeypatch:
        hold_still(monkeypatch)
        graph = chain(between).compile(checkpointer=saver)
        config = {"configurable": {"thread_id": "1"}}
        chunks = list(graph.stream({"n": 0}, config, stream_mode=["values", "checkpoints"]))
        fastgraph.unpatch()
        history = list(graph.get_state_history(config))
    return shape(chunks), shape(history), stored(saver)


READERS = ["channels_from_checkpoint", "prepare_next_tasks", "local_read"]


@pytest.mark.parametrize("targets", [None, READERS], ids=["all", "readers alone"])
def test_a_run_may_be_patched_and_unpatched_between_any_supersteps(
    targets: list[str] | None,
) -> None:
    expected = run_switching([False] * STEPS, None)
    drawn = random.Random(3)
    plans = [[True, False] * (STEPS // 2), [True, True, False, True, False, False, True, True]]
    plans += [[drawn.random() < 0.5 for _ in range(STEPS)] for _ in range(10)]
    for plan in plans:
        with fastgraph.patched(targets):
            assert run_switching(plan, targets) == expected, plan


def fan_out() -> Any:
    def work(state: State) -> Any:
        return {"seen": [state["n"] + 1]}

    def again(state: State) -> Any:
        if state["n"] == 4:
            return END
        return [Send("work", {"n": i}) for i in range(3)]

    builder = StateGraph(State).add_node("work", work)
    builder.add_node("count", lambda state: {"n": state["n"] + 1})
    builder.add_edge(START, "count").add_edge("work", "count")
    return builder.add_conditional_edges("count", again, ["work", END]).compile(
        checkpointer=InMemorySaver()
    )


EXPECTED = {"n": 4, "seen": [1, 2, 3] * 3}


@pytest.fixture
def _switching() -> Iterator[None]:
    """Another thread that patches and unpatches as fast as it can."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def switch() -> None:
        try:
            while not stop.is_set():
                fastgraph.patch()
                fastgraph.unpatch()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=switch)
    thread.start()
    yield
    stop.set()
    thread.join()
    fastgraph.unpatch()
    assert failed == []


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_graph_while_another_one_switches() -> None:
    graph = fan_out()

    def run(number: int) -> Any:
        config = {"configurable": {"thread_id": str(number)}}
        result = graph.invoke({"n": 0}, config)
        return result, graph.get_state(config).values

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(run, range(100)))
    assert results == [(EXPECTED, EXPECTED)] * 100


@pytest.mark.usefixtures("_switching")
def test_async_tasks_share_a_graph_while_a_thread_switches() -> None:
    graph = fan_out()

    async def run(number: int) -> Any:
        config = {"configurable": {"thread_id": str(number)}}
        return await graph.ainvoke({"n": 0}, config)

    async def run_all() -> Any:
        return await asyncio.gather(*(run(number) for number in range(200)))

    assert asyncio.run(run_all()) == [EXPECTED] * 200


def test_threads_share_a_patched_graph() -> None:
    graph = fan_out()

    def run(number: int) -> Any:
        return graph.invoke({"n": 0}, {"configurable": {"thread_id": str(number)}})

    with fastgraph.patched(), ThreadPoolExecutor(50) as pool:
        assert list(pool.map(run, range(150))) == [EXPECTED] * 150
