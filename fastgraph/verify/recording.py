"""The graph runs of a program that is not ours, recorded from the outside.

Only what the program starts itself is a run: graphs that a run starts in turn, in nodes, threads or
tasks, are part of it.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from langgraph.pregel import Pregel
from langgraph.pregel import main as _main

import fastgraph
from fastgraph.verify.describing import Describer
from fastgraph.verify.handlers import Recorder
from fastgraph.verify.hearing import LOGGERS, Records, described
from fastgraph.verify.stored import stored

#: What a program calls on a graph, and has results of.
METHODS = (
    "invoke", "ainvoke", "stream", "astream", "batch", "abatch",
    "get_state", "aget_state", "get_state_history", "aget_state_history",
    "update_state", "aupdate_state", "bulk_update_state", "abulk_update_state",
)  # fmt: skip
_ENGINE_FILE = _main.__file__

_within: ContextVar[bool] = ContextVar("fastgraph_within_a_run", default=False)


@dataclass
class GraphRun:
    """What can be seen of one call of a graph.

    Attributes
    ----------
    call : str
        Method and graph, for people.
    patched : bool
        Whether any target was active when it began.
    seen : dict
        Descriptions: what it was given, its chunks in order, how it ended, events that handlers
        were told, and what the thread has stored afterwards.
    """

    call: str
    patched: bool
    seen: dict[str, Any]


class Recording:
    """All that is recorded of a program.

    Attributes
    ----------
    runs : list of GraphRun
        In the order in which they began.
    """

    def __init__(self, describe: Describer) -> None:
        self.runs: list[GraphRun] = []
        self._describe = describe
        self._handler = Records()

    def records(self) -> list[Any]:
        """Describe the log records of the engine, those that the program's levels let through."""
        return [described(record, self._describe) for record in self._handler.seen]

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Have the engine's loggers tell it."""
        loggers = [logging.getLogger(name) for name in LOGGERS]
        for logger in loggers:
            logger.addHandler(self._handler)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self._handler)


@contextlib.contextmanager
def recording(describe: Describer) -> Iterator[Recording]:
    """Record the graph runs of this process.

    Parameters
    ----------
    describe : Describer
        What is recorded is described at once: programs may change it later.
    """
    kept = Recording(describe)
    with kept.listening(), contextlib.ExitStack() as stack:
        for name in METHODS:
            _wrap(stack, name, kept, describe)
        yield kept


def _wrap(stack: contextlib.ExitStack, name: str, kept: Recording, describe: Describer) -> None:
    original = getattr(Pregel, name)
    if inspect.isasyncgenfunction(original):
        wrapper = _async_stream
    elif inspect.iscoroutinefunction(original):
        wrapper = _coroutine
    elif inspect.isgeneratorfunction(original):
        wrapper = _stream
    else:
        wrapper = _function
    wrapped = _disguised(wrapper(original, _Watch(name, original, kept, describe)), original)
    # Methods that a base class has are its own again afterwards.
    before = vars(Pregel).get(name)
    setattr(Pregel, name, wrapped)
    stack.callback(_put_back, name, wrapped, before)


def _put_back(name: str, wrapped: Any, before: Any) -> None:
    if vars(Pregel).get(name) is not wrapped:
        return  # replaced by somebody else since
    if before is None:
        delattr(Pregel, name)
    else:
        setattr(Pregel, name, before)


def _disguised(wrapper: Any, original: Any) -> Any:
    """Let a wrapper look like upstream's function, which the compiled `invoke` insists on."""
    wrapper.__code__ = wrapper.__code__.replace(co_filename=_ENGINE_FILE)
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(wrapper, name, getattr(original, name))
    wrapper.__signature__ = inspect.signature(original)
    return wrapper


