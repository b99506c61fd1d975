"""Pytest plugin for upstream's suites: leads them to the servers at hand.

Upstream's tests name fixed addresses on localhost. The constants in their
loaded modules are rewritten, and ``redis.Redis`` is led elsewhere, so that any
port will do and no file of theirs has to change.

Upstream empties shared tables and databases between tests, which only works
one test at a time; here every xdist worker gets a database of its own.
"""

from __future__ import annotations

import functools
import re
import sys
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

_UPSTREAM_POSTGRES = re.compile(r"^postgres(?:ql)?://[^/@]+@localhost:\d+/([^?]*)(\?.*)?$")
_UPSTREAM_REDIS = ("localhost", 6379)
_REMOTE_FIXTURE = "remote_graph"
# Upstream's tests use the databases 0 and 1.
_REDIS_DATABASES_PER_WORKER = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--conformance-postgres", metavar="URI", help="PostgreSQL, without a database")
    group.addoption("--conformance-redis", metavar="URI", help="Redis, without a database")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    redis_uri = config.getoption("conformance_redis")
    if redis_uri is not None:
        lead_redis_to(redis_uri, worker_number(config) * _REDIS_DATABASES_PER_WORKER)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Rewrite the constants once the conftest modules are loaded, before any test module."""
    base = session.config.getoption("conformance_postgres")
    if base is None:
        return
    database = f"conformance_{worker_number(session.config)}"
    if rewrite_constants(list(sys.modules.values()), base, database):
        _recreate(base, database)
        session.config.add_cleanup(functools.partial(_drop, base, database))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of a running LangGraph server, of which there is none.

    They would talk to whatever listens on its port. The graphs they are about
    run in the server's process, which is out of the engine's reach.
    """
    needless = pytest.mark.skip(reason="needs a LangGraph server")
    for item in items:
        if _REMOTE_FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker(needless)


def worker_number(config: pytest.Config) -> int:
    """Return 0 outside of xdist, and 1 up in its workers."""
    workerinput: dict[str, Any] = getattr(config, "workerinput", {})
    worker = workerinput.get("workerid")
    return 0 if worker is None else int(worker.removeprefix("gw")) + 1


def rewrite_constants(modules: list[ModuleType], base: str, database: str) -> bool:
    """Point module-level PostgreSQL URIs of the package ``tests`` to `base`.

    Parameters
    ----------
    modules : list of module
        Modules outside of the package ``tests`` are left alone.
    base : str
        URI of the server, ending in ``/``.
    database : str
        Takes the place of a database that a URI names.

    Returns
    -------
    bool
        Whether a URI naming a database was rewritten.
    """
    named = False
    for module in modules:
        if not getattr(module, "__name__", "").startswith("tests."):
            continue
        for name, value in list(vars(module).items()):
            match = _UPSTREAM_POSTGRES.match(value) if isinstance(value, str) else None
            if match is None:
                continue
            named = named or bool(match[1])
            setattr(module, name, base + (database if match[1] else "") + (match[2] or ""))
    return named


def lead_redis_to(uri: str, first_database: int) -> None:
    """Make clients of upstream's Redis address connect to `uri` instead."""
    try:
        import redis
    except ImportError:
        return
    server = urlsplit(uri)
    original = redis.Redis.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if (kwargs.get("host"), kwargs.get("port")) == _UPSTREAM_REDIS:
            kwargs.update(host=server.hostname, port=server.port or _UPSTREAM_REDIS[1])
            kwargs["db"] = first_database + kwargs.get("db", 0)
            if server.password:
                kwargs.setdefault("password", unquote(server.password))
            if server.username:
                kwargs.setdefault("username", unquote(server.username))
        original(self, *args, **kwargs)

    redis.Redis.__init__ = init  # type: ignore[method-assign]


def _recreate(base: str, database: str) -> None:
    _drop(base, database)
    _execute(base, f"CREATE DATABASE {database}")


def _drop(base: str, database: str) -> None:
    _execute(base, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def _execute(base: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(statement.encode())
