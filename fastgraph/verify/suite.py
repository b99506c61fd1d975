"""The tests of a suite on both engines: each that runs graphs is run on stock, and then patched.

Each run of a test sets up its function-scoped fixtures anew; those of classes, modules and the
session are shared. What pytest reports is the first run, on stock, unless the engines differ.
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import pytest
from _pytest.runner import call_and_report

import fastgraph
from fastgraph.verify.comparison import first_difference
from fastgraph.verify.describing import Describer
from fastgraph.verify.recording import GraphRun, recording
from fastgraph.verify.stillness import stillness

#: How often both are run again where something differs, and then stock alone: what threads do may
#: come out one way most of the time.
BOTH_AGAIN = 3
STOCK_AGAIN = 20
#: The attribute of a test's last report that holds its verdict; pytest-xdist sends it along.
ATTRIBUTE = "fastgraph_verify"

Engine: TypeAlias = Literal["stock", "patched"]


@dataclass(frozen=True)
class Verdict:
    """What the comparison of one test said.

    Attributes
    ----------
    runs : int
        How many graph runs it had on stock.
    verdict : str
        "equal"; "different"; or "unsteady" where stock differs from itself, or patched not
        always from stock, so that nothing can be said.
    difference : str
        The first one, with both sides; empty if there is none.
    """

    runs: int
    verdict: Literal["equal", "different", "unsteady"]
    difference: str = ""


@dataclass
class Observed:
    """One run of a test."""

    engine: Engine
    reports: list[pytest.TestReport]
    runs: list[GraphRun]
    seen: dict[str, Any]
    warned: list[warnings.WarningMessage]

    def ran_as_asked(self) -> bool:
        """Tell whether its graphs ran on the engine that was in place for them."""
        return all(run.patched is (self.engine == "patched") for run in self.runs)


class BothEngines:
    """pytest hooks that run each test on both engines, and count what they find.

    Parameters
    ----------
    frameworks : sequence of str, optional
        What is patched; every framework by default.
    """

    def __init__(self, frameworks: Sequence[str] | None = None) -> None:
        self.frameworks = frameworks
        self.verdicts: dict[str, Verdict] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test on stock and, if it ran graphs, patched; report what was found."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in _Test(item, nextitem, self.frameworks).reports():
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the verdict that a report brings, maybe from another process."""
        if found := getattr(report, ATTRIBUTE, None):
            self.verdicts[report.nodeid] = Verdict(**found)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how much was compared, and what could not be."""
        terminalreporter.section("fastgraph: stock and patched")
        for line in summary(self.verdicts):
            terminalreporter.line(line)


def summary(verdicts: dict[str, Verdict]) -> list[str]:
    """Tell how many graph runs of how many tests were compared; each that could not be by name."""
    of: dict[str, dict[str, Verdict]] = {"equal": {}, "different": {}, "unsteady": {}}
    for name, each in verdicts.items():
        of[each.verdict][name] = each
    compared = {**of["equal"], **of["different"]}
    runs = sum(each.runs for each in compared.values())
    said = f"{len(of['different'])} tests differ" if of["different"] else "all equal"
    lines = [f"{runs} graph runs of {len(compared)} tests compared: {said if compared else 'none'}"]
    lines += [f"different: {name}" for name in of["different"]]
    if of["unsteady"]:
        count = len(of["unsteady"])
        lines.append(f"{count} tests not comparable, as they do not always do the same:")
    lines += [f"  {name}: {each.difference}" for name, each in of["unsteady"].items()]
    return lines


class _Test:
    """One test, run as often as it takes to tell."""

    def __init__(
        self,
        item: pytest.Item,
        nextitem: pytest.Item | None,
        frameworks: Sequence[str] | None,
    ) -> None:
        self.item = item
        self.frameworks = frameworks
        self.nextitem = nextitem
        # After it in place of the next test, what tests share is left as it is.
        self.itself_again = copy.copy(item)
        self.began = datetime.now(timezone.utc)
        self.properties = list(item.user_properties)

    def reports(self) -> list[pytest.TestReport]:
        """Run it; the reports that count, of which the last one has the verdict."""
        expected = self.observed("stock", lambda stock: not stock.runs)
        last, verdict, found = expected, None, None
        if expected.runs:
            last, verdict, found = self.compared(expected)
        for each in expected.warned:
            warnings.showwarning(each.message, each.category, each.filename, each.lineno)
        *reports, teardown = expected.reports
        # The last one tore down what is shared.
        reports.append(last.reports[-1] if teardown.passed else teardown)
        if verdict is not None:
            if verdict.verdict == "different" and found is not None:
                _fail(reports, verdict, found)
            setattr(reports[-1], ATTRIBUTE, asdict(verdict))
        return reports

    def compared(self, expected: Observed) -> tuple[Observed, Verdict, Observed]:
        """Run it patched, and both again where they differ; the last run, and the patched one."""
        found = self.observed("patched", lambda seen: _differ(expected, seen) is None)
        runs = _Runs([expected], [found])
        last = found
        while (verdict := runs.verdict()) is None:
            last = self.observed(runs.next_engine(), runs.settles)
            runs = runs.with_one(last)
        return last, verdict, found

    def observed(self, engine: Engine, is_last: Callable[[Observed], bool]) -> Observed:
        """Run it once on one engine, and tear down what it shares if this was the last run."""
        describe = _Describer(self.item)
        with contextlib.ExitStack() as stack:
            patched = engine == "patched"
            stack.enter_context(
                fastgraph.patched(frameworks=self.frameworks) if patched else _unpatched()
            )
            stack.enter_context(stillness(now=self.began))
            warned = stack.enter_context(warnings.catch_warnings(record=True))
            recorded = stack.enter_context(recording(describe))
            seen = Observed(engine, [], recorded.runs, {}, warned)
            with _set_up_anew(self.item, self.properties):
                seen.reports.append(call_and_report(self.item, "setup", log=False))
                if seen.reports[0].passed and not self.item.config.getoption("setuponly", False):
                    seen.reports.append(call_and_report(self.item, "call", log=False))
                seen.seen = _described(seen, recorded.records(), describe)
                following = self.nextitem if is_last(seen) else self.itself_again
                if self.item.session.shouldfail or self.item.session.shouldstop:
                    following = None
                teardown = call_and_report(self.item, "teardown", log=False, nextitem=following)
                seen.reports.append(teardown)
        return seen


@dataclass(frozen=True)
class _Runs:
    """The runs of one test so far."""

    stock: list[Observed]
    patched: list[Observed]

    def with_one(self, more: Observed) -> _Runs:
        if more.engine == "stock":
            return _Runs([*self.stock, more], self.patched)
        return _Runs(self.stock, [*self.patched, more])

    def next_engine(self) -> Engine:
        """Tell which is to be run now: one after the other, as they may share what runs leave."""
        enough = len(self.patched) > BOTH_AGAIN
        return "stock" if enough or len(self.stock) == len(self.patched) else "patched"

    def settles(self, more: Observed) -> bool:
        """Tell whether with one more there is a verdict."""
        return self.with_one(more).verdict() is not None

    def verdict(self) -> Verdict | None:
        """Tell what they say; None if more of them are needed."""
        first, *again = self.stock
        runs = len(first.runs)
        if any(not each.ran_as_asked() for each in (first, *self.patched)):
            return Verdict(runs, "unsteady", "it patches or unpatches itself")
        different = _differ(first, self.patched[0])
        if different is None:
            return Verdict(runs, "equal")
        if not again:
            return None
        # Only the first run of all imports, fills caches, or warns for the first time.
        if _differ(again[0], self.patched[0]) is None:
            return Verdict(runs, "equal")
        if len(again) == 1:
            return None
        for one, other in pairwise(again):
            if unsteady := _differ(one, other):
                return Verdict(runs, "unsteady", unsteady)
        if any(_differ(stock, patched) is None for stock in again for patched in self.patched):
            return Verdict(runs, "unsteady", f"patched only sometimes {different}")
        if len(again) < STOCK_AGAIN:
            return None
        return Verdict(runs, "different", str(_differ(again[-1], self.patched[-1])))


class _Describer(Describer):
    """Describes a test's temporary directory, of which each run has another, as such."""

    def __init__(self, item: pytest.Item) -> None:
        super().__init__()
        self.item = item

    @property
    def directory(self) -> str:
        funcargs = getattr(self.item, "funcargs", None) or {}
        return str(funcargs.get("tmp_path", ""))

    def text(self, value: str) -> str:
        directory = self.directory
        return super().text(value.replace(directory, "<tmp_path>") if directory else value)


