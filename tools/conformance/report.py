"""What a conformance run has to say, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.conformance.calls import Calls, needlessly_excused, uncalled
from tools.conformance.comparison import MOST_RERUNS, Change, Comparison, count
from tools.conformance.outcomes import BAD, PASSED, SKIPPED, XFAILED, Outcomes
from tools.conformance.runner import Run

#: Failures that are listed one by one.
_MOST_LISTED = 200
_MOST_STOCK_LISTED = 10


@dataclass
class SuiteReport:
    """What came of one suite.

    Parameters
    ----------
    name, version : str
        The release.
    stock : dict
        Outcomes on stock.
    stock_origin : str
        Where they come from: the data or a run.
    unstable : dict
        What was seen of each test whose outcome varied on stock.
    patched : Run or None
        The patched run; None when only stock was run.
    comparison : Comparison or None
        Of the two, after re-runs.
    problems : list of str
        Why the suite proves nothing.
    notes : list of str
        What a reader should know besides.
    """

    name: str
    version: str
    stock: Outcomes = field(default_factory=dict)
    stock_origin: str = ""
    unstable: dict[str, list[str]] = field(default_factory=dict)
    patched: Run | None = None
    comparison: Comparison | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """Passed on the patched side."""
        return self.comparison.passed if self.comparison else 0

    @property
    def failed(self) -> int:
        """Newly failing on the patched side."""
        return len(self.comparison.newly_failing) if self.comparison else 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        data: dict[str, Any] = {
            "suite": self.name,
            "version": self.version,
            "stock": {"origin": self.stock_origin, **_counts(self.stock)},
            "unstable": self.unstable,
            "problems": self.problems,
            "notes": self.notes,
        }
        if self.patched is not None and self.comparison is not None:
            data["patched"] = {
                "seconds": round(self.patched.seconds, 1),
                "directory": str(self.patched.directory),
                **_counts(self.patched.outcomes),
            }
            data["newly_failing"] = _changes(self.comparison.newly_failing)
            data["newly_passing"] = _changes(self.comparison.newly_passing)
            data["passed_when_run_again"] = _changes(self.comparison.recovered)
        return data


@dataclass
class Report:
    """What came of all suites.

    Parameters
    ----------
    suites : list of SuiteReport
        One for each suite.
    calls : Calls
        Into the targets, over all suites.
    excused : dict
        Targets that need no call, with the reasons.
    complete : bool
        Whether every suite was run in full, so that a target without a call
        is a gap in the proof.
    """

    suites: list[SuiteReport] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    excused: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    @property
    def patched(self) -> bool:
        """Whether a patched side was run."""
        return any(suite.patched is not None for suite in self.suites)

    @property
    def gaps(self) -> list[str]:
        """Targets that should have been called and were not."""
        return uncalled(self.calls, self.excused) if self.patched and self.complete else []

    @property
    def empty(self) -> bool:
        """Whether no test was run at all, on the side that was asked about."""
        sides = [suite.patched.outcomes if suite.patched else suite.stock for suite in self.suites]
        return not any(sides)

    @property
    def ok(self) -> bool:
        """Whether upstream's tests do on the patched side what they do on stock."""
        broken = any(suite.failed or suite.problems for suite in self.suites)
        return not (broken or self.gaps or self.empty)

    @property
    def summary(self) -> str:
        """The last line of the report."""
        passed = sum(suite.passed for suite in self.suites)
        return f"{passed} passed, {sum(suite.failed for suite in self.suites)} failed"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {
            "ok": self.ok,
            "passed": sum(suite.passed for suite in self.suites),
            "failed": sum(suite.failed for suite in self.suites),
            "suites": [suite.to_dict() for suite in self.suites],
            "proof": self.calls.to_dict(),
            "uncalled": self.gaps,
        }


