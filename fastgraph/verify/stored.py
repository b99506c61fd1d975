"""Everything that a checkpoint saver keeps, as bytes where it keeps bytes."""

from __future__ import annotations

import sqlite3
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver


def stored(saver: Any) -> Any:
    """Describe what a saver keeps.

    Parameters
    ----------
    saver
        An ``InMemorySaver``, or a saver with an open ``sqlite3`` connection ``conn``.

    Returns
    -------
    dict or None
        What it stores, in an order that does not depend on threads; None for any other saver.
    """
    if isinstance(saver, InMemorySaver):
        return _in_memory(saver)
    connection = getattr(saver, "conn", None)
    if isinstance(connection, sqlite3.Connection):
        return tables(connection)
    return None


def _in_memory(saver: Any) -> dict[str, Any]:
    return {
        "storage": {
            thread: {ns: dict(sorted(saved.items())) for ns, saved in sorted(spaces.items())}
            for thread, spaces in sorted(saver.storage.items())
        },
        "writes": sorted((key, sorted(writes.items())) for key, writes in saver.writes.items()),
        "blobs": sorted(saver.blobs.items(), key=lambda item: repr(item[0])),
    }


def tables(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table, sorted: threads store them in the order they finish."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
        for (name,) in names
    }
