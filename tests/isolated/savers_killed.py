"""Runs of a graph on a database, each in a child that dies where it is told to.

python savers_killed.py {stock,patched}

Reads orders, one JSON object on a line; answers each with a line. Forked from a process that has
imported everything, a child costs little. It kills itself right before the database gets its nth
statement, so nothing it has not committed by then is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import operator
import os
import random
import signal
import sys
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Send

import fastgraph

ROUNDS = 3
WIDE = 3


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]
    seen: Annotated[list[str], operator.add]
    number: int


def model(state: State) -> Any:
    number = state["number"] + 1
    message = AIMessage(f"answer {number}", id=f"ai-{number}")
    return {"messages": [message], "seen": [f"model {number}"], "number": number}


def route(state: State) -> Any:
    if state["number"] > ROUNDS:
        return END
    return [Send("work", {"number": state["number"], "part": part}) for part in range(WIDE)]


def work(given: Any) -> Any:
    return {"seen": [f"work {given['number']}.{given['part']}"]}


async def amodel(state: State) -> Any:
    return model(state)


async def awork(given: Any) -> Any:
    return work(given)


def build(saver: Any, *, is_async: bool) -> Any:
    builder = StateGraph(State)
    builder.add_node("model", amodel if is_async else model)
    builder.add_node("work", awork if is_async else work)
    builder.add_edge(START, "model").add_conditional_edges("model", route, ["work", END])
    return builder.add_edge("work", "model").compile(checkpointer=saver)


def given() -> Any:
    """The first input; messages that stay."""
    messages = [HumanMessage(f"question {n}", id=f"human-{n}") for n in range(5)]
    return {"messages": messages, "seen": ["input"], "number": 0}


class Fuse:
    """Counts statements, and ends the process at one of them."""

    def __init__(self, end: int | None) -> None:
        self.end = end
        self.count = 0

    def __call__(self, statement: object = None) -> None:
        self.count += 1
        if self.count == self.end:
            os.kill(os.getpid(), signal.SIGKILL)


def config_of(order: Any) -> Any:
    return {"configurable": {"thread_id": order["thread"]}}


def remaining(stored: Any) -> Any:
    """What to invoke with: the input if nothing was stored, else what is stored."""
    return given() if stored is None else None


def outcome(snapshot: Any, fuse: Fuse) -> Any:
    values = snapshot.values
    return {
        "messages": [repr(message) for message in values["messages"]],
        "seen": values["seen"],
        "number": values["number"],
        "next": snapshot.next,
        "statements": fuse.count,
    }


def use(saver: Any, order: Any, fuse: Fuse) -> Any:
    graph, config = build(saver, is_async=False), config_of(order)
    graph.invoke(remaining(saver.get_tuple(config)), config, durability=order["durability"])
    return outcome(graph.get_state(config), fuse)


async def ause(saver: Any, order: Any, fuse: Fuse) -> Any:
    graph, config = build(saver, is_async=True), config_of(order)
    rest = remaining(await saver.aget_tuple(config))
    await graph.ainvoke(rest, config, durability=order["durability"])
    return outcome(await graph.aget_state(config), fuse)


def with_sqlite(order: Any, fuse: Fuse) -> Any:
    with SqliteSaver.from_conn_string(order["uri"]) as saver:
        saver.setup()
        saver.conn.set_trace_callback(fuse)
        return use(saver, order, fuse)


def with_async_sqlite(order: Any, fuse: Fuse) -> Any:
    async def run() -> Any:
        async with AsyncSqliteSaver.from_conn_string(order["uri"]) as saver:
            await saver.setup()
            await saver.conn.set_trace_callback(fuse)
            return await ause(saver, order, fuse)

    return asyncio.run(run())


@contextlib.contextmanager
def fused(kind: Any, fuse: Fuse) -> Iterator[None]:
    """Tell the fuse before a cursor class sends anything."""

    def telling(method: Any) -> Any:
        def tell(*arguments: Any, **named: Any) -> Any:
            fuse()
            return method(*arguments, **named)

        return tell

    names = ("execute", "executemany")
    stock = {name: getattr(kind, name) for name in names}
    for name, method in stock.items():
        setattr(kind, name, telling(method))
    try:
        yield
    finally:
        for name, method in stock.items():
            setattr(kind, name, method)


OPTIONS: Any = {"autocommit": True, "prepare_threshold": 0}


def with_postgres(order: Any, fuse: Fuse) -> Any:
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(order["uri"]) as saver, fused(psycopg.Cursor, fuse):
        return use(saver, order, fuse)


def with_postgres_pool(order: Any, fuse: Fuse) -> Any:
    import psycopg
    import psycopg_pool
    from langgraph.checkpoint.postgres import PostgresSaver

    with psycopg_pool.ConnectionPool(order["uri"], min_size=3, kwargs=OPTIONS, open=True) as pool:
        pool.wait()
        with fused(psycopg.Cursor, fuse):
            return use(PostgresSaver(pool), order, fuse)


def with_async_postgres_pool(order: Any, fuse: Fuse) -> Any:
    import psycopg
    import psycopg_pool
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    async def run() -> Any:
        async with psycopg_pool.AsyncConnectionPool(
            order["uri"], min_size=3, kwargs=OPTIONS, open=False
        ) as pool:
            await pool.wait()
            with fused(psycopg.AsyncCursor, fuse):
                return await ause(AsyncPostgresSaver(pool), order, fuse)

    return asyncio.run(run())


SAVERS = {
    "sqlite": with_sqlite,
    "async sqlite": with_async_sqlite,
    "postgres": with_postgres,
    "postgres pool": with_postgres_pool,
    "async postgres pool": with_async_postgres_pool,
}


def in_a_child(order: Any) -> Any:
    """Carry out an order in a child; None if it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        status = 1
        try:
            random.seed(order["seed"])
            result = SAVERS[order["saver"]](order, Fuse(order["kill"]))
            with os.fdopen(write, "w") as answer:
                json.dump(result, answer)
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    assert status == 0, f"the child ended with {status}"
    return json.loads(text)


def main(engine: str) -> None:
    if engine == "patched":
        fastgraph.patch(strict=True)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(in_a_child(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
