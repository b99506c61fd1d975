"""A user's graph as something to run again and again: one mode, stream mode and saver at a time."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph._internal._runnable import RunnableCallable
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError

from fastgraph.cli.graph_argument import Graph, described
from fastgraph.cli.parser import CommandError

MODES = ("sync", "async")
STREAM_MODES = (
    "invoke",
    "values",
    "updates",
    "messages",
    "custom",
    "tasks",
    "checkpoints",
    "debug",
)
SAVERS = ("own", "none", "memory", "sqlite", "postgres")
DURABILITIES = ("sync", "async", "exit")


@dataclass(frozen=True)
class Case:
    """One way of running the graph.

    Attributes
    ----------
    mode : {"sync", "async"}
        Which of the two interfaces.
    stream_mode : str
        ``invoke``, or what is streamed.
    saver : str
        One of `SAVERS`; ``own`` is whatever the graph was compiled with.
    """

    mode: str
    stream_mode: str
    saver: str

    def __str__(self) -> str:
        how = {"invoke": "invoke", **{mode: f"stream {mode}" for mode in STREAM_MODES[1:]}}
        saver = {"own": "as compiled", "none": "no saver"}.get(self.saver, f"{self.saver} saver")
        return f"{self.mode}, {how[self.stream_mode]}, {saver}"


def cases(modes: list[str], stream_modes: list[str], savers: list[str]) -> list[Case]:
    """Combine the options."""
    return [
        Case(mode, stream_mode, saver)
        for saver in savers
        for mode in modes
        for stream_mode in stream_modes
    ]


def default_mode(graph: Graph) -> str:
    """Return sync, unless a node has no sync function."""
    bound = [node.bound for node in graph.nodes.values()]
    only_async = any(isinstance(each, RunnableCallable) and each.func is None for each in bound)
    return "async" if only_async else "sync"


@dataclass
class Workload:
    """A graph that can be run in a case, each time in a thread of its own in the saver.

    Attributes
    ----------
    spec : str
        What the user calls the graph.
    graph : Graph
        With the saver of the case.
    given : str
        The input as JSON; each run gets one of its own.
    config : dict
        The user's.
    case : Case
        How it is run.
    durability : str or None
        When checkpoints are written, if the user says so.
    """

    spec: str
    graph: Graph
    given: str
    config: dict[str, Any]
    case: Case
    durability: str | None
    complete: Callable[[Any], Any]

    def run(self, name: str) -> list[Any]:
        """Run the graph once; returns its result or its chunks."""
        given, config = json.loads(self.given), self._config(name)
        options: Any = {} if self.durability is None else {"durability": self.durability}
        if self.case.mode == "async":
            return list(self.complete(self._arun(given, config, options)))
        if self.case.stream_mode == "invoke":
            return [self.graph.invoke(given, config, **options)]
        mode: Any = self.case.stream_mode
        return list(self.graph.stream(given, config, stream_mode=mode, **options))

    async def _arun(self, given: Any, config: Any, options: Any) -> list[Any]:
        if self.case.stream_mode == "invoke":
            return [await self.graph.ainvoke(given, config, **options)]
        mode: Any = self.case.stream_mode
        chunks = self.graph.astream(given, config, stream_mode=mode, **options)
        return [chunk async for chunk in chunks]

    def _config(self, name: str) -> Any:
        configurable = self.config.get("configurable", {})
        thread = f"{configurable.get('thread_id', 'fastgraph')}-{name}"
        return {**self.config, "configurable": {**configurable, "thread_id": thread}}

    def tried(self, name: str) -> list[Any]:
        """Run the graph once, as `run` does, for the first time.

        Raises
        ------
        CommandError
            If that fails, which is the user's graph, input or config.
        """
        try:
            return self.run(name)
        except Exception as error:
            raise CommandError(
                f"{self.spec} ({self.case}) fails on this input: {described(error)}"
                f"{_hint(error, self.case)}"
            ) from error


def _hint(error: Exception, case: Case) -> str:
    text = str(error).lower()
    if "no synchronous function" in text:
        return " (--mode async runs async nodes)"
    if "synchronous calls" in text or "does not support async" in text:
        return " (--saver memory or sqlite takes the saver's place)"
    if isinstance(error, GraphRecursionError):
        return " (--config with a recursion_limit allows more)"
    if "no checkpointer" in text or "checkpointer=true" in text:
        return " (--saver memory gives it one)"
    if "configurable" in text:
        return " (--config gives it)"
    if isinstance(error, KeyError) and case.saver == "own":
        return " (is it in --input, or in the configurable of --config?)"
    return ""


@contextmanager
def opened(
    spec: str,
    graph: Graph,
    given: str,
    config: dict[str, Any],
    case: Case,
    *,
    durability: str | None = None,
    postgres: str | None = None,
) -> Iterator[Workload]:
    """Open what a case needs: the saver, and an event loop for all of its runs.

    Raises
    ------
    CommandError
        If the saver's package is not installed, or its database cannot be reached.
    """
    # One loop for all runs: making one takes as long as a superstep.
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()
    try:
        saver = loop.run_until_complete(stack.enter_async_context(_saver(case, postgres)))
        if case.saver != "own":
            graph = graph.copy({"checkpointer": saver})
        yield Workload(spec, graph, given, config, case, durability, loop.run_until_complete)
    finally:
        loop.run_until_complete(stack.aclose())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@asynccontextmanager
async def _saver(case: Case, postgres: str | None) -> AsyncIterator[Any]:
    if case.saver == "memory":
        yield InMemorySaver()
    elif case.saver == "sqlite":
        with tempfile.TemporaryDirectory(prefix="fastgraph-bench-") as directory:
            async with _sqlite(case, str(Path(directory, "bench.sqlite"))) as saver:
                yield saver
    elif case.saver == "postgres":
        if postgres is None:
            raise CommandError("--saver postgres needs --postgres with the address of a database")
        async with _postgres(case, postgres) as saver:
            yield saver
    else:
        yield None


@asynccontextmanager
async def _sqlite(case: Case, path: str) -> AsyncIterator[Any]:
    try:
        from langgraph.checkpoint.sqlite import SqliteSaver
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    except ImportError:
        raise CommandError(
            "--saver sqlite needs its package: pip install 'fastgraph-engine[sqlite]'"
        ) from None
    if case.mode == "async":
        async with AsyncSqliteSaver.from_conn_string(path) as asaver:
            yield asaver
    else:
        with SqliteSaver.from_conn_string(path) as saver:
            yield saver


@asynccontextmanager
async def _postgres(case: Case, address: str) -> AsyncIterator[Any]:
    try:
        from langgraph.checkpoint.postgres import PostgresSaver
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from psycopg import Error
    except ImportError:
        raise CommandError(
            "--saver postgres needs its package: pip install 'fastgraph-engine[postgres]'"
        ) from None
    stack = AsyncExitStack()
    try:
        if case.mode == "async":
            asaver = await stack.enter_async_context(AsyncPostgresSaver.from_conn_string(address))
            await asaver.setup()
            saver: Any = asaver
        else:
            saver = stack.enter_context(PostgresSaver.from_conn_string(address))
            saver.setup()
    except Error as error:
        await stack.aclose()
        raise CommandError(f"cannot open the database: {described(error)}") from None
    async with stack:
        yield saver
