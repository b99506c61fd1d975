"""What a request costs through AG-UI, stock against patched, beside what is wanted.

Instructions are counted under callgrind as the difference of two runs; seconds are taken in one
process in rounds that take turns, and need a quiet machine.

    python -m benchmarks.ag_ui
    python -m benchmarks.ag_ui --instructions --docs
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks import provenance
from benchmarks.ag_ui.requests import AGENTS, agent, answers
from benchmarks.superstep import page
from benchmarks.superstep.counting import counts
from benchmarks.superstep.timing import paired, took

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ag-ui.md"
COMMAND = "make ag-ui"
PACKAGES = ("ag-ui-langgraph", "ag-ui-protocol", "copilotkit", "langgraph", "langchain-core")
ENGINES = ("stock", "patched")
#: Tokens of a request, and how often it is answered in the shorter and the longer run.
SIZES = {1: (2, 4), 200: (1, 2)}
WANTED = {"a request of 1 token": 8.0, "a request of 200 tokens": 3.0, "each further token": 2.0}

#: By row, stock and patched.
Pairs = dict[str, tuple[float, float]]


def named(one: tuple[float, float], many: tuple[float, float]) -> Pairs:
    """The rows of an agent, of its requests of one token and of 200."""
    further = tuple((more - less) / 199 for more, less in zip(many, one, strict=True))
    return dict(zip(WANTED, (one, many, (further[0], further[1])), strict=True))


def instructions(kind: str) -> Pairs:
    """The instructions of a request."""
    found = {}
    for engine in ENGINES:
        runs = [(f"{kind}/{tokens}", times) for tokens, both in SIZES.items() for times in both]
        counted = counts(engine, runs, child="benchmarks.ag_ui.child")
        for tokens, (few, more) in SIZES.items():
            spent = counted[f"{kind}/{tokens}", more] - counted[f"{kind}/{tokens}", few]
            found[engine, tokens] = spent / (more - few)
    one, many = ((found["stock", n], found["patched", n]) for n in SIZES)
    return named(one, many)


def seconds(kind: str, rounds: int) -> Pairs:
    """The seconds of a request: the medians of rounds that take turns."""
    found = []
    for tokens in SIZES:
        made = agent(kind, tokens)
        times = 20 if tokens == 1 else 2
        pairs = list(paired(lambda m=made, n=times: took(lambda: answers(m, n)) / n, rounds))
        found.append(tuple(statistics.median(side) for side in zip(*pairs, strict=True)))
    return named(found[0], found[1])


def table(counted: dict[str, Pairs], timed: dict[str, Pairs]) -> str:
    """The table of the page."""
    head = ["through", "", "wanted", "instructions, stock", "patched", "ratio"]
    head += ["ms, stock", "patched", "ratio"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * 7]
    for kind in counted or timed:
        for row, wanted in WANTED.items():
            cells = [kind, row, f"{wanted:.0f}"]
            cells += pair(counted.get(kind, {}).get(row), 1e-3, " k", 0)
            cells += pair(timed.get(kind, {}).get(row), 1e3, "", 3)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([provenance.measured(COMMAND, PACKAGES), "", *lines])


def pair(figures: tuple[float, float] | None, scale: float, unit: str, digits: int) -> list[str]:
    if figures is None:
        return ["-"] * 3
    stock, patched = figures
    shown = [f"{figure * scale:,.{digits}f}{unit}" for figure in figures]
    return [*shown, f"{stock / patched:.1f}"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ag_ui", description=__doc__)
    parser.add_argument("--instructions", action="store_true", help="take no times")
    parser.add_argument("--seconds", action="store_true", help="count no instructions")
    parser.add_argument("--rounds", type=int, default=15)
    page.add_options(parser, PAGE)
    options = parser.parse_args()
    if why := page.why_not(options):
        print(f"ag_ui: error: {why}", file=sys.stderr)
        return 2
    if not options.seconds and shutil.which("valgrind") is None:
        print("valgrind is not installed: no instructions", file=sys.stderr)
        options.seconds = True
    counted = {} if options.seconds else {kind: instructions(kind) for kind in AGENTS}
    timed = {} if options.instructions else {k: seconds(k, options.rounds) for k in AGENTS}
    made = table(counted, timed)
    print(made)
    return page.renew(options, made, PAGE, COMMAND)


if __name__ == "__main__":
    sys.exit(main())
