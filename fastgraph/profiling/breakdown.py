"""What each phase, node and superstep of a run took, from its spans.

Every moment of a run belongs to one phase. In a thread, and in the event loop, it is that of the
span which began last. Of several threads, one in which a node runs comes first, since the others
wait for it; then the run's own thread, unless that waits itself; then a saver in the background.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fastgraph.profiling.spans import PHASES, Phase, Span

#: Phases in which a run's own thread may do nothing but wait for another thread.
WAITING = {"run", "ends", "stream"}
#: The user's own time; the rest of a run is the engine's.
OWN: tuple[Phase, ...] = ("node", "edge")


@dataclass(frozen=True)
class NodeTime:
    """What a node's body, or a conditional edge's path, took in all of its calls."""

    name: str
    phase: Phase
    calls: int
    seconds: float
    longest: float


@dataclass(frozen=True)
class StepTime:
    """One superstep of the outermost graph, with the supersteps of graphs nested in it."""

    step: int
    seconds: float
    phases: dict[str, float]
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Breakdown:
    """Where the time of a run went.

    Attributes
    ----------
    seconds : float
        The whole run.
    supersteps : int
        Those of nested graphs included.
    phases : dict of str to float
        Seconds by phase; ``other`` is what no phase accounts for. Together they are the whole.
    nodes : tuple of NodeTime
        By their time, the longest first. Bodies that ran at the same time count each.
    steps : tuple of StepTime
        In their order.
    """

    seconds: float
    supersteps: int
    phases: dict[str, float] = field(default_factory=dict)
    nodes: tuple[NodeTime, ...] = ()
    steps: tuple[StepTime, ...] = ()

    @property
    def own(self) -> float:
        """Seconds in which one of the user's functions ran."""
        return sum(self.phases.get(phase, 0.0) for phase in OWN)

    @property
    def saver(self) -> float:
        """Seconds in which the run waited for its saver."""
        return self.phases.get("saver", 0.0)

    @property
    def engine(self) -> float:
        """Seconds that are neither the user's nor the saver's."""
        return max(0.0, self.seconds - self.own - self.saver)


def breakdown(
    spans: Sequence[Span], start: int, end: int, thread: int, supersteps: int
) -> Breakdown:
    """Break a run down.

    Parameters
    ----------
    spans
        What was recorded, in any order.
    start, end
        The run, in the nanoseconds of the spans.
    thread
        The thread that the run was started in.
    supersteps
        How many there were.

    Returns
    -------
    Breakdown
        What was spent where.
    """
    moments = list(_moments(spans, start, end, thread))
    phases: dict[str, float] = dict.fromkeys(PHASES, 0.0)
    phases["other"] = 0.0
    for since, until, phase in moments:
        phases[phase] += (until - since) / 1e9
    return Breakdown(
        seconds=(end - start) / 1e9,
        supersteps=supersteps,
        phases=phases,
        nodes=_nodes(spans),
        steps=tuple(_steps(spans, moments, end)),
    )


def _moments(
    spans: Sequence[Span], start: int, end: int, thread: int
) -> Iterator[tuple[int, int, str]]:
    """Cut the run into stretches that belong to one phase each."""
    edges = [(span.start, 1, index) for index, span in enumerate(spans)]
    edges += [(span.end, 0, index) for index, span in enumerate(spans)]
    # Where one span ends at the moment at which another begins, the end comes first; but not for
    # an empty span, which would be begun and never ended.
    edges = [edge for edge in edges if spans[edge[2]].end > spans[edge[2]].start]
    edges.sort()
    active: dict[int, dict[int, Phase]] = {}
    since = start
    for moment, begins, index in edges:
        until = min(max(moment, start), end)
        if until > since:
            yield since, until, _phase(active, thread)
            since = until
        span = spans[index]
        of_thread = active.setdefault(span.thread, {})
        if begins:
            of_thread[index] = span.phase
        else:
            del of_thread[index]
            if not of_thread:
                del active[span.thread]
    if end > since:
        yield since, end, _phase(active, thread)


def _phase(active: dict[int, dict[int, Phase]], thread: int) -> str:
    # A dict's last key is the span that began last.
    innermost = {each: spans[next(reversed(spans))] for each, spans in active.items()}
    main = innermost.get(thread)
    others = set(innermost.values())
    for phase in OWN:
        if phase in others:
            return phase
    if (main is None or main in WAITING) and "saver" in others:
        return "saver"
    return main or "other"


def _nodes(spans: Sequence[Span]) -> tuple[NodeTime, ...]:
    calls: dict[tuple[str, Phase], list[float]] = {}
    for span in spans:
        if span.phase in OWN:
            calls.setdefault((span.name, span.phase), []).append(span.seconds)
    found = [
        NodeTime(name, phase, len(times), sum(times), max(times))
        for (name, phase), times in calls.items()
    ]
    return tuple(sorted(found, key=lambda node: -node.seconds))


def _steps(
    spans: Sequence[Span], moments: Sequence[tuple[int, int, str]], end: int
) -> Iterator[StepTime]:
    ticks = sorted((span for span in spans if span.loop is not None), key=lambda each: each.start)
    if not ticks:
        return
    # The outermost graph's loop is the first one to look for tasks; its last look finds none.
    ticks = [tick for tick in ticks if tick.loop == ticks[0].loop]
    bodies = sorted((each for each in spans if each.phase == "node"), key=lambda each: each.start)
    at = body = 0
    for number, tick in enumerate(ticks):
        until = ticks[number + 1].start if number + 1 < len(ticks) else end
        phases: dict[str, float] = {}
        while at < len(moments) and moments[at][0] < until:
            since, to, phase = moments[at]
            overlap = min(to, until) - max(since, tick.start)
            if overlap > 0:
                phases[phase] = phases.get(phase, 0.0) + overlap / 1e9
            if to > until:
                break
            at += 1
        names: dict[str, None] = {}
        while body < len(bodies) and bodies[body].start < until:
            names[bodies[body].name] = None
            body += 1
        if names or number + 1 < len(ticks):
            seconds = (until - tick.start) / 1e9
            yield StepTime(tick.step or 0, seconds, phases, tuple(names))
