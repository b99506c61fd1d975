"""The ways in which a graph can be run, and what runs it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter_drivers import stored
from equivalence_still import stillness
from langgraph.checkpoint.memory import InMemorySaver

from fastgraph.verify.describing import Describer
from fastgraph.verify.handlers import AsyncRecorder, Recorder
from fastgraph.verify.hearing import hearing

#: What is emitted when tasks start and end.
ENGINE_MODES = ("values", "updates", "tasks", "checkpoints", "debug")
#: Also what is emitted while a task runs, for which a sync run needs a second thread.
ALL_MODES = (*ENGINE_MODES, "messages", "custom")
THREAD = {"thread_id": "1"}


@dataclass(frozen=True)
class Way:
    """One way to run a graph.

    Attributes
    ----------
    modes : tuple of str
        What is streamed; without any, the graph is invoked.
    durability : str, optional
        With a saver; none without.
    handlers : bool
        Whether callback handlers listen.
    is_async : bool
        With the async methods.
    sync_nodes : bool
        With sync nodes even so.
    """

    modes: tuple[str, ...] | str = ()
    durability: str | None = None
    handlers: bool = False
    is_async: bool = False
    sync_nodes: bool = False
    subgraphs: bool = False
    version: str = "v1"

    def __str__(self) -> str:
        name = ("a" if self.is_async else "") + ("stream" if self.modes else "invoke")
        modes = self.modes if isinstance(self.modes, str) else f"{len(self.modes)} modes"
        parts = [name, modes if self.modes else "", self.durability or "no saver"]
        parts += ["handlers"] * self.handlers + ["sync nodes"] * self.sync_nodes
        parts += ["subgraphs"] * self.subgraphs + [self.version] * (self.version != "v1")
        return " ".join(filter(None, parts))

    @property
    def streams_within_tasks(self) -> bool:
        modes = {self.modes} if isinstance(self.modes, str) else {*self.modes}
        return self.subgraphs or bool({"messages", "custom"} & modes)


def _ways(is_async: bool) -> list[Way]:
    return [
        Way(is_async=is_async),
        Way(is_async=is_async, durability="sync", handlers=True),
        Way(is_async=is_async, durability="exit"),
        Way("updates", is_async=is_async, durability="sync"),
        Way(ENGINE_MODES, is_async=is_async, handlers=True, version="v2"),
        Way(ALL_MODES, is_async=is_async, durability="sync", handlers=True, subgraphs=True),
    ]


SYNC_WAYS = _ways(False)
ASYNC_WAYS = _ways(True)
WAYS = [*SYNC_WAYS, *ASYNC_WAYS, Way(is_async=True, sync_nodes=True, handlers=True)]


class Drive:
    """Runs graphs in one way and keeps everything that their user sees."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.describe = Describer()
        self.seen: list[Any] = []
        self.noted: list[Any] = []
        self.events: list[Any] = []
        self.saver = InMemorySaver() if way.durability else None
        self.modes = way.modes
        self.forget_stored = False  # where it has a time that passed

    # What scenarios build graphs of

    def node(self, function: Callable[..., Any]) -> Any:
        """A node of the kind that the way asks for."""
        if not self.way.is_async or self.way.sync_nodes:
            return function

        @functools.wraps(function)
        async def anode(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            result = function(*args, **kwargs)
            await asyncio.sleep(0)
            return await result if inspect.isawaitable(result) else result

        return anode

    def note(self, *what: Any) -> None:
        """Keep what a node sees."""
        self.noted.append(self.describe.items(what))

    def config(self, **more: Any) -> dict[str, Any]:
        config: dict[str, Any] = {}
        if self.way.durability:
            config["configurable"] = dict(THREAD)
        if not self.way.streams_within_tasks and not self.way.is_async:
            config["max_concurrency"] = 1  # so that tasks end in the same order
        if self.way.handlers:
            config["callbacks"] = [Recorder(self.describe, self.events)]
            if self.way.is_async:
                config["callbacks"].append(AsyncRecorder(self.describe, self.events))
        for key, value in more.items():
            both = isinstance(value, dict) and key in config
            config[key] = {**config[key], **value} if both else value
        return config

    # What scenarios do with them

    def run(self, graph: Any, given: Any, config: Any = None, **options: Any) -> Any:
        """Run a graph to its end; the result, chunks or error are kept."""
        config = self.config() if config is None else config
        if self.saver is not None and graph.checkpointer is self.saver:
            options = {"durability": self.way.durability, **options}
        if self.way.modes or "stream_mode" in options:
            seen = self.stream(graph, given, config, options)
        else:
            seen = self.invoke(graph, given, config, options)
        self.keep("run", seen)
        return seen

    def invoke(self, graph: Any, given: Any, config: Any, options: dict[str, Any]) -> Any:
        if self.way.is_async:
            return self.call(lambda: asyncio.run(graph.ainvoke(given, config, **options)))
        return self.call(lambda: graph.invoke(given, config, **options))

    def stream(self, graph: Any, given: Any, config: Any, options: dict[str, Any]) -> Any:
        modes = self.modes if isinstance(self.modes, str) else list(self.modes)
        options = {
            "stream_mode": modes,
            "subgraphs": self.way.subgraphs,
            "version": self.way.version,
            **options,
        }
        chunks: list[Any] = []
        # In a sync run, a thread may add notes to an error while it is streamed.
        take = self.describe if self.way.is_async else (lambda chunk: chunk)

        async def drain() -> None:
            async for chunk in graph.astream(given, config, **options):
                chunks.append(take(chunk))

        def drain_sync() -> None:
            for chunk in graph.stream(given, config, **options):
                chunks.append(take(chunk))

        ended = self.call(lambda: asyncio.run(drain()) if self.way.is_async else drain_sync())
        return [*chunks, ended]

    def state(self, graph: Any, config: Any = None, **options: Any) -> Any:
        config = self.config() if config is None else config
        if self.way.is_async:
            state = self.call(lambda: asyncio.run(graph.aget_state(config, **options)))
        else:
            state = self.call(lambda: graph.get_state(config, **options))
        return self.keep("state", state)

    def history(self, graph: Any, config: Any = None) -> Any:
        config = self.config() if config is None else config

        async def collect() -> list[Any]:
            return [state async for state in graph.aget_state_history(config)]

        if self.way.is_async:
            states = self.call(lambda: asyncio.run(collect()))
        else:
            states = self.call(lambda: list(graph.get_state_history(config)))
        return self.keep("history", states)

    def update(self, graph: Any, values: Any, as_node: Any = None, config: Any = None) -> Any:
        config = self.config() if config is None else config
        if self.way.is_async:
            made = self.call(lambda: asyncio.run(graph.aupdate_state(config, values, as_node)))
        else:
            made = self.call(lambda: graph.update_state(config, values, as_node))
        return self.keep("update", made)

    def call(self, action: Callable[[], Any]) -> Any:
        """The result of a call, or its error: both are seen by the caller."""
        try:
            return action()
        except Exception as error:
            return error

    def keep(self, what: str, seen: Any) -> Any:
        self.seen.append((what, self.describe(seen)))
        if isinstance(seen, BaseException):
            seen.__traceback__ = None  # or it keeps alive what the run made
        return seen


Scenario = Callable[[Drive], None]


def observed(scenario: Scenario, way: Way) -> dict[str, Any]:
    """Everything that can be seen of a scenario run in one way."""
    drive = Drive(way)
    with stillness(), hearing(drive.describe) as heard:
        scenario(drive)
    return {
        "seen": drive.seen,
        "noted": drive.noted,
        "events": drive.events,
        "stored": stored(drive.saver) if drive.saver and not drive.forget_stored else None,
        **heard,
    }
