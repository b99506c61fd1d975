"""Every allocation fails once: the nth while a value is encoded and decoded, or a graph runs.

python faults_memory.py {codec,run,limit} {stock,patched} STRIDE

A process of its own, because what is looked for is that it dies. Prints what came of it as JSON.
"""

from __future__ import annotations

import gc
import json
import operator
import resource
import sys
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import _testcapi
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph

import fastgraph

#: So many failures in a row that were not met, and there is nothing left to fail.
MISSED = 3


class State(TypedDict):
    n: int
    log: Annotated[list[Any], operator.add]


def node(state: State) -> Any:
    return {"n": state["n"] + 1, "log": [AIMessage(f"answer {state['n']}", id=str(state["n"]))]}


def again(state: State) -> str:
    return "node" if state["n"] < 3 else END


def built(saver: Any) -> Any:
    builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
    return builder.add_conditional_edges("node", again, ["node", END]).compile(checkpointer=saver)


def kinds(error: BaseException | None) -> list[str]:
    """An error and what it came of."""
    found = []
    while error is not None and len(found) < 9:
        found.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return found


def swept(work: Callable[[], Any], expected: Any, stride: int) -> dict[str, Any]:
    """Let the nth allocation of some work fail, for each n, and see that it works afterwards."""
    report: Counter[str] = Counter()
    missed, n = 0, 1
    while missed < MISSED and n < 200_000:
        error, result = None, None
        _testcapi.set_nomemory(n, n + 1)
        try:
            result = work()
        except BaseException as raised:
            error = raised
        finally:
            _testcapi.remove_mem_hooks()
        if error is None:
            assert result == expected, (n, result)
            report["done all the same"] += 1
            # Whoever may do without the memory goes on; the last ones are not met any more.
            missed += 1
        else:
            report["MemoryError" if "MemoryError" in kinds(error) else repr(error)] += 1
            missed = 0
        del error, result
        if n % (stride * 20) == 1:
            assert work() == expected, n
        n += stride
    assert work() == expected
    return {"injected": sum(report.values()) - missed, "outcomes": report}


VALUE = {
    "messages": [HumanMessage("hello", id="1"), AIMessage("answer", id="2", name="ai")],
    "nested": {str(n): [n, float(n), None, True, b"bytes", ("tuple", n)] for n in range(20)},
}


def codec(stride: int) -> Any:
    serde = JsonPlusSerializer()
    encoded = serde.dumps_typed(VALUE)
    return {
        "encoding": swept(lambda: serde.dumps_typed(VALUE), encoded, stride),
        "decoding": swept(lambda: serde.loads_typed(encoded), VALUE, stride),
    }


def run(stride: int) -> Any:
    """The run that fails, and the same thread taken up."""
    plain = built(None)
    given: Any = {"n": 0, "log": []}
    expected = plain.invoke(given)
    report = {"running": swept(lambda: plain.invoke(given), expected, stride)}
    taken_up: Counter[str] = Counter()
    for n in range(1, 4000, stride * 7):
        saver = InMemorySaver()
        graph, config = built(saver), {"configurable": {"thread_id": "1"}}
        _testcapi.set_nomemory(n, n + 1)
        try:
            graph.invoke(given, config, durability="sync")
        except BaseException as error:
            taken_up["MemoryError" if "MemoryError" in kinds(error) else repr(error)] += 1
            del error
        finally:
            _testcapi.remove_mem_hooks()
        stored = saver.get_tuple(config)
        graph.invoke(given if stored is None else None, config)
        state = graph.get_state(config).values
        assert [message.id for message in state["log"]] == ["0", "1", "2"], (n, state)
    return {**report, "taken up": {"injected": sum(taken_up.values()), "outcomes": taken_up}}


def limit(stride: int) -> Any:
    """The process has an end of memory, which a large value meets where it is stored."""

    class Large(TypedDict):
        data: bytes
        n: int

    def grow(state: Large) -> Any:
        return {"data": b"x" * SIZE, "n": state["n"] + 1}

    def count(state: Large) -> Any:
        return {"n": state["n"] + 1}

    builder = StateGraph(Large).add_node("grow", grow).add_node("count", count)
    builder.add_edge(START, "grow").add_edge("grow", "count").add_edge("count", END)
    outcomes: Counter[str] = Counter()
    SIZE = 64 << 20
    for room in range(0, 8 * SIZE, SIZE // 2):
        graph = builder.compile(checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "1"}}
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + room + (16 << 20), hard))
        try:
            graph.invoke({"n": 0}, config, durability="sync")
            outcomes["done all the same"] += 1
        except BaseException as error:
            known = "MemoryError" in kinds(error)
            outcomes["MemoryError" if known else repr(error)] += 1
            del error
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        stored = graph.checkpointer.get_tuple(config)
        graph.invoke({"n": 0} if stored is None else None, config)
        values = graph.get_state(config).values
        assert values["n"] == 2 and len(values["data"]) == SIZE, room
        del graph, values, stored
        gc.collect()
    return {"limited": {"injected": outcomes["MemoryError"], "outcomes": outcomes}}


def main(name: str, engine: str, stride: str) -> None:
    if engine == "patched":
        fastgraph.patch()
    print(json.dumps({"codec": codec, "run": run, "limit": limit}[name](int(stride))))


if __name__ == "__main__":
    main(*sys.argv[1:])
