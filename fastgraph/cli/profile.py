"""``fastgraph profile``: where the time of a user's graph goes, superstep by superstep."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastgraph
from fastgraph.cli.case_options import add_case_options, request
from fastgraph.cli.engine import engine_of, patch_process, why_stock
from fastgraph.cli.names import chosen
from fastgraph.cli.parser import CommandError, Commands, add_command, positive_int
from fastgraph.cli.table import aligned
from fastgraph.cli.timing import seconds_of

if TYPE_CHECKING:
    from fastgraph.cli.workload import Workload
    from fastgraph.profiling.breakdown import Breakdown
    from fastgraph.profiling.profiler import Profile

_DETAILS = """\
The run is timed from outside: LangGraph's own functions, and your nodes, are wrapped for its
length. Every moment belongs to one part of a superstep; where several threads are busy, a node
comes before the engine, and a saver counts as far as the run waits for it.

examples:
  fastgraph profile agent:graph --input in.json
  fastgraph profile agent:graph --input in.json --engine stock,patched --steps 20
  fastgraph profile agent:graph --input in.json --trace trace.json

The trace opens in https://ui.perfetto.dev or chrome://tracing. Timing takes time itself: the
first line says how much.
"""

ENGINES = ("stock", "patched")


def add_to(commands: Commands) -> None:
    """Add the command ``profile``."""
    parser = add_command(
        commands,
        "profile",
        execute,
        summary="show where the time of a graph of your own goes",
        details=_DETAILS,
    )
    add_case_options(parser, several=False)
    parser.add_argument(
        "--engine", default="patched", help="stock, patched (default), or both to compare"
    )
    parser.add_argument(
        "--rounds",
        type=positive_int,
        default=5,
        help="runs of each engine, of which the middle one is shown (default: 5)",
    )
    parser.add_argument(
        "--steps", type=positive_int, default=10, help="supersteps to list (default: 10)"
    )
    parser.add_argument("--trace", metavar="FILE", type=Path, help="write a trace of that run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def execute(options: argparse.Namespace) -> int:
    """Profile the graph and print the tables."""
    engines = chosen("--engine", options.engine, ENGINES)
    if options.trace is not None:
        if len(engines) > 1:
            raise CommandError("--trace takes one engine: choose it with --engine")
        if not options.trace.absolute().parent.is_dir():
            raise CommandError(f"cannot write {options.trace}: there is no such directory")
        if options.trace.is_dir():
            raise CommandError(f"cannot write {options.trace}: it is a directory")
    try:
        plain, profiles = _profiles(options, engines)
    except KeyboardInterrupt:
        return 130
    breakdowns = {engine: profile.breakdown() for engine, profile in profiles.items()}
    if options.json:
        print(json.dumps(as_dict(breakdowns), indent=2))
    else:
        print(as_text(breakdowns, plain, options.steps))
    if options.trace is not None:
        from fastgraph.profiling.trace import trace_events

        (engine,) = engines
        trace = trace_events(profiles[engine], f"{options.graph} ({engine})")
        try:
            options.trace.write_text(json.dumps(trace), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"cannot write {options.trace}: {error.strerror}") from None
    return 0


def _profiles(
    options: argparse.Namespace, engines: Sequence[str]
) -> tuple[dict[str, float], dict[str, Profile]]:
    """Run the graph; returns the seconds of a run without the profiler, and the profiles."""
    from fastgraph.profiling.profiler import profiled

    asked = request(options)
    if len(asked.cases) > 1:
        raise CommandError("profile takes one mode, one stream mode and one saver")
    if "patched" in engines:
        status = patch_process()
        fastgraph.unpatch()
        if status.kernels == "none":
            raise CommandError(why_stock(status) or "nothing was patched")
    plain, profiles = {}, {}
    with asked.opened(asked.cases[0]) as workload:
        for engine in engines:
            with engine_of(engine):
                workload.tried(f"{engine}-try")
                plain[engine] = statistics.median(
                    seconds_of(run) for run in _runs(workload, f"{engine}-plain", options.rounds)
                )
                runs = _runs(workload, engine, options.rounds)
                found = [profiled(workload.graph, run) for run in runs]
            found.sort(key=lambda profile: profile.end - profile.start)
            profiles[engine] = found[(len(found) - 1) // 2]
    return plain, profiles


def _runs(workload: Workload, name: str, count: int) -> Iterator[Callable[[], object]]:
    """Give runs of the graph, each with a name of its own."""
    for number in range(count):
        yield partial(workload.run, f"{name}-{number}")


def as_dict(breakdowns: dict[str, Breakdown]) -> dict[str, Any]:
    """Return the figures as plain data."""
    return {engine: asdict(breakdown) for engine, breakdown in breakdowns.items()}


def as_text(breakdowns: dict[str, Breakdown], plain: dict[str, float], steps: int) -> str:
    """Lay out the tables."""
    parts = [_heading(engine, each, plain[engine]) for engine, each in breakdowns.items()]
    parts += ["", _phases(breakdowns)]
    for engine, each in breakdowns.items():
        suffix = f", {engine}" if len(breakdowns) > 1 else ""
        parts += ["", _nodes(each, suffix), "", _steps(each, steps, suffix)]
    return "\n".join(parts)


def _heading(engine: str, breakdown: Breakdown, plain: float) -> str:
    return (
        f"{engine}: {breakdown.supersteps} supersteps in {breakdown.seconds * 1e3:.2f} ms, "
        f"{plain * 1e3:.2f} ms without the profiler"
    )


def _phases(breakdowns: dict[str, Breakdown]) -> str:
    from fastgraph.profiling.spans import PHASES

    header = ["part"]
    for engine in breakdowns:
        header += [f"{engine}, ms", "share", "us/superstep"]
    rows = []
    parts: list[tuple[str, str]] = [*PHASES.items()]
    for phase, what in [*parts, ("other", "the rest: config, managers, your reading")]:
        row = [f"{phase}: {what}"]
        for each in breakdowns.values():
            seconds = each.phases[phase]
            row += [
                f"{seconds * 1e3:.3f}",
                f"{seconds / each.seconds:.1%}",
                f"{seconds / max(1, each.supersteps) * 1e6:.1f}",
            ]
        rows.append(row)
    return aligned(header, rows)


def _nodes(breakdown: Breakdown, suffix: str) -> str:
    rows = [
        (
            each.name,
            str(each.calls),
            f"{each.seconds * 1e3:.3f}",
            f"{each.seconds / each.calls * 1e6:.1f}",
            f"{each.longest * 1e6:.1f}",
        )
        for each in breakdown.nodes
    ]
    return aligned((f"node (-> its edges){suffix}", "calls", "ms", "us/call", "longest, us"), rows)


def _steps(breakdown: Breakdown, most: int, suffix: str) -> str:
    shown = breakdown.steps[:most]
    parts = [
        phase
        for phase in breakdown.phases
        if any(step.phases.get(phase, 0.0) > 0 for step in shown)
    ]
    rows = [
        (
            f"{step.step}: {_names(step.nodes)}",
            f"{step.seconds * 1e6:.0f}",
            *(f"{step.phases.get(part, 0.0) * 1e6:.0f}" for part in parts),
        )
        for step in shown
    ]
    table = aligned((f"superstep, us{suffix}", "all", *parts), rows)
    more = len(breakdown.steps) - len(shown)
    return f"{table}\n({more} more; --steps lists them)" if more else table


def _names(nodes: tuple[str, ...]) -> str:
    text = ", ".join(nodes) or "-"
    return text if len(text) <= 40 else f"{text[:37]}..."
