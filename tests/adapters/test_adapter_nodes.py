"""Nodes, paths and handlers see the same of a run, and the event loop turns as often."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from adapter_nodes import (
    AsyncRecorder,
    Ids,
    Late,
    Recorder,
    State,
    observed_async,
    observed_sync,
    observing,
    turning,
    turns,
)
from langchain_core.callbacks.manager import AsyncCallbackManager, CallbackManager
from langchain_core.tracers.context import collect_runs
from langgraph.graph import END, START, StateGraph

import fastgraph

#: Of a run of a node; what others replace is tested elsewhere.
REPLACED = [
    "run_with_retry",
    "RunnableSeq.invoke",
    "RunnableCallable.invoke",
    "arun_with_retry",
    "RunnableSeq.ainvoke",
    "RunnableCallable.ainvoke",
    "get_callback_manager_for_config",
    "get_async_callback_manager_for_config",
    "_merge_metadata_dicts",
    "BaseCallbackManager.add_metadata",
    "ParentRunManager.get_child",
    "AsyncParentRunManager.get_child",
    "CallbackManager.on_chain_start",
]


@contextlib.contextmanager
def ours() -> Iterator[None]:
    with fastgraph.patched() as status:
        here = [target.name for target in status.targets if target.active]
    with fastgraph.patched([name for name in REPLACED if name in here], strict=True):
        yield


def check(scenario: Callable[[], Any]) -> Any:
    """A scenario seen with stock, which is the same with what replaces it."""
    expected = scenario()
    assert scenario() == expected  # or there is nothing to compare
    with ours():
        assert scenario() == expected
    return expected


#: How often such a scenario is tried on both sides.
TRIES = 6


def check_one_of(scenario: Callable[[], Any], times: int = 8) -> Any:
    """The same for a scenario with threads side by side, which has a few outcomes with stock.

    One of these has to be seen with what replaces it, within as many runs. As some outcomes are
    rare on a busy machine, both sides may try several times.
    """
    expected: list[Any] = []
    for _ in range(TRIES):
        expected += [scenario() for _ in range(times)]
        with ours():
            for _ in range(times):
                outcome = scenario()
                if outcome in expected:
                    return outcome
    assert outcome in expected
    return outcome


CONFIGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "tags": {"tags": ["a", "seq:step:2"], "metadata": {"lc_versions": {"a": 1}, "mine": 2}},
    "one handler": {"callbacks": [Recorder]},
    "a handler that fails": {"callbacks": [Late, Recorder], "tags": ["b"]},
    "a name": {"run_name": "named", "callbacks": [Recorder]},
}
EACH = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
RAISING = pytest.mark.parametrize("raises", [False, True], ids=["succeeds", "fails"])


@EACH
@RAISING
def test_sync_nodes_and_handlers_see_the_same(config: Any, raises: bool) -> None:
    make = partial(observing, is_async=False, raises=raises)
    _, log, _ = check_one_of(lambda: observed_sync(make, config))
    assert len(log) > 5


@EACH
@RAISING
@pytest.mark.parametrize("is_async", [False, True], ids=["sync nodes", "async nodes"])
def test_async_nodes_and_handlers_see_the_same(config: Any, raises: bool, is_async: bool) -> None:
    make = partial(observing, is_async=is_async, raises=raises)
    if sys.version_info < (3, 11):
        pytest.skip("get_config() in async nodes needs Python 3.11")
    check_one_of(lambda: observed_async(make, config))


@RAISING
def test_async_handlers_see_the_same(raises: bool) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("get_config() in async nodes needs Python 3.11")
    make = partial(observing, is_async=True, raises=raises)
    check_one_of(lambda: observed_async(make, {"callbacks": [AsyncRecorder, Recorder]}))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_tracers_record_the_same_runs(is_async: bool) -> None:
    def tree(run: Any) -> Any:
        return (
            run.name,
            run.run_type,
            run.inputs,
            run.outputs,
            sorted(run.tags or ()),
            [tree(child) for child in run.child_runs],
        )

    def scenario() -> Any:
        if is_async and sys.version_info < (3, 11):
            return None
        with collect_runs() as collected:
            graph = observing(Ids(), [], is_async)
            if is_async:
                asyncio.run(graph.ainvoke({"count": 0}))
            else:
                graph.invoke({"count": 0})
        return [tree(run) for run in collected.traced_runs]

    check(scenario)


def test_a_handler_that_joins_late_hears_the_end() -> None:
    """Somebody who kept the manager of a run adds a handler while the run is on."""

    def scenario() -> Any:
        log: list[Any] = []
        ids = Ids()
        manager = CallbackManager(handlers=[])

        def node(state: State) -> Any:
            manager.add_handler(Recorder(ids, log))
            return {"count": 1}

        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        bound = builder.compile().nodes["node"].node
        assert bound is not None
        config: Any = {"callbacks": manager, "configurable": {"__pregel_send": log.append}}
        bound.invoke({"count": 0}, config)
        return log

    assert len(check(scenario)) == 2


def test_a_handler_that_joins_late_hears_the_end_of_an_async_run() -> None:
    def scenario() -> Any:
        log: list[Any] = []
        ids = Ids()
        manager = AsyncCallbackManager(handlers=[])

        async def node(state: State) -> Any:
            manager.add_handler(Recorder(ids, log))
            raise RuntimeError("no")

        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        bound = builder.compile().nodes["node"].node
        assert bound is not None
        config: Any = {"callbacks": manager, "configurable": {"__pregel_send": log.append}}
        with pytest.raises(RuntimeError):
            asyncio.run(bound.ainvoke({"count": 0}, config))
        return log

    assert len(check(scenario)) == 1


@pytest.mark.parametrize("graphs", [1, 2, 3])
@pytest.mark.parametrize("ticks", [False, True], ids=["alone", "next to a ticker"])
def test_the_event_loop_turns_as_often(graphs: int, ticks: bool) -> None:
    check(lambda: asyncio.run(turns(graphs, None, ticks)))


@pytest.mark.parametrize("graphs", [1, 2])
def test_a_cancellation_arrives_at_the_same_turn(graphs: int) -> None:
    log, _ = asyncio.run(turns(graphs, None, True))
    last = max(entry[1] for entry in log)
    for turn in range(1, last + 1):
        check(partial(_cancelled, graphs, turn))


def _cancelled(graphs: int, turn: int) -> Any:
    return asyncio.run(turns(graphs, turn, True))


def failing(note: Callable[..., None]) -> Any:
    async def fails(state: State) -> Any:
        note("fails")
        await asyncio.sleep(0)
        raise RuntimeError("no")

    async def waits(state: State) -> Any:
        note("waits")
        try:
            for _ in range(20):
                await asyncio.sleep(0)
                note("waiting")
        finally:
            note("stopped")
        return {}

    async def path(state: State) -> Any:
        note("path")
        raise KeyError("nowhere")

    builder = StateGraph(State).add_node("fails", fails).add_node("waits", waits)
    builder.add_edge(START, "fails").add_edge(START, "waits")
    builder.add_conditional_edges("waits", path, [END])
    return builder.compile()


def cancelling(note: Callable[..., None]) -> Any:
    async def node(state: State) -> Any:
        note("node")
        task = asyncio.current_task()
        assert task is not None
        if state.get("count", 0) == 1:
            raise asyncio.CancelledError("of its own")
        note(task.cancelling() if hasattr(task, "cancelling") else 0)
        return {"count": state.get("count", 0) + 1}

    async def path(state: State) -> Any:
        note("path")
        return "node"

    builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
    return builder.add_conditional_edges("node", path, ["node", END]).compile()


@pytest.mark.parametrize("build", [failing, cancelling])
@pytest.mark.parametrize("graphs", [1, 2])
@pytest.mark.parametrize("ticks", [False, True], ids=["alone", "next to a ticker"])
def test_failures_arrive_at_the_same_turn(build: Any, graphs: int, ticks: bool) -> None:
    check(lambda: asyncio.run(turns(graphs, None, ticks, build)))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_turn_as_often() -> None:
    async def run() -> Any:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        return await turns(2, None, True)

    check(lambda: asyncio.run(run()))


def test_a_loop_in_debug_mode_turns_as_often() -> None:
    check(lambda: asyncio.run(turns(2, None, True), debug=True))


def test_a_timer_goes_off_in_the_same_turn() -> None:
    async def run() -> Any:
        log: list[Any] = []
        loop = asyncio.get_running_loop()

        def note(what: Any) -> None:
            log.append(what)
            loop.call_later(0, log.append, "timer")

        await turning(note).ainvoke({"count": 0})
        return log

    check(lambda: asyncio.run(run()))


def test_what_is_read_from_a_socket_in_the_same_loop_arrives_in_the_same_order() -> None:
    async def run() -> Any:
        import socket

        log: list[Any] = []
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        left.setblocking(False)
        right.setblocking(False)
        loop.add_reader(right, lambda: log.append(right.recv(10)))

        def note(what: Any) -> None:
            log.append(what)
            left.send(b"x")

        await turning(note).ainvoke({"count": 0})
        loop.remove_reader(right)
        left.close()
        right.close()
        return log

    check(lambda: asyncio.run(run()))


def test_a_cancellation_that_the_run_asks_for_itself_is_met_at_the_same_place() -> None:
    """A path that is no coroutine function is called in the task of the run itself."""

    async def run() -> Any:
        log: list[Any] = []

        async def node(state: State) -> Any:
            log.append("node")
            return {"count": state.get("count", 0) + 1}

        def mapper(value: Any) -> Any:
            task = asyncio.current_task()
            assert task is not None
            log.append("written")
            task.cancel()
            return [("count", 1)]

        from langgraph.pregel._write import ChannelWrite, ChannelWriteTupleEntry

        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        graph = builder.compile()
        graph.nodes["node"].writers.append(ChannelWrite((ChannelWriteTupleEntry(mapper=mapper),)))
        try:
            log.append(await graph.ainvoke({"count": 0}))
        except asyncio.CancelledError:
            log.append("cancelled")
        return log

    check(lambda: asyncio.run(run()))


def test_a_sequence_starts_where_its_constructor_was_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As instrumentations do that add a handler to every manager."""
    from langchain_core.callbacks.base import BaseCallbackManager

    def scenario() -> Any:
        log: list[Any] = []
        ids = Ids()
        before = BaseCallbackManager.__init__

        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            before(self, *args, **kwargs)
            if not self.inheritable_handlers:
                self.add_handler(Recorder(ids, log))

        with monkeypatch.context() as patch:
            patch.setattr(BaseCallbackManager, "__init__", init)
            observing(ids, [], False).invoke({"count": 0})
        return [(event, value) for event, value, _ in log]

    assert check(scenario)


