"""The PostgreSQL savers: a lock only where calls share a connection, and no encoding under it.

Upstream's own methods run, with a stand-in for the saver whose cursor is opened when the first
statement is sent, so that what is to be stored is encoded before the lock and the connection are
taken, and whose rows are decoded after they were given back. The statements, their order and
their transactions are upstream's.

Upstream's lock keeps two calls from using one connection at the same time. Where each call takes a
connection of its own out of a pool, `Places` takes the lock's place: as many calls at once as the
pool has connections, the others in line. They wait as long as they have to, as for the lock, rather
than in the pool, which would give them up after its timeout.

Domain: exactly upstream's savers; without the lock, on exactly psycopg's pools that do not limit
how many may wait.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeAlias

from fastgraph.kernels.tally import Tally

Stock: TypeAlias = Callable[..., Any]

A_SUBCLASS = "a subclass of the saver"
ONE_CONNECTION = "one connection, or a pool that limits who waits"


# One lock for a connection, places for a pool.


class PooledSaver:
    """Stands in for a saver on a pool while a cursor is opened."""

    def __init__(self, saver: Any, places: Any) -> None:
        self.lock = places
        self.conn = saver.conn
        self.pipe = None
        self.supports_pipeline = saver.supports_pipeline


class Places:
    """The places of each saver on a pool: a semaphore in the saver's lock's stead.

    Parameters
    ----------
    kind : type
        The saver that has them; subclasses keep their lock.
    pool : type
        The pool that gives each call a connection of its own.
    semaphore : callable
        Makes the semaphore, of as many places as the pool has connections.
    """

    def __init__(self, kind: type, pool: type, semaphore: Callable[[int], Any]) -> None:
        self._kind = kind
        self._pool = pool
        self._semaphore = semaphore
        self._of: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._making = threading.Lock()

    def outside(self, saver: Any) -> str | None:
        """Say why the saver keeps its lock; None if it does not."""
        kind = type(saver)
        if kind is not self._kind:
            return A_SUBCLASS
        pool: Any = saver.conn
        of_its_own = type(pool) is self._pool
        if not of_its_own or pool.max_waiting or saver.pipe:
            return ONE_CONNECTION
        # Somebody excludes the saver's calls, or a call of upstream's is under way.
        return "the lock is held" if saver.lock.locked() else None

    def of(self, saver: Any) -> Any:
        """Return a saver's semaphore."""
        size = saver.conn.max_size
        found = self._of.get(saver)
        if found is None or found[0] != size:  # a pool can be resized
            with self._making:
                found = self._of.get(saver)
                if found is None or found[0] != size:
                    found = self._of[saver] = (size, self._semaphore(size))
        return found[1]


def _make_cursor(original: Stock, tally: Tally, places: Places) -> Stock:
    @wraps(original)
    def _cursor(self: Any, *, pipeline: bool = False) -> Any:
        tally.calls += 1
        reason = places.outside(self)
        if reason is not None:
            tally.fell_back(reason)
            return original(self, pipeline=pipeline)
        return original(PooledSaver(self, places.of(self)), pipeline=pipeline)

    return _cursor


def make_cursor(original: Stock, tally: Tally, variant: str) -> Stock:
    """`PostgresSaver._cursor`, several at once on a pool."""
    upstream = _globals(original)
    kind, pool = upstream["PostgresSaver"], upstream["ConnectionPool"]
    return _make_cursor(original, tally, Places(kind, pool, threading.Semaphore))


