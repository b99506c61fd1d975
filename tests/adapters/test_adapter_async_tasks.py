"""The tasks of async supersteps: what they run, how they end, what they hold while they wait."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import operator
import sys
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

import fastgraph
from fastgraph.adapters.langgraph import async_futures, async_tasks

COUNT = 4
contexts = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="before Python 3.11, a node runs in the task of its attempt"
)
own_tasks = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="tasks are started here on Python 3.11 alone"
)


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


@pytest.fixture(params=["stock", "patched"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test says what stock does, and holds for the replacements, too."""
    if request.param == "stock":
        yield "stock"
        return
    with fastgraph.patched():
        yield "patched"


def sending(node: Any, count: int = COUNT) -> StateGraph[Any]:
    """A graph that sends so many numbers to a node."""
    builder = StateGraph(State).add_node("node", node)
    return builder.add_conditional_edges(
        START, lambda state: [Send("node", number) for number in range(count)], ["node"]
    )


def run(node: Any, count: int = COUNT) -> list[Any]:
    log: list[Any] = asyncio.run(sending(node, count).compile().ainvoke({"log": []}))["log"]
    return log


@contexts
def test_nodes_run_in_tasks_of_their_own(engine: str) -> None:
    async def node(number: int) -> Any:
        task = asyncio.current_task()
        every = asyncio.all_tasks()
        names = sorted(each.get_coro().__qualname__ for each in every if each.get_coro())
        attempts = sorted(each.get_name() for each in every if each.get_name() == "node")
        await asyncio.sleep(0)
        assert task is not None and asyncio.current_task() is task
        return {"log": [(task.get_coro().__qualname__, names, attempts)]}

    log = run(node)
    assert {own for own, *_ in log} == {"RunnableCallable.ainvoke"}
    _, names, attempts = log[0]
    assert names.count("RunnableCallable.ainvoke") == COUNT
    assert names.count("arun_with_retry") == COUNT
    assert attempts == ["node"] * COUNT


def test_tasks_are_printed(engine: str) -> None:
    async def node(number: int) -> Any:
        if number == COUNT - 1:
            for task in asyncio.all_tasks():
                assert "node" not in task.get_name() or "arun_with_retry" in repr(task)
                task.get_stack()
        return {"log": [number]}

    assert run(node) == list(range(COUNT))


def test_what_a_node_sets_in_its_context_stays_there(engine: str) -> None:
    var: contextvars.ContextVar[Any] = contextvars.ContextVar("var", default=None)

    async def node(number: int) -> Any:
        seen = var.get()
        var.set(number)
        await asyncio.sleep(0)
        return {"log": [(seen, var.get())]}

    async def main() -> Any:
        var.set("outside")
        result = await sending(node).compile().ainvoke({"log": []})
        return result["log"], var.get()

    assert asyncio.run(main()) == ([("outside", n) for n in range(COUNT)], "outside")


@contexts
def test_a_node_sees_its_config(engine: str) -> None:
    async def node(number: int, config: RunnableConfig) -> Any:
        found = get_config()
        assert found["callbacks"] is config["callbacks"]
        info = config["configurable"]["__pregel_runtime"].execution_info
        return {
            "log": [
                (
                    config["metadata"]["langgraph_path"],
                    config["callbacks"].parent_run_id,
                    info.node_attempt,
                    info.node_first_attempt_time is not None,
                )
            ]
        }

    log = run(node)
    assert [path for path, *_ in log] == [("__pregel_push", n, False) for n in range(COUNT)]
    assert len({run_id for _, run_id, *_ in log}) == COUNT
    assert {tuple(rest) for _, _, *rest in log} == {(1, True)}


def test_a_node_that_returns_a_runnable_has_it_run(engine: str) -> None:
    async def above(number: int) -> Any:
        await asyncio.sleep(0)
        return {"log": [number * 10, get_config()["metadata"]["langgraph_node"]]}

    async def node(number: int) -> Any:
        return RunnableLambda(above)

    assert run(node, 2) == [0, "node", 10, "node"]


class Called:
    """Called like a coroutine function, with something else to await."""

    async def __call__(self, number: int) -> Any:
        await asyncio.sleep(0)
        return {"log": [number]}


def test_nodes_of_other_kinds_are_awaited(engine: str) -> None:
    assert run(Called()) == list(range(COUNT))

    async def wait(number: int) -> Any:
        await asyncio.sleep(0)
        return {"log": [number]}

    def future(number: int) -> Awaitable[Any]:
        return asyncio.ensure_future(wait(number))

    log = run(RunnableLambda(lambda number: {"log": ["sync"]}, afunc=future))
    assert log == list(range(COUNT))


def error_of(node: Callable[[int], Any]) -> Any:
    """How a run fails in which one of the nodes is this: types, texts and notes down the causes."""
    error: BaseException | None

    async def one_of_them(number: int) -> Any:
        return await node(number) if number == 1 else {"log": [number]}

    try:
        return run(one_of_them)
    except BaseException as raised:
        error = raised
    chain = []
    while error is not None:
        notes = [note.split(" and id ")[0] for note in getattr(error, "__notes__", ())]
        chain.append((type(error).__name__, str(error), notes))
        names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        chain.append(("raised in the node", node.__name__ in names))
        error = error.__cause__ or error.__context__
    return chain


async def raises(number: int) -> Any:
    raise ValueError(f"of {number}")


async def raises_later(number: int) -> Any:
    await asyncio.sleep(0)
    raise ValueError(f"of {number}")


async def raises_cancellation(number: int) -> Any:
    raise asyncio.CancelledError("its own")


async def cancels_itself(number: int) -> Any:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("itself")
    await asyncio.sleep(0)


