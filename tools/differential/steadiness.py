"""Whether memory and reference counts stay flat while the same programs run again and again.

Each engine has a process of its own, which runs the programs in rounds and measures after each. The
first rounds fill caches and do not count. Stock's own growth is what patched is held to.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import fastgraph
from tools.differential.execution import observed
from tools.differential.generator import program_of

ROOT = Path(__file__).resolve().parents[2]
#: Rounds that fill caches.
WARM_UP = 3
#: What may grow more than on stock, in a round: a table that is made larger now and then.
ALLOWED = {"blocks": 200.0, "objects": 20.0, "references": 20.0, "kilobytes": 300.0, "threads": 0.5}

Measure = dict[str, float]


def measured() -> Measure:
    """What is in use now: blocks, tracked objects, references to None, memory, threads."""
    gc.unfreeze()
    gc.collect()
    kilobytes = 0.0
    if os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm", encoding="ascii") as file:
            kilobytes = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    return {
        "blocks": sys.getallocatedblocks(),
        "objects": len(gc.get_objects()),
        "references": sys.getrefcount(None),
        "kilobytes": kilobytes,
        "threads": threading.active_count(),
    }


def rounds(engine: str, first: int, programs: int, count: int) -> list[Measure]:
    """Run the programs so many times in this process; returns what was in use after each round."""
    drawn = [program_of(seed) for seed in range(first, first + programs)]
    found = []
    with fastgraph.patched() if engine == "patched" else nullcontext():
        for _ in range(WARM_UP + count):
            for program in drawn:
                observed(program)
            found.append(measured())
    return found[WARM_UP:]


def in_a_process(engine: str, first: int, programs: int, count: int) -> list[Measure]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "tools.differential", "rounds", engine]
    command += [str(first), str(programs), str(count)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith('{"rounds"'):
            found: list[Measure] = json.loads(line)["rounds"]
            return found
    raise RuntimeError(f"the process ended with {done.returncode}: {done.stderr[-2000:]}")


def growth(found: list[Measure]) -> Measure:
    """By how much each figure grows in a round: its slope, by least squares."""
    middle = (len(found) - 1) / 2
    square = sum((number - middle) ** 2 for number in range(len(found)))
    return {
        name: sum((number - middle) * each[name] for number, each in enumerate(found)) / square
        for name in found[0]
    }


def report(first: int, programs: int, count: int) -> int:
    """Print what grows on each engine; 1 if something grows more patched than on stock."""
    found: dict[str, Any] = {
        engine: in_a_process(engine, first, programs, count) for engine in ("stock", "patched")
    }
    growths = {engine: growth(each) for engine, each in found.items()}
    grown = []
    print(f"{programs} programs, {count} rounds; growth per round, and in use at the end")
    for name, allowed in ALLOWED.items():
        stock, patched = (growths[engine][name] for engine in ("stock", "patched"))
        last = found["patched"][-1][name]
        print(f"  {name:<11} stock {stock:+10.1f}  patched {patched:+10.1f}  of {last:12,.0f}")
        if patched > max(stock, 0) + allowed:
            grown.append(name)
    print(f"grows patched: {', '.join(grown)}" if grown else "flat")
    return 1 if grown else 0
