"""Figures that are no times: speed-up, instructions, growth, calls that fell back."""

from __future__ import annotations

import gc
import shutil
import statistics
import time
from typing import Any

import fastgraph

from . import _CHECKOUT
from .cases import CASES, Run, prepared
from .engine import ENGINE, only_patched, switch_on

PAIRED = tuple(f"{name}: {sizes[0]}" for name, (_, sizes) in CASES.items())
COUNTED = {
    "loop": "sync loop",
    "loop, async": "async loop",
    "sequential": "sync chain",
    "loop, one handler": "handler",
    "loop, InMemorySaver, async": "async saved",
}
#: Runs a module of the checkout, from wherever asv is, with the package that asv installed.
BEHIND = f"""
import runpy, sys
sys.path.append({_CHECKOUT!r})
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
GROWING = ("loop", "sequential", "sends", "sends, async", "task calls", "wide state")


def took(run: Run) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


class SpeedUp:
    """How many times faster patched is, in rounds that take turns in one process."""

    timeout = 300.0
    param_names = ("case",)
    params = (PAIRED,)
    unit = "times as fast"

    def setup(self, case: str) -> None:
        only_patched()
        self.run = prepared(case)

    def track_speed_up(self, case: str) -> float:
        ratios = []
        for number in range(12):
            seconds = {}
            for engine in ("stock", "patched") if number % 2 else ("patched", "stock"):
                with fastgraph.patched() if engine == "patched" else _nothing():
                    gc.collect()
                    seconds[engine] = min(took(self.run) for _ in range(3))
            ratios.append(seconds["stock"] / seconds["patched"])
        return statistics.median(ratios[2:])  # the first ones warm up

    track_speed_up.unit = "times"  # type: ignore[attr-defined]


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


class Instructions:
    """Instructions per superstep, under callgrind, as the difference of two lengths."""

    timeout = 900.0
    param_names = ("case",)
    params = (tuple(COUNTED),)

    def setup(self, case: str) -> None:
        with fastgraph.patched() as status:
            partly = any(target.stays_stock for target in status.targets)
        if ENGINE == "patched" and partly:
            raise NotImplementedError("this release of LangGraph is patched in part")

    def track_per_superstep(self, case: str) -> float:
        from benchmarks.superstep.counting import counts

        if shutil.which("valgrind") is None:
            raise NotImplementedError("valgrind is not installed")
        program = COUNTED[case]
        found = counts(ENGINE, [(program, 20), (program, 60)], start=("-c", BEHIND))
        return (found[program, 60] - found[program, 20]) / 40

    track_per_superstep.unit = "instructions"  # type: ignore[attr-defined]


class Growth:
    """The cost of one superstep, task or channel at the largest size over that at the smallest."""

    timeout = 600.0
    param_names = ("case",)
    params = (GROWING,)

    def setup(self, case: str) -> None:
        switch_on()
        _, sizes = CASES[case]
        self.small, self.large = sizes[0], min(sizes[-1], 1000)
        self.runs = {size: prepared(f"{case}: {size}") for size in (self.small, self.large)}

    def teardown(self, case: str) -> None:
        fastgraph.unpatch()

    def track_growth(self, case: str) -> float:
        each = {}
        for size, run in self.runs.items():
            run()
            gc.collect()
            each[size] = statistics.median(took(run) for _ in range(5)) / size
        return each[self.large] / each[self.small]

    track_growth.unit = "times"  # type: ignore[attr-defined]


class Fallbacks:
    """Calls of a run that went to stock code though patched."""

    param_names = ("case",)
    params = (PAIRED,)

    def setup(self, case: str) -> None:
        only_patched()
        fastgraph.patch()
        self.run = prepared(case)

    def teardown(self, case: str) -> None:
        fastgraph.unpatch()

    def track_fell_back(self, case: str) -> int:
        before = fell_back()
        self.run()
        return fell_back() - before

    track_fell_back.unit = "calls"  # type: ignore[attr-defined]


def fell_back() -> int:
    return sum(sum(target.fallbacks.values()) for target in fastgraph.status().targets)
