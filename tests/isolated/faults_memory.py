"""Memory that is not there: the nth allocation fails while a value is encoded or decoded, for
each n; or the process has an end of memory, which runs of a graph meet.

python faults_memory.py {codec,limit} {stock,patched} STRIDE

Stock's codec is Rust, which ends the process then, so that it is only the compiled one that can be
swept; for the same reason (ids and messages are made by Rust) whole runs cannot be.

A process of its own, because what is looked for is that it dies. Prints what came of it as JSON.
"""

from __future__ import annotations

import _testcapi
import gc
import json
import resource
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, TypedDict

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph

import fastgraph

#: Far more than there are.
ALLOCATIONS = 1000


def kinds(error: BaseException | None) -> list[str]:
    """An error and what it came of."""
    found = []
    while error is not None and len(found) < 9:
        found.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return found


def fallbacks() -> int:
    """How often the compiled code handed over to stock, as it does where it fails itself."""
    return sum(sum(target.fallbacks.values()) for target in fastgraph.status().targets)


def swept(work: Callable[[], Any], expected: Any, stride: int) -> dict[str, Any]:
    """Let the nth allocation of some work fail, for each n, and see that it works afterwards."""
    report: Counter[str] = Counter()
    before = fallbacks()
    for n in range(1, ALLOCATIONS, stride):
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
        else:
            report["MemoryError" if "MemoryError" in kinds(error) else repr(error)] += 1
        del error, result
        if n % 20 == 1:
            assert work() == expected, n
    assert work() == expected
    return {"injected": report["MemoryError"] + fallbacks() - before, "outcomes": report}


VALUE = {
    "messages": [HumanMessage("hello", id="1"), AIMessage("answer", id="2", name="ai")],
    "nested": {str(n): [n, float(n), None, True, b"bytes", ("tuple", n)] for n in range(20)},
}


def codec(stride: int) -> Any:
    serde = JsonPlusSerializer()
    encoded = serde.dumps_typed(VALUE)
    plain = serde.dumps_typed(VALUE["nested"])
    decoded = serde.loads_typed(plain)

    def with_messages() -> None:
        serde.loads_typed(encoded)  # one that cannot be made is None, as upstream has it

    return {
        "encoding": swept(lambda: serde.dumps_typed(VALUE), encoded, stride),
        "decoding": swept(lambda: serde.loads_typed(plain), decoded, stride),
        "decoding messages": swept(with_messages, None, stride),
    }


def limit(stride: int) -> Any:
    """The process has an end of memory, which a large value meets where it is stored."""

    class Large(TypedDict):
        data: bytes
        n: int

    def grow(state: Large) -> Any:
        return {"data": b"x" * size, "n": state["n"] + 1}

    def count(state: Large) -> Any:
        return {"n": state["n"] + 1}

    builder = StateGraph(Large).add_node("grow", grow).add_node("count", count)
    builder.add_edge(START, "grow").add_edge("grow", "count").add_edge("count", END)
    outcomes: Counter[str] = Counter()
    size = 16 << 20
    for room in range(0, 8 * size, stride * size // 2):
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
        assert values["n"] == 2 and len(values["data"]) == size, room
        del graph, values, stored
        gc.collect()
    return {"limited": {"injected": outcomes["MemoryError"], "outcomes": outcomes}}


def main(name: str, engine: str, stride: str) -> None:
    if engine == "patched":
        fastgraph.patch()
    print(json.dumps({"codec": codec, "limit": limit}[name](int(stride))))


if __name__ == "__main__":
    main(*sys.argv[1:])
