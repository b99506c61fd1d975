"""Seconds: rounds that take turns between stock and patched in one process."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from langgraph.func import entrypoint

import fastgraph
from benchmarks.suite.graphs import UNLIMITED
from benchmarks.superstep.programs import GIVEN, achain, adoubled, chain, doubled, sends
from benchmarks.superstep.rows import Row, program

Sample = Callable[[], float]

#: Of the calls around a number, the median is taken.
AROUND = 10


def side(engine: str) -> AbstractContextManager[object]:
    return fastgraph.patched(strict=True) if engine == "patched" else nullcontext()


def took(action: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def paired(sample: Sample, rounds: int) -> Iterator[tuple[float, float]]:
    """Take a sample of each side, the first one in turns, after one that is dropped."""
    for number in range(-1, rounds):
        found = {}
        for engine in ("stock", "patched") if number % 2 else ("patched", "stock"):
            with side(engine):
                found[engine] = sample()
        if number >= 0:
            yield found["stock"], found["patched"]


def seconds(row: Row) -> Sample:
    """The time of a program at its larger size, less that at its smaller one."""
    run = program(row.program)
    short, long = row.sizes

    def sample() -> float:
        spent = took(lambda: run(long))
        return (spent - took(lambda: run(short)) if short else spent) / (long - short)

    return sample


def compiled(name: str, size: int) -> Callable[[], object]:
    """A run of a graph of a size, which is built outside the time that counts."""
    if name == "sync chain":
        graph = chain(size).compile()
        return lambda: graph.invoke(GIVEN, UNLIMITED)
    if name == "async chain":
        graph = achain(size).compile()
        return lambda: asyncio.run(graph.ainvoke(GIVEN, UNLIMITED))
    is_async = name == "async sends"
    graph = sends(size, is_async).compile()
    if is_async:
        return lambda: asyncio.run(graph.ainvoke(GIVEN, UNLIMITED))
    return lambda: graph.invoke(GIVEN, UNLIMITED)


def growth(row: Row) -> Sample:
    """How many times as much a unit costs at the larger size as at the smaller."""
    short, long = row.sizes
    small, large = compiled(row.program, short), compiled(row.program, long)
    times = max(1, long // short)

    def sample() -> float:
        small()
        least = statistics.median(took(small) for _ in range(min(times, 15))) / short
        return took(large) / long / least

    return sample


def calls(row: Row) -> Sample:
    """How many times as long the last calls of a run take as early ones."""
    early, late = row.sizes

    def sample() -> float:
        spent: list[float] = []

        @entrypoint()
        def work(number: int) -> None:
            for index in range(number):
                started = time.perf_counter()
                doubled(index).result()
                spent.append(time.perf_counter() - started)

        @entrypoint()
        async def awork(number: int) -> None:
            for index in range(number):
                started = time.perf_counter()
                await adoubled(index)
                spent.append(time.perf_counter() - started)

        gc.collect()
        if row.program == "async task calls":
            asyncio.run(awork.ainvoke(late, UNLIMITED))
        else:
            work.invoke(late, UNLIMITED)
        around = spent[max(0, early - AROUND) : early + AROUND]
        return statistics.median(spent[-2 * AROUND :]) / statistics.median(around)

    return sample


SAMPLES: dict[str, Callable[[Row], Sample]] = {
    "seconds": seconds,
    "growth": growth,
    "calls": calls,
}


def measured(row: Row, rounds: int) -> list[tuple[float, float]]:
    return list(paired(SAMPLES[row.how](row), rounds))


def bench(rounds: int, only: str = "") -> Any:
    """LangGraph's own bench: ratios by case."""
    from pathlib import Path

    from benchmarks.langgraph_bench import measure_all, upstream_cases

    cases = [case for case in upstream_cases(Path("build/conformance")) if only in case.name]
    return {each.name: each.ratio.median for each in measure_all(cases, rounds, 0.03)}
