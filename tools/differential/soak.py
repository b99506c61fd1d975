"""Compares many programs in processes of their own, and reports.

A process that hangs or dies takes a batch with it, which counts as a difference.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.differential.comparison import compared
from tools.differential.generator import program_of

ROOT = Path(__file__).resolve().parents[2]
#: Programs of one process, and of those that run on one engine before the other has its turn.
BATCH = 100
TOGETHER = 20


@dataclass
class Report:
    """What was compared so far."""

    verdicts: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    different: list[tuple[int, str]] = field(default_factory=list)
    races: list[tuple[int, str]] = field(default_factory=list)

    def add(self, results: list[dict[str, Any]]) -> None:
        for result in results:
            kind = result["kind"]
            self.verdicts[kind] += 1
            self.counts.update(result["counts"])
            if kind == "different":
                self.different.append((result["seed"], result["difference"]))
            elif kind == "race":
                self.races.append((result["seed"], result["difference"]))

    def __str__(self) -> str:
        programs = sum(self.verdicts.values())
        counts = self.counts
        return (
            f"{programs:,} programs, {counts['actions']:,} actions, {counts['steps']:,} steps of "
            f"nodes, {counts['faults']:,} faults injected: {self.verdicts['different']} "
            f"differences, {self.verdicts['race']} ruled out because stock differs from itself"
        )


def batch(first: int, count: int) -> list[dict[str, Any]]:
    """Compare the programs of some seeds in this process."""
    results = []
    for start in range(first, first + count, TOGETHER):
        seeds = range(start, min(start + TOGETHER, first + count))
        for seed, verdict in zip(seeds, compared(map(program_of, seeds)), strict=True):
            results.append(
                {
                    "seed": seed,
                    "kind": verdict.kind,
                    "difference": verdict.difference,
                    "counts": dict(verdict.counts),
                }
            )
    return results


def in_a_process(first: int, count: int, root: Path = ROOT) -> list[dict[str, Any]]:
    """The same in a process of its own, of the checkout at `root`."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tools.differential"]
    command += ["batch", str(first), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        if line.startswith('{"results"'):
            results: list[dict[str, Any]] = json.loads(line)["results"]
            return results
    said = f"the process ended with {done.returncode}: {done.stderr[-3000:]}"
    return [{"seed": first, "kind": "different", "difference": said, "counts": {}}]


def batches(first: int, programs: int | None) -> Iterator[tuple[int, int]]:
    start = first
    while programs is None or start < first + programs:
        count = BATCH if programs is None else min(BATCH, first + programs - start)
        yield start, count
        start += BATCH


def soak(
    *, first: int, programs: int | None, steps: int | None, minutes: float | None, jobs: int
) -> Report:
    """Compare programs until one of the limits is reached."""
    report, began = Report(), time.monotonic()
    todo = batches(first, programs)

    def over() -> bool:
        late = minutes is not None and time.monotonic() - began > minutes * 60
        return late or (steps is not None and report.counts["steps"] >= steps)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(in_a_process, *each) for each in itertools.islice(todo, jobs)}
        while running:
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                known = len(report.different)
                report.add(future.result())
                for seed, difference in report.different[known:]:
                    print(f"seed {seed}: {difference}", flush=True)
                following = None if over() else next(todo, None)
                if following is not None:
                    running.add(pool.submit(in_a_process, *following))
            print(f"{time.monotonic() - began:.0f} s: {report}", flush=True)
    return report
