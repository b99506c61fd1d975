"""The process that is measured, stock or patched.

python -m benchmarks.superstep.child count patched "sync loop:20" "sync loop:120"
python -m benchmarks.superstep.child memory patched async:1000
"""

from __future__ import annotations

import gc
import os
import sys
import traceback

import fastgraph
from benchmarks.superstep import rows


def fork(run: rows.Program, size: int, name: str) -> int:
    """Run a program in a child of this process, and return the child's number."""
    # What was imported is start-up, too: one full collection of it, in the longer run and not in
    # the shorter one, would count as much as a hundred supersteps.
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
    child = os.fork()
    if child:
        if os.waitpid(child, 0)[1]:
            raise SystemExit(f"{name} of {size} failed")
        return child
    try:
        run(size)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main(what: str, engine: str, *runs: str) -> None:
    """Run programs of the table, or hold runs open and print what they take."""
    if engine == "patched":
        fastgraph.patch(strict=True)
    for run in runs:
        program, _, size = run.rpartition(":")
        if what == "count":
            print(fork(rows.program(program), int(size), program), flush=True)
        else:
            from benchmarks.superstep import memory

            print(memory.held_open(program, int(size)))


if __name__ == "__main__":
    main(*sys.argv[1:])
