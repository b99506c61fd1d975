"""The counts that a change is held against, and how far it may be from them.

A row's count is the same in each run, but not in each layout of memory (see
`benchmarks.superstep.shifted`): a baseline has the lowest and the highest of some.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fastgraph.cli.table import aligned

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.03

#: The lowest and the highest count of a row.
Range: TypeAlias = tuple[int, int]

Verdict = Literal["same", "more", "less", "new", "gone"]


class BadBaselineError(Exception):
    """The baseline cannot be read."""


@dataclass(frozen=True)
class Baseline:
    """Counts by row, and what they were counted with."""

    environment: Mapping[str, str]
    instructions: Mapping[str, Range]

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a baseline.

        Raises
        ------
        BadBaselineError
            If there is no such file, or it is not one.
        """
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            counts = {name: (low, high) for name, (low, high) in found["instructions"].items()}
            return cls(dict(found["environment"]), counts)
        except FileNotFoundError:
            raise BadBaselineError(f"there is no baseline at {path}; make perf-baseline") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadBaselineError(f"{path} is not a baseline: {error!r}") from None

    def write(self, path: Path) -> None:
        """Write it, a row per line so that a change shows in its history."""
        environment = json.dumps(dict(self.environment), indent=2).replace("\n}", "\n }")
        counts = ",\n".join(
            f"  {json.dumps(name)}: [{low}, {high}]"
            for name, (low, high) in self.instructions.items()
        )
        text = f'{{\n "environment": {environment},\n "instructions": {{\n{counts}\n }}\n}}\n'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Change:
    """A row then and now; one that is on one side only has no figure on the other."""

    name: str
    before: Range | None
    now: int | None

    @property
    def part(self) -> float:
        """How much more is executed than the highest count was, or less than the lowest."""
        if self.before is None or self.now is None:
            return 0.0
        low, high = self.before
        return self.now / min(max(self.now, low), high) - 1

    def verdict(self, tolerance: float = TOLERANCE) -> Verdict:
        """Say on which side of the tolerance it is."""
        if self.before is None:
            return "new"
        if self.now is None:
            return "gone"
        if abs(self.part) <= tolerance:
            return "same"
        return "more" if self.part > 0 else "less"


def compared(
    baseline: Mapping[str, Range], counted: Mapping[str, int], *, whole: bool = True
) -> list[Change]:
    """Put the counts side by side; unless it is the whole of them, none is missing."""
    changes = [Change(name, baseline.get(name), now) for name, now in counted.items()]
    if whole:
        changes += [Change(name, baseline[name], None) for name in baseline if name not in counted]
    return changes


#: What each verdict means for the one who reads it.
WORDS: Mapping[Verdict, str] = {
    "same": "",
    "more": "MORE",
    "less": "less: renew the baseline, so that it cannot be lost again",
    "new": "not in the baseline",
    "gone": "in the baseline only",
}


def table(changes: Sequence[Change], tolerance: float = TOLERANCE) -> str:
    """The rows with their change, each with what it means."""
    rows = [
        (
            change.name,
            "" if change.before is None else " - ".join(f"{each:,}" for each in change.before),
            "" if change.now is None else f"{change.now:,}",
            "" if change.before is None or change.now is None else f"{change.part:+.2%}",
            WORDS[change.verdict(tolerance)],
        )
        for change in changes
    ]
    return aligned(("row", "baseline", "now", "change", ""), rows)


def tripped(changes: Sequence[Change], tolerance: float = TOLERANCE) -> list[Change]:
    """Return the rows that do not pass: slower ones, and those on one side only.

    One that became cheaper passes: a gain is no reason to stop a change.
    """
    return [change for change in changes if change.verdict(tolerance) in ("more", "new", "gone")]
