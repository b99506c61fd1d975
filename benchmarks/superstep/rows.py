"""The rows of the table: what is measured, how, and what is wanted."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Program = Callable[[int], object]
How = Literal["instructions", "seconds", "growth", "calls", "memory", "bench"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    name : str
        What is measured.
    how : str
        Instructions under callgrind, seconds of paired rounds, growth from a small size to a large
        one, growth over the calls of one run, memory, or LangGraph's own bench.
    program : str
        In `PROGRAMS`.
    wanted : float, optional
        At least so many times cheaper; for growth and memory, at most so many times as much.
    sizes : tuple of int
        The smaller and the larger size.
    per : int
        How much of what is counted one unit of size stands for.
    threads : bool
        Whether threads take part, so that the count varies.
    """

    name: str
    how: How
    program: str
    wanted: float | None = None
    sizes: tuple[int, int] = (20, 120)
    per: int = 1
    threads: bool = False

    @property
    def less_is_better(self) -> bool:
        """Whether the figure reached has to stay below the one wanted."""
        return self.how in ("growth", "calls", "memory")


SENDS = 100

#: Name -> module and function; what a program needs is imported where it runs.
PROGRAMS: Mapping[str, str] = {
    "sync loop": "programs:sync_loop",
    "sync chain": "programs:sync_chain",
    "async loop": "programs:async_loop",
    "async chain": "programs:async_chain",
    "async sends": "programs:async_sends",
    "sync sends": "programs:sync_sends",
    "messages": "programs:messages",
    "async messages": "programs:async_messages",
    "updates": "programs:updates",
    "async updates": "programs:async_updates",
    "custom": "programs:custom_loop",
    "sync nodes async": "programs:sync_nodes_async_loop",
    "saved": "programs:saved_loop",
    "async saved": "programs:saved_async_loop",
    "handler": "programs:heard_loop",
    "async handler": "programs:heard_async_loop",
    "inline async handler": "programs:heard_inline_async_loop",
    "three nodes": "programs:three_nodes",
    "three async nodes": "programs:three_async_nodes",
    "nested": "programs:nested_loop",
    "agent": "agents:react_agent",
    "async agent": "agents:async_react_agent",
    "agent, messages": "agents:streamed_react_agent",
    "task calls": "programs:task_calls",
    "async task calls": "programs:async_task_calls",
    "wide": "programs:wide",
}


def program(name: str) -> Program:
    """Load a program."""
    module, _, function = PROGRAMS[name].partition(":")
    found: Program = getattr(importlib.import_module(f"benchmarks.superstep.{module}"), function)
    return found


ROUNDS = (1, 4)
RUNS = (20, 120)

ROWS = (
    Row("loop of one node, sync", "instructions", "sync loop", 6),
    Row("chain, sync", "instructions", "sync chain", 6),
    Row("loop of one node, async", "instructions", "async loop", 4),
    Row("chain, async", "instructions", "async chain", 4),
    Row(f"{SENDS} Sends, async, per task", "instructions", "async sends", 4, ROUNDS, SENDS),
    Row("loop, messages streamed, sync", "instructions", "messages", 3, threads=True),
    Row("loop, messages streamed, async", "instructions", "async messages", 3),
    Row("loop, InMemorySaver, sync", "instructions", "saved", 3, threads=True),
    Row("loop, InMemorySaver, async", "instructions", "async saved", 3),
    Row("loop, one handler, sync", "instructions", "handler", 2.5),
    Row("loop, one inline handler, async", "instructions", "inline async handler", 2.5),
    Row("loop, one handler in a thread, async", "instructions", "async handler", 2.5, threads=True),
    Row("5,000 Sends over 100, sync", "growth", "sync sends", 1.3, (100, 5000)),
    Row("5,000 Sends over 100, async", "growth", "async sends", 1.3, (100, 5000)),
    Row("chain of 3,000 over 30", "growth", "sync chain", 1.3, (30, 3000)),
    Row("2,000th @task call over the 20th", "calls", "task calls", 1.3, (20, 2000)),
    Row("2,000th async @task call over the 20th", "calls", "async task calls", 1.3, (20, 2000)),
    Row("1,000 channels, one written", "seconds", "wide", 5, (20, 220)),
    Row("three nodes, whole invoke", "seconds", "three nodes", 3, RUNS),
    Row("LangGraph's bench, geometric mean", "bench", "", 2),
    Row("1,000 runs at an interrupt, sync", "memory", "sync", 1.0, (100, 1000)),
    Row("1,000 runs at an interrupt, async", "memory", "async", 1.0, (100, 1000)),
    # What else people run; nothing in particular is wanted of these.
    Row("three nodes, whole invoke", "instructions", "three nodes", None, RUNS),
    Row("three nodes, whole ainvoke", "instructions", "three async nodes", None, RUNS),
    Row(f"{SENDS} Sends, sync, per task", "instructions", "sync sends", None, ROUNDS, SENDS, True),
    Row("loop of a sync node, async", "instructions", "sync nodes async", threads=True),
    Row("loop, updates streamed, sync", "instructions", "updates"),
    Row("loop, updates streamed, async", "instructions", "async updates"),
    Row("loop, custom streamed, sync", "instructions", "custom", threads=True),
    Row("loop around a graph of one node", "instructions", "nested"),
    Row("@task call", "instructions", "task calls", threads=True),
    Row("@task call, async", "instructions", "async task calls"),
    Row("create_react_agent, per turn", "instructions", "agent", None, (5, 25), threads=True),
    Row("create_react_agent, async, per turn", "instructions", "async agent", None, (5, 25)),
    Row(
        "create_react_agent, messages streamed, per turn",
        "instructions",
        "agent, messages",
        None,
        (5, 25),
        threads=True,
    ),
)
