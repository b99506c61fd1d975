"""Whole graphs: all that a user sees and a saver keeps, stock and patched."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from typing import Any

import pytest
from adapter_drivers import AsyncDriver, SyncDriver, hold_still, stored
from adapter_graphs import SCENARIOS, Scenario
from adapter_shapes import shape
from langgraph.checkpoint.memory import InMemorySaver

import fastgraph

DRIVERS = pytest.mark.parametrize("driver", [SyncDriver, AsyncDriver], ids=["sync", "async"])
EACH = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)


@pytest.fixture(autouse=True)
def _random_numbers_go_on() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)


def seen(scenario: Scenario, driver: Any) -> Any:
    """One run of a scenario, with the same ids, random numbers and time as any other."""
    saver = InMemorySaver()
    with pytest.MonkeyPatch.context() as monkeypatch:
        hold_still(monkeypatch)
        result = scenario(driver(), saver)
    return shape(result), stored(saver)


#: How often a scenario is run again whose chunks came in another order. Those of a sync run that
#: calls tasks do, on stock as well, when its thread is late: rarely, and never each time.
TRIES = 4


def assert_seen(scenario: Scenario, driver: Any, expected: Any) -> None:
    """A scenario shows what is expected."""
    for _ in range(TRIES if driver is SyncDriver else 1):
        found = seen(scenario, driver)
        if found == expected:
            return
    assert found == expected, scenario.__name__


@functools.cache
def seen_with_stock(scenario: Scenario, driver: Any) -> Any:
    expected = seen(scenario, driver)
    assert_seen(scenario, driver, expected)  # or there is nothing to compare
    return expected


@DRIVERS
@EACH
def test_a_graph_does_and_stores_the_same(scenario: Scenario, driver: Any) -> None:
    expected = seen_with_stock(scenario, driver)
    with fastgraph.patched(replaced(), strict=True):
        assert_seen(scenario, driver, expected)


def replaced() -> list[str]:
    """The targets that can be replaced in this release of LangGraph."""
    with fastgraph.patched(frameworks=["langgraph"]) as status:
        return [target.name for target in status.targets if target.active]


@pytest.mark.parametrize("target", replaced())
def test_each_target_works_on_its_own(target: str) -> None:
    for scenario in SCENARIOS:
        expected = seen_with_stock(scenario, SyncDriver)
        with fastgraph.patched([target], strict=True):
            assert_seen(scenario, SyncDriver, expected)


#: Savers, models and tools that the scenarios do without; they have tests of their own.
DONE_WITHOUT = (
    "langgraph.checkpoint.sqlite",
    "langgraph.checkpoint.postgres",
    "langchain_core.language_models",
    "langchain_core.tools",
)


def done_without(target: str) -> bool:
    (status,) = [each for each in fastgraph.status().targets if each.name == target]
    return status.sites[0].module.startswith(DONE_WITHOUT)


def test_the_scenarios_reach_every_target() -> None:
    before = {target.name: target.calls for target in fastgraph.status().targets}
    with fastgraph.patched(replaced(), strict=True):
        for scenario in SCENARIOS:
            for driver in (SyncDriver, AsyncDriver):
                seen(scenario, driver)
    after = {target.name: target.calls for target in fastgraph.status().targets}
    missed = [name for name in replaced() if after[name] == before[name]]
    assert [name for name in missed if not done_without(name)] == []
