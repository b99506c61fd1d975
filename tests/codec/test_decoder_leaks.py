"""What decodings leave behind: nothing, however they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "decoder_leak.py"


def test_decodings_of_every_kind_leave_nothing_behind():
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.pop("classes die")
    assert len(report) > 5
    for scenario, left in report.items():
        # A round is of dozens of decodings. Those that fail leave a few blocks with stock too.
        assert left["blocks per round"] < (10 if "failing" in scenario else 1), (scenario, left)
        assert abs(left["references to None per round"]) < 0.5, (scenario, left)
