"""Pytest plugin for upstream's suites: writes down outcomes and what was patched.

It is loaded with ``-p conformance_recorder`` into the process that runs
upstream's tests, so it imports nothing but pytest and the standard library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TextIO

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption(
        "--conformance-results",
        metavar="DIR",
        help="directory for outcomes, tracebacks and the status of each worker",
    )
    group.addoption(
        "--conformance-deselect",
        action="append",
        default=[],
        metavar="ID",
        help="do not run exactly this test",
    )


def pytest_configure(config: pytest.Config) -> None:
    directory = config.getoption("conformance_results")
    if directory is None:
        return
    config.pluginmanager.register(StatusDump(Path(directory), worker_name(config)))
    # The controller sees the reports of every worker; a worker only its own.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(directory)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unwanted = set(config.getoption("conformance_deselect"))
    if not unwanted:
        return
    dropped = [item for item in items if item.nodeid in unwanted]
    items[:] = [item for item in items if item.nodeid not in unwanted]
    if dropped:
        config.hook.pytest_deselected(items=dropped)


def worker_name(config: pytest.Config) -> str:
    """Return the xdist worker's name, or ``main`` outside of a worker."""
    workerinput: dict[str, Any] = getattr(config, "workerinput", {})
    return str(workerinput.get("workerid", "main"))


class Recorder:
    """Appends one line per phase of each test to ``results.jsonl``."""

    def __init__(self, directory: Path) -> None:
        self._results = (directory / "results.jsonl").open("a", encoding="utf-8")
        self._failures = (directory / "failures.txt").open("a", encoding="utf-8")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(report, report.when, report.duration)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # Only what went wrong: a module that did not import or skipped itself.
        if report.outcome != "passed":
            self._write(report, "collect", 0.0)

    def pytest_unconfigure(self) -> None:
        self._results.close()
        self._failures.close()

    def _write(
        self,
        report: pytest.TestReport | pytest.CollectReport,
        when: str,
        seconds: float,
    ) -> None:
        line = {
            "id": report.nodeid,
            "when": when,
            "outcome": report.outcome,
            "xfail": hasattr(report, "wasxfail"),
            "seconds": round(seconds, 3),
        }
        _append(self._results, json.dumps(line) + "\n")
        if report.outcome == "failed":
            _append(
                self._failures,
                f"{'=' * 8} {report.nodeid} ({when})\n{report.longreprtext}\n\n",
            )


class StatusDump:
    """Writes ``fastgraph.status()`` of this process when its session ends."""

    def __init__(self, directory: Path, worker: str) -> None:
        self._path = directory / f"status-{worker}.json"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # Looked up, never imported: on stock the engine must stay unloaded.
        fastgraph = sys.modules.get("fastgraph")
        if fastgraph is None or _is_controller(session.config):
            return
        self._path.write_text(json.dumps(fastgraph.status().to_dict()), encoding="utf-8")


def _is_controller(config: pytest.Config) -> bool:
    """Whether this process only hands tests out to xdist workers."""
    if hasattr(config, "workerinput"):
        return False
    return bool(getattr(config.option, "tx", None))


def _append(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
