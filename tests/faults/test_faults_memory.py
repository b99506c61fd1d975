"""Memory that is not there: MemoryError as on stock, and all is well once there is some again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults_worlds import INJECTED

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "faults_memory.py"

pytest.importorskip("_testcapi", reason="this Python cannot let allocations fail")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def outcomes(what: str, engine: str, stride: int) -> Any:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore", PROGRAM, what, engine, str(stride)],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_allocation_of_the_codec_fails_once(most: int | None) -> None:
    report = outcomes("codec", "patched", 3 if most else 1)
    for found in report.values():
        assert {*found["outcomes"]} <= {"MemoryError", "done all the same"}, report
        INJECTED["allocations that fail"] += found["injected"]
    assert all(found["injected"] for found in report.values()), report


def test_a_process_with_an_end_of_memory(most: int | None) -> None:
    stock, patched = (
        outcomes("limit", engine, 2 if most else 1)["limited"] for engine in ("stock", "patched")
    )
    # Where exactly there is not enough differs with what else is in memory.
    errors = {"MemoryError", "done all the same", 'RuntimeError("can\'t start new thread")'}
    assert {*stock["outcomes"]} | {*patched["outcomes"]} <= errors
    assert sum(stock["outcomes"].values()) == sum(patched["outcomes"].values())
    INJECTED["ends of memory"] += stock["injected"] + patched["injected"]
