"""Ways to run a graph, and what to hold still to make two runs comparable."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timezone
from itertools import count
from typing import Any

import pytest
from langgraph.pregel import _checkpoint, _loop


def _observed(call: Any) -> Any:
    """The result of a call, or its error: both are seen by the caller."""
    try:
        return call()
    except Exception as error:
        return error


def _drained(chunks: Iterator[Any]) -> list[Any]:
    """All chunks, and the error that ended them."""
    seen = []
    try:
        for chunk in chunks:
            seen.append(chunk)
    except Exception as error:
        seen.append(error)
    return seen


async def _adrained(chunks: AsyncIterator[Any]) -> list[Any]:
    seen = []
    try:
        async for chunk in chunks:
            seen.append(chunk)
    except Exception as error:
        seen.append(error)
    return seen


def _settled(graph: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Options under which each checkpoint is stored before the next superstep.

    By default a thread stores it meanwhile, on stock, too: what a channel changes in place (the
    set of a barrier) is in it or not, as the two threads please.
    """
    return {"durability": "sync", **options} if graph.checkpointer else options


class SyncDriver:
    """Calls the methods of a graph."""

    def invoke(self, graph: Any, given: Any, config: Any, **options: Any) -> Any:
        options = _settled(graph, options)
        return _observed(lambda: graph.invoke(given, config, **options))

    def stream(self, graph: Any, given: Any, config: Any, **options: Any) -> Any:
        return _drained(graph.stream(given, config, **_settled(graph, options)))

    def state(self, graph: Any, config: Any, **options: Any) -> Any:
        return _observed(lambda: graph.get_state(config, **options))

    def history(self, graph: Any, config: Any) -> Any:
        return _drained(graph.get_state_history(config))

    def update(self, graph: Any, config: Any, values: Any, as_node: Any) -> Any:
        return _observed(lambda: graph.update_state(config, values, as_node=as_node))


class AsyncDriver:
    """Calls their async twins."""

    def invoke(self, graph: Any, given: Any, config: Any, **options: Any) -> Any:
        options = _settled(graph, options)
        return _observed(lambda: asyncio.run(graph.ainvoke(given, config, **options)))

    def stream(self, graph: Any, given: Any, config: Any, **options: Any) -> Any:
        return asyncio.run(_adrained(graph.astream(given, config, **_settled(graph, options))))

    def state(self, graph: Any, config: Any, **options: Any) -> Any:
        return _observed(lambda: asyncio.run(graph.aget_state(config, **options)))

    def history(self, graph: Any, config: Any) -> Any:
        return asyncio.run(_adrained(graph.aget_state_history(config)))

    def update(self, graph: Any, config: Any, values: Any, as_node: Any) -> Any:
        return _observed(lambda: asyncio.run(graph.aupdate_state(config, values, as_node=as_node)))


class StoppedClock(datetime):
    """It is always the same time."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime(2026, 1, 1, tzinfo=timezone.utc)


def hold_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start ids, random numbers and the clock again from the beginning."""
    ids = count(1)

    def next_id(*args: Any, **kwargs: Any) -> uuid.UUID:
        return uuid.UUID(f"00000000-0000-6000-8000-{next(ids):012x}")

    monkeypatch.setattr(_checkpoint, "uuid6", next_id)
    for module in (_checkpoint, _loop):
        monkeypatch.setattr(module, "datetime", StoppedClock)
    random.seed(7)


def stored(saver: Any) -> Any:
    """Everything an `InMemorySaver` keeps, as bytes where it keeps bytes."""
    return {
        "storage": {
            thread: {ns: dict(sorted(saved.items())) for ns, saved in sorted(spaces.items())}
            for thread, spaces in sorted(saver.storage.items())
        },
        "writes": sorted((key, sorted(writes.items())) for key, writes in saver.writes.items()),
        "blobs": sorted(saver.blobs.items(), key=lambda item: repr(item[0])),
    }
