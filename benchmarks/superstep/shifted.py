"""Run a module with everything elsewhere in memory.

python -m benchmarks.superstep.shifted 2 benchmarks.codec.child count patched "encode/300 Sends:1"

CPython finds attributes through a cache that is indexed by addresses: of two names that are looked
up in turn, some layouts of memory make each push the other out, which costs hundreds of
instructions per look-up, in every run alike. Where a checkout lies, or what was compiled before,
decides on it. What counts is therefore the least of some layouts.
"""

from __future__ import annotations

import runpy
import sys

#: Objects that are kept, per layout: not a divisor of what an arena holds.
OBJECTS = 997


def main() -> None:
    layout, module, *arguments = sys.argv[1:]
    kept = [f"a name of its own {number}" for number in range(int(layout) * OBJECTS)]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    del kept


if __name__ == "__main__":
    main()
