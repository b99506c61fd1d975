"""Graphs whose nodes, paths and handlers write down what they see, for comparisons with stock."""

from __future__ import annotations

import asyncio
import contextvars
import operator
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.callbacks.base import BaseCallbackManager
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from typing_extensions import TypedDict

COLOUR: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


def higher(left: int, right: int) -> int:
    return max(left, right)


class State(TypedDict, total=False):
    """A counter and a list that only grows."""

    count: Annotated[int, higher]
    log: Annotated[list[Any], operator.add]


class Ids:
    """Names for ids in the order in which they turn up."""

    def __init__(self) -> None:
        self.known: dict[Any, str] = {}

    def name(self, value: Any) -> Any:
        if isinstance(value, uuid.UUID):
            return self.known.setdefault(value, f"id {len(self.known)}")
        return value


def manager_seen(manager: Any, ids: Ids) -> Any:
    """All of a callback manager, in the order in which it was set."""
    if not isinstance(manager, BaseCallbackManager):
        return repr(manager)
    return type(manager).__qualname__, [
        (name, ids.name(value) if not isinstance(value, list) else [_named(v) for v in value])
        if name != "metadata" and name != "inheritable_metadata"
        else (name, sorted(value))
        for name, value in vars(manager).items()
    ]


def _named(value: Any) -> Any:
    return value if isinstance(value, str) else type(value).__qualname__


def config_seen(config: Any, ids: Ids) -> Any:
    """The keys of a config in order, its tags and its callback manager."""
    return (
        list(config),
        list(config["configurable"]),
        config.get("tags"),
        sorted(config.get("metadata", ())),
        manager_seen(config.get("callbacks"), ids),
    )