# What nodes do to the loop that runs them, with nothing else on it


def spawning(note: Callable[..., None]) -> Any:
    """Nodes and paths that queue callbacks and tasks of their own."""
    kept: list[Any] = []

    async def background(which: str) -> None:
        note(f"{which} begins")
        await asyncio.sleep(0)
        note(f"{which} goes on")

    async def node(state: State) -> Any:
        count = state.get("count", 0)
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda done: note(f"node {count} is done {done.cancelled()}"))
        if count % 2:
            kept.append(asyncio.create_task(background(f"task {count}")))
            loop.call_soon(note, f"soon {count}")
        if count == 2:
            await asyncio.sleep(0)
        note(f"node {count}")
        return {"count": count + 1}

    async def path(state: State) -> Any:
        if state["count"] == 3:
            asyncio.get_running_loop().call_soon(note, "soon of a path")
        note("path")
        return "node" if state["count"] < 5 else END

    builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
    return builder.add_conditional_edges("node", path, ["node", END]).compile()


def cancelled_from_within(note: Callable[..., None], where: str, waits: bool) -> Any:
    """A node or a path cancels the task that runs the graph."""
    runs: list[Any] = [asyncio.current_task()]

    async def cancel(what: str) -> None:
        if what != where:
            return
        note(f"{what} cancels")
        note([task.cancel() for task in asyncio.all_tasks() if task is not asyncio.current_task()])
        if waits:
            try:
                await asyncio.sleep(0)
                note("not cancelled")
            finally:
                note("waited")

    async def node(state: State) -> Any:
        await cancel("node")
        return {"count": state.get("count", 0) + 1}

    async def path(state: State) -> Any:
        await cancel("path")
        note("path")
        return "node" if state["count"] < 3 else END

    assert runs
    builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
    return builder.add_conditional_edges("node", path, ["node", END]).compile()


