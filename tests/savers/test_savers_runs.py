"""Whole runs with everything patched: the same rows as of stock runs, id by id, byte by byte."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from adapter_drivers import hold_still
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Command, interrupt

import fastgraph

CONFIG: Any = {"configurable": {"thread_id": "1"}, "metadata": {"user": "me", "n": 1}}
TABLES = {
    "sqlite": ("checkpoints", "writes"),
    "postgres": ("checkpoints", "checkpoint_blobs", "checkpoint_writes"),
}


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]
    seen: Annotated[list[Any], operator.add]


def model(state: State) -> Any:
    number = len(state["messages"])
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    return {"messages": [AIMessage("answer", id=f"{number}", usage_metadata=usage)]}


def ask(state: State) -> Any:
    return {"seen": [interrupt({"really": len(state["seen"])})]}


async def amodel(state: State) -> Any:
    return model(state)


def build(saver: Any, *, is_async: bool = False) -> Any:
    builder = StateGraph(State).add_node("model", amodel if is_async else model)
    builder.add_node("ask", ask).add_edge(START, "model").add_edge("model", "ask")
    return builder.add_edge("ask", END).compile(checkpointer=saver)


def given() -> Any:
    return {"messages": [HumanMessage(f"{n}", id=f"h{n}") for n in range(20)], "seen": []}


def use(saver: Any) -> Any:
    graph = build(saver)
    outcomes = [
        graph.invoke(each, CONFIG, durability="sync") for each in (given(), Command(resume="yes"))
    ]
    history = [repr(each) for each in graph.get_state_history(CONFIG)]
    saver.delete_thread("nobody")
    return repr(outcomes), history


async def ause(saver: Any) -> Any:
    graph = build(saver, is_async=True)
    outcomes = [
        await graph.ainvoke(each, CONFIG, durability="sync")
        for each in (given(), Command(resume="yes"))
    ]
    history = [repr(each) async for each in graph.aget_state_history(CONFIG)]
    await saver.adelete_thread("nobody")
    return repr(outcomes), history


def rows_of(connection: Any, tables: tuple[str, ...]) -> Any:
    rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    return [sorted(each, key=repr) for each in rows]


def with_sqlite(path: str) -> Any:
    with SqliteSaver.from_conn_string(path) as saver:
        outcome = use(saver)
    with closing(sqlite3.connect(path)) as connection:
        return outcome, rows_of(connection, TABLES["sqlite"])


def with_async_sqlite(path: str) -> Any:
    async def run() -> Any:
        async with AsyncSqliteSaver.from_conn_string(path) as saver:
            return await ause(saver)

    outcome = asyncio.run(run())
    with closing(sqlite3.connect(path)) as connection:
        return outcome, rows_of(connection, TABLES["sqlite"])


def in_postgres(uri: str, run: Any) -> Any:
    import psycopg

    outcome = run()
    with psycopg.connect(uri, autocommit=True) as connection:
        rows = rows_of(connection, TABLES["postgres"])
        connection.execute(f"TRUNCATE {', '.join(TABLES['postgres'])}")
        return outcome, rows


def with_postgres(uri: str) -> Any:
    from langgraph.checkpoint.postgres import PostgresSaver

    def run() -> Any:
        with PostgresSaver.from_conn_string(uri) as saver:
            return use(saver)

    return in_postgres(uri, run)


def with_async_postgres(uri: str) -> Any:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    async def run() -> Any:
        async with AsyncPostgresSaver.from_conn_string(uri) as saver:
            return await ause(saver)

    return in_postgres(uri, lambda: asyncio.run(run()))


def still(run: Any, where: str) -> Any:
    with pytest.MonkeyPatch.context() as monkeypatch:
        hold_still(monkeypatch)
        return run(where)


@pytest.mark.parametrize("run", [with_sqlite, with_async_sqlite])
def test_sqlite(run: Any, tmp_path: Path) -> None:
    stock = still(run, str(tmp_path / "stock"))
    assert len(stock[1][0]) >= 4
    with fastgraph.patched(strict=True):
        assert still(run, str(tmp_path / "patched")) == stock


@pytest.mark.parametrize("run", [with_postgres, with_async_postgres])
def test_postgres(run: Any, database: str) -> None:
    stock = still(run, database)
    assert len(stock[1][0]) >= 4
    with fastgraph.patched(strict=True):
        assert still(run, database) == stock
