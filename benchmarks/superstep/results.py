"""What was measured, and how it is told: as text, Markdown and JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.superstep.rows import ROWS, Row
from fastgraph.cli.table import aligned

HEADER = ("work", "stock", "patched", "reached", "wanted", "")


@dataclass(frozen=True)
class Result:
    """A row's figures; `low` and `high` are the middle half of what the rounds reached."""

    name: str
    how: str
    stock: float
    patched: float
    reached: float
    low: float
    high: float

    @property
    def row(self) -> Row:
        return next(row for row in ROWS if (row.name, row.how) == (self.name, self.how))

    @property
    def met(self) -> bool | None:
        row = self.row
        if row.wanted is None:
            return None
        return self.reached <= row.wanted if row.less_is_better else self.reached >= row.wanted

    @classmethod
    def of(cls, row: Row, pairs: Sequence[tuple[float, float]]) -> Result:
        """Summarise pairs of figures, stock and patched."""
        if row.how in ("growth", "calls"):
            reached = [patched for _, patched in pairs]
        elif row.how == "memory":
            reached = [patched / max(stock, 1) for stock, patched in pairs]
        else:
            reached = [stock / patched for stock, patched in pairs]
        low, middle, high = quartiles(reached)
        stock = statistics.median(pair[0] for pair in pairs)
        patched = statistics.median(pair[1] for pair in pairs)
        return cls(row.name, row.how, stock, patched, middle, low, high)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def figure(how: str, value: float) -> str:
    """A figure in the unit that its row has."""
    if how == "instructions":
        return f"{value / 1000:,.0f} k"
    if how == "seconds":
        return f"{value * 1e6:,.0f} µs"
    if how == "memory":
        return f"{value / 2**20:,.1f} MiB"
    return f"{value:.2f}"


def wanted(row: Row) -> str:
    if row.wanted is None:
        return ""
    return f"{'at most' if row.less_is_better else 'at least'} {row.wanted:g}"


def cells(result: Result) -> tuple[str, ...]:
    """The cells of one line."""
    row = result.row
    reached = f"{result.reached:.2f}"
    if result.low != result.high:
        reached += f" ({result.low:.2f} to {result.high:.2f})"
    mark = {None: "", True: "met", False: "missed"}[result.met]
    stock, patched = figure(row.how, result.stock), figure(row.how, result.patched)
    if row.how == "bench":
        stock = patched = ""
    name = result.name + (" *" if row.threads else "")
    return name, stock, patched, reached, wanted(row), mark


NOTE = "* Threads take part; how often they meet varies from run to run, and so does the count."


def as_text(results: Sequence[Result]) -> str:
    """The table, in parts by how it was measured."""
    lines = aligned(HEADER, [cells(result) for result in results])
    return f"{lines}\n\n{NOTE}" if any(result.row.threads for result in results) else lines


TITLES = {
    "instructions": "Instructions per superstep, or per what the row names",
    "growth": "Cost of one at the larger size, over one at the smaller",
    "calls": "Cost of a late call of one run, over an early one",
    "seconds": "Seconds",
    "bench": "LangGraph's own benchmarks",
    "memory": "Peak memory",
}


#: The packages whose versions matter here.
PACKAGES = ("langgraph", "langchain-core")


def as_markdown(results: Sequence[Result], measured: str) -> str:
    """The table for the documentation, below where its figures come from."""
    lines = [measured]
    for how, title in TITLES.items():
        found = [result for result in results if result.how == how]
        if not found:
            continue
        lines += ["", f"**{title}**", "", "| Work | Stock | Patched | Reached | Wanted | |"]
        lines += ["|---|---:|---:|---:|---:|---|"]
        lines += ["| " + " | ".join(cells(each)).replace(" *", r" \*") + " |" for each in found]
    if any(result.row.threads for result in results):
        lines += ["", NOTE.replace("*", r"\*", 1)]
    return "\n".join(lines)
