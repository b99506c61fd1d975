"""One outcome per test, from the phases that the recorder wrote down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PASSED = "passed"
SKIPPED = "skipped"
FAILED = "failed"
ERROR = "error"
XFAILED = "xfailed"
XPASSED = "xpassed"
#: Known to one side only: not collected, or lost with a worker that died.
MISSING = "missing"

#: The outcomes that make pytest itself fail.
BAD = frozenset({FAILED, ERROR, MISSING})

Outcomes = dict[str, str]


def read_outcomes(results: Path) -> Outcomes:
    """Read what the recorder wrote; an absent file is a run without tests."""
    if not results.exists():
        return {}
    with results.open(encoding="utf-8") as lines:
        # A run that was ended may leave half a line behind.
        return merge_phases(json.loads(line) for line in lines if line.endswith("\n"))


def count_done(results: Path) -> int:
    """Return how many tests came to their end so far."""
    if not results.exists():
        return 0
    with results.open(encoding="utf-8") as lines:
        return sum('"when": "teardown"' in line for line in lines)


def merge_phases(phases: Iterable[dict[str, Any]]) -> Outcomes:
    """Merge setup, call and teardown of each test into its outcome."""
    outcomes: Outcomes = {}
    for phase in phases:
        outcome = _outcome(phase)
        known = outcomes.get(phase["id"])
        # A teardown that goes wrong outweighs a call that went well, and a
        # retried call outweighs the attempt before it.
        if outcome is not None and (known is None or phase["when"] != "teardown" or _bad(outcome)):
            outcomes[phase["id"]] = outcome
    return outcomes


def _outcome(phase: dict[str, Any]) -> str | None:
    """Return what a phase says about its test; None when it says nothing."""
    outcome, when = phase["outcome"], phase["when"]
    if outcome == "skipped":
        return XFAILED if phase["xfail"] else SKIPPED
    if outcome == "failed":
        return ERROR if when in ("setup", "teardown", "collect") else FAILED
    if outcome == "passed" and when == "call":
        return XPASSED if phase["xfail"] else PASSED
    return None


def _bad(outcome: str) -> bool:
    return outcome in BAD
