"""What is measured: one unit of work as often as it is asked for."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from benchmarks.codec.corpora import CORPORA, chat

Program = Callable[[int], object]


def encoding(corpus: str) -> Program:
    """Encode a corpus so many times."""
    value, encode = CORPORA[corpus](), JsonPlusSerializer().dumps_typed

    def run(times: int) -> None:
        for _ in range(times):
            encode(value)

    return run


def decoding(corpus: str) -> Program:
    """Decode a corpus so many times."""
    serde = JsonPlusSerializer(allowed_msgpack_modules=[("benchmarks.codec.corpora", "Step")])
    serde = serde.with_msgpack_allowlist([("benchmarks.codec.corpora", "Fact")])
    data = serde.dumps_typed(CORPORA[corpus]())

    def run(times: int) -> None:
        for _ in range(times):
            serde.loads_typed(data)

    return run


def replying(_: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage("It will be sunny.", id="reply")]}


def running(saver: str) -> Program:
    """Run one model node on 200 messages of history, in a new thread each time."""
    history = chat(200)
    threads = itertools.count()
    builder = StateGraph(MessagesState).add_node("model", replying).add_edge(START, "model")

    def run(times: int) -> None:
        with opened(saver) as checkpointer:
            graph = builder.compile(checkpointer=checkpointer)
            for _ in range(times):
                graph.invoke(
                    {"messages": history}, {"configurable": {"thread_id": str(next(threads))}}
                )

    return run


@contextmanager
def opened(saver: str) -> Iterator[Any]:
    """A saver of that class; SQLite's is on disk unless its name says otherwise."""
    if saver == "InMemorySaver":
        yield InMemorySaver()
        return
    if saver == "SqliteSaver in memory":
        with SqliteSaver.from_conn_string(":memory:") as checkpointer:
            yield checkpointer
        return
    with (
        tempfile.TemporaryDirectory(prefix="fastgraph-codec-") as directory,
        SqliteSaver.from_conn_string(str(Path(directory) / "c.sqlite")) as checkpointer,
    ):
        yield checkpointer


WHAT: dict[str, Callable[[str], Program]] = {
    "encode": encoding,
    "decode": decoding,
    "run": running,
}


def program(what: str, of: str) -> Program:
    """A unit of work by its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WHAT[what](of)
