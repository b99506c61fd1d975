"""LangGraph's own benchmarks, from its sdist, stock against patched in one process.

Upstream's ``bench`` package hands its cases to pyperf, which runs each in processes of its own.
Here a stand-in takes the cases down, and each of them runs stock and patched in turn, so that a
machine whose speed drifts is the same machine for both. Nothing of upstream's is kept in this
repository: the sdist of the installed release is downloaded into a cache.

    python -m benchmarks.langgraph_bench
    python -m benchmarks.langgraph_bench --only react_agent --rounds 21

The exit status is 1 if a case is slower patched: if its median ratio is below 1 by more than
``--tolerance``, measured again with three times the rounds before it counts.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import geometric_mean
from typing import Any, ClassVar

import fastgraph
from benchmarks import provenance
from benchmarks.superstep import page
from fastgraph.cli.table import aligned
from fastgraph.cli.timing import Pair, Spread, paired_rounds
from tools.conformance.errors import ConformanceError
from tools.conformance.sdists import unpacked_tests

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
COMMAND = "make bench, langgraph"

#: Switching leaves the processor's caches cold; a measurement has to be long against that.
LEAST_SECONDS = 0.05


@dataclass(frozen=True)
class Case:
    """One of upstream's benchmarks.

    Attributes
    ----------
    name : str
        Upstream's name for it.
    run : callable
        Runs it once.
    """

    name: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Result:
    """What a case took, round by round."""

    name: str
    pairs: list[Pair]

    @property
    def ratio(self) -> Spread:
        """How many times faster patched was, pair by pair."""
        return Spread.of([pair.ratio for pair in self.pairs])

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "name": self.name,
            "stock": [pair.stock for pair in self.pairs],
            "patched": [pair.patched for pair in self.pairs],
            "ratio": self.ratio.median,
        }


class Recorder:
    """Takes the place of pyperf's runner: keeps the cases instead of running them."""

    cases: ClassVar[list[Case]] = []

    def bench_func(self, name: str, function: Callable[..., object], *args: object) -> None:
        """Keep a sync case."""
        self.cases.append(Case(name, lambda: function(*args)))

    def bench_async_func(
        self,
        name: str,
        function: Callable[..., Any],
        *args: object,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        """Keep an async case; each run gets an event loop of its own, as under pyperf."""

        def run() -> object:
            loop = loop_factory()
            try:
                return loop.run_until_complete(function(*args))
            finally:
                loop.close()

        self.cases.append(Case(name, run))


@contextmanager
def stand_in(source: Path) -> Iterator[None]:
    """Make upstream's ``bench`` importable, and its runner ours."""
    runner = types.ModuleType("pyperf._runner")
    runner.Runner = Recorder  # type: ignore[attr-defined]
    stand_ins = {"pyperf": types.ModuleType("pyperf"), "pyperf._runner": runner}
    # Not more than these are taken back: what else is imported meanwhile is in use.
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    sys.path.insert(0, str(source))
    try:
        yield
    finally:
        sys.path.remove(str(source))
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def upstream_cases(cache: Path) -> list[Case]:
    """The cases of the installed release's ``bench``."""
    source = unpacked_tests("langgraph", metadata.version("langgraph"), cache)
    Recorder.cases = []
    with stand_in(source):
        importlib.import_module("bench.__main__")
    return Recorder.cases


def repeats(case: Case) -> int:
    """How often a case has to run to take longer than the switch before it leaves traces."""
    case.run()
    begin = time.perf_counter()
    case.run()
    return max(1, int(LEAST_SECONDS / (time.perf_counter() - begin)))


def measure(case: Case, rounds: int) -> Result:
    """Run a case stock and patched in turn."""
    times = repeats(case)

    def patched() -> AbstractContextManager[object]:
        return fastgraph.patched(strict=True)

    def run(name: str) -> None:
        for _ in range(times):
            case.run()

    pairs = paired_rounds(run, patched, rounds)
    return Result(case.name, [Pair(p.stock / times, p.patched / times) for p in pairs])


def is_slower(result: Result, tolerance: float) -> bool:
    return result.ratio.median < 1 - tolerance


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:72.72}", end="", file=sys.stderr, flush=True)


def measure_all(cases: list[Case], rounds: int, tolerance: float) -> Iterator[Result]:
    """Measure each case; one that looks slower is measured again, longer."""
    for number, case in enumerate(cases, 1):
        progress(f"{number}/{len(cases)} {case.name}")
        result = measure(case, rounds)
        if is_slower(result, tolerance):
            result = measure(case, 3 * rounds)
        yield result
    progress("")
    progress("\r")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def cells(result: Result) -> tuple[str, ...]:
    """The cells of one line."""
    return (
        result.name,
        milliseconds(Spread.of([pair.stock for pair in result.pairs]).median),
        milliseconds(Spread.of([pair.patched for pair in result.pairs]).median),
        f"{result.ratio.median:.2f}",
        f"{result.ratio.low:.2f}-{result.ratio.high:.2f}",
    )


def report(results: list[Result]) -> str:
    rows = [cells(result) for result in results]
    table = aligned(("case", "stock ms", "patched ms", "ratio", "spread"), rows)
    mean = geometric_mean([result.ratio.median for result in results])
    return f"{table}\n\ngeometric mean of the ratios: {mean:.2f}"


def as_markdown(results: list[Result], measured: str) -> str:
    """The table for the documentation, below where its figures come from."""
    mean = geometric_mean([result.ratio.median for result in results])
    lines = [measured, "", f"Geometric mean of the ratios: **{mean:.2f}**.", ""]
    lines += [
        "| Case | Stock, ms | Patched, ms | Ratio | Middle half |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += ["| " + " | ".join(cells(result)) + " |" for result in results]
    return "\n".join(lines)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.langgraph_bench",
        description="Time LangGraph's own benchmarks stock and patched, in turn.",
    )
    parser.add_argument("--rounds", type=int, default=5, help="pairs per case (default: 5)")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument(
        "--tolerance", type=float, default=0.03, help="what counts as noise (default: 0.03)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("build/conformance"), help="where the sdist is kept"
    )
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    page.add_options(parser, PAGE)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    if why := page.why_not(options):
        return refused(why)
    # The cases leave tasks behind when they stop at the first event; asyncio's word on it is noise.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        cases = [case for case in upstream_cases(options.cache) if options.only in case.name]
    except (ConformanceError, ImportError) as error:
        return refused(str(error))
    if not cases:
        return refused(f"no case has {options.only!r} in it")
    results = list(measure_all(cases, options.rounds, options.tolerance))
    print(report(results))
    source = provenance.measured(
        "make bench", ("langgraph", "langchain-core"), note=f"{options.rounds} rounds per case."
    )
    if options.json:
        provenance.write(options.json, source, [result.to_dict() for result in results])
    kept = page.renew(options, as_markdown(results, source), PAGE, COMMAND)
    slower = [result.name for result in results if is_slower(result, options.tolerance)]
    if slower:
        print(f"slower than stock: {', '.join(slower)}")
    return max(kept, int(bool(slower)))


def refused(why: str) -> int:
    print(f"langgraph_bench: error: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
