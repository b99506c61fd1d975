"""SQLite savers: the same rows by the same statements, encoded outside the lock, in fewer trips."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from savers_programs import afailure, arun, fallbacks, names, run

import fastgraph

SYNC, ASYNC = names("SqliteSaver"), names("AsyncSqliteSaver")
CONFIG: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
AT: Any = {"configurable": {**CONFIG["configurable"], "checkpoint_id": "c"}}
CHECKPOINT: Any = {"v": 4, "id": "c", "ts": "", "channel_values": {}, "channel_versions": {}}


def rows(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        tables = ("checkpoints", "writes")
        return [
            connection.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()
            for table in tables
        ]


@contextmanager
def no_fallbacks() -> Iterator[None]:
    before = fallbacks()
    yield
    assert fallbacks() == before


def sync_program(path: Path, seed: int) -> Any:
    with SqliteSaver.from_conn_string(str(path)) as saver:
        statements: list[str] = []
        saver.conn.set_trace_callback(statements.append)
        return run(seed, saver), statements


async def async_program(path: Path, seed: int) -> Any:
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()
        statements: list[str] = []
        await saver.conn.set_trace_callback(statements.append)
        return await arun(seed, saver), statements


@pytest.mark.parametrize("seed", range(25))
def test_a_program_gives_the_same_rows_results_and_statements(seed: int, tmp_path: Path) -> None:
    stock = sync_program(tmp_path / "stock", seed)
    with fastgraph.patched(SYNC, strict=True), no_fallbacks():
        patched = sync_program(tmp_path / "patched", seed)
    assert patched == stock
    assert rows(tmp_path / "patched") == rows(tmp_path / "stock")


@pytest.mark.parametrize("seed", range(25))
def test_an_async_program_gives_the_same_rows_results_and_statements(
    seed: int, tmp_path: Path
) -> None:
    stock = asyncio.run(async_program(tmp_path / "stock", seed))
    with fastgraph.patched(ASYNC, strict=True), no_fallbacks():
        patched = asyncio.run(async_program(tmp_path / "patched", seed))
    assert patched == stock
    assert rows(tmp_path / "patched") == rows(tmp_path / "stock")


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


def while_used() -> list[bool]:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        serde = watched(saver)
        saver.put(CONFIG, CHECKPOINT, {}, {})
        saver.put_writes(AT, [("a", 1), ("b", 2)], "task")
        assert saver.get_tuple(CONFIG).pending_writes == [("task", "a", 1), ("task", "b", 2)]
        return serde.held


async def while_used_async() -> list[bool]:
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        serde = watched(saver)
        await saver.aput(CONFIG, CHECKPOINT, {}, {})
        await saver.aput_writes(AT, [("a", 1), ("b", 2)], "task")
        found = await saver.aget_tuple(CONFIG)
        assert found.pending_writes == [("task", "a", 1), ("task", "b", 2)]
        return serde.held


def test_nothing_is_encoded_or_decoded_under_the_lock() -> None:
    assert while_used() == [False, True, True, True, True, True]
    with fastgraph.patched(SYNC):
        assert while_used() == [False] * 6
    assert asyncio.run(while_used_async()) == [False, True, True, True, True, True]
    with fastgraph.patched(ASYNC):
        assert asyncio.run(while_used_async()) == [False] * 6


def test_a_value_is_encoded_while_another_call_has_the_lock() -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver, fastgraph.patched(SYNC):
        serde = watched(saver)
        saver.setup()
        with saver.lock:
            thread = threading.Thread(target=saver.put_writes, args=(AT, [("a", 1)], "task"))
            thread.start()
            for _ in range(10_000):
                if serde.held:
                    break
                thread.join(0.001)
            assert serde.held == [True] and thread.is_alive()
        thread.join()


# Failures.


class Unserializable:
    def __reduce__(self) -> Any:
        raise TypeError("not today")


def failing(path: Path) -> Any:
    """What becomes of writes that do not encode, and of a transaction that is open then."""
    with SqliteSaver.from_conn_string(str(path)) as saver:
        with pytest.raises(TypeError) as first:  # in an empty database
            saver.put_writes(AT, [("a", 1), ("b", Unserializable())], "task")
        saver.conn.execute("INSERT INTO checkpoints (thread_id, checkpoint_id) VALUES ('x', 'y')")
        with pytest.raises(TypeError) as second:
            saver.put_writes(AT, [("a", Unserializable())], "task")
        with pytest.raises(KeyError) as third:
            saver.put_writes({"configurable": {}}, [("a", 1)], "task")
        with pytest.raises(TypeError) as fourth:
            saver.put_writes(AT, [None], "task")  # type: ignore[list-item]
        errors = [str(error.value) for error in (first, second, third, fourth)]
        return errors, saver.conn.in_transaction, saver.lock.locked()


def test_writes_that_do_not_encode_fail_as_upstream(tmp_path: Path) -> None:
    stock = failing(tmp_path / "stock")
    with fastgraph.patched(SYNC):
        assert failing(tmp_path / "patched") == stock
    assert rows(tmp_path / "patched") == rows(tmp_path / "stock")


async def afailing(path: Path) -> Any:
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        errors = []
        for call in (
            saver.adelete_thread("before the set-up"),
            saver.aput_writes(AT, [("a", 1), ("b", Unserializable())], "task"),
            saver.aput_writes({"configurable": {}}, [("a", 1)], "task"),
            saver.aput(CONFIG, {**CHECKPOINT, "id": None}, {}, {}),
            saver.aput(CONFIG, CHECKPOINT, {"a": Unserializable()}, {}),  # type: ignore[typeddict-unknown-key]
            saver.aget_tuple({"configurable": {}}),
            saver.aget_tuple({}),
        ):
            errors.append(await afailure(call))
        after = saver.conn.in_transaction, saver.lock.locked()
        await saver.aput(CONFIG, CHECKPOINT, {}, {})
        return errors, after


def test_async_calls_fail_as_upstream(tmp_path: Path) -> None:
    stock = asyncio.run(afailing(tmp_path / "stock"))
    with fastgraph.patched(ASYNC):
        assert asyncio.run(afailing(tmp_path / "patched")) == stock
    assert rows(tmp_path / "patched") == rows(tmp_path / "stock")


def spoilt(column: str, value: Any) -> list[str]:
    """What loading says of a row that somebody spoilt."""

    async def load() -> Any:
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            await saver.aput(CONFIG, CHECKPOINT, {}, {})
            await saver.conn.execute(f"UPDATE checkpoints SET {column} = ?", (value,))
            return await saver.aget_tuple(CONFIG)

    def load_sync() -> Any:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            saver.put(CONFIG, CHECKPOINT, {}, {})
            saver.conn.execute(f"UPDATE checkpoints SET {column} = ?", (value,))
            return saver.get_tuple(CONFIG)

    said = []
    for loading in (lambda: asyncio.run(load()), load_sync):
        try:
            said.append(repr(loading()))
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


@pytest.mark.parametrize(
    ("column", "value"),
    [("metadata", b"{"), ("metadata", None), ("type", "?"), ("checkpoint", b"\xc1")],
)
def test_a_spoilt_row_fails_as_upstream(column: str, value: Any) -> None:
    stock = spoilt(column, value)
    with fastgraph.patched([*SYNC, *ASYNC]):
        assert spoilt(column, value) == stock


async def closed() -> list[Any]:
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await saver.setup()
    said = []
    for call in (saver.aput(CONFIG, CHECKPOINT, {}, {}), saver.aget_tuple(CONFIG)):
        said.append(await afailure(call))
    return said


def test_a_closed_connection_fails_as_upstream() -> None:
    stock = asyncio.run(closed())
    with fastgraph.patched(ASYNC):
        assert asyncio.run(closed()) == stock


# Trips.


async def trips() -> dict[str, int]:
    counted: dict[str, int] = {}
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await saver.setup()
        execute = saver.conn._execute
        number = 0

        def counting(*arguments: Any) -> Any:
            nonlocal number
            number += 1
            return execute(*arguments)

        async def count(name: str, call: Any) -> None:
            nonlocal number
            number = 0
            await call
            counted[name] = number

        async def drain() -> None:
            assert len([each async for each in saver.alist(CONFIG)]) == 3

        saver.conn._execute = counting  # type: ignore[method-assign]
        for name in ("c", "d", "e"):
            await count("put", saver.aput(CONFIG, {**CHECKPOINT, "id": name}, {}, {}))
        await count("put_writes", saver.aput_writes(AT, [("a", 1)], "task"))
        await count("get", saver.aget_tuple(CONFIG))
        await count("get nothing", saver.aget_tuple({"configurable": {"thread_id": "2"}}))
        await count("list", drain())
        await count("delete", saver.adelete_thread("1"))
    return counted


def test_trips_to_the_thread_of_the_connection() -> None:
    stock = {"put": 3, "put_writes": 4, "get": 6, "get nothing": 4, "list": 12, "delete": 5}
    assert asyncio.run(trips()) == stock
    fewer = {"put": 1, "put_writes": 1, "get": 1, "get nothing": 1, "list": 7, "delete": 1}
    with fastgraph.patched(ASYNC):
        assert asyncio.run(trips()) == fewer


# Outside the domain.


class Shouting(SqliteSaver):
    def cursor(self, transaction: bool = True) -> Any:
        said.append("cursor")
        return super().cursor(transaction)


class AsyncShouting(AsyncSqliteSaver):
    async def setup(self) -> None:
        said.append("setup")
        await super().setup()


said: list[str] = []


def test_a_subclass_is_asked_as_upstream_asks_it() -> None:
    def ask() -> list[str]:
        said.clear()
        with Shouting.from_conn_string(":memory:") as saver:
            saver.put(CONFIG, CHECKPOINT, {}, {})
            saver.put_writes(AT, [("a", 1)], "task")
            saver.get_tuple(CONFIG)
        return list(said)

    async def aask() -> list[str]:
        said.clear()
        async with AsyncShouting.from_conn_string(":memory:") as saver:
            await saver.aput(CONFIG, CHECKPOINT, {}, {})
            await saver.aput_writes(AT, [("a", 1)], "task")
            await saver.aget_tuple(CONFIG)
            assert [each async for each in saver.alist(CONFIG)]
        return list(said)

    stock = ask(), asyncio.run(aask())
    assert stock == (["cursor"] * 3, ["setup"] * 4)
    with fastgraph.patched([*SYNC, *ASYNC]):
        assert (ask(), asyncio.run(aask())) == stock


def test_aiosqlite_logs_each_call_if_it_is_asked_to(caplog: pytest.LogCaptureFixture) -> None:
    async def used() -> list[str]:
        caplog.clear()
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            await saver.aput(CONFIG, CHECKPOINT, {}, {})
            await saver.aget_tuple(CONFIG)
        # Each call is logged when it begins, and once more when its outcome is on its way.
        return [each.msg for each in caplog.records if each.msg.startswith("executing")]

    with caplog.at_level(logging.DEBUG, "aiosqlite"):
        stock = asyncio.run(used())
        with fastgraph.patched(ASYNC):
            assert asyncio.run(used()) == stock


def test_a_connection_made_later() -> None:
    async def use() -> Any:
        saver = AsyncSqliteSaver(aiosqlite.connect(":memory:"))
        await saver.aput(CONFIG, CHECKPOINT, {}, {})
        try:
            return repr(await saver.aget_tuple(CONFIG))
        finally:
            await saver.conn.close()

    stock = asyncio.run(use())
    with fastgraph.patched(ASYNC):
        assert asyncio.run(use()) == stock


# Listing.


async def changed_meanwhile(path: Path, *, other: bool, checkpoints: int) -> list[Any]:
    """List, while writes are added to checkpoints not listed yet, by whichever connection."""
    seen = []
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        for number in range(checkpoints):
            await saver.aput(CONFIG, {**CHECKPOINT, "id": f"{number:03}"}, {}, {})
        with closing(sqlite3.connect(path)) as another:
            async for found in saver.alist(CONFIG):
                name = found.config["configurable"]["checkpoint_id"]
                seen.append((name, found.pending_writes))
                insert = (
                    "INSERT INTO writes (thread_id, checkpoint_id, task_id, idx, channel, type)"
                    f" VALUES ('1', '{max(int(name) - 1, 0):03}', 'by {name}', 0, 'a', 'null')"
                )
                if other:
                    another.execute(insert)
                    another.commit()
                else:
                    await saver.conn.execute(insert)
                    await saver.conn.commit()
    return seen


@pytest.mark.parametrize("checkpoints", [5, 70])  # fewer and more than aiosqlite fetches ahead
@pytest.mark.parametrize("other", [False, True])
def test_a_list_sees_what_is_written_meanwhile_as_upstream_does(
    other: bool, checkpoints: int, tmp_path: Path
) -> None:
    def changed(name: str) -> Any:
        path = tmp_path / name
        return asyncio.run(changed_meanwhile(path, other=other, checkpoints=checkpoints))

    stock = changed("stock")
    assert any(writes for _, writes in stock)
    with fastgraph.patched(ASYNC):
        assert changed("patched") == stock


def test_a_list_that_is_left_early_gives_the_lock_back() -> None:
    async def leave() -> bool:
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            for name in "abc":
                await saver.aput(CONFIG, {**CHECKPOINT, "id": name}, {}, {})
            listing: Any = saver.alist(CONFIG)
            await anext(listing)
            held = saver.lock.locked()
            await listing.aclose()
            await saver.aput(CONFIG, CHECKPOINT, {}, {})
            return held and not saver.lock.locked()

    assert asyncio.run(leave())
    with fastgraph.patched(ASYNC):
        assert asyncio.run(leave())


# Cancellation.


async def cancelled_at(turn: int) -> tuple[bool, bool]:
    """Cancel an `aput` after some turns of the loop; whether it was stored, and all is well."""
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await saver.setup()
        task = asyncio.ensure_future(saver.aput(CONFIG, CHECKPOINT, {}, {}))
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        stored = await saver.aget_tuple(CONFIG) is not None
        return stored, not saver.lock.locked() and not saver.conn.in_transaction


def test_a_call_that_is_cancelled_is_stored_or_not() -> None:
    with fastgraph.patched(ASYNC):
        outcomes = [asyncio.run(cancelled_at(turn)) for turn in range(12)]
    assert all(well for _, well in outcomes)
    assert outcomes[0] == (False, True)