class _Watch:
    """Keeps the runs of one method."""

    def __init__(self, method: str, original: Any, kept: Recording, describe: Describer) -> None:
        self.method = method
        self.signature = inspect.signature(original)
        self.kept = kept
        self.describe = describe

    def begin(self, graph: Any, args: tuple[Any, ...], given: dict[str, Any]) -> _Running:
        name = getattr(graph, "name", None)
        seen: dict[str, Any] = {"given": self.described([*args], given), "chunks": []}
        run = GraphRun(f"{self.method} of {name!r}", fastgraph.is_patched(), seen)
        self.kept.runs.append(run)
        return _Running(self, run, graph, args, given)

    def config_of(self, graph: Any, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        """Find the config of a call; None if it has none, or one for each of several inputs."""
        try:
            config = self.signature.bind_partial(graph, *args, **given).arguments.get("config")
        except TypeError:  # which the call itself is about to raise
            return None
        return config if isinstance(config, dict) else None

    def described(self, *values: Any) -> Any:
        """Describe values, or tell that somebody's value does not let itself be described."""
        try:
            return self.describe.items(values)
        except Exception as error:
            return ("cannot be described", type(error).__name__)


class _Running:
    """A run that is being recorded."""

    def __init__(
        self, watch: _Watch, run: GraphRun, graph: Any, args: tuple[Any, ...], given: dict[str, Any]
    ) -> None:
        self.watch = watch
        self.seen = run.seen
        self.graph = graph
        self.args = args
        self.given = given
        self.config = watch.config_of(graph, args, given)
        self._listen()

    def chunk(self, chunk: Any) -> None:
        self.seen["chunks"].append(self.watch.described(chunk))

    def end(self, how: str, value: Any = None) -> None:
        """Keep how it ended, and what is stored then."""
        self.seen["ended"] = (how, self.watch.described(value))
        self.seen["stored"] = self.stored()

    def stored(self) -> Any:
        saver = getattr(self.graph, "checkpointer", None)
        configurable = (self.config or {}).get("configurable") or {}
        thread = configurable.get("thread_id")
        if saver in (None, True, False) or thread is None:
            return None
        try:
            return self.watch.describe(stored(saver, str(thread)))
        except Exception as error:  # a connection that is closed, or of another thread
            return ("cannot be read", type(error).__name__)

    def _listen(self) -> None:
        """Add a handler to those of a run that has some; without any, engines take other paths."""
        callbacks = (self.config or {}).get("callbacks")
        if not isinstance(callbacks, list) or not callbacks:
            return
        events = self.seen["events"] = []
        handler = Recorder(self.watch.describe, events)
        config = {**self.config, "callbacks": [*callbacks, handler]}
        if "config" in self.given:
            self.given = {**self.given, "config": config}
        else:
            self.args = tuple(config if value is self.config else value for value in self.args)


# The wrappers. A generator's context is its reader's, so the mark is set for each step only.


def _function(original: Callable[..., Any], watch: _Watch) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **given: Any) -> Any:
        if _within.get():
            return original(self, *args, **given)
        running = watch.begin(self, args, given)
        _within.set(True)
        try:
            result = original(self, *running.args, **running.given)
        except BaseException as error:
            running.end("raised", error)
            raise
        finally:
            _within.set(False)
        running.end("returned", result)
        return result

    return call


def _coroutine(original: Callable[..., Any], watch: _Watch) -> Callable[..., Any]:
    async def call(self: Any, *args: Any, **given: Any) -> Any:
        if _within.get():
            return await original(self, *args, **given)
        running = watch.begin(self, args, given)
        _within.set(True)
        try:
            result = await original(self, *running.args, **running.given)
        except BaseException as error:
            running.end("raised", error)
            raise
        finally:
            _within.set(False)
        running.end("returned", result)
        return result

    return call


def _stream(original: Callable[..., Any], watch: _Watch) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **given: Any) -> Any:
        if _within.get():
            return original(self, *args, **given)
        return _chunks(original, watch, self, args, given)

    return call


def _async_stream(original: Callable[..., Any], watch: _Watch) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **given: Any) -> Any:
        if _within.get():
            return original(self, *args, **given)
        return _async_chunks(original, watch, self, args, given)

    return call


def _chunks(
    original: Callable[..., Any],
    watch: _Watch,
    graph: Any,
    args: tuple[Any, ...],
    given: dict[str, Any],
) -> Generator[Any, Any, Any]:
    running = watch.begin(graph, args, given)
    stream = original(graph, *running.args, **running.given)
    try:
        while True:
            _within.set(True)
            try:
                chunk = next(stream)
            except StopIteration as stopped:
                running.end("returned", stopped.value)
                return stopped.value
            except BaseException as error:
                running.end("raised", error)
                raise
            finally:
                _within.set(False)
            running.chunk(chunk)
            try:
                yield chunk
            except GeneratorExit:
                stream.close()
                running.end("was left")
                raise
            except BaseException as error:
                stream.throw(error)
                raise
    finally:
        stream.close()


async def _async_chunks(
    original: Callable[..., Any],
    watch: _Watch,
    graph: Any,
    args: tuple[Any, ...],
    given: dict[str, Any],
) -> Any:
    running = watch.begin(graph, args, given)
    stream = original(graph, *running.args, **running.given)
    async with contextlib.aclosing(stream):
        while True:
            _within.set(True)
            try:
                chunk = await stream.__anext__()
            except StopAsyncIteration:
                running.end("returned")
                return
            except BaseException as error:
                running.end("raised", error)
                raise
            finally:
                _within.set(False)
            running.chunk(chunk)
            try:
                yield chunk
            except GeneratorExit:
                await stream.aclose()
                running.end("was left")
                raise