async def stops(number: int) -> Any:
    raise StopIteration(number)


async def returns_nonsense(number: int) -> Any:
    return [number]


async def waits_for_nonsense(number: int) -> Any:
    await Nonsense()


class Nonsense:
    def __await__(self) -> Iterator[Any]:
        yield "nonsense"


async def cancels_the_attempts(number: int) -> Any:
    for task in asyncio.all_tasks():
        if task.get_name() == "node":
            task.cancel()
    await asyncio.sleep(0)
    return {"log": [number]}


@pytest.mark.parametrize(
    "node",
    [
        raises,
        raises_later,
        raises_cancellation,
        cancels_itself,
        stops,
        returns_nonsense,
        waits_for_nonsense,
        cancels_the_attempts,
    ],
)
def test_nodes_fail_as_on_stock(node: Any) -> None:
    expected = error_of(node)
    assert isinstance(expected, list)
    with fastgraph.patched(strict=True):
        assert error_of(node) == expected


def test_a_command_to_the_parent_arrives_there(engine: str) -> None:
    async def node(number: int) -> Any:
        return Command(graph=Command.PARENT, update={"log": [number]}, goto="end")

    builder = StateGraph(State).add_node("below", sending(node, 1).compile())
    builder.add_node("end", lambda state: {"log": ["end"]})
    builder.add_edge(START, "below").add_edge("end", END)
    assert asyncio.run(builder.compile().ainvoke({"log": []}))["log"] == [0, "end"]


def calls_of_the_loop(count: int) -> int:
    """How many callbacks a run queues whose nodes end one after the other."""
    calls = 0
    code = asyncio.base_events.BaseEventLoop.call_soon.__code__

    def count_call(frame: Any, event: str, arg: Any) -> None:
        nonlocal calls
        if event == "call" and frame.f_code is code:
            calls += 1

    ended = [asyncio.Event() for _ in range(count + 1)]
    ended[0].set()

    async def node(number: int) -> Any:
        await ended[number].wait()
        ended[number + 1].set()
        return {"log": [number]}

    graph = sending(node, count).compile()
    sys.setprofile(count_call)
    try:
        log = asyncio.run(graph.ainvoke({"log": []}))["log"]
    finally:
        sys.setprofile(None)
    assert log == list(range(count))
    return calls


def test_each_task_queues_as_many_callbacks_as_any_other() -> None:
    with fastgraph.patched(strict=True):
        small, large = calls_of_the_loop(20), calls_of_the_loop(220)
    # Node, attempt and run: started, woken, ended; its turns; the runner; the event.
    assert (large - small) / 200 <= 12


def held_by_each(count: int) -> float:
    """How many objects that the garbage collector follows a task holds when its node starts."""
    counts = []

    async def node(number: int) -> Any:
        if number == 0:
            counts.append(len(gc.get_objects()))
        return {"log": [number]}

    graph = sending(node, count).compile()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        asyncio.run(graph.ainvoke({"log": []}))
    finally:
        gc.enable()
    return (counts[0] - before) / count


@own_tasks
def test_a_task_holds_few_objects_while_it_waits() -> None:
    run(raises_not)
    stock = held_by_each(500)
    with fastgraph.patched(strict=True):
        run(raises_not)
        assert held_by_each(500) <= min(33, stock / 2)


async def raises_not(number: int) -> Any:
    return {"log": [number]}


KINDS = (async_futures.Futures, async_futures.Entry, async_tasks.NodeRun, async_tasks.NodeCall)


def alive() -> list[Any]:
    return [each for each in gc.get_objects() if isinstance(each, KINDS)]


@own_tasks
@pytest.mark.parametrize("node", [raises_not, Called()])
def test_a_run_leaves_no_cycles(node: Any) -> None:
    with fastgraph.patched(strict=True):
        gc.collect()
        gc.disable()
        try:
            assert run(node) == list(range(COUNT))
            assert alive() == []
        finally:
            gc.enable()


@own_tasks
@pytest.mark.filterwarnings("ignore")  # of tasks and coroutines that nobody waits for
@pytest.mark.parametrize("turns", range(4, 12))
def test_a_loop_that_is_left_takes_its_tasks_along(turns: int) -> None:
    async def node(number: int) -> Any:
        await asyncio.Event().wait()

    background: list[Any] = []

    async def leave() -> None:
        background.append(asyncio.ensure_future(sending(node).compile().ainvoke({"log": []})))
        for _ in range(turns):
            await asyncio.sleep(0)

    with fastgraph.patched(strict=True), warnings.catch_warnings(record=True):
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        loop.run_until_complete(leave())
        loop.close()
        background.clear()
        del loop
        for _ in range(3):  # what coroutines hold that are closed now is garbage only afterwards
            gc.collect()
        assert alive() == []


def test_coroutines_are_stepped_by_hand() -> None:
    attempt = async_tasks.NodeRun.__new__(async_tasks.NodeRun)
    call = async_tasks.NodeCall.__new__(async_tasks.NodeCall)
    for coroutine in (attempt, call):
        assert asyncio.iscoroutine(coroutine)
        assert coroutine.cr_await is None
        assert coroutine.__await__() is coroutine
        with pytest.raises(ValueError, match="thrown"):
            coroutine.throw(ValueError("thrown"))
        with pytest.raises(RuntimeError, match="already awaited"):
            coroutine.send(None)
        coroutine.close()


@pytest.mark.parametrize("cls", [async_tasks.NodeRun, async_tasks.NodeCall])
def test_a_coroutine_that_never_ran_warns(cls: Any) -> None:
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        cls.__new__(cls)
