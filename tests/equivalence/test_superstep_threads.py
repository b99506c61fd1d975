"""Threads of many nested runs: no deadlock, nothing left behind, whatever happens meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "superstep_threads.py"
LISTED = PROGRAM.read_text().partition("SCENARIOS = [")[2].partition("]")[0]
SCENARIOS = re.findall(r"\w+", LISTED)

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=FORKS if "fork" in name else ()) for name in SCENARIOS]
)
def test_it_ends_as_it_should(scenario: str) -> None:
    ignored = ["-W", "ignore::DeprecationWarning"] if "fork" in scenario else []
    done = subprocess.run(
        [sys.executable, "-W", "error", *ignored, str(PROGRAM), scenario, "patched"],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=150,  # the program itself ends before, and says where it hangs
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("done\n")
    assert done.stderr == ""
