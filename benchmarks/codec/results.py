"""What was measured, and how it is told."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.codec.rows import ROWS, Row
from benchmarks.superstep.results import quartiles
from fastgraph.cli.table import aligned

HEADER = ("work", "of", "stock", "patched", "reached", "wanted", "", "instructions")
NAMES = {"encode": "encode", "decode": "decode", "run": "whole run", "slim": "bytes saved"}


@dataclass(frozen=True)
class Result:
    """A row's figures: seconds (bytes for slim), how many times less, and instructions."""

    what: str
    of: str
    stock: float
    patched: float
    reached: float
    low: float
    high: float
    instructions: tuple[float, float] | None = None

    @property
    def row(self) -> Row:
        return next(row for row in ROWS if (row.what, row.of) == (self.what, self.of))

    @property
    def met(self) -> bool:
        return self.reached >= self.row.wanted

    @classmethod
    def of_pairs(
        cls,
        row: Row,
        pairs: Sequence[tuple[float, float]],
        instructions: tuple[float, float] | None,
    ) -> Result:
        """Summarise pairs of figures, stock and patched."""
        saved = row.what == "slim"
        reached = [1 - ours / stock if saved else stock / ours for stock, ours in pairs]
        low, middle, high = quartiles(reached)
        stock = statistics.median(pair[0] for pair in pairs)
        patched = statistics.median(pair[1] for pair in pairs)
        return cls(row.what, row.of, stock, patched, middle, low, high, instructions)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def cells(result: Result) -> tuple[str, ...]:
    """The cells of one line."""
    wanted, mark = result.row.wanted, "met" if result.met else "missed"
    if result.what == "slim":
        sizes = (f"{size:,.0f} B" for size in (result.stock, result.patched))
        return (
            NAMES["slim"],
            result.of,
            *sizes,
            f"{result.reached:.0%}",
            f"{wanted:.0%}",
            mark,
            "",
        )
    times = (f"{seconds * 1e6:,.0f} µs" for seconds in (result.stock, result.patched))
    reached = f"{result.reached:.2f}"
    if result.low != result.high:
        reached += f" ({result.low:.2f} to {result.high:.2f})"
    counted = ""
    if result.instructions:
        stock, ours = result.instructions
        counted = f"{stock / ours:.2f} ({stock / 1000:,.0f} k to {ours / 1000:,.0f} k)"
    return NAMES[result.what], result.of, *times, reached, f"{wanted:g}", mark, counted


def as_text(results: Sequence[Result]) -> str:
    return aligned(HEADER, [cells(result) for result in results])


#: The packages whose versions matter here.
PACKAGES = ("langgraph", "langgraph-checkpoint", "ormsgpack", "pydantic", "langchain-core")


def as_markdown(results: Sequence[Result], measured: str) -> str:
    """The table for the documentation, below where its figures come from."""
    lines = [measured, ""]
    lines += ["| Work | Of | Stock | Patched | Reached | Wanted | | Instructions |"]
    lines += ["|---|---|---:|---:|---:|---:|---|---:|"]
    lines += ["| " + " | ".join(cells(each)) + " |" for each in results]
    return "\n".join(lines)
