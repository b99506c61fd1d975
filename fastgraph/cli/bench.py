"""``fastgraph bench``: a user's own graph, stock against patched."""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastgraph
from fastgraph.cli.case_options import add_case_options, request
from fastgraph.cli.engine import engine_of, patch_process, why_stock
from fastgraph.cli.parser import CommandError, Commands, add_command, positive_int
from fastgraph.cli.timing import Pair, Spread, paired_rounds

if TYPE_CHECKING:
    from fastgraph.cli.bench_result import Bench, CaseResult, Fallback, Side
    from fastgraph.cli.workload import Workload

_DETAILS = """\
Each case is first run stock twice and patched once, and what came out is compared. Then stock and
patched take turns in one process. What the nodes themselves take, and the saver, is told by a
profiled run of each; memory and fallbacks by one more. Every run has a thread of its own in the
saver, so a thread_id need not be given.

examples:
  fastgraph bench agent:graph --input in.json
  fastgraph bench app/agent.py:graph --input in.json --mode sync,async --saver none,sqlite
  fastgraph bench agent:graph --input in.json --stream-mode updates --html bench.html

The exit status is 1 if outputs differ. It is 0 also where patched is no faster, which the report
says first, and why.
"""

#: A sample takes at least so many seconds, or several runs: a clock has noise of its own.
SAMPLE = 0.02
#: Profiled runs of each side, the middle one of which counts.
PROFILED = 3

#: Package by the option that needs it.
NEEDED = {"": ("rich",), "html": ("jinja2", "matplotlib")}

Progress = Callable[[str, int, int], None]


def add_to(commands: Commands) -> None:
    """Add the command ``bench``."""
    parser = add_command(
        commands,
        "bench",
        execute,
        summary="time a graph of your own stock and patched",
        details=_DETAILS,
    )
    add_case_options(parser, several=True)
    parser.add_argument(
        "--rounds", type=positive_int, default=20, help="pairs of timed samples (default: 20)"
    )
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a report, too")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures, too")


def execute(options: argparse.Namespace) -> int:
    """Measure all cases and report; returns 1 if stock and patched differ."""
    _require("", "fastgraph bench")
    if options.html is not None:
        _require("html", "--html")
    for path in (options.html, options.json):
        _require_directory(path)
    try:
        bench = measure(options)
    except KeyboardInterrupt:
        return 130
    report(bench, options)
    return int(not bench.alike)


def _require(option: str, what: str) -> None:
    missing = [name for name in NEEDED[option] if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(
            f"{what} needs {' and '.join(missing)}: pip install 'fastgraph-engine[bench]'"
        )


def _require_directory(path: Path | None) -> None:
    """Find out before minutes of measuring that a file cannot be written."""
    if path is not None and not path.absolute().parent.is_dir():
        raise CommandError(f"cannot write {path}: there is no such directory")
    if path is not None and path.is_dir():
        raise CommandError(f"cannot write {path}: it is a directory")


def measure(options: argparse.Namespace) -> Bench:
    """Measure what the options ask for.

    Raises
    ------
    CommandError
        If graph, input, config or a name is not what it should be, or the graph fails.
    """
    from fastgraph.cli.bench_result import Bench

    asked = request(options)
    # Resolved once and up front: a first patch takes longer and may have something to say.
    status = patch_process()
    fastgraph.unpatch()
    results = []
    with _progress() as progress:
        for case in asked.cases:
            with asked.opened(case) as workload:
                results.append(measure_case(workload, options.rounds, progress))
    command = shlex.join(["fastgraph", "bench", *_words(options)])
    return Bench(options.graph, command, results, status)


def _words(options: argparse.Namespace) -> Iterator[str]:
    yield options.graph
    for name in ("input", "config", "mode", "stream_mode", "saver", "durability", "rounds"):
        value = getattr(options, name)
        if value is not None:
            yield from (f"--{name.replace('_', '-')}", str(value))


def measure_case(workload: Workload, rounds: int, progress: Progress) -> CaseResult:
    """Measure one case: agreement, time, where it goes, memory, fallbacks.

    Raises
    ------
    CommandError
        If the graph fails on its input.
    """
    from fastgraph.cli.agreement import agreement
    from fastgraph.cli.bench_result import CaseResult

    name = str(workload.case)
    progress(name, 0, rounds)
    chunks = workload.tried("try")

    def run_patched(thread: str) -> list[Any]:
        with fastgraph.patched():
            return workload.tried(thread)

    alike = agreement(workload.tried, run_patched)
    pairs = []
    for pair in _pairs(workload, rounds):
        pairs.append(pair)
        progress(name, len(pairs), rounds)
    return CaseResult(
        case=workload.case,
        pairs=pairs,
        stock=_side(workload, "stock", [pair.stock for pair in pairs]),
        patched=_side(workload, "patched", [pair.patched for pair in pairs]),
        agreement=alike,
        fallbacks=fallbacks(workload),
        interrupted=any(isinstance(each, dict) and "__interrupt__" in each for each in chunks),
    )


def _pairs(workload: Workload, rounds: int) -> Iterator[Pair]:
    started = time.perf_counter()
    workload.run("first")
    times = max(1, round(SAMPLE / max(time.perf_counter() - started, 1e-6)))

    def sample(name: str) -> None:
        for number in range(times):
            workload.run(f"{name}-{number}")

    for pair in paired_rounds(sample, fastgraph.patched, rounds):
        yield Pair(pair.stock / times, pair.patched / times)


def _side(workload: Workload, engine: str, seconds: list[float]) -> Side:
    from fastgraph.cli.bench_result import Side
    from fastgraph.profiling.profiler import profiled

    with engine_of(engine):
        runs = [partial(workload.run, f"{engine}-profiled-{number}") for number in range(PROFILED)]
        found = [profiled(workload.graph, run).breakdown() for run in runs]
        middle = statistics.median_low(each.seconds for each in found)
        peak = _peak(workload, engine)
    breakdown = next(each for each in found if each.seconds == middle)
    return Side(Spread.of(seconds), breakdown, peak)


def _peak(workload: Workload, engine: str) -> int:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        workload.run(f"{engine}-memory")
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def fallbacks(workload: Workload) -> list[Fallback]:
    """Count the calls of one patched run that stock code handled, by target and reason."""
    from fastgraph.cli.bench_result import Fallback

    with fastgraph.patched() as before:
        workload.run("fallbacks")
        after = fastgraph.status()
    earlier = {target.name: target for target in before.targets}
    found = []
    for target in after.targets:
        was = earlier[target.name]
        for reason, count in target.fallbacks.items():
            new = count - was.fallbacks.get(reason, 0)
            if new:
                found.append(Fallback(target.name, reason, new, target.calls - was.calls))
    return sorted(found, key=lambda each: -each.count)


def _progress() -> Any:
    from fastgraph.cli.bench_table import progress

    return progress()


def report(bench: Bench, options: argparse.Namespace) -> None:
    """Write the files that were asked for, and print the tables.

    Raises
    ------
    CommandError
        If a file cannot be written.
    """
    from fastgraph.cli.bench_table import show

    # Files first: whoever reads the output may stop, as `head` does.
    if options.json is not None:
        _write(options.json, json.dumps(bench.to_dict(), indent=1))
    if options.html is not None:
        from fastgraph.cli.bench_html import as_html

        _write(options.html, as_html(bench))
    show(bench, why_stock(bench.status))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
    print(f"wrote {path}", file=sys.stderr)
