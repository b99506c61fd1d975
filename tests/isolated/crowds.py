"""Many runs at once on one graph and one saver, in a process of its own that says where it hangs.

python crowds.py SCENARIO {stock,patched,switching}
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import operator
import sys
import threading
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

import fastgraph

#: Seconds after which a process that hangs says where, and ends.
PATIENCE = 250
THREADS = 200
TASKS = 2000


class State(TypedDict):
    n: int
    seen: Annotated[list[Any], operator.add]


def plan(state: State) -> Any:
    return {"n": state["n"] + 1, "seen": [("plan", state["n"])]}


def work(state: State) -> Any:
    return {"seen": [("work", state["n"])]}


def ask(state: State) -> Any:
    return {"seen": [("asked", interrupt(state["n"]))]}


def route(state: State) -> Any:
    return [Send("work", {"n": state["n"] * 10 + part, "seen": []}) for part in range(3)]


def again(state: State) -> Any:
    return "plan" if len(state["seen"]) < 4 else "ask"


async def aplan(state: State) -> Any:
    await asyncio.sleep(0)
    return plan(state)


async def awork(state: State) -> Any:
    await asyncio.sleep(0)
    return work(state)


async def aask(state: State) -> Any:
    return ask(state)


async def on_a_loop_of_its_own(state: State) -> Any:
    """Run another graph on a new event loop, in a thread of its own."""
    inner = built(InMemorySaver(), is_async=True)
    found: list[Any] = []

    def run() -> None:
        found.append(asyncio.run(a_run(inner, state["n"])))

    thread = threading.Thread(target=run)
    thread.start()
    await asyncio.to_thread(thread.join)
    return {"seen": [found[0][0]["seen"][-1]]}


def built(saver: Any, *, is_async: bool) -> Any:
    builder = StateGraph(State)
    builder.add_node("plan", aplan if is_async else plan)
    builder.add_node("work", awork if is_async else work)
    builder.add_node("join", lambda state: None)
    builder.add_node("ask", aask if is_async else ask)
    builder.add_edge(START, "plan").add_conditional_edges("plan", route, ["work"])
    builder.add_edge("work", "join").add_conditional_edges("join", again, ["plan", "ask"])
    return builder.add_edge("ask", END).compile(checkpointer=saver)


def shown(states: list[Any]) -> Any:
    return [(state.values, state.next, state.metadata["step"]) for state in states]


def config_of(number: int) -> Any:
    return {"configurable": {"thread_id": str(number)}, "max_concurrency": number % 3 or None}


def a_sync_run(graph: Any, number: int) -> Any:
    """A run to its interrupt, its end, and its history."""
    config = config_of(number)
    graph.invoke({"n": number, "seen": []}, config)
    ended = graph.invoke(Command(resume=f"answer {number}"), config)
    return ended, shown([*graph.get_state_history(config)])


async def a_run(graph: Any, number: int) -> Any:
    config = config_of(number)
    await graph.ainvoke({"n": number, "seen": []}, config)
    ended = await graph.ainvoke(Command(resume=f"answer {number}"), config)
    return ended, shown([state async for state in graph.aget_state_history(config)])


def threads_at_once() -> None:
    """200 threads, each with a run of its own."""
    expected = [a_sync_run(built(InMemorySaver(), is_async=False), n) for n in range(5)]
    graph = built(InMemorySaver(), is_async=False)
    found: dict[int, Any] = {}
    with switching():

        def run(number: int) -> None:
            found[number] = a_sync_run(graph, number)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == THREADS
    check(found, expected)


def tasks_at_once() -> None:
    """2,000 tasks of one event loop."""

    async def alone(number: int) -> Any:
        return await a_run(built(InMemorySaver(), is_async=True), number)

    async def together() -> Any:
        graph = built(InMemorySaver(), is_async=True)
        return await asyncio.gather(*(a_run(graph, number) for number in range(TASKS)))

    expected = [asyncio.run(alone(number)) for number in range(5)]
    with switching():
        found = dict(enumerate(run_on_loop(together())))
    check(found, expected)


def check(found: dict[int, Any], expected: list[Any]) -> None:
    """The first few are those of stock, one by one; the others differ by their number alone."""
    for number, run in enumerate(expected):
        assert found[number] == run, (number, found[number], run)
    for number, (ended, history) in found.items():
        assert [*ended["seen"][0]] == ["plan", number]
        assert [*ended["seen"][-1]] == ["asked", f"answer {number}"]
        assert len(history) == len(expected[0][1]), number


def tasks_on_uvloop() -> None:
    """The same on another event loop than asyncio's."""
    import uvloop

    LOOPS.append(uvloop.new_event_loop)
    tasks_at_once()


def loops_in_loops() -> None:
    """Nodes that run graphs on event loops of their own, while their own goes on."""

    async def together() -> Any:
        builder = StateGraph(State).add_node("node", on_a_loop_of_its_own)
        graph = builder.add_edge(START, "node").compile()
        runs = [graph.ainvoke({"n": number, "seen": []}) for number in range(20)]
        return await asyncio.gather(*runs)

    with switching():
        found = run_on_loop(together())
    for number, state in enumerate(found):
        assert state["seen"] == [("asked", f"answer {number}")], state


LOOPS: list[Any] = [asyncio.new_event_loop]


def run_on_loop(work: Any) -> Any:
    loop = LOOPS[-1]()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


MODE = ["stock"]


@contextlib.contextmanager
def switching() -> Iterator[None]:
    """Have the crowd run patched, or patched and unpatched meanwhile by another thread."""
    if MODE[0] == "patched":
        with fastgraph.patched():
            yield
    elif MODE[0] == "switching":
        stop = threading.Event()

        def switch() -> None:
            while not stop.wait(0.001):
                fastgraph.patch()
                fastgraph.unpatch()

        thread = threading.Thread(target=switch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
    else:
        yield


SCENARIOS = [threads_at_once, tasks_at_once, tasks_on_uvloop, loops_in_loops]


def main(name: str, mode: str) -> None:
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    MODE[0] = mode
    next(each for each in SCENARIOS if each.__name__ == name)()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
