"""What runs leave behind in memory: nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "adapter_leak.py"


def test_graphs_values_and_tables_are_freed() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["watched"] > 100
    assert report["alive"] == 0
    assert report["grown"] == {}
    assert report["blocks per round"] < 20
