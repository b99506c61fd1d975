"""Scenarios by the dozen, each compared in the ways that apply to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from equivalence_ways import WAYS, Scenario, Way, observed

import fastgraph
from fastgraph.verify.comparison import first_difference

#: How often a scenario is run again whose threads take turns by chance.
TRIES = 5


def assert_equal(found: dict[str, Any], expected: dict[str, Any], sides: str) -> None:
    """Two observations are the same, or it is said in which part and where they are not."""
    different = first_difference(expected, found)
    assert different is None, f"{sides} {different}"


def assert_same(scenario: Scenario, way: Way) -> dict[str, Any]:
    """Run a scenario stock, stock again and patched: all that can be seen is the same.

    Where threads of one superstep end in an order that stock does not keep to, either, both sides
    may try again.
    """
    tries = 1 if ordered(way) else TRIES
    for _ in range(tries):
        expected = observed(scenario, way)
        again = observed(scenario, way)
        if first_difference(expected, again) is None:
            break
    assert_equal(again, expected, "stock differs from stock")
    with fastgraph.patched():
        for _ in range(tries):
            found = observed(scenario, way)
            if first_difference(expected, found) is None:
                break
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
