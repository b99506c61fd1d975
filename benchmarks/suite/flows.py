"""BrainyFlow's flows, where Python and the environment have it; otherwise nothing is measured."""

from __future__ import annotations

import asyncio
from typing import Any

import fastgraph
from fastgraph.adapters import FRAMEWORKS

from .engine import switch_on


class Flows:
    """Runs of flows, by title of `benchmarks.brainyflow`; those that stock runs in little time."""

    param_names = ("flow",)
    params = (
        "chain of 10",
        "chain of 100",
        "branching, 181 nodes",
        "ParallelFlow, 100 forked triggers",
    )

    def setup(self, flow: str) -> None:
        if why_not := FRAMEWORKS["brainyflow"].why_not:
            raise NotImplementedError(why_not)  # how asv skips a benchmark
        from benchmarks.brainyflow import CASES

        switch_on()
        make, size, _, _ = CASES[flow]
        self.flow: Any = make(size)
        self.flow.options = {"max_visits": 1_000_000}

    def teardown(self, flow: str) -> None:
        fastgraph.unpatch()

    def time_run(self, flow: str) -> None:
        asyncio.run(self.flow.run({"count": 0}))
