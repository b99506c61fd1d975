"""Scenarios by the dozen, each compared in the ways that apply to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from equivalence_ways import WAYS, Scenario, Way, observed

import fastgraph
from fastgraph.verify.comparison import first_difference


def assert_equal(found: dict[str, Any], expected: dict[str, Any], sides: str) -> None:
    """Two observations are the same, or it is said in which part and where they are not."""
    different = first_difference(expected, found)
    assert different is None, f"{sides} {different}"


def assert_same(scenario: Scenario, way: Way) -> dict[str, Any]:
    """Run a scenario stock, stock again and patched: all that can be seen is the same."""
    expected = observed(scenario, way)
    assert_equal(observed(scenario, way), expected, "stock differs from stock")
    with fastgraph.patched():
        found = observed(scenario, way)
    assert_equal(found, expected, "patched differs from stock")
    return expected


class Scenarios:
    """The scenarios of one file."""

    def __init__(self) -> None:
        self.cases: list[tuple[Scenario, Way]] = []

    def add(self, when: Callable[[Way], bool] = lambda way: True) -> Callable[[Scenario], Scenario]:
        """Register a scenario in each way that fits."""

        def register(scenario: Scenario) -> Scenario:
            self.cases += [(scenario, way) for way in WAYS if when(way)]
            return scenario

        return register

    @property
    def ids(self) -> list[str]:
        return [f"{scenario.__name__}, {way}" for scenario, way in self.cases]


def saved(way: Way) -> bool:
    """Whether a saver keeps what the run does."""
    return way.durability is not None


def ordered(way: Way) -> bool:
    """Whether tasks of one superstep end in an order that stock, too, keeps to."""
    return not way.sync_nodes if way.is_async else not way.streams_within_tasks


def sync(way: Way) -> bool:
    return not way.is_async


def asynchronous(way: Way) -> bool:
    return way.is_async and not way.sync_nodes
