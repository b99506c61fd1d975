"""Instructions: the difference of two runs under callgrind, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from benchmarks.superstep.rows import Row


class CannotMeasureError(Exception):
    """A program failed in its process."""


def count(program: str, engine: str, size: int) -> int:
    """The instructions of one process that runs a program once."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    command += ["-m", "benchmarks.superstep.child", program, engine, str(size)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode or found is None:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise CannotMeasureError(f"{program!r} failed under callgrind: {last}")
    return int(found[1])


def instructions(row: Row, engine: str) -> float:
    """What one superstep costs: start-up and the ends of a run cancel."""
    short, long = row.sizes
    counted = count(row.program, engine, long) - count(row.program, engine, short)
    return counted / ((long - short) * row.per)
