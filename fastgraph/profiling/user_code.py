"""The user's own functions in a graph: node bodies and the paths of conditional edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.runnables.config import run_in_executor
from langgraph._internal._runnable import RunnableCallable
from langgraph.constants import START
from langgraph.pregel import Pregel

from fastgraph.profiling.spans import Phase, Spans


class TimedRunnable(Runnable[Any, Any]):
    """Stands in for a runnable that has no function to wrap, and only hands on."""

    def __init__(self, timed: Runnable[Any, Any], spans: Spans, name: str) -> None:
        self.name = timed.get_name()
        self._invoke = spans.timed(timed.invoke, "node", name)
        self._ainvoke = spans.timed_async(timed.ainvoke, "node", name)

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Invoke the runnable."""
        return self._invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Invoke the runnable."""
        return await self._ainvoke(input, config, **kwargs)


@contextmanager
def timed_user_code(spans: Spans, graph: Pregel[Any, Any, Any, Any]) -> Iterator[None]:
    """Time what is the user's in a graph and in its subgraphs, for the length of a block."""
    with ExitStack() as stack:
        seen: set[int] = set()
        for name, node in _nodes(graph, "", seen):
            _time_node(stack, spans, name, node, seen)
        yield


def _nodes(graph: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(graph) in seen or not isinstance(graph, Pregel):
        return
    seen.add(id(graph))
    for name, node in graph.nodes.items():
        if name == START:
            continue
        yield f"{prefix}{name}", node
        for subgraph in node.subgraphs:
            yield from _nodes(subgraph, f"{prefix}{name}:", seen)


def _time_node(stack: ExitStack, spans: Spans, name: str, node: Any, seen: set[int]) -> None:
    bound = node.bound
    for writer in node.writers:
        spec = getattr(getattr(writer, "func", None), "__self__", None)
        path = getattr(spec, "path", None)
        if isinstance(path, RunnableCallable) and id(path) not in seen:
            seen.add(id(path))
            stack.enter_context(_timed_functions(spans, "edge", f"{name} ->", path))
    if isinstance(bound, Pregel) or id(bound) in seen:
        return
    if isinstance(bound, RunnableCallable):
        seen.add(id(bound))
        stack.enter_context(_timed_functions(spans, "node", name, bound))
    elif bound is not _NOTHING:
        stack.enter_context(_replaced(node, TimedRunnable(bound, spans, name)))


@contextmanager
def _timed_functions(
    spans: Spans, phase: Phase, name: str, runnable: RunnableCallable
) -> Iterator[None]:
    func, afunc = runnable.func, runnable.afunc
    timed = None if func is None else spans.timed(func, phase, name)
    runnable.func = timed
    if afunc is not None:
        runnable.afunc = _timed_afunc(spans, phase, name, func, timed, afunc)
    try:
        yield
    finally:
        runnable.func, runnable.afunc = func, afunc


def _timed_afunc(
    spans: Spans, phase: Phase, name: str, func: Any, timed: Any, afunc: Callable[..., Any]
) -> Any:
    """Wrap the async function; of a sync one that runs in a thread, what runs in the thread."""
    in_thread = isinstance(afunc, partial) and afunc.func is run_in_executor
    if in_thread and isinstance(afunc, partial) and afunc.args == (None, func):
        again = partial(run_in_executor, None, timed, **afunc.keywords)
        again.__dict__.update(afunc.__dict__)
        return again
    return spans.timed_async(afunc, phase, name)


@contextmanager
def _replaced(node: Any, bound: TimedRunnable) -> Iterator[None]:
    before = node.bound
    node.bound = bound
    node.__dict__.pop("node", None)  # the runnable made of it, which is cached
    try:
        yield
    finally:
        node.bound = before
        node.__dict__.pop("node", None)


def _nothing() -> Any:
    from langgraph.pregel._read import DEFAULT_BOUND

    return DEFAULT_BOUND


_NOTHING = _nothing()
