"""The async SQLite saver: fewer trips to aiosqlite's thread, and encoding outside the lock.

Upstream's own methods run, with a stand-in for the saver: its lock is taken when the first
statement is sent rather than before what is to be stored has been encoded, and what was read is
decoded after the lock was given back. The statements, their order and their transactions are
upstream's.

aiosqlite runs each call on a connection or a cursor in the connection's thread, and wakes the
event loop for its result. Of upstream's calls, only those that commit or fetch have a result that
matters; the others travel with them. A call that is cancelled on the way ends as if it had been
cancelled before its first statement or after its commit, never in between.

Domain: exactly `AsyncSqliteSaver` on exactly aiosqlite's and `sqlite3`'s connections, connected.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from operator import methodcaller
from typing import Any, TypeAlias

from langgraph.checkpoint.base import CheckpointTuple

from fastgraph.adapters.langgraph.sqlite_saver import decoded, stock_get_tuple, undecoded
from fastgraph.kernels.tally import Tally

Stock: TypeAlias = Callable[..., Any]

A_SUBCLASS = "a subclass of the saver, or another connection"
NOT_CONNECTED = "no connection yet, or not one of sqlite3's own"
TRACED = "aiosqlite's calls are logged"

_COMMIT = methodcaller("commit")


class Trip:
    """Statements on their way to a connection's thread, and the lock that they need there.

    Parameters
    ----------
    saver : AsyncSqliteSaver
        Whose lock, and whose connection.
    """

    def __init__(self, saver: Any) -> None:
        self._saver = saver
        self._waiting: list[tuple[TripCursor, str, tuple[Any, ...]]] = []
        self._locked = False

    # In the place of the saver's lock, taken late.

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *error: object) -> None:
        if self._locked:
            self._saver.lock.release()

    # In the place of the saver's connection.

    def cursor(self) -> TripCursor:
        return TripCursor(self)

    def execute(self, sql: str, parameters: Any) -> TripCursor:
        cursor = TripCursor(self)
        self.add(cursor, "execute", sql, parameters)
        return cursor

    async def commit(self) -> None:
        await self.send(_COMMIT)

    # The statements.

    def add(self, cursor: TripCursor, method: str, *arguments: Any) -> None:
        self._waiting.append((cursor, method, arguments))

    async def send(self, last: Callable[[Any], Any]) -> Any:
        """Have the thread execute what waits and then `last`, called with the connection."""
        if not self._locked:
            await self._saver.lock.acquire()
            self._locked = True
        connection = self._saver.conn
        waiting, self._waiting = self._waiting, []
        return await connection._execute(_executed, connection._conn, waiting, last)


class TripCursor:
    """Stands in for aiosqlite's cursor, asked for the rows of a statement at most once."""

    def __init__(self, trip: Trip) -> None:
        self._trip = trip
        self.held: Any = None

    async def __aenter__(self) -> TripCursor:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    async def execute(self, sql: str, parameters: Any = ()) -> TripCursor:
        self._trip.add(self, "execute", sql, parameters)
        return self

    async def executemany(self, sql: str, rows: Any) -> TripCursor:
        self._trip.add(self, "executemany", sql, rows)
        return self

    async def fetchall(self) -> Any:
        return await self._trip.send(lambda _: self.held.fetchall())

    async def __aiter__(self) -> AsyncIterator[Any]:
        for row in await self.fetchall():
            yield row


def _executed(
    connection: sqlite3.Connection,
    waiting: list[tuple[TripCursor, str, tuple[Any, ...]]],
    last: Callable[[Any], Any],
) -> Any:
    """Execute statements in the connection's thread, where their cursors begin and end."""
    used: dict[TripCursor, None] = {}
    try:
        for cursor, method, arguments in waiting:
            used[cursor] = None
            if cursor.held is None:
                cursor.held = connection.cursor()
            getattr(cursor.held, method)(*arguments)
        return last(connection)
    finally:
        for cursor in used:
            if cursor.held is not None:
                cursor.held.close()
                cursor.held = None


class AsyncWriting:
    """Stands in for an `AsyncSqliteSaver` that encodes what it then writes."""

    def __init__(self, saver: Any) -> None:
        self._saver = saver
        self.serde = saver.serde
        self.lock = self.conn = Trip(saver)

    async def setup(self) -> None:
        if not self._saver.is_setup:
            await self._saver.setup()


