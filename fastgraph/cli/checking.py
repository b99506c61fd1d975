"""Records what a run leaves behind so that two runs can be compared byte by byte."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from langgraph.checkpoint.sqlite import SqliteSaver

from fastgraph.cli.agent import build_agent, run_agent
from fastgraph.verify.stillness import stillness
from fastgraph.verify.stored import tables


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
        with stillness():
            state = run_agent(agent, "check", turns)
        return Recording(repr(state), tables(connection))


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
