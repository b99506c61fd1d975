"""What was measured of a graph, and what follows from it."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import fastgraph
from fastgraph.cli.agreement import Agreement
from fastgraph.cli.timing import Pair, Spread
from fastgraph.cli.workload import Case
from fastgraph.profiling.breakdown import Breakdown

#: From this part of a run on, something is said to be what it spends its time on.
MOST = 0.5
#: From this part on, something is worth a line.
MUCH = 0.1
#: An engine that takes more than this part of stock's time hardly is another one.
LITTLE_LESS = 0.8


@dataclass(frozen=True)
class Side:
    """One engine's figures.

    Attributes
    ----------
    seconds : Spread
        Of a run, over the rounds.
    breakdown : Breakdown
        Of a run under the profiler, which itself takes time.
    peak : int
        The most memory that Python had allocated during a run, in bytes, above what it had before.
    """

    seconds: Spread
    breakdown: Breakdown
    peak: int

    @property
    def own_share(self) -> float:
        """The part of a run in which the user's functions run; the rest is engine and saver."""
        return min(1.0, self.breakdown.own / self.seconds.median)

    @property
    def saver_share(self) -> float:
        """The part of a run that waits for its saver."""
        return min(1.0 - self.own_share, self.breakdown.saver / self.seconds.median)

    @property
    def engine_share(self) -> float:
        """What is left: the engine's part."""
        return max(0.0, 1.0 - self.own_share - self.saver_share)

    @property
    def per_superstep(self) -> float:
        """Seconds of a superstep, all in all."""
        return self.seconds.median / max(1, self.breakdown.supersteps)

    @property
    def engine_per_superstep(self) -> float:
        """Seconds of a superstep that are the engine's."""
        return self.per_superstep * self.engine_share


@dataclass(frozen=True)
class Fallback:
    """Calls that stock code handled while patched, in one run."""

    target: str
    reason: str
    count: int
    calls: int


@dataclass(frozen=True)
class CaseResult:
    """All figures of a case."""

    case: Case
    pairs: list[Pair]
    stock: Side
    patched: Side
    agreement: Agreement
    fallbacks: list[Fallback]
    interrupted: bool = False

    @property
    def ratio(self) -> Spread:
        """How many times faster patched was, pair by pair."""
        return Spread.of([pair.ratio for pair in self.pairs])

    @property
    def faster(self) -> bool:
        """Whether patched is faster beyond the spread of the rounds."""
        return self.ratio.low > 1

    @property
    def possible(self) -> float:
        """How many times faster a run would be with an engine that takes no time at all."""
        engine = self.stock.engine_share
        return 1 / (1 - engine) if engine < 1 else float("inf")

    def verdict(self) -> str:
        """Say in one sentence what came of it; where it is no faster, why."""
        ratio = self.ratio
        spread = f"(middle half {ratio.low:.2f}x to {ratio.high:.2f}x)"
        if self.faster:
            return f"patched is faster: {ratio.median:.2f}x {spread}"
        word = "slower" if ratio.high < 1 else "no faster"
        return f"patched is {word}: {ratio.median:.2f}x {spread}, because {self.why()}"

    def why(self) -> str:
        """Say why it is no faster."""
        reasons = []
        if self.stock.own_share >= MOST:
            reasons.append(
                f"node bodies take {self.stock.own_share:.0%} of a run, so that with no engine at "
                f"all it would be {self.possible:.2f}x"
            )
        if self.stock.saver_share >= MUCH:
            reasons.append(f"a run waits {self.stock.saver_share:.0%} of its time for its saver")
        most = max(self.fallbacks, key=lambda each: each.count, default=None)
        stock, patched = self.stock.engine_per_superstep, self.patched.engine_per_superstep
        if most is not None and not reasons and patched > LITTLE_LESS * stock:
            reasons.append(
                f"{most.count} of {most.calls} calls of {most.target} fell back: {most.reason}"
            )
        if reasons:
            return " and ".join(reasons)
        if self.ratio.high < 1:
            return (
                f"the engine takes {patched * 1e6:.0f} us per superstep, stock {stock * 1e6:.0f}: "
                "please report it, unless the machine was busy"
            )
        return "the difference is within the spread of these rounds; more may tell (--rounds)"

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {
            "case": asdict(self.case),
            "verdict": self.verdict(),
            "faster": self.faster,
            "agreement": self.agreement,
            "interrupted": self.interrupted,
            "ratio": asdict(self.ratio),
            "stock": _side(self.stock),
            "patched": _side(self.patched),
            "fallbacks": [asdict(each) for each in self.fallbacks],
            "rounds": [asdict(pair) for pair in self.pairs],
        }


def _side(side: Side) -> dict[str, Any]:
    return {
        "seconds": asdict(side.seconds),
        "supersteps": side.breakdown.supersteps,
        "seconds_per_superstep": side.per_superstep,
        "engine_seconds_per_superstep": side.engine_per_superstep,
        "share": {
            "node_bodies": side.own_share,
            "saver": side.saver_share,
            "engine": side.engine_share,
        },
        "peak_bytes": side.peak,
        "profiled": asdict(side.breakdown),
    }


@dataclass(frozen=True)
class Bench:
    """The results of all cases, and where they come from."""

    graph: str
    command: str
    results: list[CaseResult]
    status: fastgraph.Status

    @property
    def alike(self) -> bool:
        """Whether no case gave anything else patched."""
        return all(result.agreement != "differ" for result in self.results)

    def headlines(self) -> list[str]:
        """What has to be read first: differences, then where it is no faster, then the rest."""
        wrong = [
            f"{each.case}: OUTPUTS DIFFER between stock and patched"
            for each in self.results
            if each.agreement == "differ"
        ]
        slower = [f"{each.case}: {each.verdict()}" for each in self.results if not each.faster]
        faster = [f"{each.case}: {each.verdict()}" for each in self.results if each.faster]
        return wrong + slower + faster

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {
            "graph": self.graph,
            "command": self.command,
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": machine(),
            "headlines": self.headlines(),
            "cases": [result.to_dict() for result in self.results],
            "status": self.status.to_dict(),
        }


def machine() -> str:
    """Say what this runs on."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}"
