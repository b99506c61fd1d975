"""fastgraph, fast-langgraph and plain Cython, each against stock, on the same graphs.

Each engine has processes of its own, in an environment of its own with the same release of
LangGraph; in a round each of them runs all cases, one engine after the other. The environments are
made once, from PyPI, below build/rivals.

    python -m benchmarks.rivals
    python -m benchmarks.rivals --rounds 3 --docs
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import provenance
from benchmarks.rivals.environments import (
    ROOT,
    CannotSetUpError,
    python_with,
    python_with_compiled_stock,
)
from benchmarks.superstep import page
from fastgraph.cli.table import aligned
from fastgraph.cli.timing import Spread

PAGE = ROOT / "docs" / "benchmarks.md"
COMMAND = "make bench, rivals"
CASES = (
    "loop: 1000",
    "loop, async: 1000",
    "sequential: 1000",
    "react agent: 50",
    "fan-out to subgraphs: 100",
    "sends: 1000",
    "wide state: 1000",
    "stream messages: 100",
    "long history: 1000",
)
RIVALS = ("fastgraph", "fast-langgraph", "Cython")


@dataclass(frozen=True)
class Result:
    """A case: seconds on stock, and by engine how many times faster."""

    case: str
    stock: float
    ratios: dict[str, Spread]


def interpreters(cache: Path) -> dict[str, str]:
    """The interpreter of each engine; ours is the one that runs this."""
    return {
        "stock": sys.executable,
        "fastgraph": sys.executable,
        "fast-langgraph": python_with(cache / "fast-langgraph", "fast-langgraph"),
        "Cython": python_with_compiled_stock(cache / "cython"),
    }


def timed(python: str, engine: str, times: int) -> tuple[str, dict[str, float]]:
    """Run all cases in a process; returns what the engine says it is, and the seconds."""
    command = [python, "-m", "benchmarks.rivals.child", engine, str(times), *CASES]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise CannotSetUpError(f"{engine}: {last}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["engine"], found["seconds"]


def measure(pythons: Mapping[str, str], rounds: int, times: int) -> tuple[list[str], list[Result]]:
    """Run rounds; returns the engines as they name themselves, and the results."""
    names: dict[str, str] = {}
    seconds: dict[str, list[dict[str, float]]] = {engine: [] for engine in pythons}
    for number in range(rounds):
        order = list(pythons) if number % 2 == 0 else list(reversed(pythons))
        for engine in order:
            print(f"round {number + 1} of {rounds}: {engine}", file=sys.stderr, flush=True)
            names[engine], found = timed(pythons[engine], engine, times)
            seconds[engine].append(found)
    results = []
    for case in CASES:
        stock = [found[case] for found in seconds["stock"]]
        ratios = {
            engine: Spread.of(
                [one / found[case] for one, found in zip(stock, seconds[engine], strict=True)]
            )
            for engine in RIVALS
        }
        results.append(Result(case, Spread.of(stock).median, ratios))
    return [names[engine] for engine in RIVALS], results


def cells(result: Result) -> tuple[str, ...]:
    ratios = (
        f"{each.median:.2f} ({each.low:.2f} to {each.high:.2f})"
        for each in (result.ratios[engine] for engine in RIVALS)
    )
    return result.case, f"{result.stock * 1e3:.1f}", *ratios


def as_markdown(names: Sequence[str], results: Sequence[Result], source: str) -> str:
    header = ["Case: size", "Stock, ms", *names]
    lines = [source, "", f"| {' | '.join(header)} |", "|---|---:" + "|---:" * len(names) + "|"]
    return "\n".join(lines + ["| " + " | ".join(cells(each)) + " |" for each in results])


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals",
        description="Time fastgraph, fast-langgraph and plain Cython against stock.",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all (default: 5)")
    parser.add_argument("--times", type=int, default=5, help="runs per process (default: 5)")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "rivals", help="where environments are kept"
    )
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    page.add_options(parser, PAGE)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    if why := page.why_not(options):
        print(f"rivals: error: {why}", file=sys.stderr)
        return 2
    try:
        names, results = measure(interpreters(options.cache), options.rounds, options.times)
    except (CannotSetUpError, OSError) as error:
        print(f"rivals: error: {error}", file=sys.stderr)
        return 2
    note = f"{options.rounds} rounds of {options.times} runs."
    source = provenance.measured("make bench", ("langgraph", "langchain-core"), note=note)
    print(aligned(("case", "stock ms", *names), [cells(each) for each in results]))
    if options.json:
        provenance.write(options.json, source, [asdict(result) for result in results])
    return page.renew(options, as_markdown(names, results, source), PAGE, COMMAND)


if __name__ == "__main__":
    sys.exit(main())
