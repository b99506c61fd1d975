"""All benchmarks of the documentation in one report.

    python -m benchmarks.report
    python -m benchmarks.report --part codec --part latency --docs
    python -m benchmarks.report --rounds 3 --docs
    python -m benchmarks.report --quick

Each part is a command of its own, whose table it prints; with --docs it renews the generated parts
of docs/benchmarks.md, docs/superstep.md, docs/codec.md and docs/ag-ui.md, unless the machine is
busy. The figures, as JSON, are below build/bench. A quiet machine is needed, and valgrind.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import frameworks, langgraph_bench, latency
from benchmarks.codec import __main__ as codec
from benchmarks.rivals import __main__ as rivals
from benchmarks.superstep import __main__ as superstep
from benchmarks.superstep import page
from fastgraph.cli.parser import positive_int

Main = Callable[[list[str] | None], int]


@dataclass(frozen=True)
class Part:
    """One command.

    Attributes
    ----------
    title : str
        Above its table.
    main : callable
        The command; 0 and 1 are answers, 2 is that it cannot measure.
    quick : tuple of str
        The options with which it only shows that it runs.
    whole : tuple of str
        Those that it has otherwise.
    """

    title: str
    main: Main
    quick: tuple[str, ...]
    whole: tuple[str, ...] = ()


PARTS: Mapping[str, Part] = {
    "latency": Part("What a model's latency leaves", latency.main, ("--rounds", "2")),
    "superstep": Part("Supersteps", superstep.main, ("--quick",)),
    "codec": Part("The checkpoint codec", codec.main, ("--quick",), ("--instructions",)),
    "langgraph": Part("LangGraph's own benchmarks", langgraph_bench.main, ("--rounds", "1")),
    "ag-ui": Part("AG-UI", frameworks.ag_ui, ("--rounds", "1", "--seconds")),
    "brainyflow": Part("BrainyFlow", frameworks.brainyflow, ("--rounds", "1")),
    "rivals": Part("Others", rivals.main, ("--rounds", "1", "--times", "1")),
}


def words(name: str, options: argparse.Namespace) -> list[str]:
    """The options of a part."""
    part = PARTS[name]
    found = ["--json", str(options.json / f"{name}.json")]
    found += part.quick if options.quick else part.whole
    if options.rounds is not None and not options.quick:
        found += ["--rounds", str(options.rounds)]
    if options.docs:
        found.append("--docs")
    if options.though_busy:
        found.append("--though-busy")
    return found


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report", description="Run all benchmarks of the documentation."
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; repeatable")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    parser.add_argument(
        "--rounds", type=positive_int, help="of every part; by default what each thinks right"
    )
    parser.add_argument("--docs", action="store_true", help="renew the tables of the documentation")
    parser.add_argument(
        "--though-busy", action="store_true", help="and do so even if other work runs meanwhile"
    )
    parser.add_argument(
        "--json", type=Path, default=Path("build/bench"), help="the directory of the figures"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    quick = options.quick and options.docs and "--quick has no figures for the docs"
    if why := quick or page.why_not(options):
        print(f"report: error: {why}", file=sys.stderr)
        return 2
    options.json.mkdir(parents=True, exist_ok=True)
    answers = {}
    for name in options.part or PARTS:
        print(f"\n{PARTS[name].title}\n", flush=True)
        started = time.monotonic()
        answers[name] = PARTS[name].main(words(name, options))
        print(f"\n{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    missed = [name for name, answer in answers.items() if answer == 1]
    failed = [name for name, answer in answers.items() if answer > 1]
    if missed:
        print(f"\nnot all that is wanted: {', '.join(missed)}")
    if failed:
        print(f"\nreport: error: not measured: {', '.join(failed)}", file=sys.stderr)
    return max(answers.values())


if __name__ == "__main__":
    sys.exit(main())
