"""Savers: a loop whose checkpoints go to memory, SQLite and PostgreSQL, in each durability."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

import fastgraph

from . import graphs
from .cases import given
from .engine import switch_on
from .graphs import UNLIMITED

SUPERSTEPS = 10
DURABILITIES = ("sync", "async", "exit")


def thread(number: int) -> Any:
    return {**UNLIMITED, "configurable": {"thread_id": str(number)}}


def postgres_server(stack: ExitStack) -> str:
    """Start a server; without the package, asv leaves the benchmark out."""
    try:
        from tools.conformance.errors import ConformanceError
        from tools.conformance.servers import postgres
    except ImportError as error:
        raise NotImplementedError(str(error)) from error
    try:
        return f"{stack.enter_context(postgres(None))}postgres"
    except ConformanceError as error:
        raise NotImplementedError(str(error)) from error


class Savers:
    """Sync runs, each in a thread of its own."""

    timeout = 300.0
    param_names = ("saver", "durability")
    params = (("memory", "sqlite", "postgres"), DURABILITIES)

    def setup(self, saver: str, durability: str) -> None:
        self.stack = ExitStack()
        self.graph = graphs.loop(SUPERSTEPS).compile(checkpointer=self.opened(saver))
        self.threads = itertools.count()
        switch_on()

    def opened(self, saver: str) -> Any:
        if saver == "memory":
            return InMemorySaver()
        if saver == "sqlite":
            from langgraph.checkpoint.sqlite import SqliteSaver

            directory = self.stack.enter_context(tempfile.TemporaryDirectory())
            path = str(Path(directory, "savers.sqlite"))
            return self.stack.enter_context(SqliteSaver.from_conn_string(path))
        from langgraph.checkpoint.postgres import PostgresSaver

        address = postgres_server(self.stack)
        found = self.stack.enter_context(PostgresSaver.from_conn_string(address))
        found.setup()
        return found

    def teardown(self, saver: str, durability: str) -> None:
        fastgraph.unpatch()
        self.stack.close()

    def time_invoke(self, saver: str, durability: Any) -> None:
        self.graph.invoke(given(), thread(next(self.threads)), durability=durability)


class AsyncSavers:
    """Async runs, in one event loop."""

    timeout = 300.0
    param_names = ("saver", "durability")
    params = (("memory", "sqlite", "postgres"), DURABILITIES)

    def setup(self, saver: str, durability: str) -> None:
        self.stack = ExitStack()
        self.astack = AsyncExitStack()
        self.loop = asyncio.new_event_loop()
        checkpointer = self.loop.run_until_complete(self.opened(saver))
        self.graph = graphs.aloop(SUPERSTEPS).compile(checkpointer=checkpointer)
        self.threads = itertools.count()
        switch_on()

    async def opened(self, saver: str) -> Any:
        if saver == "memory":
            return InMemorySaver()
        if saver == "sqlite":
            from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

            directory = self.stack.enter_context(tempfile.TemporaryDirectory())
            path = str(Path(directory, "savers.sqlite"))
            return await self.astack.enter_async_context(AsyncSqliteSaver.from_conn_string(path))
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        address = postgres_server(self.stack)
        opened = AsyncPostgresSaver.from_conn_string(address)
        found = await self.astack.enter_async_context(opened)
        await found.setup()
        return found

    def teardown(self, saver: str, durability: str) -> None:
        fastgraph.unpatch()
        self.loop.run_until_complete(self.astack.aclose())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.stack.close()

    def time_ainvoke(self, saver: str, durability: Any) -> None:
        config = thread(next(self.threads))
        run = self.graph.ainvoke(given(), config, durability=durability)
        self.loop.run_until_complete(run)
