"""What a model's latency leaves of it: from which latency on a faster engine does not show.

python -m benchmarks.latency
python -m benchmarks.latency --docs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import provenance
from benchmarks.superstep import page
from benchmarks.superstep.rows import Row
from benchmarks.superstep.timing import measured
from fastgraph.cli.table import aligned
from fastgraph.cli.timing import Spread

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
COMMAND = "make bench, latency"

#: What is looked at: a superstep of each, by the name of its program.
ROWS = (
    Row("loop of one node", "seconds", "sync loop"),
    Row("loop of one node, async", "seconds", "async loop"),
    Row("loop, messages streamed, async", "seconds", "async messages"),
    Row("loop, InMemorySaver", "seconds", "saved"),
    Row("create_react_agent, per turn", "seconds", "agent", sizes=(5, 25)),
)
#: Seconds that a node waits for its model.
LATENCIES = (0.001, 0.01, 0.1, 1.0)
#: A gain that one would notice in a measurement, if hardly otherwise.
GAIN = 0.05


@dataclass(frozen=True)
class Result:
    """Seconds of a superstep on either side."""

    name: str
    stock: float
    patched: float

    def gain(self, latency: float) -> float:
        """How many times faster a superstep is whose node waits that long."""
        return (latency + self.stock) / (latency + self.patched)

    def break_even(self, gain: float = GAIN) -> float:
        """The latency up to which a superstep is faster by at least that part, in seconds."""
        return max(0.0, (self.stock - self.patched) / gain - self.patched)


def measure(row: Row, rounds: int) -> Result:
    pairs = measured(row, rounds)
    stock = Spread.of([pair[0] for pair in pairs]).median
    return Result(row.name, stock, Spread.of([pair[1] for pair in pairs]).median)


HEADER = (
    "a superstep of",
    "stock, µs",
    "patched, µs",
    *(f"with {latency * 1e3:g} ms" for latency in LATENCIES),
    f"{GAIN:.0%} faster up to",
)


def cells(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.stock * 1e6:.0f}",
        f"{result.patched * 1e6:.0f}",
        *(f"{result.gain(latency):.3f}" for latency in LATENCIES),
        f"{result.break_even() * 1e3:.1f} ms",
    )


def as_markdown(results: Sequence[Result], source: str) -> str:
    lines = [source, "", "| " + " | ".join(HEADER) + " |", "|---" + "|---:" * 7 + "|"]
    return "\n".join(lines + ["| " + " | ".join(cells(each)) + " |" for each in results])


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description="Say from which latency of a model on a faster engine does not show.",
    )
    parser.add_argument("--rounds", type=int, default=9, help="pairs of a row (default: 9)")
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    page.add_options(parser, PAGE)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    if why := page.why_not(options):
        print(f"latency: error: {why}", file=sys.stderr)
        return 2
    results: list[Any] = [measure(row, options.rounds) for row in ROWS]
    source = provenance.measured(
        "make bench", ("langgraph", "langchain-core"), note=f"{options.rounds} rounds per row."
    )
    print(aligned(HEADER, [cells(result) for result in results]))
    if options.json:
        provenance.write(options.json, source, [asdict(result) for result in results])
    return page.renew(options, as_markdown(results, source), PAGE, COMMAND)


if __name__ == "__main__":
    sys.exit(main())
