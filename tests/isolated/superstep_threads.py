"""Graphs that need many threads, in a process of its own that says where it hangs.

python superstep_threads.py SCENARIO {stock,patched}
"""

import asyncio
import contextvars
import faulthandler
import operator
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Send

import fastgraph

#: Seconds after which a process that hangs says where, and ends.
PATIENCE = 100

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")
LOCAL = threading.local()


class State(TypedDict):
    n: int
    seen: Annotated[list[Any], operator.add]


def count(state: State) -> Any:
    return {"seen": [state["n"]]}


def nested(depth: int, saver: Any = None) -> Any:
    """A graph in a graph in a graph, each invoked by a node; without a saver it is inherited."""
    inner = StateGraph(State).add_node("count", count).add_edge(START, "count").compile()
    for level in range(depth):

        def call(state: State, inner: Any = inner) -> Any:
            return {"seen": inner.invoke({"n": state["n"], "seen": []})["seen"]}

        builder = StateGraph(State).add_node("call", call).add_node("count", count)
        builder.add_edge(START, "call").add_edge("call", "count")
        inner = builder.compile(checkpointer=saver if level == depth - 1 else None)
    return inner


def fan_out(tasks: int, depth: int, config: Any) -> Any:
    inner = nested(depth)

    def call(state: State) -> Any:
        return {"seen": inner.invoke({"n": state["n"], "seen": []})["seen"]}

    def route(state: State) -> Any:
        return [Send("call", {"n": number, "seen": []}) for number in range(tasks)]

    builder = StateGraph(State).add_node("call", call)
    builder.add_conditional_edges(START, route, ["call"])
    graph = builder.compile(checkpointer=InMemorySaver())
    found = graph.invoke({"n": 0}, {"configurable": {"thread_id": "1"}, **config})["seen"]
    assert found == [number for number in range(tasks) for _ in range(depth + 1)], len(found)
    return graph


def many_sends() -> None:
    fan_out(200, 3, {})


def many_sends_one_at_a_time() -> None:
    fan_out(200, 3, {"max_concurrency": 1})


def many_sends_two_at_a_time() -> None:
    fan_out(200, 3, {"max_concurrency": 2})


def many_sends_streamed() -> None:
    graph = fan_out(10, 1, {"max_concurrency": 3})
    for mode in ("custom", "messages", "updates"):
        config = {"configurable": {"thread_id": mode}, "max_concurrency": 3}
        assert list(graph.stream({"n": 0}, config, stream_mode=mode, subgraphs=True)) or mode


def many_runs_in_threads() -> None:
    graph = nested(2, InMemorySaver())

    def run(number: int) -> Any:
        config = {"configurable": {"thread_id": str(number)}, "max_concurrency": 2}
        return graph.invoke({"n": number, "seen": []}, config)["seen"]

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(run, range(200))) == [[number] * 3 for number in range(200)]


def tasks_that_call_tasks() -> None:
    @task
    def leaf(number: int) -> int:
        return number

    @task
    def branch(number: int) -> int:
        return sum(each.result() for each in [leaf(number), leaf(number)])

    @entrypoint(checkpointer=InMemorySaver())
    def work(number: int) -> int:
        return sum(each.result() for each in [branch(index) for index in range(number)])

    config = {"configurable": {"thread_id": "1"}}
    # Each waits in a thread for another one, of which there are few: more would hang on stock.
    assert work.invoke(3, config) == 2 * sum(range(3))


def contexts_do_not_leak() -> None:
    def node(state: State) -> Any:
        before = VARIABLE.get(), getattr(LOCAL, "run", None)
        VARIABLE.set(f"by {state['n']}")
        return {"seen": [before]}

    def route(state: State) -> Any:
        return [Send("node", {"n": number, "seen": []}) for number in range(8)]

    builder = StateGraph(State).add_node("node", node)
    builder.add_conditional_edges(START, route, ["node"])
    graph = builder.compile()
    for run in range(20):
        VARIABLE.set(f"run {run}")
        found = graph.invoke({"n": 0, "seen": []})["seen"]
        assert found == [(f"run {run}", None)] * 8, found