def _described(seen: Observed, records: list[Any], describe: Describer) -> dict[str, Any]:
    """All that is compared, under the names by which a difference is told."""
    return {
        "the outcome of the test": [_outcome(report, describe) for report in seen.reports],
        "the graph runs": [run.call for run in seen.runs],
        **{f"graph run {n}, {run.call}: ": run.seen for n, run in enumerate(seen.runs, 1)},
        "log records": records,
        "warnings": [
            (each.category.__name__, describe.text(str(each.message)), each.filename, each.lineno)
            for each in seen.warned
            if not issubclass(each.category, ResourceWarning)  # which come whenever
        ],
    }


def _outcome(report: pytest.TestReport, describe: Describer) -> Any:
    crash = getattr(report.longrepr, "reprcrash", None)
    message = report.longrepr if crash is None else crash.message
    return (report.when, report.outcome, describe.text(str(message or "")))


def _differ(expected: Observed, found: Observed) -> str | None:
    return first_difference(expected.seen, found.seen)


@contextlib.contextmanager
def _unpatched() -> Iterator[None]:
    """Have upstream's functions in place, also if a conftest.py has patched."""
    active = [target.name for target in fastgraph.status().targets if target.active]
    if active:
        fastgraph.unpatch()
    try:
        yield
    finally:
        if active:
            fastgraph.patch(active)


@contextlib.contextmanager
def _set_up_anew(item: Any, properties: list[tuple[str, object]]) -> Iterator[None]:
    """Let a test run as if it had not run before, as pytest does for plugins that rerun."""
    if hasattr(item, "_request") and not item._request:
        item._initrequest()
    item.user_properties[:] = properties
    item._report_sections.clear()
    try:
        yield
    finally:
        if hasattr(item, "_request"):
            item._request = False
            item.funcargs = None


def _fail(reports: list[pytest.TestReport], verdict: Verdict, found: Observed) -> None:
    """Let the report of the test's own phase say that the engines differ."""
    report = reports[-2]
    text = f"fastgraph: stock and patched differ {verdict.difference}"
    for patched in found.reports:
        if patched.failed:
            text += f"\n\nPatched, the test fails in its {patched.when}:\n{patched.longreprtext}"
    report.outcome = "failed"
    report.longrepr = text
    vars(report).pop("wasxfail", None)
