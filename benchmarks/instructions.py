"""Instructions per superstep, stock against patched: the figure that noise does not touch.

Each case runs under callgrind at two lengths, in processes of their own with the same hash seed;
the difference of the two counts, divided by the supersteps between them, is what one superstep
costs, start-up and the ends of the run cancelled. Needs valgrind.

    python -m benchmarks.instructions
    python -m benchmarks.instructions --only loop
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import fastgraph
from benchmarks.suite.graphs import UNLIMITED, aloop, chain, fan_out, loop
from fastgraph.cli.table import aligned

START = {"count": 0, "log": []}


def run_loop(size: int) -> None:
    loop(size).compile().invoke(START, UNLIMITED)


def run_chain(size: int) -> None:
    chain(size).compile().invoke(START, UNLIMITED)


def run_aloop(size: int) -> None:
    asyncio.run(aloop(size).compile().ainvoke(START, UNLIMITED))


def run_fan_out(size: int) -> None:
    fan_out(size).compile().invoke(START, UNLIMITED)


def run_loop_with_saver(size: int) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    config = {**UNLIMITED, "configurable": {"thread_id": "1"}}
    loop(size).compile(checkpointer=InMemorySaver()).invoke(START, config)


def run_loop_with_handler(size: int) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    loop(size).compile().invoke(START, {**UNLIMITED, "callbacks": [BaseCallbackHandler()]})


def run_loop_of_messages(size: int) -> None:
    for _ in loop(size).compile().stream(START, UNLIMITED, stream_mode="messages"):
        pass


#: What is counted -> how it runs at a size.
CASES: dict[str, Callable[[int], None]] = {
    "loop": run_loop,
    "chain": run_chain,
    "loop, InMemorySaver": run_loop_with_saver,
    "loop, one handler": run_loop_with_handler,
    "loop, messages streamed": run_loop_of_messages,
    "async loop": run_aloop,
    "Send, per task": run_fan_out,
}


def count(case: str, engine: str, size: int) -> int:
    """The instructions of one process that runs `case` once at `size`."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    command += ["-m", "benchmarks.instructions", "--run", case, "--engine", engine]
    command += ["--size", str(size)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode or found is None:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise SystemExit(f"instructions: error: {case!r} failed under callgrind: {last}")
    return int(found[1])


def per_superstep(case: str, engine: str, short: int, long: int) -> int:
    return (count(case, engine, long) - count(case, engine, short)) // (long - short)


def run_once(options: Any) -> int:
    """The child process: one case, one engine, one size."""
    if options.engine == "patched":
        fastgraph.patch(strict=True)
    CASES[options.run](options.size)
    return 0


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions",
        description="Count the instructions of a superstep under callgrind, stock and patched.",
    )
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--short", type=int, default=20, help="the shorter run (default: 20)")
    parser.add_argument("--long", type=int, default=120, help="the longer run (default: 120)")
    parser.add_argument("--run", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--engine", choices=("stock", "patched"), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    if options.run:
        return run_once(options)
    if shutil.which("valgrind") is None:
        print("instructions: error: valgrind is not installed", file=sys.stderr)
        return 2
    if not 0 < options.short < options.long:
        print("instructions: error: --short has to be below --long", file=sys.stderr)
        return 2
    rows = []
    for case in [case for case in CASES if options.only in case]:
        print(f"counting {case}", file=sys.stderr)
        stock, patched = (
            per_superstep(case, engine, options.short, options.long)
            for engine in ("stock", "patched")
        )
        rows.append((case, f"{stock:,}", f"{patched:,}", f"{stock / patched:.2f}"))
    if not rows:
        print(f"instructions: error: no case has {options.only!r} in it", file=sys.stderr)
        return 2
    print(aligned(("instructions per superstep", "stock", "patched", "ratio"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
