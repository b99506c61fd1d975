"""The process whose instructions are counted, stock or patched.

python -m benchmarks.codec.child count patched "encode/300 Sends:1" "encode/300 Sends:4"
"""

from __future__ import annotations

import sys
from functools import cache

import fastgraph
from benchmarks.codec.programs import Program, program
from benchmarks.superstep.child import fork


def main(_: str, engine: str, *runs: str) -> None:
    """Run programs in children of this process, and print their numbers."""
    if engine == "patched":
        fastgraph.patch(strict=True)
    for run in runs:
        named, _, times = run.rpartition(":")
        print(fork(warmed(*named.split("/")), int(times), named), flush=True)


# Once for both lengths: what happens in between would count with the longer one.
@cache
def warmed(what: str, of: str) -> Program:
    """What is found out once is found out before it counts."""
    work = program(what, of)
    if what != "run":
        work(1)
    return work


if __name__ == "__main__":
    main(*sys.argv[1:])
