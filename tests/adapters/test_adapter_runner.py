"""The runner of sync runs: threads, chunks while nodes run, failures, timeouts, calls."""

from __future__ import annotations

import contextvars
import gc
import json
import operator
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.pregel import _executor
from langgraph.types import Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict

import fastgraph
from fastgraph.adapters.langgraph import async_futures, async_tasks, runner

THREAD: Any = {"configurable": {"thread_id": "1"}}
NESTED = Path(__file__).parents[1] / "isolated" / "adapter_threads.py"
SOON = 30  # seconds after which something will not happen any more


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


@pytest.fixture(params=["stock", "patched"], autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test says what stock does, and holds for the replacements, too."""
    if request.param == "stock":
        yield "stock"
        return
    with fastgraph.patched():
        yield "patched"


def parallel(*nodes: Callable[[State], Any]) -> StateGraph[Any]:
    """Nodes of one superstep."""
    builder = StateGraph(State)
    for index, node in enumerate(nodes):
        builder.add_node(f"n{index}", node).add_edge(START, f"n{index}")
    return builder


def chunk_first(state: State) -> dict[str, list[str]]:
    """A node that goes on only once somebody has its chunk."""
    received = state["log"][0]
    get_stream_writer()(threading.get_ident())
    assert received.wait(SOON)
    return {"log": ["end"]}


@pytest.mark.parametrize("others", [0, 1, 3])
@pytest.mark.parametrize("limit", [None, 8])
@pytest.mark.parametrize("modes", ["custom", ["custom", "updates"], ["messages", "custom"]])
def test_a_chunk_comes_out_while_its_node_runs(others: int, limit: int | None, modes: Any) -> None:
    received = threading.Event()
    graph = parallel(chunk_first, *[lambda state: {"log": [1]}] * others).compile()
    threads = []
    for chunk in graph.stream(
        {"log": [received]}, {"max_concurrency": limit} if limit else {}, stream_mode=modes
    ):
        mode, payload = ("custom", chunk) if modes == "custom" else chunk
        if mode == "custom":
            threads.append(payload)
            received.set()
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


def test_chunks_of_a_subgraph_come_out_while_it_runs() -> None:
    received = threading.Event()
    inner = parallel(chunk_first).compile()
    graph = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()
    seen = []
    for namespace, mode, _ in graph.stream(
        {"log": [received]}, stream_mode=["custom", "updates"], subgraphs=True
    ):
        seen.append((len(namespace), mode))
        if mode == "custom":
            received.set()
    assert seen == [(1, "custom"), (1, "updates"), (0, "updates")]


def test_chunks_stay_in_order() -> None:
    def node(state: State) -> dict[str, list[int]]:
        for number in range(200):
            get_stream_writer()(number)
        return {"log": [1]}

    def again(state: State) -> str:
        return "n0" if len(state["log"]) < 20 else END

    graph = parallel(node).add_conditional_edges("n0", again, ["n0", END]).compile()
    chunks = list(graph.stream({"log": []}, stream_mode=["custom", "updates"]))
    assert (
        chunks
        == [
            *[("custom", number) for number in range(200)],
            ("updates", {"n0": {"log": [1]}}),
        ]
        * 20
    )


def test_a_closed_stream_ends_its_nodes() -> None:
    ended = []

    def node(state: State) -> dict[str, list[int]]:
        get_stream_writer()("chunk")
        time.sleep(0.05)
        ended.append(True)
        return {"log": [1]}

    stream = parallel(node, node).compile().stream({"log": []}, stream_mode="custom")
    next(stream)
    stream.close()
    assert ended == [True, True]


@pytest.mark.parametrize("mode", ["updates", "custom"])
def test_the_first_failure_ends_the_superstep(mode: str) -> None:
    fails = threading.Event()

    def failing(state: State) -> None:
        fails.set()
        raise ValueError("no")

    def other(state: State) -> dict[str, list[int]]:
        assert fails.wait(SOON)
        time.sleep(0.5)  # by then the failure is noticed, on a busy machine too
        return {"log": [1]}

    chunks = []
    with pytest.raises(ValueError, match="no") as caught:
        chunks.extend(parallel(other, failing).compile().stream({"log": []}, stream_mode=mode))
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "failing"
    assert [note.split(" and id")[0] for note in caught.value.__notes__] == [
        "During task with name 'n1'"
    ]
    assert chunks == []


def was_streamed_before_a_failure() -> bool:
    wrote = threading.Event()
    streamed = []

    def writing(state: State) -> dict[str, list[int]]:
        return {"log": [1]}

    def failing(state: State) -> None:
        streamed.append(wrote.wait(1))
        raise ValueError("no")

    stream = parallel(failing, writing).compile().stream({"log": []})
    assert next(stream) == {"n1": {"log": [1]}}
    wrote.set()
    with pytest.raises(ValueError, match="no"):
        next(stream)
    return streamed == [True]


def test_what_one_task_wrote_is_streamed_before_another_fails() -> None:
    # Stock wakes before the writes are in the stream, now and then, and waits for the next task.
    assert any(was_streamed_before_a_failure() for _ in range(5))


@pytest.mark.parametrize("mode", ["updates", "custom"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_step_times_out(mode: str, count: int) -> None:
    graph = parallel(*[lambda state: time.sleep(1)] * count).compile()
    graph.step_timeout = 0.05
    with pytest.raises(TimeoutError, match="Timed out"):
        list(graph.stream({"log": []}, stream_mode=mode))


def test_a_step_in_time_does_not_time_out() -> None:
    graph = parallel(*[lambda state: {"log": [1]}] * 3).compile()
    graph.step_timeout = SOON
    assert graph.invoke({"log": []}) == {"log": [1, 1, 1]}


def test_interrupts_of_all_nodes_are_collected() -> None:
    def asking(number: int) -> Callable[[State], Any]:
        return lambda state: {"log": [interrupt(number)]}

    graph = parallel(*[asking(number) for number in range(5)]).compile(checkpointer=InMemorySaver())
    asked = graph.invoke({"log": []}, THREAD)["__interrupt__"]
    assert sorted(one.value for one in asked) == [0, 1, 2, 3, 4]
    answers = {one.id: one.value * 10 for one in asked}
    assert graph.invoke(Command(resume=answers), THREAD)["log"] == [0, 10, 20, 30, 40]


@pytest.mark.skipif(
    not hasattr(_executor, "SKIP_RERAISE_SET"), reason="raises handled errors at the end"
)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("mode", ["values", "custom"])
def test_error_handlers_take_over(count: int, mode: str) -> None:
    def failing(state: State) -> None:
        raise ValueError("no")

    def handle(state: State) -> dict[str, list[str]]:
        return {"log": ["handled"]}

    builder = StateGraph(State)
    for index in range(count):
        builder.add_node(f"n{index}", failing, error_handler=handle)
        builder.add_edge(START, f"n{index}")
    graph = builder.compile()
    list(graph.stream({"log": []}, stream_mode=mode))
    assert graph.invoke({"log": []}) == {"log": ["handled"] * count}


@task
def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return 2 * number


@task
def twice_double(number: int) -> int:
    return double(double(number).result()).result()


attempts: list[int] = []


@task(retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False))
def third_time_lucky(number: int) -> int:
    attempts.append(number)
    if len(attempts) < 3:
        raise ConnectionError(number)
    return number


@entrypoint()
def calling(number: int) -> Any:
    doubled = [double(n) for n in range(number)]
    nested = twice_double(number)
    try:
        double(-1).result()
    except ValueError as error:
        failed = [str(error), len(error.__notes__)]
    return [future.result() for future in doubled], nested.result(), failed


@pytest.mark.parametrize("mode", ["updates", "custom", "values"])
def test_calls_return_fail_and_nest(mode: str) -> None:
    expected = [0, 2, 4, 6], 16, ["-1", 1]
    assert calling.invoke(4) == expected
    chunks = list(calling.stream(4, stream_mode=mode))
    if mode == "updates":
        assert chunks[-1] == {"calling": expected}
        assert sorted(n for chunk in chunks for n in chunk.values() if chunk != chunks[-1]) == [
            0, 2, 4, 6, 8, 16, 16,
        ]  # fmt: skip


def test_calls_are_retried() -> None:
    attempts.clear()
    graph = entrypoint()(lambda number: third_time_lucky(number).result())
    assert graph.invoke(7) == 7
    assert attempts == [7, 7, 7]


def test_calls_are_not_made_again_on_resume() -> None:
    made = []

    @task
    def call(number: int) -> int:
        made.append(number)
        return number

    @entrypoint(checkpointer=InMemorySaver())
    def graph(number: int) -> Any:
        results = [call(n).result() for n in range(number)]
        return results, interrupt("go on?")

    graph.invoke(3, THREAD)
    assert graph.invoke(Command(resume="yes"), THREAD) == ([0, 1, 2], "yes")
    assert made == [0, 1, 2]


def test_a_call_after_the_superstep_fails_as_upstreams() -> None:
    kept: list[Any] = []

    def node(state: State, config: RunnableConfig) -> None:
        kept.append(config["configurable"]["__pregel_call"])

    parallel(node).compile().invoke({"log": []})
    gc.collect()
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'config'"):
        kept[0](len, ((), {}))


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")


def test_nodes_see_a_copy_of_the_callers_context() -> None:
    def node(state: State) -> dict[str, list[str]]:
        seen = variable.get()
        variable.set("a node's")
        return {"log": [seen]}

    token = variable.set("the caller's")
    try:
        for mode in ("values", "custom", "messages"):
            list(parallel(node, node).compile().stream({"log": []}, stream_mode=mode))
        assert parallel(node, node).compile().invoke({"log": []})["log"] == ["the caller's"] * 2
        assert variable.get() == "the caller's"
    finally:
        variable.reset(token)


@pytest.mark.parametrize("limit", [1, 2, None])
def test_no_more_nodes_at_a_time_than_allowed(limit: int | None) -> None:
    running, most = [0], [0]
    lock = threading.Lock()

    def work(number: int) -> dict[str, list[int]]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        with lock:
            running[0] -= 1
        return {"log": [number]}

    builder = StateGraph(State).add_node("work", work)
    builder.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(12)])
    log = builder.compile().invoke({"log": []}, {"max_concurrency": limit})["log"]
    assert log == list(range(12))
    assert limit is None or most[0] <= limit


def test_nested_runs_in_many_threads_end_and_leave_nothing_behind(engine: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(NESTED), engine],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == {"complete": [True, True], "found": [], "threads": 1, "forked": 0}


def test_the_superstep_leaves_no_cycles() -> None:
    def again(state: State) -> str:
        return "n0" if len(state["log"]) < 30 else END

    loop = parallel(lambda state: {"log": [1]}, lambda state: {"log": [1]})
    loop.add_conditional_edges("n0", again, ["n0", END])
    graph = loop.compile()
    kinds = (runner.Futures, async_futures.Futures, async_tasks.NodeRun, async_tasks.NodeCall)
    gc.collect()
    gc.disable()
    try:
        for mode in ("updates", "custom"):
            list(graph.stream({"log": []}, stream_mode=mode))
        calling.invoke(3)
        alive = [one for one in gc.get_objects() if isinstance(one, kinds)]
        assert alive == []
    finally:
        gc.enable()
