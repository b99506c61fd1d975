"""PostgreSQL savers: the same rows; a lock for a connection, none for a pool; no encoding in it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from savers_programs import afailure, arun, failure, fallbacks, names, run

import fastgraph

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
psycopg_pool = pytest.importorskip("psycopg_pool", reason="psycopg-pool is not installed")
postgres = pytest.importorskip("langgraph.checkpoint.postgres")
postgres_aio = pytest.importorskip("langgraph.checkpoint.postgres.aio")

SYNC, ASYNC = names("PostgresSaver", "BasePostgresSaver"), names("AsyncPostgresSaver")
TARGETS = [*SYNC, *ASYNC]
CONFIG: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
AT: Any = {"configurable": {**CONFIG["configurable"], "checkpoint_id": "c"}}
CHECKPOINT: Any = {
    "v": 4,
    "id": "c",
    "ts": "",
    "channel_values": {"a": [1]},
    "channel_versions": {"a": "1"},
    "versions_seen": {},
}
OPTIONS: Any = {"autocommit": True, "prepare_threshold": 0}
TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
WAYS = ["connection", "pipeline", "pool"]


def connect_pool(uri: str, size: int, **options: Any) -> Any:
    return psycopg_pool.ConnectionPool(
        uri, min_size=size, max_size=size, kwargs=OPTIONS, open=True, **options
    )


def connect_async_pool(uri: str, size: int, **options: Any) -> Any:
    return psycopg_pool.AsyncConnectionPool(
        uri, min_size=size, max_size=size, kwargs=OPTIONS, open=False, **options
    )


@contextmanager
def a_saver(uri: str, way: str, size: int = 3) -> Iterator[Any]:
    if way == "pool":
        with connect_pool(uri, size) as pool:
            yield postgres.PostgresSaver(pool)
        return
    with postgres.PostgresSaver.from_conn_string(uri, pipeline=way == "pipeline") as saver:
        yield saver


class AsyncSaver:
    """An async saver, closed in the end."""

    def __init__(self, uri: str, way: str, size: int = 3) -> None:
        self.uri, self.way, self.size = uri, way, size

    async def __aenter__(self) -> Any:
        if self.way == "pool":
            self.opened: Any = connect_async_pool(self.uri, self.size)
            saver = postgres_aio.AsyncPostgresSaver(await self.opened.__aenter__())
        else:
            self.opened = postgres_aio.AsyncPostgresSaver.from_conn_string(
                self.uri, pipeline=self.way == "pipeline"
            )
            saver = await self.opened.__aenter__()
        return saver

    async def __aexit__(self, *error: Any) -> None:
        await self.opened.__aexit__(*error)


def synced(saver: Any) -> None:
    """Have a pipeline end its transaction, whose locks others would wait for."""
    if saver.pipe:
        saver.pipe.sync()


async def asynced(saver: Any) -> None:
    if saver.pipe:
        await saver.pipe.sync()


def emptied(uri: str) -> list[Any]:
    """The rows of all tables, which are empty afterwards."""
    with psycopg.connect(uri, autocommit=True) as connection:
        found = [
            connection.execute(f"SELECT t.*, ctid::text FROM {table} t ORDER BY ctid").fetchall()
            for table in TABLES
        ]
        connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        return found


@contextmanager
def no_fallbacks(*allowed: str) -> Iterator[None]:
    before = fallbacks()
    yield
    grown = {key for key, count in fallbacks().items() if count != before.get(key, 0)}
    assert {reason for _, reason in grown} <= set(allowed)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_gives_the_same_rows_and_results(way: str, database: str) -> None:
    with a_saver(database, way) as saver:
        for seed in range(8):
            stock = run(seed, saver), synced(saver), emptied(database)
            with fastgraph.patched(TARGETS, strict=True), no_fallbacks(LOCKED[way]):
                patched = run(seed, saver), synced(saver), emptied(database)
            assert patched == stock


@pytest.mark.parametrize("way", WAYS)
def test_an_async_program_gives_the_same_rows_and_results(way: str, database: str) -> None:
    async def programs() -> None:
        async with AsyncSaver(database, way) as saver:
            for seed in range(8):
                stock = await arun(seed, saver), await asynced(saver), emptied(database)
                with fastgraph.patched(TARGETS, strict=True), no_fallbacks(LOCKED[way]):
                    patched = await arun(seed, saver), await asynced(saver), emptied(database)
                assert patched == stock

    asyncio.run(programs())


ONE = "one connection, or a pool that limits who waits"
LOCKED = {"connection": ONE, "pipeline": ONE, "pool": ""}


# Several calls at once.


@contextmanager
def nobody_reads(uri: str) -> Iterator[Any]:
    """Make every query for checkpoints wait; yields what counts those that do."""
    with psycopg.connect(uri) as locking, psycopg.connect(uri, autocommit=True) as watching:
        locking.execute("LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"

        def most(wanted: int, patience: float = 30.0) -> int:
            """How many wait, a second after it became as many as wanted."""
            deadline = time.monotonic() + patience
            while True:
                (number,) = watching.execute(waiting).fetchone()
                if number >= wanted or time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            time.sleep(1.0)
            (number,) = watching.execute(waiting).fetchone()
            return int(number)

        yield most
        locking.rollback()


def at_once(uri: str, way: str, calls: int, wanted: int, size: int = 3) -> int:
    """How many of some sync calls reach the database at the same time, if any as many as wanted."""
    with a_saver(uri, way, size) as saver:
        saver.put(CONFIG, CHECKPOINT, {}, {"a": "1"})
        found: list[Any] = []

        def call() -> None:
            found.append(saver.get_tuple(CONFIG))

        threads = [threading.Thread(target=call) for _ in range(calls)]
        with nobody_reads(uri) as most:
            for thread in threads:
                thread.start()
            number = most(wanted)
        for thread in threads:
            thread.join()
        assert [each.checkpoint["id"] for each in found] == ["c"] * calls
        return int(number)


def at_once_async(uri: str, way: str, calls: int, wanted: int, size: int = 3) -> int:
    """The same for async calls."""

    async def call() -> int:
        async with AsyncSaver(uri, way, size) as saver:
            await saver.aput(CONFIG, CHECKPOINT, {}, {"a": "1"})
            with nobody_reads(uri) as most:
                tasks = [asyncio.ensure_future(saver.aget_tuple(CONFIG)) for _ in range(calls)]
                number = await asyncio.to_thread(most, wanted)
            found = await asyncio.gather(*tasks)
            assert [each.checkpoint["id"] for each in found] == ["c"] * calls
            return int(number)

    return asyncio.run(call())


@pytest.mark.parametrize("reach", [at_once, at_once_async])
def test_calls_on_a_pool_run_at_once_and_on_a_connection_one_by_one(
    reach: Any, database: str
) -> None:
    assert reach(database, "pool", 2, 1) == 1
    with fastgraph.patched(TARGETS):
        assert reach(database, "pool", 2, 2) == 2
        assert reach(database, "connection", 2, 1) == 1
        # No more than the pool has; the others do not wait in it.
        assert reach(database, "pool", 5, 3, size=3) == 3


def test_who_waits_for_a_place_is_not_given_up(database: str) -> None:
    """A pool refuses whom it cannot serve in time; upstream's lock never did."""

    async def use() -> list[Any]:
        async with connect_async_pool(database, 1, timeout=0.5) as pool:
            saver = postgres_aio.AsyncPostgresSaver(pool)
            await saver.aput(CONFIG, CHECKPOINT, {}, {"a": "1"})
            with nobody_reads(database) as most:
                tasks = [asyncio.ensure_future(saver.aget_tuple(CONFIG)) for _ in range(3)]
                await asyncio.to_thread(most, 4, 1.0)  # for twice the pool's patience or more
            return await asyncio.gather(*tasks)

    stock = repr(asyncio.run(use()))
    with fastgraph.patched(TARGETS):
        assert repr(asyncio.run(use())) == stock


