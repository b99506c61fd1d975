"""Paired timing: both sides take turns in one process, so that its moods meet both."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Seconds of one run of each side, one right after the other."""

    stock: float
    patched: float

    @property
    def ratio(self) -> float:
        """How many times faster patched was."""
        return self.stock / self.patched


@dataclass(frozen=True)
class Spread:
    """The middle of some values and the range of their middle half."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Summarise one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


def paired_rounds(
    run: Callable[[str], object],
    patched: Callable[[], AbstractContextManager[object]],
    rounds: int,
) -> Iterator[Pair]:
    """Time a run stock and patched, alternating which side goes first.

    Parameters
    ----------
    run
        What is timed; it is given a name no other run has.
    patched
        Enters the patched state, outside the time that counts.
    rounds
        How many pairs to yield, after one that warms up and is dropped.

    Yields
    ------
    Pair
        One round.
    """

    def stock_run(name: str) -> float:
        return seconds_of(lambda: run(f"stock-{name}"))

    def patched_run(name: str) -> float:
        with patched():
            return seconds_of(lambda: run(f"patched-{name}"))

    stock_run("warm-up")
    patched_run("warm-up")
    for index in range(rounds):
        if index % 2 == 0:
            stock = stock_run(str(index))
            yield Pair(stock, patched_run(str(index)))
        else:
            faster = patched_run(str(index))
            yield Pair(stock_run(str(index)), faster)


def seconds_of(action: Callable[[], object]) -> float:
    """Time an action, with no garbage of before to collect in it."""
    gc.collect()
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
