"""What a node of a BrainyFlow flow costs, stock against patched: `make brainyflow`.

Both engines take turns in one process. Times are of the processor, because a machine that does
other things besides has the wall clock to itself; they include the nodes' own methods, three
coroutines each. Stock needs a stack for a thousand nodes, which it is given.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import brainyflow as bf

import fastgraph


class Count(bf.Node):
    async def prep(self, memory: Any) -> int:
        return memory.count

    async def exec(self, count: int) -> int:
        return count + 1

    async def post(self, memory: Any, count: int, more: int) -> None:
        memory.count = more


class Fork(Count):
    """Triggers an action so many times, each with data of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    async def post(self, memory: Any, count: int, more: int) -> None:
        memory.count = more
        for number in range(self.width):
            self.trigger("branch", {"number": number})


def chain(length: int) -> Any:
    """So many nodes, one after the other."""
    first = last = Count()
    for _ in range(length - 1):
        last = last >> Count()
    return bf.Flow(first)


def branching(length: int) -> Any:
    """One node that leads to two chains of so many."""
    start = Fork(1)
    for _ in range(2):
        start.on("branch", chain(length).start)
    return bf.Flow(start)


def gathered(width: int) -> Any:
    """One node that triggers so many others at once."""
    start = Fork(width)
    start.on("branch", Count())
    return bf.ParallelFlow(start)


#: Title -> how it is made, its size, nodes that run, and whether stock can run it.
CASES: dict[str, tuple[Callable[[int], Any], int, int, bool]] = {
    "chain of 10": (chain, 10, 10, True),
    "chain of 100": (chain, 100, 100, True),
    "chain of 1,000": (chain, 1000, 1000, True),
    "chain of 10,000": (chain, 10_000, 10_000, False),
    "branching, 181 nodes": (branching, 90, 181, True),
    "ParallelFlow, 100 forked triggers": (gathered, 100, 101, True),
}


def timed(flow: Any) -> float:
    """Run a flow; the seconds of processor time that it takes."""

    async def run() -> float:
        flow.options = {"max_visits": 1_000_000}
        started = time.process_time()
        await flow.run({"count": 0})
        return time.process_time() - started

    gc.collect()
    return asyncio.run(run())


def measured(title: str, rounds: int) -> tuple[float | None, float, float | None]:
    """Measure a case: microseconds per node stock and patched, and the ratio; medians of rounds."""
    make, size, runs, stock_runs = CASES[title]
    flow = make(size)
    pairs: list[tuple[float | None, float]] = []
    # Stock takes seconds for a thousand nodes.
    for _ in range(min(rounds, 3) if size >= 1000 else rounds):
        stock = engine(flow, patched=False, runs=1) if stock_runs else None
        pairs.append((stock, engine(flow, patched=True, runs=5)))
    ours = statistics.median(patched for _, patched in pairs) / runs * 1e6
    if not stock_runs:
        return None, ours, None
    both = [(stock, patched) for stock, patched in pairs if stock is not None]
    stock_median = statistics.median(stock for stock, _ in both) / runs * 1e6
    return stock_median, ours, statistics.median(stock / patched for stock, patched in both)


def engine(flow: Any, *, patched: bool, runs: int) -> float:
    """Take the median of some runs on one engine."""
    switched = fastgraph.patched(frameworks=["brainyflow"], strict=True)
    with switched if patched else nullcontext():
        return statistics.median(timed(flow) for _ in range(runs))


def report(cases: list[str], rounds: int) -> None:
    """Print the table."""
    print("| Flow | stock, us per node | patched, us per node | ratio |")
    print("|---|---:|---:|---:|")
    for title in cases:
        stock, ours, ratio = measured(title, rounds)
        said = "RecursionError" if stock is None else f"{stock:,.0f}"
        print(f"| {title} | {said} | {ours:.1f} | {'' if ratio is None else f'{ratio:,.0f}'} |")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="pairs per case (default: 9)")
    parser.add_argument("--only", action="append", choices=list(CASES), help="only this case")
    options = parser.parse_args()
    sys.setrecursionlimit(100_000)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=report, args=(options.only or list(CASES), options.rounds))
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