class AsyncListing:
    """Stands in for an `AsyncSqliteSaver` that lists checkpoints.

    The cursor over the checkpoints is aiosqlite's. That over a checkpoint's writes asks for them
    when upstream does, no sooner: what another connection commits meanwhile may be among them.
    """

    def __init__(self, saver: Any) -> None:
        self._saver = saver
        self.serde = saver.serde
        self.lock = saver.lock
        self.conn = self
        self.execute = saver.conn.execute

    @property
    def _has_task_path(self) -> bool:
        has: bool = self._saver._has_task_path
        return has

    async def setup(self) -> None:
        if not self._saver.is_setup:
            await self._saver.setup()

    def cursor(self) -> TripCursor:
        trip = Trip(self._saver)
        trip._locked = True  # by `lock`, which is the saver's
        return TripCursor(trip)


class InThread:
    """Stands in for a `SqliteSaver`, in the thread of an async saver's connection."""

    serde = undecoded()

    def __init__(self, saver: Any) -> None:
        self._connection: sqlite3.Connection = saver.conn._conn
        self._has_task_path = getattr(saver, "_has_task_path", True)

    @contextlib.contextmanager
    def cursor(self, transaction: bool) -> Iterator[sqlite3.Cursor]:
        with contextlib.closing(self._connection.cursor()) as cursor:
            yield cursor


class _Outside:
    """Says why upstream has to run by itself."""

    def __init__(self, original: Stock) -> None:
        aiosqlite = original.__globals__["aiosqlite"]
        self._kind = original.__globals__["AsyncSqliteSaver"]
        self._connection = aiosqlite.Connection
        self._log: logging.Logger = aiosqlite.core.LOG

    def __call__(self, saver: Any) -> str | None:
        if type(saver) is not self._kind or type(saver.conn) is not self._connection:
            return A_SUBCLASS
        if type(saver.conn._connection) is not sqlite3.Connection:
            return NOT_CONNECTED
        # A record for each of upstream's calls is something to see.
        return TRACED if self._log.isEnabledFor(logging.DEBUG) else None


def make_aput(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncSqliteSaver.aput`, in one trip."""
    outside = _Outside(original)

    @wraps(original)
    async def aput(
        self: Any, config: Any, checkpoint: Any, metadata: Any, new_versions: Any
    ) -> Any:
        tally.calls += 1
        reason = outside(self)
        if reason is not None:
            tally.fell_back(reason)
            return await original(self, config, checkpoint, metadata, new_versions)
        return await original(AsyncWriting(self), config, checkpoint, metadata, new_versions)

    return aput


def make_aput_writes(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncSqliteSaver.aput_writes`, encoding before the lock, in one trip."""
    outside = _Outside(original)

    @wraps(original)
    async def aput_writes(
        self: Any, config: Any, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        tally.calls += 1
        reason = outside(self)
        if reason is not None:
            tally.fell_back(reason)
            await original(self, config, writes, task_id, task_path)
            return
        await original(AsyncWriting(self), config, writes, task_id, task_path)

    return aput_writes


def make_adelete_thread(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncSqliteSaver.adelete_thread`, in one trip."""
    outside = _Outside(original)

    @wraps(original)
    async def adelete_thread(self: Any, thread_id: str) -> None:
        tally.calls += 1
        reason = outside(self)
        if reason is not None:
            tally.fell_back(reason)
            await original(self, thread_id)
            return
        await original(AsyncWriting(self), thread_id)

    return adelete_thread


def make_aget_tuple(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncSqliteSaver.aget_tuple`: the sync saver's, in the connection's thread."""
    outside = _Outside(original)
    stock_sync = stock_get_tuple()

    @wraps(original)
    async def aget_tuple(self: Any, config: Any) -> CheckpointTuple | None:
        tally.calls += 1
        reason = outside(self)
        if reason is not None:
            tally.fell_back(reason)
            return await original(self, config)  # type: ignore[no-any-return]
        if not self.is_setup:
            await self.setup()
        try:
            async with self.lock:
                stored = await self.conn._execute(stock_sync, InThread(self), config)
        except ValueError:
            # The metadata does not decode, nor may the checkpoint, which upstream decodes before;
            # or there is no connection any more.
            return await original(self, config)  # type: ignore[no-any-return]
        return decoded(stored, self.serde)  # type: ignore[no-any-return]

    return aget_tuple


def make_alist(original: Stock, tally: Tally, variant: str) -> Stock:
    """`AsyncSqliteSaver.alist`, one trip per checkpoint instead of two."""
    outside = _Outside(original)

    @wraps(original)
    def alist(
        self: Any, config: Any, *, filter: Any = None, before: Any = None, limit: Any = None
    ) -> AsyncIterator[CheckpointTuple]:
        tally.calls += 1
        reason = outside(self)
        if reason is not None:
            tally.fell_back(reason)
        saver = self if reason is not None else AsyncListing(self)
        return original(  # type: ignore[no-any-return]
            saver, config, filter=filter, before=before, limit=limit
        )

    return alist
