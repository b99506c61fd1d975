"""Nested runs in many threads, patched or not: what nodes found in their threads, then a fork."""

import contextvars
import json
import operator
import os
import sys
import threading
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

import fastgraph

SENDS = 200


class State(TypedDict):
    log: Annotated[list[int], operator.add]


local = threading.local()
variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=-1)
found: set[str] = set()


def look(number: int) -> None:
    """Note what another run left in this thread; leave something of this run's."""
    if getattr(local, "number", number) != number:
        found.add("a thread's own data of another run")
    if variable.get() not in (-1, number):
        found.add("a context variable of another run")
    if threading.current_thread() is threading.main_thread():
        return  # where a single node runs: data of a thread may stay there
    local.number = number


def nested(depth: int, saver: Any) -> Any:
    """A graph that invokes a graph that invokes a graph, each with a checkpointer of its own."""
    below = nested(depth - 1, InMemorySaver()) if depth else None

    def node(state: State) -> dict[str, list[int]]:
        number = state["log"][0]
        look(number)
        variable.set(number)
        if below is not None:
            thread: Any = {"configurable": {"thread_id": f"{depth}-{number}"}}
            below.invoke({"log": [number]}, thread)
        return {"log": [number]}

    builder = StateGraph(State).add_node("one", node).add_node("two", lambda state: {"log": []})
    return builder.add_edge(START, "one").add_edge(START, "two").compile(checkpointer=saver)


def run(limit: int) -> list[int]:
    below = nested(3, InMemorySaver())

    def work(number: int) -> dict[str, list[int]]:
        # The worker serves several of this run's tasks: only the runs below start anew.
        thread: Any = {"configurable": {"thread_id": str(number)}}
        below.invoke({"log": [number]}, thread)
        return {"log": [number]}

    builder = StateGraph(State).add_node("work", work)
    builder.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(SENDS)])
    config: Any = {"max_concurrency": limit}
    return builder.compile().invoke({"log": []}, config)["log"]


def forked() -> int:
    """The exit status of a child that runs a graph, too."""
    child = os.fork()
    if child == 0:
        os._exit(0 if run(2) == list(range(SENDS)) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    if sys.argv[1] == "patched":
        fastgraph.patch()
    complete = [run(limit) == list(range(SENDS)) for limit in (1, 2)]
    report: dict[str, Any] = {"complete": complete, "found": sorted(found)}
    report["threads"] = threading.active_count()
    report["forked"] = forked() if hasattr(os, "fork") else 0
    print(json.dumps(report))


if __name__ == "__main__":
    main()