def make_async_cursor(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncPostgresSaver._cursor`, several at once on a pool."""
    upstream = _globals(original)
    kind, pool = upstream["AsyncPostgresSaver"], upstream["AsyncConnectionPool"]
    return _make_cursor(original, tally, Places(kind, pool, asyncio.Semaphore))


def _globals(original: Any) -> dict[str, Any]:
    """Return the names of upstream's module; a context manager hides the function."""
    names: dict[str, Any] = getattr(original, "__wrapped__", original).__globals__
    return names


# Cursors opened late.


def _is_failure(kind: type[BaseException] | None) -> bool:
    """Whether upstream would have opened and closed a cursor around what failed.

    Closing it syncs a pipeline. Somebody who cancels the call is not made to wait for that.
    """
    return kind is not None and issubclass(kind, Exception)


class LateCursor:
    """A cursor that takes the lock and the connection at its first statement."""

    def __init__(self, opening: Any) -> None:
        self._opening = opening
        self._cursor: Any = None
        self._is_tried = False

    def __enter__(self) -> LateCursor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        # What did not open is not closed: that is what failed.
        if self._cursor is None and (self._is_tried or not _is_failure(kind)):
            return None
        self._opened()
        closed: bool | None = self._opening.__exit__(kind, error, traceback)
        return closed

    def _opened(self) -> Any:
        if self._cursor is None:
            self._is_tried = True
            self._cursor = self._opening.__enter__()
        return self._cursor

    def execute(self, sql: Any, parameters: Any) -> Any:
        return self._opened().execute(sql, parameters)

    def executemany(self, sql: Any, rows: Any) -> Any:
        return self._opened().executemany(sql, rows)


class AsyncLateCursor:
    """The same for an async saver."""

    def __init__(self, opening: Any) -> None:
        self._opening = opening
        self._cursor: Any = None
        self._is_tried = False

    async def __aenter__(self) -> AsyncLateCursor:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        # What did not open is not closed: that is what failed.
        if self._cursor is None and (self._is_tried or not _is_failure(kind)):
            return None
        await self._opened()
        closed: bool | None = await self._opening.__aexit__(kind, error, traceback)
        return closed

    async def _opened(self) -> Any:
        if self._cursor is None:
            self._is_tried = True
            self._cursor = await self._opening.__aenter__()
        return self._cursor

    async def execute(self, sql: Any, parameters: Any) -> Any:
        return await (await self._opened()).execute(sql, parameters)

    async def executemany(self, sql: Any, rows: Any) -> Any:
        return await (await self._opened()).executemany(sql, rows)


class Writing:
    """Stands in for a saver that encodes what it then writes."""

    def __init__(self, saver: Any, late: Callable[[Any], Any]) -> None:
        self._saver = saver
        self._late = late

    def __getattr__(self, name: str) -> Any:
        return getattr(self._saver, name)

    def _cursor(self, *, pipeline: bool = False) -> Any:
        return self._late(self._saver._cursor(pipeline=pipeline))


class Reading:
    """Stands in for a saver that hands out a row as it is."""

    def __init__(self, saver: Any) -> None:
        self._saver = saver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._saver, name)

    def _load_checkpoint_tuple(self, row: Any) -> Any:
        return row


class AsyncReading(Reading):
    """The same for an async saver."""

    async def _load_checkpoint_tuple(self, row: Any) -> Any:
        return row


def make_put(original: Stock, tally: Tally, variant: str) -> Stock:
    """`PostgresSaver.put`, encoding before the lock."""
    kind = _globals(original)["PostgresSaver"]

    @wraps(original)
    def put(self: Any, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        tally.calls += 1
        if type(self) is not kind:
            tally.fell_back(A_SUBCLASS)
            return original(self, config, checkpoint, metadata, new_versions)
        return original(Writing(self, LateCursor), config, checkpoint, metadata, new_versions)

    return put


def make_put_writes(original: Stock, tally: Tally, variant: str) -> Stock:
    """`PostgresSaver.put_writes`, encoding before the lock."""
    kind = _globals(original)["PostgresSaver"]

    @wraps(original)
    def put_writes(self: Any, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        tally.calls += 1
        if type(self) is not kind:
            tally.fell_back(A_SUBCLASS)
            original(self, config, writes, task_id, task_path)
            return
        original(Writing(self, LateCursor), config, writes, task_id, task_path)

    return put_writes


def make_get_tuple(original: Stock, tally: Tally, variant: str) -> Stock:
    """`PostgresSaver.get_tuple`, decoding after the lock."""
    kind = _globals(original)["PostgresSaver"]

    @wraps(original)
    def get_tuple(self: Any, config: Any) -> Any:
        tally.calls += 1
        if type(self) is not kind:
            tally.fell_back(A_SUBCLASS)
            return original(self, config)
        row = original(Reading(self), config)
        return None if row is None else self._load_checkpoint_tuple(row)

    return get_tuple


def make_aput(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncPostgresSaver.aput`, encoding before the lock."""
    kind = _globals(original)["AsyncPostgresSaver"]

    @wraps(original)
    async def aput(
        self: Any, config: Any, checkpoint: Any, metadata: Any, new_versions: Any
    ) -> Any:
        tally.calls += 1
        if type(self) is not kind:
            tally.fell_back(A_SUBCLASS)
            return await original(self, config, checkpoint, metadata, new_versions)
        writing = Writing(self, AsyncLateCursor)
        return await original(writing, config, checkpoint, metadata, new_versions)

    return aput


def make_aget_tuple(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncPostgresSaver.aget_tuple`, decoding after the lock."""
    kind = _globals(original)["AsyncPostgresSaver"]

    @wraps(original)
    async def aget_tuple(self: Any, config: Any) -> Any:
        tally.calls += 1
        if type(self) is not kind:
            tally.fell_back(A_SUBCLASS)
            return await original(self, config)
        row = await original(AsyncReading(self), config)
        return None if row is None else await self._load_checkpoint_tuple(row)

    return aget_tuple


def make_load_checkpoint_tuple(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncPostgresSaver._load_checkpoint_tuple`, without a thread for no writes."""
    from langgraph.checkpoint import postgres

    kind = _globals(original)["AsyncPostgresSaver"]
    stock_sync = postgres.PostgresSaver._load_checkpoint_tuple

    @wraps(original)
    async def _load_checkpoint_tuple(self: Any, value: Any) -> Any:
        tally.calls += 1
        if type(self) is not kind:
            tally.fell_back(A_SUBCLASS)
            return await original(self, value)
        if value["pending_writes"]:
            return await original(self, value)
        return stock_sync(self, value)

    return _load_checkpoint_tuple
