"""The gate: fails if a superstep or a codec call takes more instructions than the baseline says.

Instructions are counted under callgrind, as the difference of two lengths of a run, with a fixed
hash seed: neither start-up nor the machine's other work counts. What is compared is the number
itself, of the patched side alone. A ratio to stock would say the same, as stock is the same on both
sides, and would need five times as long; and it is no figure that another interpreter or compiler
agrees on either. So the baseline tells what it was counted with, and there is no comparison with
anything else. It has a range of counts per row, from several layouts of memory; a row that takes
more is counted again in other layouts, and the least of them stands.

    python -m benchmarks.gate
    python -m benchmarks.gate --only codec
    python -m benchmarks.gate --update
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.gate.baseline import (
    BASELINE,
    TOLERANCE,
    BadBaselineError,
    Baseline,
    Change,
    Range,
    compared,
    table,
    tripped,
)
from benchmarks.gate.environment import differing, environment
from benchmarks.gate.rows import ROWS, Row
from benchmarks.superstep.counting import CannotMeasureError, counts

#: Layouts of memory: of a baseline, and those that a row is counted in again.
LAYOUTS = range(4)
AGAIN = range(4, 7)


def counted(rows: Sequence[Row], jobs: int = 2, layout: int = 0) -> dict[str, int]:
    """Count the instructions of each row, in so many processes at a time."""
    found: dict[str, int] = {}
    with ThreadPoolExecutor(jobs) as pool:
        parts = batches(rows, jobs)
        for part in pool.map(counted_together, parts, [layout] * len(parts)):
            found |= part
    return {row.name: found[row.name] for row in rows}


def ranges(rows: Sequence[Row], jobs: int) -> dict[str, Range]:
    """Count each row in some layouts of memory; returns the lowest and highest counts."""
    counts = [counted(rows, jobs, layout) for layout in LAYOUTS]
    return {
        row.name: (min(each[row.name] for each in counts), max(each[row.name] for each in counts))
        for row in rows
    }


def held_against(
    baseline: Baseline, rows: Sequence[Row], jobs: int, tolerance: float, *, whole: bool
) -> list[Change]:
    """Compare the rows; those that take more get another chance in other layouts."""
    found = counted(rows, jobs)
    for layout in AGAIN:
        changes = compared(baseline.instructions, found, whole=whole)
        more = {each.name for each in changes if each.verdict(tolerance) == "more"}
        again = [row for row in rows if row.name in more]
        if not again:
            break
        print(f"counting again: {', '.join(sorted(more))}", file=sys.stderr, flush=True)
        for name, count in counted(again, jobs, layout).items():
            found[name] = min(found[name], count)
    return compared(baseline.instructions, found, whole=whole)


def batches(rows: Sequence[Row], jobs: int) -> list[list[Row]]:
    """Split the rows for as many processes, each of one child module: start-up takes longest."""
    children = dict.fromkeys(row.child for row in rows)
    each = max(1, jobs // max(1, len(children)))
    split = []
    for child in children:
        own = [row for row in rows if row.child == child]
        split += [own[first::each] for first in range(min(each, len(own)))]
    return split


def counted_together(rows: Sequence[Row], layout: int = 0) -> dict[str, int]:
    """Count the instructions of rows of one child module, in one process and its forks."""
    runs = [(row.program, size) for row in rows for size in row.sizes]
    collected = counts("patched", runs, rows[0].child, layout)
    found = {}
    for row in rows:
        short, long = (collected[row.program, size] for size in row.sizes)
        found[row.name] = round((long - short) / ((row.sizes[1] - row.sizes[0]) * row.per))
    return found


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gate",
        description="Hold instructions per superstep and per codec call against a baseline.",
    )
    parser.add_argument("--update", action="store_true", help="write the baseline instead")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        help=f"what part more passes (default: {TOLERANCE})",
    )
    parser.add_argument(
        "--baseline", type=Path, default=BASELINE, help="another baseline than the repository's"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    rows = [row for row in ROWS if options.only in row.name]
    if not rows:
        return refused(f"no row has {options.only!r} in it")
    if options.update and options.only:
        return refused("a baseline has all rows: --update goes without --only")
    if shutil.which("valgrind") is None:
        return refused("valgrind is not installed: apt-get install valgrind")
    started = time.monotonic()
    try:
        if options.update:
            Baseline(environment(), ranges(rows, options.jobs)).write(options.baseline)
            print(f"{options.baseline}: {len(rows)} rows in {time.monotonic() - started:.0f} s")
            return 0
        baseline = Baseline.read(options.baseline)
        # Before anything is counted, which takes minutes.
        if others := differing(baseline.environment, environment()):
            return refused(
                f"the baseline was counted with {'; '.join(others)}: renew it with "
                "make perf-baseline on a commit that is known to be good"
            )
        changes = held_against(
            baseline, rows, options.jobs, options.tolerance, whole=not options.only
        )
    except (BadBaselineError, CannotMeasureError) as error:
        return refused(str(error))
    print(table(changes, options.tolerance))
    failed = tripped(changes, options.tolerance)
    print(f"\n{len(rows)} rows in {time.monotonic() - started:.0f} s")
    if failed:
        print(
            f"perf-gate: FAILED: {', '.join(change.name for change in failed)}; if that is "
            "intended, commit a new baseline with the change (make perf-baseline)"
        )
    return 1 if failed else 0


def refused(why: str) -> int:
    print(f"perf-gate: error: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
