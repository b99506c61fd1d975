"""The process that is measured: one program, stock or patched, at one size."""

from __future__ import annotations

import sys

import fastgraph
from benchmarks.superstep import rows


def main(program: str, engine: str, size: str) -> None:
    """Run a program of the table, or hold runs open and print what they take."""
    if engine == "patched":
        fastgraph.patch(strict=True)
    if program in rows.PROGRAMS:
        rows.program(program)(int(size))
    else:
        from benchmarks.superstep import memory

        print(memory.held_open(program, int(size)))


if __name__ == "__main__":
    main(*sys.argv[1:])
