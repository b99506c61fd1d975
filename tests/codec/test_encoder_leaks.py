"""What encoding leaves behind, failed or not: nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fastgraph

TESTS = Path(__file__).parents[1]
PROGRAM = TESTS / "isolated" / "codec_encode_leak.py"


def test_values_and_errors_are_freed() -> None:
    paths = [Path(fastgraph.__file__).parents[1], TESTS / "codec"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["cases"] > 50 and report["failing"] > 20
    assert report["leaking"] == {}
