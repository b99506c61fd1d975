"""The executor of a sync run: made with its first job, and otherwise as upstream has it."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.pregel import _executor
from langgraph.pregel._checkpoint import empty_checkpoint
from typing_extensions import TypedDict

import fastgraph

Engine = Callable[[], AbstractContextManager[object]]


def patched() -> AbstractContextManager[object]:
    return fastgraph.patched(strict=True)


BOTH = pytest.mark.parametrize("engine", [nullcontext, patched], ids=["stock", "patched"])


class State(TypedDict):
    seen: Annotated[list[str], operator.add]


def graph_of(node: Callable[[State], Any], saver: Any = None, nodes: int = 1) -> Any:
    builder: Any = StateGraph(State)
    for number in range(nodes):
        builder.add_node(f"node{number}", node)
        builder.add_edge(START, f"node{number}").add_edge(f"node{number}", END)
    return builder.compile(checkpointer=saver)


def next_number() -> int:
    """The number that the next executor without a name takes for its threads."""
    with ThreadPoolExecutor() as executor:
        return int(executor._thread_name_prefix.rpartition("-")[2])


def thread_name(_: State) -> Any:
    return {"seen": [threading.current_thread().name]}


@BOTH
def test_a_run_takes_one_number_for_its_threads(engine: Engine) -> None:
    alone, together = graph_of(thread_name), graph_of(thread_name, nodes=3)
    with engine():
        before = next_number()
        for _ in range(3):
            alone.invoke({"seen": []})
        seen = together.invoke({"seen": []})["seen"]
        assert next_number() == before + 5
    prefix = f"ThreadPoolExecutor-{before + 4}_"
    assert seen and all(name.startswith(prefix) for name in seen)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The classes of the executors that are made from now on."""
    made: list[str] = []
    init = ThreadPoolExecutor.__init__

    def watching(self: Any, *args: Any, **kwargs: Any) -> None:
        made.append(type(self).__name__)
        init(self, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "__init__", watching)
    return made


@pytest.mark.parametrize(("saver", "nodes", "made"), [(False, 1, 0), (True, 1, 1), (False, 3, 1)])
def test_an_executor_is_made_for_jobs_alone(
    monkeypatch: pytest.MonkeyPatch, saver: bool, nodes: int, made: int
) -> None:
    graph = graph_of(thread_name, InMemorySaver() if saver else None, nodes)
    counted = watched(monkeypatch)
    with patched():
        graph.invoke({"seen": []}, {"configurable": {"thread_id": "1"}})
    assert len(counted) == made


def refusal(action: Callable[[], object]) -> object:
    try:
        action()
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    return None


@BOTH
@pytest.mark.parametrize("concurrency", [0, -1, "two", 1.5])
def test_a_wrong_number_of_threads_is_refused_at_once(engine: Engine, concurrency: Any) -> None:
    graph = graph_of(thread_name)
    with engine():
        refused = refusal(lambda: graph.invoke({"seen": []}, {"max_concurrency": concurrency}))
    assert refused == refusal(lambda: ThreadPoolExecutor(concurrency))


@BOTH
@pytest.mark.parametrize("has_worked", [False, True])
def test_after_the_run_there_are_no_jobs(engine: Engine, has_worked: bool) -> None:
    with engine():
        executor = _executor.BackgroundExecutor({})
        with executor as submit:
            if has_worked:
                assert submit(abs, -1).result(10) == 1
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            executor.submit(abs, -1)


def test_threads_that_come_at_once_find_one_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    made = watched(monkeypatch)
    with patched():
        executor = _executor.BackgroundExecutor({"max_concurrency": 2})
        barrier = threading.Barrier(8)
        found = []

        def look() -> None:
            barrier.wait(10)
            executor.submit(abs, -1).result(10)
            found.append(executor.executor._max_workers)

        with executor:
            threads = [threading.Thread(target=look) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
    assert found == [2] * 8
    assert made == ["ContextThreadPoolExecutor"]


@pytest.mark.parametrize("begins", [nullcontext, patched], ids=["stock first", "patched first"])
def test_the_engine_may_change_within_a_run(begins: Engine) -> None:
    """What one engine began to prepare, the other one uses and ends."""

    def switching(state: State) -> Any:
        if fastgraph.is_patched():
            fastgraph.unpatch()
        else:
            fastgraph.patch(strict=True)
        return {"seen": ["switched"]}

    builder: Any = StateGraph(State).add_node("switch", switching).add_edge(START, "switch")
    for name in "abc":
        builder.add_node(name, thread_name).add_edge("switch", name)
    graph = builder.compile(checkpointer=InMemorySaver())
    try:
        with begins():
            seen = graph.invoke({"seen": []}, {"configurable": {"thread_id": "1"}})["seen"]
    finally:
        fastgraph.unpatch()
    assert seen[0] == "switched" and len(seen) == 4


def test_an_empty_checkpoint_has_what_upstreams_has() -> None:
    stock = empty_checkpoint()
    from langgraph.pregel import _checkpoint

    with patched():
        made = _checkpoint.empty_checkpoint()
    assert list(made) == list(stock)
    assert {**made, "id": "", "ts": ""} == {**stock, "id": "", "ts": ""}
    assert made["id"] > stock["id"] and made["ts"] >= stock["ts"]
    assert made["channel_values"] is not stock["channel_values"]


# A sync node's way into a thread, in an async run


class Counting(ThreadPoolExecutor):
    """Somebody's own executor, which hears of every job."""

    jobs = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.jobs += 1
        return super().submit(*args, **kwargs)


@BOTH
def test_a_loops_own_way_into_threads_is_taken(engine: Engine) -> None:
    graph = graph_of(thread_name)
    taken = []

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        own = loop.run_in_executor

        def run_in_executor(*args: Any) -> Any:
            taken.append(args[0])
            return own(*args)

        await graph.ainvoke({"seen": []})
        loop.run_in_executor = run_in_executor  # type: ignore[method-assign]
        return await graph.ainvoke({"seen": []})

    with engine():
        seen = asyncio.run(main())["seen"]
    assert taken == [None]
    assert seen[0].startswith("asyncio_")


@BOTH
def test_an_executor_of_somebodys_is_asked(engine: Engine) -> None:
    graph = graph_of(thread_name, nodes=2)

    async def main() -> tuple[int, list[str]]:
        executor = Counting(2, "own")
        asyncio.get_running_loop().set_default_executor(executor)
        seen = (await graph.ainvoke({"seen": []}))["seen"]
        return executor.jobs, seen

    with engine():
        jobs, seen = asyncio.run(main())
    assert jobs == 2
    assert all(name.startswith("own_") for name in seen)