@pytest.mark.parametrize("ticks", [False, True], ids=["alone", "next to a ticker"])
def test_what_a_node_queues_runs_in_the_same_order(ticks: bool) -> None:
    check(lambda: asyncio.run(turns(1, None, ticks, spawning)))


@pytest.mark.parametrize("where", ["node", "path"])
@pytest.mark.parametrize("waits", [False, True], ids=["returns", "waits"])
def test_a_run_that_is_cancelled_from_within_ends_the_same(where: str, waits: bool) -> None:
    build = partial(cancelled_from_within, where=where, waits=waits)

    async def run() -> Any:
        log: list[Any] = []
        graph = build(log.append)
        ends: Any = await asyncio.gather(
            asyncio.create_task(graph.ainvoke({"count": 0})), return_exceptions=True
        )
        return log, [type(end).__name__ for end in ends]

    def scenario() -> Any:
        try:
            return asyncio.run(run())
        except asyncio.CancelledError:
            return "the caller was cancelled"

    check(scenario)

    async def alone() -> Any:
        log: list[Any] = []
        try:
            log.append(await build(log.append).ainvoke({"count": 0}))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            log.append((error.args, task.uncancel() if hasattr(task, "uncancel") else 0))
            await asyncio.sleep(0)
        return log

    check(lambda: asyncio.run(alone()))


