"""Peak memory of runs that are held open at an interrupt, in processes of their own."""

from __future__ import annotations

import asyncio
import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from benchmarks.suite.graphs import State, increment
from benchmarks.superstep.counting import CannotMeasureError
from benchmarks.superstep.rows import Row


def asking() -> Any:
    def ask(state: State) -> dict[str, Any]:
        return {"log": [interrupt("?")]}

    async def aask(state: State) -> dict[str, Any]:
        return {"log": [interrupt("?")]}

    def graph(node: Any) -> Any:
        builder = StateGraph(State).add_node("count", increment).add_edge(START, "count")
        builder.add_node("ask", node).add_edge("count", "ask")
        return builder.compile(checkpointer=InMemorySaver())

    return graph(ask), graph(aask)


def config(number: int) -> dict[str, Any]:
    return {"configurable": {"thread_id": str(number)}}


def is_interrupt(chunk: Any) -> bool:
    return "__interrupt__" in chunk


def peak() -> int:
    """The most memory that this process has had resident, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` says may be from before the process began its program
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        if found:
            return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def held_open(kind: str, runs: int) -> int:
    """What so many runs add to the peak, from their start to their interrupts."""
    graph, agraph = asking()
    given = {"count": 0, "log": []}
    graph.invoke(given, config(-1))
    before = peak()
    held: list[Any] = []

    def hold() -> None:
        for number in range(runs):
            stream = graph.stream(given, config(number))
            held.append(stream)
            while not is_interrupt(next(stream)):
                pass

    async def ahold() -> None:
        for number in range(runs):
            stream = agraph.astream(given, config(number))
            held.append(stream)
            while not is_interrupt(await anext(stream)):
                pass
        taken.append(peak() - before)
        for stream in held:
            await stream.aclose()

    taken: list[int] = []
    if kind == "async":
        asyncio.run(ahold())
        return taken[0]
    hold()
    return peak() - before


def bytes_taken(row: Row, engine: str, rounds: int = 3) -> float:
    """The median of some processes, in bytes."""
    command = [sys.executable, "-m", "benchmarks.superstep.child", "memory", engine]
    found = []
    for _ in range(rounds):
        done = subprocess.run(
            [*command, f"{row.program}:{row.sizes[1]}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip() or "no output").splitlines()[-1]
            raise CannotMeasureError(f"{row.name}: {last}")
        found.append(int(done.stdout))
    return statistics.median(found)
