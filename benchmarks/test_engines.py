"""Every case of the suite at its smallest size under pytest-benchmark, stock beside patched.

make bench-quick
make bench-quick PYTEST_ARGS="-k sends"
make bench-quick PYTEST_ARGS="--benchmark-save=before"
make bench-quick PYTEST_ARGS="--benchmark-compare --benchmark-compare-fail=median:10%"
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

import fastgraph
from benchmarks.suite.cases import CASES

ENGINES = ("stock", "patched")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_run(benchmark: Any, case: str, engine: str) -> None:
    prepare, sizes = CASES[case]
    run = prepare(sizes[0])
    with fastgraph.patched(strict=True) if engine == "patched" else nullcontext():
        benchmark(run)
        assert fastgraph.is_patched() is (engine == "patched")