class Recorder(BaseCallbackHandler):
    """Writes down every event of a chain."""

    run_inline = True  # not in threads, whose order nobody decides

    def __init__(self, ids: Ids, log: list[Any]) -> None:
        self.ids, self.log = ids, log

    def note(self, event: str, value: Any, **kwargs: Any) -> None:
        seen = {key: self.ids.name(item) for key, item in kwargs.items() if key != "metadata"}
        if "metadata" in kwargs:
            seen["metadata"] = sorted(kwargs["metadata"])
        self.log.append((event, repr(value), sorted(seen.items(), key=repr)))

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> Any:
        self.note("start", inputs, **kwargs)

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> Any:
        self.note("end", outputs, **kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> Any:
        self.note("error", error, **kwargs)


class Late(Recorder):
    """Fails at the end of every run, which is logged and goes no further."""

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> Any:
        super().on_chain_end(outputs, **kwargs)
        raise ValueError("a handler")


class AsyncRecorder(AsyncCallbackHandler):
    """The same, and waits a turn at each event."""

    def __init__(self, ids: Ids, log: list[Any]) -> None:
        self.inner = Recorder(ids, log)

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        self.inner.on_chain_start(serialized, inputs, **kwargs)

    async def on_chain_end(self, outputs: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        self.inner.on_chain_end(outputs, **kwargs)

    async def on_chain_error(self, error: BaseException, **kwargs: Any) -> Any:
        self.inner.on_chain_error(error, **kwargs)


def observing(ids: Ids, log: list[Any], is_async: bool, raises: bool = False) -> Any:
    """A loop of nodes of every kind that says what each of them sees."""

    def plain(state: State) -> Any:
        log.append(("plain", dict(state), COLOUR.get(), config_seen(get_config(), ids)))
        COLOUR.set("plain's own")
        return {"count": state["count"] + 1}

    async def aplain(state: State) -> Any:
        await asyncio.sleep(0)
        return plain(state)

    def given(state: State, config: RunnableConfig, runtime: Runtime[Any]) -> Any:
        info = runtime.execution_info
        log.append(("given", COLOUR.get(), config_seen(config, ids), config is get_config()))
        log.append((info.node_attempt if info else None, runtime.previous, runtime.store))
        if raises and state["count"] > 2:
            raise RuntimeError("given up")
        return {"log": ["given"]}

    async def agiven(state: State, config: RunnableConfig, runtime: Runtime[Any]) -> Any:
        return given(state, config, runtime)

    def path(state: State) -> Any:
        log.append(("path", dict(state), COLOUR.get(), config_seen(get_config(), ids)))
        if state["count"] > 3:
            return END
        if state["count"] > 2:
            return [Send("runnable", {"count": 10}), "runnable"]
        return "given"

    async def apath(state: State) -> Any:
        return path(state)

    def shown(state: State, config: RunnableConfig) -> Any:
        log.append(("shown", config_seen(config, ids), config_seen(get_config(), ids)))
        return "plain"

    async def ashown(state: State, config: RunnableConfig) -> Any:
        return shown(state, config)

    def commanding(state: State) -> Any:
        return Command(update={"count": state["count"] + 1}, goto="plain")

    runnable = RunnableLambda(commanding).with_config(run_name="renamed", tags=["mine"])
    builder: Any = StateGraph(State)
    builder.add_node("plain", aplain if is_async else plain)
    builder.add_node("given", agiven if is_async else given)
    builder.add_node("runnable", runnable, metadata={"more": 1})
    builder.add_edge(START, "plain")
    ends = {"given": "given", "runnable": "runnable", END: END}
    builder.add_conditional_edges("plain", apath if is_async else path, ends)
    builder.add_conditional_edges("given", ashown if is_async else shown, ["plain"])
    return builder.compile()


def failure(error: BaseException) -> Any:
    """What a user sees of an exception."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return (
        type(error).__name__,
        str(error).partition(" and id")[0],
        [note.partition(" and id")[0] for note in getattr(error, "__notes__", ())],
        frame.tb_frame.f_code.co_name if frame is not None else None,
        type(error.__cause__).__name__,
        type(error.__context__).__name__,
    )


def observed_sync(make: Callable[[Ids, list[Any]], Any], config: Any, raises: bool = False) -> Any:
    """A sync run: what its nodes and handlers saw, and how it ended."""
    ids = Ids()
    log: list[Any] = []
    config = dict(config)
    if config.get("callbacks"):
        config["callbacks"] = [handler(ids, log) for handler in config["callbacks"]]
    graph = make(ids, log)
    COLOUR.set("the run's")
    try:
        result: Any = graph.invoke({"count": 0}, config)
    except RuntimeError as error:
        result = failure(error)
    return result, log, COLOUR.get()


def observed_async(make: Callable[[Ids, list[Any]], Any], config: Any, raises: bool = False) -> Any:
    """The same of an async run."""
    ids = Ids()
    log: list[Any] = []
    config = dict(config)
    if config.get("callbacks"):
        config["callbacks"] = [handler(ids, log) for handler in config["callbacks"]]

    async def run() -> Any:
        COLOUR.set("the run's")
        try:
            return await make(ids, log).ainvoke({"count": 0}, config), COLOUR.get()
        except RuntimeError as error:
            return failure(error), COLOUR.get()

    return asyncio.run(run()), log


# Turns of the event loop


def turning(note: Callable[..., None]) -> Any:
    """A graph of async nodes side by side, one of them a graph itself, that note their turns."""

    async def short(state: State) -> Any:
        note("short")
        return {"log": ["short"]}

    async def long(state: State) -> Any:
        note("long")
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            note("long cancelled")
            raise
        note("long after")
        return {"count": state.get("count", 0) + 1, "log": ["long"]}

    async def path(state: State) -> Any:
        note("path")
        await asyncio.sleep(0)
        note("path after")
        return "long" if state.get("count", 0) < 2 else END

    def plain_path(state: State) -> Any:
        note("plain path")
        return "last"

    async def last(state: State) -> Any:
        note("last")
        return {}

    inner = StateGraph(State).add_node("short", short).add_node("last", last)
    inner.add_edge(START, "short").add_conditional_edges("short", path_in(note))
    builder = StateGraph(State).add_node("short", short).add_node("long", long)
    builder.add_node("inner", inner.compile()).add_node("last", last)
    builder.add_edge(START, "short").add_edge(START, "long").add_edge(START, "inner")
    builder.add_conditional_edges("long", path, ["long", END])
    builder.add_edge("inner", "last")
    return builder.compile()


def path_in(note: Callable[..., None]) -> Callable[[Any], Awaitable[Any]]:
    async def inner_path(state: Any) -> Any:
        note("inner path")
        return "last"

    return inner_path


async def turns(
    graphs: int, cancel_after: int | None, ticks: bool, build: Any = turning
) -> tuple[list[Any], list[Any]]:
    """Run graphs at the same time, next to a task that counts the turns; cancel the first."""
    log: list[Any] = []
    count = 0
    over = False

    def noting(which: int) -> Callable[..., None]:
        return lambda what: log.append((which, count if ticks else None, what))

    async def ticking() -> None:
        nonlocal count
        while not over:
            count += 1
            if count == cancel_after:
                log.append(("cancel", runs[0].cancel()))
            await asyncio.sleep(0)

    runs = [
        asyncio.create_task(build(noting(which)).ainvoke({"count": 0})) for which in range(graphs)
    ]
    ticker = asyncio.create_task(ticking()) if ticks else None
    results: list[Any] = []
    for which, run in enumerate(runs):
        try:
            results.append(await run)
        except asyncio.CancelledError:
            results.append("cancelled")
        except Exception as error:
            results.append(failure(error))
        log.append((which, count if ticks else None, "over"))
    over = True
    if ticker is not None:
        await ticker
    return log, results
