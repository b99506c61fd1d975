"""The process that is timed: the cases of the suite on one engine.

python -m benchmarks.rivals.child fast-langgraph 5 "loop: 1000" "sends: 1000"
"""

from __future__ import annotations

import gc
import importlib
import json
import statistics
import sys
import time
from importlib import metadata

from benchmarks.suite.cases import prepared


def switch_on(engine: str) -> str:
    """Switch an engine on; returns what it is, to be sure that it is on."""
    if engine == "fastgraph":
        fastgraph = importlib.import_module("fastgraph")
        return f"fastgraph {fastgraph.patch(strict=True).version}"
    if engine == "fast-langgraph":
        shim = importlib.import_module("fast_langgraph.shim")
        if not shim.patch_langgraph():
            raise SystemExit("fast-langgraph patches nothing here")
        return f"fast-langgraph {metadata.version('fast-langgraph')}"
    algo = importlib.import_module("langgraph.pregel._algo")
    compiled = not str(algo.__file__).endswith(".py")
    if compiled is not (engine == "Cython"):
        raise SystemExit(f"LangGraph is {'' if compiled else 'not '}compiled")
    return f"Cython {metadata.version('Cython')}" if compiled else "stock"


def seconds(case: str, times: int) -> float:
    """The median of some runs, after one that warms up."""
    run = prepared(case)
    run()
    found = []
    for _ in range(times):
        gc.collect()
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def main(engine: str, times: str, *cases: str) -> None:
    version = switch_on(engine)
    found = {case: seconds(case, int(times)) for case in cases}
    json.dump({"engine": version, "seconds": found}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