@pytest.mark.parametrize("where", ["node", "path"])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, StopAsyncIteration, ValueError])
def test_what_no_task_keeps_leaves_the_loop(where: str, error: type[BaseException]) -> None:
    def scenario() -> Any:
        log: list[Any] = []

        async def node(state: State) -> Any:
            if where == "node":
                raise error("node")
            return {"count": 1}

        async def path(state: State) -> Any:
            raise error("path")

        async def run() -> None:
            try:
                await graph.ainvoke({"count": 0}, {"callbacks": []})
            except BaseException as caught:
                log.append((type(caught).__name__, type(caught.__context__).__name__))
                raise
            finally:
                log.append("left")

        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        graph = builder.add_conditional_edges("node", path, [END]).compile()
        try:
            asyncio.run(run())
        except BaseException as caught:
            log.append((type(caught).__name__, caught.args, type(caught.__context__).__name__))
        return log

    check(scenario)


def test_an_exception_that_is_being_handled_is_not_the_context_of_a_nodes() -> None:
    async def run() -> Any:
        async def node(state: State) -> Any:
            raise KeyError("of the node")

        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        try:
            raise ValueError("of the caller")
        except ValueError:
            try:
                await builder.compile().ainvoke({"count": 0})
            except KeyError as error:
                chain = []
                seen: BaseException | None = error
                while seen is not None:
                    chain.append(type(seen).__name__)
                    seen = seen.__context__
                return chain

    check(lambda: asyncio.run(run()))


def test_graphs_inside_each_other_go_deep() -> None:
    async def run() -> Any:
        log: list[Any] = []

        async def node(state: State) -> Any:
            count = state["count"]
            if count < 20:
                await graph.ainvoke({"count": count + 1})
            log.append(count)
            return {"count": count}

        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        graph = builder.compile()
        await graph.ainvoke({"count": 0})
        return log

    check(lambda: asyncio.run(run()))
