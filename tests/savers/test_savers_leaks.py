"""What savers leave behind in memory, failures and cancelled calls included: nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "savers_leak.py"


@pytest.mark.parametrize("kind", ["memory", "sqlite", "async"])
def test_everything_is_freed(kind: str) -> None:
    path = Path(fastgraph.__file__).parents[1], Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), kind],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["grown"] == {}
    assert report["blocks per round"] < 15
    assert abs(report["references to None per round"]) < 5
