"""Runs of one graph on both engines, in several ways, compared in all that can be seen."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel

import fastgraph
from fastgraph.verify.comparison import first_difference
from fastgraph.verify.describing import Describer
from fastgraph.verify.handlers import Recorder
from fastgraph.verify.hearing import hearing
from fastgraph.verify.stillness import stillness
from fastgraph.verify.stored import stored

Graph: TypeAlias = "Pregel[Any, Any, Any, Any]"
Way: TypeAlias = Literal["invoke", "stream", "ainvoke", "astream"]

WAYS: tuple[Way, ...] = ("invoke", "stream", "ainvoke", "astream")
MODES = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug")
#: How often stock is run again where something differs.
AGAIN = 5


@dataclass(frozen=True)
class Outcome:
    """What the comparison of one way said.

    Attributes
    ----------
    way : str
        "invoke", "stream", "ainvoke" or "astream".
    verdict : str
        "equal"; "different"; or "unsteady" where stock differs from itself, so that nothing can
        be said about the patched run.
    difference : str
        The first one, with both sides; empty if there is none.
    error : str
        What the run ended with, on both engines if they are equal; empty if with a result.
    """

    way: Way
    verdict: Literal["equal", "different", "unsteady"]
    difference: str = ""
    error: str = ""


def verify(
    graph: Graph,
    given: Any,
    config: Mapping[str, Any] | None = None,
    ways: Iterable[Way] = WAYS,
) -> list[Outcome]:
    """Run a graph on stock LangGraph and patched, and compare all that can be seen.

    Compared are results or errors, with their notes and the frames of the caller's code, every
    streamed chunk in all modes, callback events, log records, warnings and what is stored. Clock,
    ids and random numbers are the same for each run. A graph with a checkpointer gets a new
    ``InMemorySaver`` for each run instead: nothing is written to its own.

    Each way is run at least twice, so nodes with effects outside have them as often. Where both
    engines differ, stock is run again: a graph that differs from itself is no proof.

    Parameters
    ----------
    graph : Pregel
        A compiled graph.
    given : Any
        Its input, of which each run gets a copy.
    config : Mapping, optional
        The config of each run.
    ways : iterable of str, optional
        "invoke", "stream", "ainvoke", "astream"; all of them by default.

    Returns
    -------
    list of Outcome
        One for each way, in their order.

    Raises
    ------
    RuntimeError
        If fastgraph is patched already: stock would not be stock.
    """
    if fastgraph.is_patched():
        raise RuntimeError("verify() needs upstream's own functions to compare with; unpatch first")
    return [_verified(graph, given, dict(config or {}), way) for way in ways]


def _verified(graph: Graph, given: Any, config: dict[str, Any], way: Way) -> Outcome:
    expected, error = observed(graph, given, config, way)
    with fastgraph.patched():
        found, _ = observed(graph, given, config, way)
    different = first_difference(expected, found)
    if different is None:
        return Outcome(way, "equal", error=error)
    for _ in range(AGAIN):
        again, _ = observed(graph, given, config, way)
        unsteady = first_difference(expected, again)
        if unsteady is not None:
            return Outcome(way, "unsteady", unsteady, error)
    return Outcome(way, "different", different, error)


def observed(
    graph: Any, given: Any, config: dict[str, Any], way: Way
) -> tuple[dict[str, Any], str]:
    """Run a graph on the engine in place; all that can be seen, and the error it ended with."""
    describe = Describer()
    events: list[Any] = []
    chunks: list[Any] = []
    saver = InMemorySaver() if isinstance(graph.checkpointer, BaseCheckpointSaver) else None
    if saver is not None:
        graph = graph.copy({"checkpointer": saver})
    config = _own_config(config, saver is not None)
    streams = way in ("stream", "astream")
    if streams:
        _add_handler(config, Recorder(describe, events))
    given = copy.deepcopy(given)
    ended: Any = None
    error = ""
    gc.collect()
    with stillness(), hearing(describe) as heard:
        try:
            if way == "invoke":
                ended = graph.invoke(given, config)
            elif way == "stream":
                chunks += graph.stream(given, config, stream_mode=list(MODES), subgraphs=True)
            elif way == "ainvoke":
                ended = asyncio.run(graph.ainvoke(given, config))
            else:
                asyncio.run(_drain(graph, given, config, chunks))
        except Exception as failed:
            ended, error = failed, f"{type(failed).__name__}: {failed}"
        seen = [describe.items(chunks), describe(ended)]
        if isinstance(ended, BaseException):
            ended.__traceback__ = None  # or it keeps alive what the run made
    return {
        "seen": seen,
        "events": events,
        "stored": None if saver is None else describe(stored(saver)),
        **heard,
    }, error


async def _drain(graph: Any, given: Any, config: Any, chunks: list[Any]) -> None:
    stream = graph.astream(given, config, stream_mode=list(MODES), subgraphs=True)
    async with contextlib.aclosing(stream):
        async for chunk in stream:
            chunks.append(chunk)


def _own_config(config: dict[str, Any], has_saver: bool) -> dict[str, Any]:
    """Copy the parts of a config that a run adds to; a saver needs a thread."""
    own = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
    if has_saver:
        own["configurable"] = {"thread_id": "verify", **own.get("configurable", {})}
    return own


def _add_handler(config: dict[str, Any], handler: Any) -> None:
    before = config.get("callbacks") or []
    if isinstance(before, list):
        config["callbacks"] = [*before, handler]
    else:
        config["callbacks"] = before.copy()
        config["callbacks"].add_handler(handler, inherit=True)
