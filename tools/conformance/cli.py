"""The command line: ``python -m tools.conformance``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tools.conformance import servers, stock
from tools.conformance.comparison import compare, rerun
from tools.conformance.entries import read_deselected, read_uncalled
from tools.conformance.errors import ConformanceError
from tools.conformance.outcomes import PASSED
from tools.conformance.report import Report, SuiteReport, proof_lines, suite_lines
from tools.conformance.runner import (
    PATCHED,
    STOCK,
    Plan,
    Run,
    Servers,
    check_engine_installed,
    run_alone,
    run_suite,
)
from tools.conformance.suites import SUITES, Suite, installed_version
from tools.conformance.terminal import progress, say

SUSPECTS = "suspects"

_HERE = Path(__file__).parent
_NAMES = tuple(suite.distribution for suite in SUITES)

_DESCRIPTION = """\
Run the test suites of the installed releases of langgraph and its checkpoint
libraries, on stock and on the patched engine, and compare them test by test:
what passes on stock must pass patched. The tests come from the releases'
source distributions; what stock does is kept in tools/conformance/stock.

Tests that talk to PostgreSQL and Redis get servers of their own, unless the
options (or FASTGRAPH_TEST_POSTGRES and FASTGRAPH_TEST_REDIS) name running
ones. Upstream's tests create, empty and drop databases on them.
"""

_EPILOG = """\
exit status: 0 upstream's tests do patched what they do on stock; 1 they do
not, a suite collected nothing, a server did not start, or a target was not
called; 2 wrong usage; 130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tools.conformance",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--engine",
        choices=("stock", "patched", "both", "suspects"),
        default="patched",
        help="patched compares with the stock data, both runs stock afresh, suspects only the "
        "tests that did not pass patched (default: patched)",
    )
    made.add_argument(
        "--suite",
        action="append",
        choices=_NAMES,
        metavar="NAME",
        help=f"run only this suite; repeatable; one of {', '.join(_NAMES)}",
    )
    made.add_argument(
        "--no-servers",
        action="store_true",
        help="leave out the tests that need PostgreSQL or Redis",
    )
    made.add_argument(
        "--not-strict",
        action="store_true",
        help="let targets stay stock, as some do on a release that they were not proven against",
    )
    made.add_argument("-k", metavar="EXPRESSION", help="run only tests that match, as in pytest")
    made.add_argument("--update-stock", action="store_true", help="run stock and write its data")
    made.add_argument(
        "--stock-runs",
        type=_positive,
        default=2,
        metavar="N",
        help="how often stock is run to find unstable tests (default: 2)",
    )
    made.add_argument(
        "--workers",
        type=_positive,
        default=2,
        metavar="N",
        help="processes (default: 2)",
    )
    made.add_argument(
        "--suite-minutes",
        type=float,
        default=40.0,
        metavar="N",
        help="give a suite up after this long (default: 40)",
    )
    _add_places(made)
    return made