def test_a_pool_that_limits_who_waits_keeps_the_lock(database: str) -> None:
    with connect_pool(database, 3, max_waiting=1) as pool, fastgraph.patched(TARGETS):
        saver = postgres.PostgresSaver(pool)
        with saver._cursor():
            assert saver.lock.locked()


def test_a_call_waits_for_who_holds_the_lock(database: str) -> None:
    with a_saver(database, "pool") as saver, fastgraph.patched(TARGETS):
        with saver.lock:
            thread = threading.Thread(target=saver.put, args=(CONFIG, CHECKPOINT, {}, {}))
            thread.start()
            thread.join(0.2)
            assert thread.is_alive()
        thread.join()
        assert saver.get_tuple(CONFIG) is not None


# Encoding and decoding outside the lock.


class Watching(JsonPlusSerializer):
    """Tells whether the saver's lock is held while it works."""

    saver: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.held: list[bool] = []

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        self.held.append(self.saver.lock.locked())
        return super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.held.append(self.saver.lock.locked())
        return super().loads_typed(data)


def watched(saver: Any) -> Watching:
    saver.serde = serde = Watching()
    serde.saver = saver
    return serde


def while_used(uri: str) -> list[bool]:
    with a_saver(uri, "connection") as saver:
        serde = watched(saver)
        saver.put(CONFIG, CHECKPOINT, {}, {"a": "1"})
        saver.put_writes(AT, [("a", 1)], "task")
        assert saver.get_tuple(CONFIG).pending_writes == [("task", "a", 1)]
        emptied(uri)
        return serde.held


