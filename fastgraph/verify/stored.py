"""Everything that a checkpoint saver keeps, as bytes where it keeps bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer


def stored(saver: Any, thread: str | None = None) -> Any:
    """Describe what a saver keeps.

    Parameters
    ----------
    saver
        An ``InMemorySaver``, or a saver with an open ``sqlite3`` connection ``conn``.
    thread : str, optional
        The id of the one thread to describe; all of them by default.

    Returns
    -------
    dict or None
        What it stores, in an order that does not depend on threads; None for any other saver.
        What is encrypted is decrypted, as encryption draws its own random numbers.
    """
    connection = getattr(saver, "conn", None)
    kept: Any = None
    if isinstance(saver, InMemorySaver):
        kept = _in_memory(saver, thread)
    elif isinstance(connection, sqlite3.Connection):
        kept = tables(connection, thread)
    serializer = getattr(saver, "serde", None)
    return _decrypted(kept, serializer) if isinstance(serializer, EncryptedSerializer) else kept


def _in_memory(saver: Any, only: str | None) -> dict[str, Any]:
    def of_thread(kept: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
        return [(key, value) for key, value in kept.items() if only in (None, key[0])]

    return {
        "storage": {
            thread: {ns: dict(sorted(saved.items())) for ns, saved in sorted(spaces.items())}
            for thread, spaces in sorted(saver.storage.items())
            if only in (None, thread)
        },
        "writes": sorted((key, sorted(writes.items())) for key, writes in of_thread(saver.writes)),
        "blobs": sorted(of_thread(saver.blobs), key=lambda item: repr(item[0])),
    }


def tables(
    connection: sqlite3.Connection, thread: str | None = None
) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table, sorted: threads store them in the order they finish.

    Parameters
    ----------
    connection : sqlite3.Connection
        An open one.
    thread : str, optional
        The id of the one thread whose rows are returned, of those tables that name threads.
    """
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: sorted(_rows(connection, name, thread), key=repr) for (name,) in names}


def _rows(
    connection: sqlite3.Connection, table: str, thread: str | None
) -> list[tuple[object, ...]]:
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    if thread is None or "thread_id" not in columns:
        return connection.execute(f'SELECT * FROM "{table}"').fetchall()
    return connection.execute(f'SELECT * FROM "{table}" WHERE thread_id = ?', (thread,)).fetchall()


def _decrypted(kept: Any, serializer: EncryptedSerializer) -> Any:
    """Decrypt all bytes that follow a type with the name of a cipher."""
    if isinstance(kept, Mapping):
        return {key: _decrypted(value, serializer) for key, value in kept.items()}
    if not isinstance(kept, (list, tuple)):
        return kept
    plain = [_decrypted(value, serializer) for value in kept]
    for at, (kind, data) in enumerate(pairwise(kept), 1):
        if isinstance(kind, str) and "+" in kind and isinstance(data, bytes):
            plain[at] = serializer.cipher.decrypt(kind.split("+", 1)[1], data)
    return type(kept)(plain)
