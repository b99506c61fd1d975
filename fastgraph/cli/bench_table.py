"""The results of a bench on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fastgraph.cli.bench_result import Bench, CaseResult, Side
from fastgraph.cli.timing import Spread

#: More fallbacks than these are rarely of interest; the JSON has all.
FALLBACKS = 5
#: Wide enough for the widest line; where output is no terminal nothing is to be wrapped.
WIDTH = 110


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show how far the rounds of a case are, if standard error is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        tasks = {}

        def advance(name: str, done: int, rounds: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(escape(name), total=rounds)
            bar.update(tasks[name], completed=done)

        yield advance


def show(bench: Bench, stays_stock: str | None) -> None:
    """Print what has to be read first, then a table per case."""
    console = Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False
    )
    for line in bench.headlines():
        console.print(escape(line), style="bold", soft_wrap=True)
    if stays_stock is not None:
        console.print(escape(stays_stock), soft_wrap=True)
    for result in bench.results:
        console.print()
        console.print(_table(result))
        for line in notes(result):
            console.print(escape(line), soft_wrap=True)


def _table(result: CaseResult) -> Table:
    table = Table(
        title=escape(f"{result.case}: {result.stock.breakdown.supersteps} supersteps"),
        title_justify="left",
        title_style="bold",
    )
    table.add_column("")
    table.add_column("stock", justify="right")
    table.add_column("patched", justify="right")
    for label, stock, patched in rows(result):
        table.add_row(label, stock, patched)
    return table


def rows(result: CaseResult) -> list[tuple[str, str, str]]:
    """Say for each figure its label, and what it is stock and patched."""
    figures: list[tuple[str, Callable[[Side], str]]] = [
        ("time per run", lambda side: seconds(side.seconds.median)),
        (
            "  middle half",
            lambda side: spread(side.seconds),
        ),
        ("time per superstep", lambda side: seconds(side.per_superstep)),
        ("  of it the engine", lambda side: seconds(side.engine_per_superstep)),
        ("node bodies", lambda side: f"{side.own_share:.1%}"),
        ("waiting for the saver", lambda side: f"{side.saver_share:.1%}"),
        ("engine", lambda side: f"{side.engine_share:.1%}"),
        ("peak memory of a run", lambda side: memory(side.peak)),
    ]
    return [(label, of(result.stock), of(result.patched)) for label, of in figures]


def notes(result: CaseResult) -> list[str]:
    """What a case needs said beside its figures."""
    ratio = result.ratio
    lines = [
        f"speed-up: {ratio.median:.2f}x, middle half {ratio.low:.2f}x to {ratio.high:.2f}x, "
        f"{len(result.pairs)} rounds; outputs: {result.agreement}"
    ]
    if result.interrupted:
        lines.append("the run stops at an interrupt")
    for each in result.fallbacks[:FALLBACKS]:
        lines.append(f"fell back: {each.target}, {each.count} of {each.calls} calls: {each.reason}")
    if len(result.fallbacks) > FALLBACKS:
        lines.append(f"and {len(result.fallbacks) - FALLBACKS} more reasons (--json lists them)")
    return lines


def spread(of: Spread) -> str:
    """Give the range of the middle half."""
    return f"{seconds(of.low)} - {seconds(of.high)}"


def seconds(value: float) -> str:
    """Give a time in a unit that suits it."""
    for unit, name in ((1.0, "s"), (1e-3, "ms")):
        if value >= unit:
            return f"{value / unit:.2f} {name}"
    return f"{value * 1e6:.0f} us"


def memory(value: int) -> str:
    """Give a number of bytes in a unit that suits it."""
    return f"{value / 2**20:.1f} MiB" if value >= 2**20 else f"{value / 2**10:.0f} KiB"
