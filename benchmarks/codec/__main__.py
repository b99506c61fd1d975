"""What the checkpoint codec costs, stock against patched, beside what is wanted.

The same object is encoded, and decoded, in one process by stock and patched in rounds that take
turns; instructions are counted under callgrind as the difference of two lengths. A quiet machine
is needed for the seconds, valgrind for the instructions.

    python -m benchmarks.codec
    python -m benchmarks.codec --only encode --instructions
    python -m benchmarks.codec --json codec.json --docs
    python -m benchmarks.codec --given codec.json --docs
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import fastgraph
from benchmarks import provenance
from benchmarks.codec.corpora import CORPORA
from benchmarks.codec.programs import program
from benchmarks.codec.results import PACKAGES, Result, as_markdown, as_text
from benchmarks.codec.rows import ROWS, Row
from benchmarks.superstep import page
from benchmarks.superstep.counting import CannotMeasureError, Run, counts
from benchmarks.superstep.timing import paired, took

PAGE = Path(__file__).resolve().parents[2] / "docs" / "codec.md"
#: A sample takes about so long, on stock.
SAMPLE = 0.05
ENGINES = ("stock", "patched")


def seconds(row: Row, rounds: int, sample: float = SAMPLE) -> list[tuple[float, float]]:
    """What a unit of work takes on either side, in rounds that take turns."""
    work = program(row.what, row.of)
    work(1)
    times = max(1, round(sample / took(lambda: work(1))))
    return list(paired(lambda: took(lambda: work(times)) / times, rounds))


def sizes(row: Row) -> tuple[float, float]:
    """How many bytes a corpus takes as stock writes it, and slim."""
    value, serde = CORPORA[row.of](), JsonPlusSerializer()
    exact = len(serde.dumps_typed(value)[1])
    with fastgraph.patched(strict=True, codec="slim"):
        return float(exact), float(len(serde.dumps_typed(value)[1]))


def named(row: Row) -> str:
    return f"{row.what}/{row.of}"


def counted(rows: list[Row]) -> dict[str, tuple[float, float]]:
    """The instructions of a unit of each row, stock and patched."""
    rows = [row for row in rows if row.what != "slim"]
    runs: list[Run] = [(named(row), times) for row in rows for times in row.times]
    found: dict[str, list[float]] = {named(row): [] for row in rows}
    for engine in ENGINES if rows else ():
        print(f"counting instructions, {engine}: {len(rows)} rows", file=sys.stderr)
        collected = counts(engine, runs, "benchmarks.codec.child")
        for row in rows:
            short, long = (collected[named(row), times] for times in row.times)
            found[named(row)].append((long - short) / (row.times[1] - row.times[0]))
    return {name: (stock, ours) for name, (stock, ours) in found.items()}


def measured(rows: list[Row], options: argparse.Namespace) -> Iterator[Result]:
    instructions = counted(rows) if options.instructions else {}
    rounds, sample = (1, 0.0) if options.quick else (options.rounds, SAMPLE)
    for row in rows:
        print(named(row), file=sys.stderr, flush=True)
        pairs = [sizes(row)] if row.what == "slim" else seconds(row, rounds, sample)
        yield Result.of_pairs(row, pairs, instructions.get(named(row)))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.codec",
        description="Measure what the checkpoint codec costs, beside what is wanted.",
    )
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--instructions", action="store_true", help="count instructions, too")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of a row (default: 9)")
    parser.add_argument("--quick", action="store_true", help="only show that it runs")
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    parser.add_argument("--given", type=Path, help="measure nothing: results from this file")
    page.add_options(parser, PAGE)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    rows = [row for row in ROWS if options.only in named(row)]
    if not rows:
        return refused("no row is left")
    if options.docs and options.quick:
        return refused("--quick has no figures for the docs")
    if (why := page.why_not(options)) and not options.given:
        return refused(why)
    if options.instructions and not options.given and shutil.which("valgrind") is None:
        return refused("valgrind is not installed")
    try:
        if options.given:
            source, kept = provenance.read(options.given)
            results = [Result(**each) for each in kept]
        else:
            results = list(measured(rows, options))
            source = provenance.measured("make codec", PACKAGES)
    except CannotMeasureError as error:
        return refused(str(error))
    print(as_text(results))
    if options.json:
        provenance.write(options.json, source, [result.to_dict() for result in results])
    kept = page.renew(options, as_markdown(results, source), PAGE, "make codec")
    missed = not options.quick and not all(result.met for result in results)
    return max(kept, int(missed))


def refused(why: str) -> int:
    print(f"codec: error: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
