"""Whether the patched run was patched: the status that every worker left behind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class TargetCalls:
    """What went into one target, over all workers."""

    calls: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    inactive: set[str] = field(default_factory=set)


@dataclass
class Calls:
    """What went into all targets, over all workers and suites."""

    workers: int = 0
    kernels: set[str] = field(default_factory=set)
    targets: dict[str, TargetCalls] = field(default_factory=dict)

    def add(self, status: Mapping[str, Any]) -> None:
        """Add the status of one worker."""
        self.workers += 1
        self.kernels.add(str(status["kernels"]))
        for target in status["targets"]:
            total = self.targets.setdefault(target["name"], TargetCalls())
            total.calls += target["calls"]
            total.fallbacks.update(target["fallbacks"])
            if not target["active"]:
                total.inactive.add(str(target["reason"]))

    def merge(self, other: Calls) -> None:
        """Add the calls of another suite."""
        self.workers += other.workers
        self.kernels |= other.kernels
        for name, target in other.targets.items():
            total = self.targets.setdefault(name, TargetCalls())
            total.calls += target.calls
            total.fallbacks.update(target.fallbacks)
            total.inactive |= target.inactive

    def active(self) -> list[str]:
        """Return the targets that were active in every worker."""
        return sorted(name for name, target in self.targets.items() if not target.inactive)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {
            "workers": self.workers,
            "kernels": sorted(self.kernels),
            "targets": {
                name: {
                    "calls": target.calls,
                    "fallbacks": dict(sorted(target.fallbacks.items())),
                    "inactive": sorted(target.inactive),
                }
                for name, target in sorted(self.targets.items())
            },
        }


def read_calls(directory: Path) -> Calls:
    """Merge the status files of the workers of one run."""
    calls = Calls()
    for path in sorted(directory.glob("status-*.json")):
        calls.add(json.loads(path.read_text(encoding="utf-8")))
    return calls


def uncalled(calls: Calls, excused: Collection[str]) -> list[str]:
    """Return the targets that nothing went into and nobody excused."""
    return sorted(
        name for name, target in calls.targets.items() if not target.calls and name not in excused
    )


def needlessly_excused(calls: Calls, excused: Iterable[str]) -> list[str]:
    """Return the excused targets that were called after all, or are unknown."""
    return sorted(
        name for name in excused if name not in calls.targets or calls.targets[name].calls
    )