def thread_locals_do_not_leak() -> None:
    """What a node leaves in its thread is not there for another run to find, as on stock."""

    def node(state: State) -> Any:
        before = getattr(LOCAL, "run", None)
        LOCAL.run = state["n"]
        return {"seen": [before]}

    def route(state: State) -> Any:
        return [Send("node", {"n": state["n"], "seen": []}) for _ in range(4)]

    builder = StateGraph(State).add_node("node", node)
    builder.add_conditional_edges(START, route, ["node"])
    graph = builder.compile()
    for run in range(20):
        found = graph.invoke({"n": run, "seen": []})["seen"]
        assert {*found} <= {None, run}, (run, found)
    assert getattr(LOCAL, "run", None) is None


def after_a_fork() -> None:
    graph = fan_out(8, 1, {})
    child = os.fork()
    if not child:
        config = {"configurable": {"thread_id": "child"}}
        same = graph.invoke({"n": 0, "seen": []}, config)["seen"] == sorted([*range(8)] * 2)
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    fan_out(8, 1, {})


def exits_while_threads_idle() -> None:
    fan_out(8, 1, {})
    held = nested(1, InMemorySaver())
    stream = held.stream({"n": 0, "seen": []}, {"configurable": {"thread_id": "1"}})
    next(stream)
    globals()["kept"] = stream  # still open when the interpreter ends


def runs_at_exit() -> None:
    import atexit

    graph = nested(1, None)
    # Threads cannot be started any more, which a run without parallel nodes does not need.
    atexit.register(lambda: print(graph.invoke({"n": 5, "seen": []})["seen"]))


def switched_while_running() -> None:
    """Another thread patches and unpatches while many run."""
    stop = threading.Event()

    def switch() -> None:
        while not stop.is_set():
            fastgraph.patch()
            fastgraph.unpatch()

    thread = threading.Thread(target=switch)
    thread.start()
    try:
        many_runs_in_threads()
        fan_out(30, 2, {"max_concurrency": 4})
        tasks_that_call_tasks()
        many_async_runs()
    finally:
        stop.set()
        thread.join()


def many_async_runs() -> None:
    async def node(state: State) -> Any:
        await asyncio.sleep(0)
        return {"seen": [state["n"]]}

    inner = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()

    async def call(state: State) -> Any:
        return {"seen": (await inner.ainvoke({"n": state["n"], "seen": []}))["seen"]}

    async def route(state: State) -> Any:
        return [Send("call", {"n": number, "seen": []}) for number in range(20)]

    builder = StateGraph(State).add_node("call", call)
    builder.add_conditional_edges(START, route, ["call"])
    graph = builder.compile(checkpointer=InMemorySaver())

    async def run(number: int) -> Any:
        config = {"configurable": {"thread_id": str(number)}, "max_concurrency": number % 4 or None}
        return (await graph.ainvoke({"n": 0, "seen": []}, config))["seen"]

    async def run_all() -> Any:
        return await asyncio.gather(*(run(number) for number in range(20)))

    assert asyncio.run(run_all()) == [list(range(20))] * 20


SCENARIOS = [
    many_sends,
    many_sends_one_at_a_time,
    many_sends_two_at_a_time,
    many_sends_streamed,
    many_runs_in_threads,
    many_async_runs,
    tasks_that_call_tasks,
    contexts_do_not_leak,
    thread_locals_do_not_leak,
    after_a_fork,
    exits_while_threads_idle,
    runs_at_exit,
    switched_while_running,
]


def main(name: str, engine: str) -> None:
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    if engine == "patched" and name != "switched_while_running":
        fastgraph.patch()
    next(each for each in SCENARIOS if each.__name__ == name)()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
