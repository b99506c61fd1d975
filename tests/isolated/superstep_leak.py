"""Runs of one kind, again and again; says what is left of them. In a process of its own.

python superstep_leak.py KIND {stock,patched}
"""

import asyncio
import gc
import json
import operator
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send, interrupt

import fastgraph

ROUNDS = 200
WARM_UP = 20

Kind = Callable[[], object]


class State(TypedDict):
    n: int
    seen: Annotated[list[Any], operator.add]


def node(state: State) -> Any:
    if state["n"] < 0:
        raise LookupError("as asked")
    get_stream_writer()(state["n"])
    return {"n": state["n"] + 1, "seen": [state["n"]]}


async def anode(state: State) -> Any:
    await asyncio.sleep(0)
    return node(state)


def working(state: State) -> Any:
    return {"seen": [state["n"]]}


async def aworking(state: State) -> Any:
    await asyncio.sleep(0)
    return working(state)


def ask(state: State) -> Any:
    return {"seen": [interrupt("?")]}


def route(state: State) -> Any:
    if state["n"] < 3:
        return "node"
    return [Send("work", {"n": number, "seen": []}) for number in range(3)]


async def aroute(state: State) -> Any:
    return route(state)


def build(is_async: bool, saver: Any = None, asks: bool = False) -> Any:
    builder = StateGraph(State).add_node("node", anode if is_async else node)
    builder.add_node("work", aworking if is_async else working).add_edge(START, "node")
    builder.add_conditional_edges("node", aroute if is_async else route, ["node", "work"])
    builder.add_node("ask", ask if asks else working)
    return builder.add_edge("work", "ask").add_edge("ask", END).compile(checkpointer=saver)


GRAPH, AGRAPH = build(False), build(True)
LOOP = asyncio.new_event_loop()
GIVEN: Any = {"n": 0, "seen": []}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def run(coroutine: Any) -> Any:
    return LOOP.run_until_complete(coroutine)


def invoked() -> None:
    GRAPH.invoke(GIVEN)


def ainvoked() -> None:
    run(AGRAPH.ainvoke(GIVEN))


def heard() -> None:
    GRAPH.invoke(GIVEN, {"callbacks": [BaseCallbackHandler()]})


def aheard() -> None:
    run(AGRAPH.ainvoke(GIVEN, {"callbacks": [BaseCallbackHandler()]}))


def streamed() -> None:
    list(GRAPH.stream(GIVEN, stream_mode=["messages", "custom", "debug"], subgraphs=True))


def astreamed() -> None:
    async def drain() -> None:
        async for _ in AGRAPH.astream(GIVEN, stream_mode=["messages", "custom", "debug"]):
            pass

    run(drain())


def closed_early() -> None:
    stream = GRAPH.stream(GIVEN, stream_mode=["updates", "custom"])
    next(stream)
    stream.close()


def given_up() -> None:
    next(GRAPH.stream(GIVEN, stream_mode="updates"))


def aclosed_early() -> None:
    async def close() -> None:
        stream = AGRAPH.astream(GIVEN, stream_mode=["updates", "custom"])
        await anext(stream)
        await stream.aclose()

    run(close())


def cancelled() -> None:
    async def cancel() -> None:
        running = asyncio.ensure_future(AGRAPH.ainvoke(GIVEN))
        for _ in range(5):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(cancel())


def failed() -> None:
    try:
        GRAPH.invoke({"n": -1, "seen": []})
    except LookupError:
        return
    raise AssertionError("it did not fail")


def afailed() -> None:
    try:
        run(AGRAPH.ainvoke({"n": -1, "seen": []}))
    except LookupError:
        return
    raise AssertionError("it did not fail")


def interrupted() -> None:
    build(False, InMemorySaver(), asks=True).invoke(GIVEN, THREAD)


def ainterrupted() -> None:
    run(build(True, InMemorySaver(), asks=True).ainvoke(GIVEN, THREAD))


def saved() -> None:
    for durability in ("sync", "async", "exit"):
        build(False, InMemorySaver()).invoke(GIVEN, THREAD, durability=durability)


def nested() -> None:
    builder = StateGraph(State).add_node("inner", GRAPH).add_edge(START, "inner")
    builder.compile(checkpointer=InMemorySaver()).invoke(GIVEN, THREAD)


@task
def double(number: int) -> int:
    return number * 2


@entrypoint()
def work(number: int) -> int:
    return sum(each.result() for each in [double(1), double(2)])


def functional() -> None:
    work.invoke(1)


@task
async def adouble(number: int) -> int:
    return number * 2


@entrypoint()
async def awork(number: int) -> int:
    return sum(await asyncio.gather(adouble(1), adouble(2)))


def afunctional() -> None:
    run(awork.ainvoke(1))


KINDS: list[Kind] = [
    invoked,
    ainvoked,
    heard,
    aheard,
    streamed,
    astreamed,
    closed_early,
    given_up,
    aclosed_early,
    cancelled,
    failed,
    afailed,
    interrupted,
    ainterrupted,
    saved,
    nested,
    functional,
    afunctional,
]


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(item).__qualname__ for item in gc.get_objects())


def threads_end() -> int:
    """The number of threads, once those that are about to end have ended."""
    deadline = time.monotonic() + 30
    while threading.active_count() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    return threading.active_count()


def main(name: str, engine: str) -> None:
    kind = next(each for each in KINDS if each.__name__ == name)
    if engine == "patched":
        fastgraph.patch()
    for _ in range(WARM_UP):  # what is made once is made now
        kind()
    before, blocks, counted = kinds(), sys.getallocatedblocks(), sys.getrefcount(None)
    for _ in range(ROUNDS):
        kind()
    after, blocks_after, counted_after = kinds(), sys.getallocatedblocks(), sys.getrefcount(None)
    run(LOOP.shutdown_default_executor())
    LOOP.close()
    report = {
        "grown": {
            each: number - before[each]
            for each, number in after.items()
            if number - before[each] >= ROUNDS // 2
        },
        "blocks per round": (blocks_after - blocks) / ROUNDS,
        "references to None per round": (counted_after - counted) / ROUNDS,
        "threads": threads_end(),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
