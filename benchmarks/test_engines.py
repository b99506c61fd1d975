"""A few graphs at small size under pytest-benchmark, stock beside patched.

make bench-quick
make bench-quick PYTEST_ARGS="--benchmark-autosave"
make bench-quick PYTEST_ARGS="--benchmark-compare --benchmark-compare-fail=median:10%"
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

import fastgraph
from benchmarks.suite.graphs import ENGINES, UNLIMITED, chain, fan_out, loop

GRAPHS: dict[str, Callable[[int], Any]] = {"loop": loop, "chain": chain, "fan out": fan_out}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [10, 100])
@pytest.mark.parametrize("graph", GRAPHS)
def test_invoke(benchmark: Any, graph: str, size: int, engine: str) -> None:
    compiled = GRAPHS[graph](size).compile()
    patched = fastgraph.patched(strict=True) if engine == "patched" else nullcontext()
    with patched:
        result = benchmark(compiled.invoke, {"count": 0, "log": []}, UNLIMITED)
    assert result["count"] == (1 if graph == "fan out" else size)
    assert len(result["log"]) == (size if graph == "fan out" else 0)