def _add_places(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--postgres",
        metavar="URI",
        default=os.environ.get("FASTGRAPH_TEST_POSTGRES") or None,
        help="running PostgreSQL with pgvector, of a superuser (default: start one)",
    )
    made.add_argument(
        "--redis",
        metavar="URI",
        default=os.environ.get("FASTGRAPH_TEST_REDIS") or None,
        help="running Redis (default: start one)",
    )
    made.add_argument(
        "--cache",
        type=Path,
        default=Path("build/conformance"),
        metavar="DIR",
        help="for archives, tests and results (default: build/conformance)",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON too")
    made.add_argument("--stock-data", type=Path, default=_HERE / "stock", help=argparse.SUPPRESS)
    made.add_argument(
        "--deselect-file",
        type=Path,
        default=_HERE / "deselect.txt",
        help=argparse.SUPPRESS,
    )
    made.add_argument(
        "--uncalled-file",
        type=Path,
        default=_HERE / "uncalled.txt",
        help=argparse.SUPPRESS,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parser().parse_args(argv)
    if options.update_stock and options.k:
        parser().error("--update-stock needs whole suites, not -k")
    try:
        return _run(options)
    except ConformanceError as error:
        progress(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        progress("interrupted")
        return 130


def _run(options: argparse.Namespace) -> int:
    together = [suite for suite in SUITES if not suite.apart]
    wanted = [suite for suite in SUITES if suite.distribution in (options.suite or ())] or together
    if options.no_servers:
        wanted = [suite.without_servers() for suite in wanted]
    deselected = read_deselected(options.deselect_file, frozenset(_NAMES))
    report = Report(
        excused=read_uncalled(options.uncalled_file),
        complete=wanted == together and options.k is None and not options.no_servers,
    )
    if options.engine != STOCK:
        check_engine_installed()
    versions = {suite.distribution: installed_version(suite.distribution) for suite in wanted}
    with _servers(options, wanted) as running:
        for suite in wanted:
            plan = Plan(
                suite=suite,
                version=versions[suite.distribution],
                cache=options.cache.resolve(),
                servers=running,
                workers=options.workers,
                minutes=options.suite_minutes,
                select=options.k,
                strict=not options.not_strict,
            )
            _add_suite(report, plan, deselected.get(suite.distribution, {}), options)
    return _finish(report, options.json)


def _add_suite(
    report: Report, plan: Plan, deselected: dict[str, str], options: argparse.Namespace
) -> None:
    suite = SuiteReport(plan.suite.distribution, plan.version)
    report.suites.append(suite)
    if options.engine == SUSPECTS:
        _suspects_side(suite, replace(plan, deselected=tuple(deselected)), report)
    else:
        _stock_side(suite, plan, options)
    if options.engine not in (STOCK, SUSPECTS) and not suite.problems:
        _patched_side(suite, replace(plan, deselected=tuple(deselected)), report)
        suite.notes += [f"left out: {test}: {reason}" for test, reason in deselected.items()]
    for line in suite_lines(suite):
        say(line)
    say()


def _suspects_side(suite: SuiteReport, plan: Plan, report: Report) -> None:
    """Run patched first, and on stock what did not pass: what passes cannot be a new failure."""
    run = _run_patched(suite, plan, report)
    suspects = [test for test, outcome in run.outcomes.items() if outcome != PASSED]
    suite.stock_origin = f"of {len(run.outcomes)} tests, the {len(suspects)} that did not pass"
    if suspects and run.problem is None:
        on_stock = replace(plan, tests=tuple(sorted(suspects)))
        suite.stock = {**run.outcomes, **_run_stock(suite, on_stock, 1).outcomes}
    else:
        suite.stock = run.outcomes
    _compare(suite, plan, run)


def _stock_side(suite: SuiteReport, plan: Plan, options: argparse.Namespace) -> None:
    path = stock.data_file(options.stock_data, suite.name, suite.version)
    data = stock.load(path)
    if data is None:
        misfit: str | None = f"no data for {suite.name} {suite.version}"
    else:
        misfit = data.misfit(needs_sqlite_extensions=plan.suite.sqlite_extensions)
    if options.engine == PATCHED and not options.update_stock and data and not misfit:
        suite.stock_origin = f"{path.name}, Python {data.python}"
        suite.notes += [f"installed now: {change}" for change in data.drift()]
    else:
        if misfit and options.engine == PATCHED and not options.update_stock:
            suite.notes.append(f"stock was run first: {misfit}")
        data = _run_stock(suite, plan, options.stock_runs)
        if options.update_stock and not suite.problems:
            stock.save(data, path)
            suite.notes.append(f"wrote {path.name}")
    suite.stock, suite.unstable = data.outcomes, data.unstable


def _run_stock(suite: SuiteReport, plan: Plan, times: int) -> stock.Stock:
    runs = []
    for number in range(1, times + 1):
        run = run_suite(plan, STOCK, f"{STOCK}-{number}")
        runs.append(run.outcomes)
        suite.stock_origin += f"{', ' if suite.stock_origin else ''}{run.seconds:.0f} s"
        if run.problem is not None:
            suite.problems.append(f"stock: {run.problem}; see {run.directory / 'output.txt'}")
            break
    return stock.merge_runs(suite.name, suite.version, runs)


def _run_patched(suite: SuiteReport, plan: Plan, report: Report) -> Run:
    run = run_suite(plan, PATCHED)
    suite.patched = run
    report.calls.merge(run.calls)
    if run.problem is not None:
        suite.problems.append(f"{run.problem}; see {run.directory / 'output.txt'}")
    return run


def _patched_side(suite: SuiteReport, plan: Plan, report: Report) -> None:
    _compare(suite, plan, _run_patched(suite, plan, report))


def _compare(suite: SuiteReport, plan: Plan, run: Run) -> None:
    comparison = compare(
        suite.stock,
        run.outcomes,
        unstable=suite.unstable,
        deselected=plan.deselected,
        partial=plan.select is not None,
    )
    if run.problem is None:
        comparison = rerun(comparison, lambda test: run_alone(plan, PATCHED, test))
    suite.comparison = comparison


def _finish(report: Report, path: Path | None) -> int:
    for line in proof_lines(report):
        say(line)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report.to_dict(), indent=1) + "\n", encoding="utf-8")
    if report.empty:
        say("PROBLEM: no test was run")
    if report.patched:
        say(report.summary)
    return 0 if report.ok else 1


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


@contextlib.contextmanager
def _servers(options: argparse.Namespace, suites: Sequence[Suite]) -> Iterator[Servers]:
    with contextlib.ExitStack() as stack:
        postgres = redis = None
        if any(suite.postgres for suite in suites):
            progress("PostgreSQL: " + ("named" if options.postgres else "starting"))
            postgres = stack.enter_context(servers.postgres(options.postgres))
        if any(suite.redis for suite in suites):
            progress("Redis: " + ("named" if options.redis else "starting"))
            redis = stack.enter_context(servers.redis(options.redis))
        yield Servers(postgres, redis)
