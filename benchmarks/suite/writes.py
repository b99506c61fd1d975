"""Applying the writes of so many tasks to so many channels, without the rest of a superstep."""

from __future__ import annotations

from langgraph.channels import LastValue
from langgraph.pregel import _loop
from langgraph.pregel._algo import PregelTaskWrites, increment
from langgraph.pregel._checkpoint import empty_checkpoint

import fastgraph

from .engine import switch_on

#: A call takes as long as writing to the channels, so each run writes this often.
TIMES = 10


class ApplyWrites:
    """Each task writes one channel; beside them are a thousand that nobody writes."""

    param_names = ("tasks",)
    params = ((1, 10, 100, 1000),)

    def setup(self, tasks: int) -> None:
        switch_on()
        names = [f"channel{number}" for number in range(1000 + tasks)]
        self.checkpoint = empty_checkpoint()
        self.channels, _ = _loop.channels_from_checkpoint(
            {name: LastValue(int, name) for name in names}, self.checkpoint
        )
        self.tasks = [
            PregelTaskWrites((str(number),), "node", [(names[number], number)], [])
            for number in range(tasks)
        ]

    def teardown(self, tasks: int) -> None:
        fastgraph.unpatch()

    def time_apply_writes(self, tasks: int) -> None:
        for _ in range(TIMES):
            _loop.apply_writes(self.checkpoint, self.channels, self.tasks, increment, {})
