"""The results of a bench as one HTML file, which needs nothing else."""

from __future__ import annotations

import io
from typing import Any

import matplotlib
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastgraph.cli.bench_result import Bench, CaseResult, Side
from fastgraph.cli.bench_table import notes, rows

STOCK, PATCHED = "#8a8f98", "#2f7ed8"
#: What a run consists of, and its colour.
PARTS = (("node bodies", "#5aa469"), ("saver", "#d9a441"), ("engine", "#c8553d"))
#: Text stays text, so that it can be searched and read aloud; no dates or random ids in the file.
SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "fastgraph", "font.family": "sans-serif"}


def as_html(bench: Bench) -> str:
    """Render the report.

    Parameters
    ----------
    bench
        All results.

    Returns
    -------
    str
        A page with its style and its charts inside.
    """
    environment = Environment(
        loader=PackageLoader("fastgraph.cli", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("bench.html.jinja")
    page: str = template.render(
        bench=bench.to_dict(),
        versions=bench.status.frameworks,
        cases=[_case(result) for result in bench.results],
        overview=speedups(bench.results),
    )
    return page


def _case(result: CaseResult) -> dict[str, Any]:
    return {
        "title": str(result.case),
        "supersteps": result.stock.breakdown.supersteps,
        "verdict": result.verdict(),
        "faster": result.faster,
        "rows": rows(result),
        "notes": notes(result),
        "fallbacks": result.fallbacks,
        "nodes": _nodes(result),
        "time": times(result),
        "rounds": rounds(result),
    }


def _nodes(result: CaseResult) -> list[tuple[str, int, str, str]]:
    patched = {(each.name, each.phase): each for each in result.patched.breakdown.nodes}
    table = []
    for each in result.stock.breakdown.nodes:
        other = patched.get((each.name, each.phase))
        ours = "" if other is None else f"{other.seconds * 1e3:.3f}"
        table.append((each.name, each.calls, f"{each.seconds * 1e3:.3f}", ours))
    return table


def speedups(results: list[CaseResult]) -> Markup:
    """Draw how many times faster each case is, with the middle half of its rounds."""
    figure = Figure(figsize=(8, 0.9 + 0.5 * len(results)), layout="constrained")
    axes = figure.subplots()
    for row, result in enumerate(results):
        ratio = result.ratio
        spread = [[ratio.median - ratio.low], [ratio.high - ratio.median]]
        colour = PATCHED if result.faster else STOCK
        axes.barh(row, ratio.median, height=0.5, color=colour, xerr=spread, capsize=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(results)), [str(result.case) for result in results])
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as stock; the line is stock")
    return _svg(figure, "Speed-up by case")


def times(result: CaseResult) -> Markup:
    """Draw what a run consists of on either side."""
    figure = Figure(figsize=(8, 1.9), layout="constrained")
    axes = figure.subplots()
    sides: list[tuple[str, Side]] = [("stock", result.stock), ("patched", result.patched)]
    for row, (_, side) in enumerate(sides):
        shares = (side.own_share, side.saver_share, side.engine_share)
        left = 0.0
        for (name, colour), share in zip(PARTS, shares, strict=True):
            width = share * side.seconds.median * 1e3
            axes.barh(row, width, left=left, height=0.6, color=colour, label=None if row else name)
            left += width
    axes.set_yticks([0, 1], [name for name, _ in sides])
    axes.invert_yaxis()
    axes.set_xlabel("ms per run")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return _svg(figure, "What a run consists of, stock and patched")


def rounds(result: CaseResult) -> Markup:
    """Draw every round, so that drift and outliers show."""
    figure = Figure(figsize=(8, 2.2), layout="constrained")
    axes = figure.subplots()
    numbers = range(1, len(result.pairs) + 1)
    stock = [pair.stock * 1e3 for pair in result.pairs]
    patched = [pair.patched * 1e3 for pair in result.pairs]
    axes.plot(numbers, stock, "o", markersize=3, color=STOCK, label="stock")
    axes.plot(numbers, patched, "o", markersize=3, color=PATCHED, label="patched")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("round")
    axes.set_ylabel("ms per run")
    axes.legend(frameon=False)
    return _svg(figure, "Time of each round, stock and patched")


def _svg(figure: Figure, title: str) -> Markup:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    file = io.StringIO()
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(file, format="svg", metadata={"Date": None, "Title": title})
    drawing = file.getvalue()
    # Without the XML declaration and document type, which HTML does not have.
    image = drawing[drawing.index("<svg") :].replace(
        "<svg", f'<svg role="img" aria-label="{title}"', 1
    )
    return Markup(image)  # matplotlib has escaped what it was given
