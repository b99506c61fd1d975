"""The process that is measured under callgrind, stock or patched.

python -m benchmarks.ag_ui.child count patched ag-ui-langgraph/200:2 ag-ui-langgraph/200:3
"""

from __future__ import annotations

import functools
import sys

import fastgraph
from benchmarks.ag_ui import requests
from benchmarks.superstep.child import fork


def main(what: str, engine: str, *runs: str) -> None:
    """Count programs of `requests`."""
    if engine == "patched":
        fastgraph.patch(strict=True)
    for run in runs:
        program, _, size = run.rpartition(":")
        print(fork(functools.partial(requests.run, program), int(size), program), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
