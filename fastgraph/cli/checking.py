"""Records what a run leaves behind so that two runs can be compared byte by byte.

Two stock runs already differ: checkpoints carry a time and ids made of it, and channel versions
carry random numbers. Masking those would also hide a patch that spoils them, so their sources are
replaced instead, and every run draws the same ones in the same order.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from types import ModuleType
from typing import TYPE_CHECKING
from unittest import mock

from langgraph.checkpoint.base import id as checkpoint_ids
from langgraph.checkpoint.sqlite import SqliteSaver

from fastgraph.cli.agent import build_agent, run_agent

if TYPE_CHECKING:
    from typing_extensions import Self

_NOW = datetime(2025, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Recording:
    """The final state of one run and the rows of every table it stored."""

    state: str
    tables: dict[str, list[tuple[object, ...]]]


def record(turns: int) -> Recording:
    """Run the agent once on fixed sources.

    Parameters
    ----------
    turns
        How often the model asks for tools.

    Returns
    -------
    Recording
        Everything the run returned and stored.
    """
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        agent = build_agent(turns, SqliteSaver(connection))
        with _fixed_sources():
            state = run_agent(agent, "check", turns)
        return Recording(repr(state), _tables(connection))


def differences(expected: Recording, actual: Recording) -> list[str]:
    """Say where two recordings differ.

    Parameters
    ----------
    expected, actual
        The recordings.

    Returns
    -------
    list of str
        One line for the state and for each table that differ, none if they are equal.
    """
    found = [] if expected.state == actual.state else ["the final state differs"]
    for table in sorted(expected.tables.keys() | actual.tables.keys()):
        rows, others = expected.tables.get(table, []), actual.tables.get(table, [])
        unequal = sum(row != other for row, other in itertools.zip_longest(rows, others))
        if unequal:
            found.append(f"{unequal} of {max(len(rows), len(others))} rows of {table} differ")
    return found


def _tables(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    # Sorted, because threads in the background store the rows in whatever order they finish.
    return {
        name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
        for (name,) in names
    }


@contextmanager
def _fixed_sources() -> Iterator[None]:
    random_state = random.getstate()
    with ExitStack() as stack:
        stack.callback(random.setstate, random_state)
        random.seed(0)
        # Of times that stand still uuid6 makes ids that count up, from the last one it gave.
        stack.enter_context(mock.patch.object(checkpoint_ids, "time", _StoppedTime))
        stack.enter_context(mock.patch.object(checkpoint_ids, "_last_v6_timestamp", None))
        for module in _modules_with_clock():
            stack.enter_context(mock.patch.object(module, "datetime", _StoppedDatetime))
        yield


class _StoppedTime:
    """Stands in for the module ``time``."""

    @staticmethod
    def time_ns() -> int:
        return int(_NOW.timestamp()) * 10**9


class _StoppedDatetime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(_NOW.timestamp(), tz)


def _modules_with_clock() -> list[ModuleType]:
    """Find the engine's modules that imported the class, which itself cannot be changed."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(("langgraph.pregel.", "fastgraph.adapters."))
        and getattr(module, "datetime", None) is datetime
    ]
