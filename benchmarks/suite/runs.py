"""Whole runs: time and memory of every case."""

from __future__ import annotations

import asyncio

import fastgraph

from . import graphs
from .cases import combinations, given, prepared
from .engine import switch_on
from .graphs import UNLIMITED


class Runs:
    """A run of a graph."""

    timeout = 300.0
    param_names = ("case",)
    params = (combinations(),)

    def setup(self, case: str) -> None:
        switch_on()
        self.run = prepared(case)

    def teardown(self, case: str) -> None:
        fastgraph.unpatch()

    def time_run(self, case: str) -> None:
        self.run()


class Memory:
    """The peak of a process that runs a graph once; that of `Nothing` is start-up."""

    timeout = 300.0
    param_names = ("case",)
    params = (("loop: 1000", "sends: 10000", "sends, async: 10000", "long history: 1000"),)

    def setup(self, case: str) -> None:
        switch_on()
        self.run = prepared(case)

    def teardown(self, case: str) -> None:
        fastgraph.unpatch()

    def peakmem_run(self, case: str) -> None:
        self.run()

    def peakmem_nothing(self, case: str) -> None:
        """What the process has taken before the run."""


class FirstChunk:
    """How long the reader of a stream waits for its first chunk."""

    param_names = ("mode",)
    params = (("values", "updates", "messages", "custom"),)

    def setup(self, mode: str) -> None:
        switch_on()
        # Of messages and custom these nodes have none: the end of the stream is waited for.
        self.graph = graphs.loop(1 if mode in ("messages", "custom") else 100).compile()
        self.agraph = graphs.aloop(1 if mode in ("messages", "custom") else 100).compile()

    def teardown(self, mode: str) -> None:
        fastgraph.unpatch()

    def time_first(self, mode: str) -> None:
        stream = self.graph.stream(given(), UNLIMITED, stream_mode=mode)
        next(stream, None)
        stream.close()

    def time_first_async(self, mode: str) -> None:
        async def first() -> None:
            stream = self.agraph.astream(given(), UNLIMITED, stream_mode=mode)
            await anext(stream, None)
            await stream.aclose()

        asyncio.run(first())
