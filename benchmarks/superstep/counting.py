"""Instructions: the difference of two runs under callgrind.

One process per engine imports what is needed and forks a child per run, so that start-up, which
takes most of the time under callgrind, is paid once. Each child tells its own count at its end.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.superstep.rows import Row

CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")

#: Of a run: the program, its size.
Run = tuple[str, int]


class CannotMeasureError(Exception):
    """A program failed in its process."""


def counts(
    engine: str,
    runs: Sequence[Run],
    child: str = "benchmarks.superstep.child",
    layout: int = 0,
    start: Sequence[str] = ("-m",),
) -> dict[Run, int]:
    """The instructions of each run, with what came before it in its process.

    With another layout, what the process loads is elsewhere in memory (see `shifted`). The
    interpreter starts a module with the words of `start`.
    """
    shifted = ["benchmarks.superstep.shifted", str(layout)] if layout else []
    command = [*CALLGRIND, sys.executable, *start, *shifted, child, "count", engine]
    command += [f"{program}:{size}" for program, size in runs]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        # Between what valgrind itself says.
        said = [line for line in done.stderr.splitlines() if line and not line.startswith("==")]
        raise CannotMeasureError(f"callgrind, {engine}: {said[-1] if said else 'no output'}")
    collected = dict(re.findall(r"==(\d+)== Collected\s*:\s*(\d+)", done.stderr))
    children = done.stdout.split()
    return {run: int(collected[child]) for run, child in zip(runs, children, strict=True)}


def runs_of(rows: Sequence[Row]) -> list[Run]:
    return [(row.program, size) for row in rows for size in row.sizes]


def per_superstep(row: Row, counted: dict[Run, int]) -> float:
    """What one superstep costs: what comes before it and the ends of a run cancel."""
    short, long = (counted[row.program, size] for size in row.sizes)
    return (long - short) / ((row.sizes[1] - row.sizes[0]) * row.per)
