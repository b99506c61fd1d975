"""Spans: what ran from when to when, and in which thread."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, TypeAlias

Phase: TypeAlias = Literal[
    "node", "edge", "prepare", "run", "commit", "apply", "checkpoint", "stream", "saver", "ends"
]

#: The phases in the order in which a superstep goes through them, with what each is.
PHASES: dict[Phase, str] = {
    "prepare": "find and prepare the next tasks",
    "run": "run the tasks: runner, retry loop, config, callbacks, writers, threads",
    "node": "node bodies: your functions, models and tools",
    "edge": "the functions of conditional edges: yours, too",
    "commit": "take over what a task wrote",
    "apply": "apply the writes to the channels",
    "checkpoint": "make the checkpoint",
    "stream": "make and hand out chunks",
    "saver": "the saver, as far as the run waits for it",
    "ends": "enter and leave the loop of a run",
}

Function: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Span:
    """One stretch of time.

    Attributes
    ----------
    phase : str
        Which part of a superstep it belongs to.
    name : str
        The function, or the node.
    start, end : int
        Nanoseconds of `time.perf_counter_ns`.
    thread : int
        The identity of the thread.
    loop : int or None
        Tells apart the loops of nested graphs, where it is a loop's own.
    step : int or None
        The number of the superstep, where the loop knows it.
    """

    phase: Phase
    name: str
    start: int
    end: int
    thread: int
    loop: int | None = None
    step: int | None = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start) / 1e9


@dataclass
class Spans:
    """The spans of one run, which any thread may add to."""

    found: list[Span] = field(default_factory=list)
    supersteps: int = 0

    def add(self, phase: Phase, name: str, start: int, loop: Any = None) -> None:
        """Add a span that ends now."""
        end = time.perf_counter_ns()
        step = getattr(loop, "step", None)
        number = None if loop is None else id(loop)
        self.found.append(Span(phase, name, start, end, threading.get_ident(), number, step))

    def timed(self, function: Function, phase: Phase, name: str, *, of_loop: bool = False) -> Any:
        """Wrap a function so that each call is a span."""
        add, clock = self.add, time.perf_counter_ns

        @wraps(function, updated=())
        def call(*arguments: Any, **named: Any) -> Any:
            start = clock()
            try:
                return function(*arguments, **named)
            finally:
                add(phase, name, start, arguments[0] if of_loop else None)

        return call

    def timed_async(self, function: Callable[..., Awaitable[Any]], phase: Phase, name: str) -> Any:
        """Wrap a coroutine function, from its first step to its last."""
        add, clock = self.add, time.perf_counter_ns

        @wraps(function, updated=())
        async def call(*arguments: Any, **named: Any) -> Any:
            start = clock()
            try:
                return await function(*arguments, **named)
            finally:
                add(phase, name, start)

        return call

    def timed_generator(
        self, function: Callable[..., Iterator[Any]], phase: Phase, name: str
    ) -> Any:
        """Wrap a generator function: the time between two of its values is a span."""
        add, clock = self.add, time.perf_counter_ns
        ended = object()

        @wraps(function, updated=())
        def call(*arguments: Any, **named: Any) -> Iterator[Any]:
            self.supersteps += phase == "run"
            start = clock()
            values = iter(function(*arguments, **named))
            while True:
                try:
                    value = next(values, ended)
                finally:
                    add(phase, name, start)
                if value is ended:
                    return
                yield value
                start = clock()

        return call

    def timed_async_generator(
        self, function: Callable[..., AsyncIterator[Any]], phase: Phase, name: str
    ) -> Any:
        """Wrap an async generator function in the same way."""
        add, clock = self.add, time.perf_counter_ns

        @wraps(function, updated=())
        async def call(*arguments: Any, **named: Any) -> AsyncIterator[Any]:
            self.supersteps += phase == "run"
            start = clock()
            values = aiter_of(function(*arguments, **named))
            while True:
                try:
                    value = await values.__anext__()
                except StopAsyncIteration:
                    return
                finally:
                    add(phase, name, start)
                yield value
                start = clock()

        return call


def aiter_of(values: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Return the iterator, as `aiter` does."""
    return values.__aiter__()
