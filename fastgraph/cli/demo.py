"""``fastgraph demo``: an agent with a SQLite saver, stock against patched."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fastgraph
from fastgraph.cli.engine import patch_process, why_stock
from fastgraph.cli.parser import CommandError, Commands, add_command, positive_int
from fastgraph.cli.table import aligned
from fastgraph.cli.timing import Pair, Spread, paired_rounds

_DETAILS = """\
A scripted model, which needs no network, calls two tools per turn and answers after the last one;
a SQLite file keeps the checkpoints. Stock and patched take turns in one process. Before that, one
run of each is recorded with clock, ids and random numbers fixed, and compared byte by byte.

examples:
  fastgraph demo
  fastgraph demo --turns 40 --rounds 50
  fastgraph demo --json

The exit status is 1 if results or checkpoints differ. It is 0 also where patched is not faster,
which the last line says.
"""

_NOT_FIXED = (
    "two stock runs differ, so this LangGraph takes a clock, id or random number from somewhere "
    "the demo does not fix, and nothing can be said about the patched run"
)


@dataclass(frozen=True)
class _Report:
    turns: int
    supersteps: int
    pairs: list[Pair]
    differences: list[str]
    status: fastgraph.Status

    def side(self, name: str) -> Spread:
        """Summarise the seconds of a run."""
        return Spread.of([getattr(pair, name) for pair in self.pairs])

    @property
    def ratio(self) -> Spread:
        """Summarise how many times faster patched was, pair by pair."""
        return Spread.of([pair.ratio for pair in self.pairs])


def add_to(commands: Commands) -> None:
    """Add the command ``demo``."""
    parser = add_command(
        commands,
        "demo",
        execute,
        summary="time a tool-calling agent stock and patched, and compare what both store",
        details=_DETAILS,
    )
    parser.add_argument(
        "--rounds", type=positive_int, default=30, help="pairs of timed runs (default: 30)"
    )
    parser.add_argument(
        "--turns",
        type=positive_int,
        default=20,
        help="turns in which the model calls tools, two supersteps each (default: 20)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def execute(options: argparse.Namespace) -> int:
    """Compare, time and print; returns 1 if stock and patched differ."""
    _require_sqlite_saver()
    try:
        report = _measure(options.turns, options.rounds)
    except KeyboardInterrupt:
        return 130
    print(json.dumps(_as_dict(report), indent=2) if options.json else _as_text(report))
    return int(bool(report.differences))


def _require_sqlite_saver() -> None:
    for package in ("langgraph", "langgraph.checkpoint", "langgraph.checkpoint.sqlite"):
        if importlib.util.find_spec(package) is None:
            raise CommandError(
                "the demo needs langgraph-checkpoint-sqlite: pip install 'fastgraph-engine[sqlite]'"
            )


def _measure(turns: int, rounds: int) -> _Report:
    from fastgraph.cli.agent import supersteps

    # Resolved once and up front: a first patch takes longer and may have something to say.
    status = patch_process()
    fastgraph.unpatch()
    try:
        found = _differences(turns)
        pairs = list(_with_progress(_pairs(turns, rounds), rounds))
    finally:
        _progress("")
    return _Report(turns, supersteps(turns), pairs, found, status)


def _differences(turns: int) -> list[str]:
    from fastgraph.cli.checking import differences, record

    _progress("comparing ...")
    stock = record(turns)
    if differences(stock, record(turns)):
        raise CommandError(_NOT_FIXED)
    with fastgraph.patched():
        patched = record(turns)
    return differences(stock, patched)


def _pairs(turns: int, rounds: int) -> Iterator[Pair]:
    from langgraph.checkpoint.sqlite import SqliteSaver

    from fastgraph.cli.agent import build_agent, run_agent

    with (
        tempfile.TemporaryDirectory(prefix="fastgraph-") as directory,
        closing(sqlite3.connect(Path(directory, "demo.db"), check_same_thread=False)) as connection,
    ):
        agent = build_agent(turns, SqliteSaver(connection))
        yield from paired_rounds(
            lambda thread: run_agent(agent, thread, turns), fastgraph.patched, rounds
        )


def _with_progress(pairs: Iterator[Pair], rounds: int) -> Iterator[Pair]:
    _progress("warming up ...")
    for done, pair in enumerate(pairs, start=1):
        _progress(f"round {done} of {rounds}")
        yield pair


def _progress(text: str) -> None:
    """Replace the line on the terminal; output that goes elsewhere stays free of it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _as_dict(report: _Report) -> dict[str, Any]:
    return {
        "rounds": [asdict(pair) for pair in report.pairs],
        "supersteps": report.supersteps,
        "stock_seconds": asdict(report.side("stock")),
        "patched_seconds": asdict(report.side("patched")),
        "ratio": asdict(report.ratio),
        "differences": report.differences,
        "status": report.status.to_dict(),
    }


def _as_text(report: _Report) -> str:
    lines = [
        f"turns with tools: {report.turns}, supersteps: {report.supersteps}, "
        f"paired rounds: {len(report.pairs)}, checkpoints in a SQLite file",
        _engine(report.status),
        "",
        aligned(
            ("", "median per run", "middle half", "per superstep"),
            [_row(side, report.side(side), report.supersteps) for side in ("stock", "patched")],
        ),
        "",
        _ratio(report.ratio),
        _equality(report.differences),
        _verdict(report.ratio),
    ]
    return "\n".join(lines)


def _engine(status: fastgraph.Status) -> str:
    outcome = why_stock(status) or "all targets active"
    return outcome if status.kernels == "none" else f"{status.kernels} kernels, {outcome}"


def _row(name: str, seconds: Spread, supersteps: int) -> tuple[str, str, str, str]:
    return (
        name,
        f"{seconds.median * 1e3:.2f} ms",
        f"{seconds.low * 1e3:.2f} to {seconds.high * 1e3:.2f} ms",
        f"{seconds.median / supersteps * 1e6:.0f} us",
    )


def _ratio(ratio: Spread) -> str:
    return (
        f"stock / patched: {ratio.median:.2f}x, median of the rounds "
        f"(middle half {ratio.low:.2f}x to {ratio.high:.2f}x)"
    )


def _equality(differences: list[str]) -> str:
    if differences:
        return f"NOT EQUAL: {'; '.join(differences)}"
    return "equal: the final state and every byte of the stored checkpoints and writes"


def _verdict(ratio: Spread) -> str:
    if ratio.low > 1:
        return f"patched is faster here: {1 - 1 / ratio.median:.0%} less time per run"
    if ratio.high < 1:
        return f"patched is slower here: {1 / ratio.median - 1:.0%} more time per run"
    return "no difference beyond the noise of these rounds; more of them may tell (--rounds)"
