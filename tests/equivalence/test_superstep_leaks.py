"""Runs of each kind leave nothing behind: objects, memory, threads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "superstep_leak.py"
KINDS = re.findall(r"\w+", PROGRAM.read_text().partition("Kind] = [")[2].partition("]")[0])

#: What stock itself takes, per run, for books that it keeps for a while: two or three, at most.
BLOCKS = 8


def report(kind: str, engine: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), kind, engine],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_runs_leave_nothing_behind(kind: str) -> None:
    found = report(kind, "patched")
    assert found["grown"] == {}
    assert found["blocks per round"] < BLOCKS
    assert abs(found["references to None per round"]) < 1
    assert found["threads"] == 1