def suite_lines(suite: SuiteReport) -> Iterator[str]:
    """Yield the lines about one suite."""
    yield f"{suite.name} {suite.version}"
    yield f"  stock    {_line(suite.stock)}  ({suite.stock_origin})"
    if suite.patched is not None:
        seconds = f"{suite.patched.seconds:.0f} s"
        yield f"  patched  {_line(suite.patched.outcomes)}  ({seconds})"
    yield from _stock_failure_lines(suite.stock)
    for note in suite.notes:
        yield f"  note: {note}"
    for problem in suite.problems:
        yield f"  PROBLEM: {problem}"
    if suite.patched is not None and suite.comparison is not None:
        yield from _comparison_lines(suite.comparison, suite.patched.directory)
    elif suite.unstable:
        yield f"  unstable on stock: {len(suite.unstable)}"
        yield from (f"    {test}: {', '.join(seen)}" for test, seen in suite.unstable.items())


def proof_lines(report: Report) -> Iterator[str]:
    """Yield the lines about the targets, if a patched side was run."""
    if not report.patched:
        return
    calls = report.calls
    yield f"targets, over {calls.workers} workers (kernels: {', '.join(sorted(calls.kernels))})"
    width = max((len(name) for name in calls.targets), default=0)
    for name, target in sorted(calls.targets.items()):
        yield f"  {name:<{width}}  {target.calls:>12,} calls"
        for reason, times in target.fallbacks.most_common():
            yield f"  {'':<{width}}  {times:>12,} fallbacks: {reason}"
        for reason in sorted(target.inactive):
            yield f"  {'':<{width}}  INACTIVE: {reason}"
        if not target.calls and name in report.excused:
            yield f"  {'':<{width}}  excused: {report.excused[name]}"
    for name in report.gaps:
        yield f"  PROBLEM: no test called {name}"
    if report.complete:
        for name in needlessly_excused(calls, report.excused):
            yield f"  note: {name} needs no entry in uncalled.txt"


def _stock_failure_lines(stock: Outcomes) -> Iterator[str]:
    failing = sorted(test for test, outcome in stock.items() if outcome in BAD)
    for test in failing[:_MOST_STOCK_LISTED]:
        yield f"  fails on stock: {test}"
    if len(failing) > _MOST_STOCK_LISTED:
        yield f"  and {len(failing) - _MOST_STOCK_LISTED} more"


def _comparison_lines(comparison: Comparison, directory: Path) -> Iterator[str]:
    failing = comparison.newly_failing
    if failing:
        yield f"  NEWLY FAILING: {len(failing)}  (tracebacks: {directory / 'failures.txt'})"
        yield from _change_lines(failing)
        if len(failing) > MOST_RERUNS:
            yield f"    not run again: more than {MOST_RERUNS}"
    if comparison.recovered:
        yield f"  passed when run again, alone: {len(comparison.recovered)}"
        yield from _change_lines(comparison.recovered)
    if comparison.newly_passing:
        yield f"  newly passing: {len(comparison.newly_passing)}"
        yield from _change_lines(comparison.newly_passing)


def _change_lines(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes[:_MOST_LISTED]:
        stock = f"{change.stock}{' at times' if change.unstable else ''}"
        line = f"    {change.test}: {stock} on stock, {change.patched} patched"
        if change.reruns:
            line += f", run again: {', '.join(change.reruns)}"
        yield line
    if len(changes) > _MOST_LISTED:
        yield f"    and {len(changes) - _MOST_LISTED} more"


def _line(outcomes: Outcomes) -> str:
    counts = _counts(outcomes)
    return (
        f"{counts['passed']:>5} passed  {counts['failed']:>4} failed"
        f"  {counts['skipped']:>4} skipped  {counts['xfailed']:>3} xfailed"
    )


def _counts(outcomes: Outcomes) -> dict[str, int]:
    return {
        "passed": count(outcomes, PASSED),
        "failed": sum(count(outcomes, outcome) for outcome in BAD),
        "skipped": count(outcomes, SKIPPED),
        "xfailed": count(outcomes, XFAILED),
    }


def _changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [
        {
            "test": change.test,
            "stock": change.stock,
            "patched": change.patched,
            "reruns": list(change.reruns),
            "unstable": change.unstable,
        }
        for change in changes
    ]
