"""States and nodes that scenarios share."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Annotated, Any

from equivalence_ways import Drive
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class Count(TypedDict):
    n: int
    seen: Annotated[list[Any], operator.add]


def noting(drive: Drive, name: str) -> Any:
    """A node that writes that it ran."""

    def node(state: Count) -> Any:
        drive.note(name, state)
        return {"seen": [name]}

    return drive.node(node)


def adding(drive: Drive) -> Any:
    """A node that counts."""

    def node(state: Count) -> Any:
        return {"n": state["n"] + 1, "seen": [f"n={state['n']}"]}

    return drive.node(node)


def graph_of(drive: Drive, *names: str, build: Callable[..., Any] | None = None) -> Any:
    """A builder with one noting node per name, the first of them at the start."""
    builder: Any = StateGraph(Count)
    for name in names:
        builder.add_node(name, (build or noting)(drive, name))
    return builder.add_edge(START, names[0])


def chain_of(drive: Drive, *names: str) -> Any:
    """The same with an edge from each to the next."""
    builder = graph_of(drive, *names)
    for before, after in itertools.pairwise(names):
        builder.add_edge(before, after)
    return builder
