"""One run of a graph under the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.pregel import Pregel

from fastgraph.profiling.breakdown import Breakdown, breakdown
from fastgraph.profiling.sites import timed_saver, timed_sites
from fastgraph.profiling.spans import Span, Spans
from fastgraph.profiling.user_code import timed_user_code


@dataclass(frozen=True)
class Profile:
    """A run, span by span.

    Attributes
    ----------
    spans : list of Span
        In the order in which they ended.
    start, end : int
        The run, in the nanoseconds of the spans.
    thread : int
        The thread that the run was started in.
    supersteps : int
        Those of nested graphs included.
    """

    spans: list[Span]
    start: int
    end: int
    thread: int
    supersteps: int

    def breakdown(self) -> Breakdown:
        """Say what was spent where."""
        return breakdown(self.spans, self.start, self.end, self.thread, self.supersteps)


def profiled(graph: Pregel[Any, Any, Any, Any], run: Callable[[], object]) -> Profile:
    """Run a graph under the clock.

    Parameters
    ----------
    graph
        The graph, which must not run elsewhere meanwhile: that would be timed, too.
    run
        Runs it once, in this thread.

    Returns
    -------
    Profile
        What was recorded. Whatever the run raises is raised.
    """
    spans = Spans()
    with (
        timed_sites(spans),
        timed_saver(spans, graph.checkpointer),
        timed_user_code(spans, graph),
    ):
        start = time.perf_counter_ns()
        run()
        end = time.perf_counter_ns()
    return Profile(spans.found, start, end, threading.get_ident(), spans.supersteps)
