"""A process for the gate to count: a piece of work, and the same with a twentieth more of it.

Without any framework, so that it starts quickly under callgrind.
"""

from __future__ import annotations

import gc
import os
import sys

PIECES = {"work": 20, "slowed": 21}


def piece() -> int:
    return sum(number * number for number in range(1000))


def main(_: str, engine: str, *runs: str) -> None:
    for run in runs:
        program, _, times = run.rpartition(":")
        gc.collect()
        child = os.fork()
        if not child:
            for _ in range(int(times) * PIECES[program]):
                piece()
            os._exit(0)
        os.waitpid(child, 0)
        print(child, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
