"""A profile in the Trace Event Format, which Perfetto and ``chrome://tracing`` open."""

from __future__ import annotations

from typing import Any

from fastgraph.profiling.profiler import Profile
from fastgraph.profiling.spans import Span

PROCESS = 1
#: That of the process is its main thread's; 0 is another name for it in Perfetto, which would lay
#: both into one row and drop what overlaps there.
FIRST_ROW = PROCESS


def trace_events(profile: Profile, title: str) -> dict[str, Any]:
    """Make a trace.

    Parameters
    ----------
    profile
        A run.
    title
        What the viewer calls it.

    Returns
    -------
    dict
        To be written as JSON. In a row of the viewer, events contain each other or are apart;
        spans of one event loop that overlap otherwise get further rows.
    """
    events = [_named("process_name", FIRST_ROW, title)]
    row = FIRST_ROW
    for number, spans in enumerate(_by_thread(profile).values(), 1):
        for lane in _lanes(spans):
            name = "run" if number == 1 else f"thread {number}"
            events.append(_named("thread_name", row, name))
            events += [_event(span, row, profile.start) for span in lane]
            row += 1
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def _by_thread(profile: Profile) -> dict[int, list[Span]]:
    threads: dict[int, list[Span]] = {profile.thread: []}
    for span in profile.spans:
        threads.setdefault(span.thread, []).append(span)
    return threads


def _lanes(spans: list[Span]) -> list[list[Span]]:
    lanes: list[list[Span]] = []
    open_in: list[list[int]] = []
    # Of those that begin together, the one around the others comes first.
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        for lane, ends in zip(lanes, open_in, strict=True):
            while ends and ends[-1] <= span.start:
                ends.pop()
            if not ends or span.end <= ends[-1]:
                lane.append(span)
                ends.append(span.end)
                break
        else:
            lanes.append([span])
            open_in.append([span.end])
    return lanes


def _event(span: Span, row: int, start: int) -> dict[str, Any]:
    event: dict[str, Any] = {
        "name": span.name,
        "cat": span.phase,
        "ph": "X",
        "ts": (span.start - start) / 1000,
        "dur": (span.end - span.start) / 1000,
        "pid": PROCESS,
        "tid": row,
    }
    if span.step is not None:
        event["args"] = {"step": span.step}
    return event


def _named(what: str, row: int, name: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": PROCESS, "tid": row, "args": {"name": name}}
