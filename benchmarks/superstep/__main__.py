"""What a superstep costs, stock against patched, beside what is wanted.

Instructions are counted under callgrind as the difference of two lengths, so that start-up
cancels and noise does not count; seconds are the median of rounds that take turns in one process;
memory is that of processes of their own. A quiet machine is needed for the seconds. Needs valgrind.

    python -m benchmarks.superstep
    python -m benchmarks.superstep --only async --how instructions
    python -m benchmarks.superstep --json superstep.json --docs
    python -m benchmarks.superstep --given superstep.json --docs
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import geometric_mean

from benchmarks import provenance
from benchmarks.superstep import page, timing
from benchmarks.superstep.counting import CannotMeasureError, Run, counts, per_superstep, runs_of
from benchmarks.superstep.memory import bytes_taken
from benchmarks.superstep.results import PACKAGES, TITLES, Result, as_markdown, as_text
from benchmarks.superstep.rows import ROWS, Row

ENGINES = ("stock", "patched")


def smaller(row: Row) -> Row:
    """The same row at sizes that only show that it runs."""
    short, long = row.sizes
    sizes = (short, short + max(1, (long - short) // 20))
    return Row(row.name, row.how, row.program, row.wanted, sizes, row.per, row.threads)


def measure(row: Row, rounds: int) -> Result:
    """Measure one row that does not count instructions."""
    if row.how == "memory":
        stock, patched = (bytes_taken(row, engine, min(rounds, 3)) for engine in ENGINES)
        return Result.of(row, [(stock, patched)])
    if row.how == "bench":
        ratios = list(timing.bench(rounds).values())
        mean = geometric_mean(ratios)
        return Result(row.name, row.how, 1.0, 1 / mean, mean, min(ratios), max(ratios))
    return Result.of(row, timing.measured(row, rounds))


def chosen(options: argparse.Namespace) -> list[Row]:
    """The rows that the options leave."""
    rows = [row for row in ROWS if options.only in row.name]
    rows = [row for row in rows if row.how in (options.how or TITLES)]
    return [row for row in rows if row.how != "bench" or options.bench]


def measured(rows: list[Row], options: argparse.Namespace) -> Iterator[Result]:
    """Measure the rows, those that count instructions all at once."""
    rounds = 1 if options.quick else options.rounds
    rows = [smaller(row) if options.quick else row for row in rows]
    counting = [row for row in rows if row.how == "instructions"]
    counted: dict[str, dict[Run, int]] = {}
    for engine in ENGINES if counting else ():
        print(f"counting instructions, {engine}: {len(counting)} rows", file=sys.stderr)
        counted[engine] = counts(engine, runs_of(counting))
    for row in rows:
        if row.how == "instructions":
            stock, patched = (per_superstep(row, counted[engine]) for engine in ENGINES)
            yield Result.of(row, [(stock, patched)])
        else:
            print(f"{row.how}: {row.name}", file=sys.stderr, flush=True)
            yield measure(row, rounds)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.superstep",
        description="Measure what a superstep costs, stock and patched, beside what is wanted.",
    )
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--how", action="append", choices=TITLES, help="only rows measured so")
    parser.add_argument("--bench", action="store_true", help="LangGraph's own bench as well; slow")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of a row (default: 9)")
    parser.add_argument("--quick", action="store_true", help="small sizes: figures mean nothing")
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    parser.add_argument("--given", type=Path, help="measure nothing: results from this file")
    page.add_options(parser, page.PAGE)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    rows = chosen(options)
    if not rows:
        return refused("no row is left")
    if options.docs and options.quick:
        return refused("--quick has no figures for the docs")
    if (why := page.why_not(options)) and not options.given:
        return refused(why)
    counts = not options.given and any(row.how == "instructions" for row in rows)
    if counts and shutil.which("valgrind") is None:
        return refused("valgrind is not installed")
    try:
        if options.given:
            source, kept = provenance.read(options.given)
            results = [Result(**each) for each in kept]
        else:
            results = list(measured(rows, options))
            source = provenance.measured("make superstep", PACKAGES)
    except CannotMeasureError as error:
        return refused(str(error))
    print(as_text(results))
    if options.json:
        provenance.write(options.json, source, [result.to_dict() for result in results])
    kept = page.renew(options, as_markdown(results, source), page.PAGE, page.COMMAND)
    missed = not options.quick and any(result.met is False for result in results)
    return max(kept, int(missed))


def refused(why: str) -> int:
    print(f"superstep: error: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
