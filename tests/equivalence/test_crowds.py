"""Crowds of threads and tasks on one graph and one saver, patched, or patched meanwhile."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "crowds.py"
UVLOOP = pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="needs uvloop")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["patched", "switching"])
@pytest.mark.parametrize(
    "scenario",
    [
        "threads_at_once",
        "tasks_at_once",
        pytest.param("tasks_on_uvloop", marks=UVLOOP),
        "loops_in_loops",
    ],
)
def test_each_run_of_a_crowd_is_what_it_is_alone_on_stock(scenario: str, mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), scenario, mode],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,  # the program itself ends before, and says where it hangs
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
    assert done.stderr == ""
