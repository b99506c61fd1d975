"""The kernels leave nothing behind: no object, no reference, no memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fastgraph

TESTS = Path(__file__).parents[1]


def test_thousands_of_calls_leave_nothing_behind():
    run = subprocess.run(
        [sys.executable, str(TESTS / "isolated" / "kernels_leak.py")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    left = json.loads(run.stdout)
    assert "tally" in left
    for scenario, counts in left.items():
        # Anything lost once in each of the 3000 calls would be far above all three. Hundreds of
        # blocks come and go by themselves: free lists, and what numba dispatches with.
        assert counts["blocks"] < 1000, scenario
        assert abs(counts["references"]) < 30, scenario
        assert counts["bytes"] < 2 * 2**20, scenario


def environment():

    return {**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])}
