"""The way to the helpers, how much is injected, and a report of it."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastgraph

HERE = Path(__file__).parent
for directory in (HERE, HERE.parent / "savers"):
    if str(directory) not in sys.path:
        sys.path.append(str(directory))

pytest.importorskip("tools.differential", reason="the tools are in the checkout")

import faults_worlds  # noqa: E402

#: How many calls of a point fail, one after the other: all of them, or some of each.
ALL = os.environ.get("FASTGRAPH_TEST_FAULTS") == "all"
_TOTAL: Counter[str] = Counter()


@pytest.fixture(scope="session")
def most() -> int | None:
    """At most so many calls of each kind fail; None for all."""
    return None if ALL else 2


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)
    assert not fastgraph.is_patched()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it counted."""
    worker: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["faults"] = dict(faults_worlds.INJECTED)
    else:
        _TOTAL.update(faults_worlds.INJECTED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a worker counted."""
    _TOTAL.update(getattr(node, "workeroutput", {}).get("faults", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was injected."""
    if _TOTAL:
        terminalreporter.section("faults injected")
        for kind, count in sorted(_TOTAL.items()):
            terminalreporter.write_line(f"{count:>8,} {kind}")
        failed = len(terminalreporter.stats.get("failed", ()))
        terminalreporter.write_line(f"{sum(_TOTAL.values()):>8,} in all; {failed} tests failed")