def while_used_async(uri: str) -> list[bool]:
    async def use() -> list[bool]:
        async with AsyncSaver(uri, "connection") as saver:
            serde = watched(saver)
            await saver.aput(CONFIG, CHECKPOINT, {}, {"a": "1"})
            await saver.aput_writes(AT, [("a", 1)], "task")
            found = await saver.aget_tuple(CONFIG)
            assert found.pending_writes == [("task", "a", 1)]
            emptied(uri)
            return serde.held

    return asyncio.run(use())


def test_nothing_is_encoded_or_decoded_under_the_lock(database: str) -> None:
    assert while_used(database) == [True] * 4
    assert while_used_async(database) == [True, False, True, True]
    with fastgraph.patched(TARGETS):
        assert while_used(database) == [False] * 4
        assert while_used_async(database) == [False] * 4


# Failures.


class Unserializable:
    def __reduce__(self) -> Any:
        raise TypeError("not today")


UNSTORABLE: Any = {**CHECKPOINT, "channel_values": {"a": Unserializable()}}


def failing(uri: str, way: str) -> Any:
    with a_saver(uri, way) as saver:
        said = []
        for call in (
            lambda: saver.put(CONFIG, UNSTORABLE, {}, {"a": "1"}),
            lambda: saver.put(CONFIG, CHECKPOINT, {"a": Unserializable()}, {"a": "1"}),
            lambda: saver.put({"configurable": {}}, CHECKPOINT, {}, {}),
            lambda: saver.put_writes(AT, [("a", 1), ("b", Unserializable())], "task"),
            lambda: saver.put_writes(AT, [None], "task"),
            lambda: saver.get_tuple({"configurable": {}}),
        ):
            said.append(failure(call))
        saver.put(CONFIG, CHECKPOINT, {}, {"a": "1"})
    return said, emptied(uri)


def afailing(uri: str, way: str) -> Any:
    async def fail() -> Any:
        async with AsyncSaver(uri, way) as saver:
            said = []
            for call in (
                saver.aput(CONFIG, UNSTORABLE, {}, {"a": "1"}),
                saver.aput(CONFIG, CHECKPOINT, {"a": Unserializable()}, {"a": "1"}),
                saver.aput({"configurable": {}}, CHECKPOINT, {}, {}),
                saver.aput_writes(AT, [("a", 1), ("b", Unserializable())], "task"),
                saver.aget_tuple({"configurable": {}}),
            ):
                said.append(await afailure(call))
            await saver.aput(CONFIG, CHECKPOINT, {}, {"a": "1"})
        return said

    return asyncio.run(fail()), emptied(uri)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fail", [failing, afailing])
def test_calls_fail_as_upstream(fail: Any, way: str, database: str) -> None:
    stock = fail(database, way)
    with fastgraph.patched(TARGETS):
        assert fail(database, way) == stock


def test_a_call_that_is_cancelled_leaves_the_saver_as_it_was(database: str) -> None:
    async def cancel(turns: int, saver: Any) -> None:
        task = asyncio.ensure_future(saver.aput(CONFIG, CHECKPOINT, {}, {"a": "1"}))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    async def use(way: str) -> None:
        async with AsyncSaver(database, way, 1) as saver:
            for turns in range(0, 40, 3):
                await cancel(turns, saver)
            await asyncio.wait_for(saver.aput(CONFIG, CHECKPOINT, {}, {"a": "1"}), 20)
            assert (await saver.aget_tuple(CONFIG)).checkpoint["channel_values"] == {"a": [1]}

    with fastgraph.patched(TARGETS):
        asyncio.run(use("pool"))


# Outside the domain.

said: list[str] = []


class Shouting(postgres.PostgresSaver):
    def _cursor(self, *, pipeline: bool = False) -> Any:
        said.append(f"cursor, pipeline={pipeline}")
        return super()._cursor(pipeline=pipeline)

    def _load_checkpoint_tuple(self, value: Any) -> Any:
        said.append(f"load with the lock {self.lock.locked()}")
        return super()._load_checkpoint_tuple(value)


def test_a_subclass_is_asked_as_upstream_asks_it(database: str) -> None:
    def ask() -> list[str]:
        said.clear()
        with Shouting.from_conn_string(database) as saver:
            saver.put(CONFIG, CHECKPOINT, {}, {"a": "1"})
            saver.put_writes(AT, [("a", 1)], "task")
            assert saver.get_tuple(CONFIG) is not None
        return list(said)

    stock = ask()
    assert "load with the lock True" in stock
    with fastgraph.patched(TARGETS):
        assert ask() == stock


def test_a_pool_that_was_resized_has_as_many_places(database: str) -> None:
    with connect_pool(database, 1) as pool, fastgraph.patched(TARGETS):
        saver = postgres.PostgresSaver(pool)
        with saver._cursor() as first:
            pool.resize(2, 2)
            with saver._cursor() as second:
                assert first.connection is not second.connection
